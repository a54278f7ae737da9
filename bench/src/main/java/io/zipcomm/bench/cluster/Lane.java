package io.zipcomm.bench.cluster;

import io.zipcomm.bench.plan.BenchCase;
import io.zipcomm.bench.report.CostModel;
import io.zipcomm.bench.report.Row;
import io.zipcomm.bench.worker.CaseOrder;
import io.zipcomm.bench.worker.CaseResult;
import java.util.Collection;

/** One row while it is measured, slice by slice. */
final class Lane {

    private static final double NS_PER_US = 1e3;

    private final Entry entry;
    private final BenchCase what;
    private final String algorithm;
    private final long budgetNs;
    private final int iterations;
    private final Slices slices = new Slices();
    private int warmGroup = -1;
    private boolean failed;

    /**
     * A row.
     *
     * @param entry      who measures it
     * @param what       operation, size and ranks
     * @param algorithm  by name, or {@link CaseOrder#AUTO}
     * @param budgetNs   time for all slices together
     * @param iterations to time in all slices together, or 0 to let the budget decide
     */
    Lane(Entry entry, BenchCase what, String algorithm, long budgetNs, int iterations) {
        this.entry = entry;
        this.what = what;
        this.algorithm = algorithm;
        this.budgetNs = budgetNs;
        this.iterations = iterations;
    }

    BenchCase what() {
        return what;
    }

    /** Warms up: what it gives the compiler to do, and the processes to fetch, is done before anybody is timed. */
    void rehearse() throws InterruptedException {
        Collection<CaseResult> results = ask(1, budgetNs);
        if (results != null) {
            slices.check(results);
        }
    }

    /** Times the {@code slice}-th slice of {@code count}. */
    void measure(int slice, int count) throws InterruptedException {
        int share = (iterations + count - 1 - slice) / count;
        Collection<CaseResult> results = ask(share, budgetNs / count);
        if (results != null) {
            slices.add(results);
        }
    }

    private Collection<CaseResult> ask(int count, long budget) throws InterruptedException {
        if (failed) {
            return null;
        }
        // A group that took the place of a failed one knows nothing of this row.
        boolean warm = warmGroup == entry.group();
        CaseOrder order = new CaseOrder(what.operation().label(), what.bytes(), algorithm, count, budget, warm);
        Collection<CaseResult> results = entry.measure(what, order);
        failed = results == null;
        warmGroup = entry.group();
        return results;
    }

    /**
     * The row.
     *
     * @param model by which it is rated
     */
    Row row(CostModel model, BenchListener listener) {
        slices.mismatches().forEach(text -> listener.problem(what + ": wrong data at " + text));
        if (failed) {
            return Row.failed(what.operation(), what.transport(), algorithm, what.ranks(), what.bytes());
        }
        double p50Us = slices.p50Ns() / NS_PER_US;
        return new Row(
                what.operation(),
                what.transport(),
                slices.algorithm(),
                what.ranks(),
                what.bytes(),
                slices.iterations(),
                p50Us,
                slices.p99Ns() / NS_PER_US,
                model.efficiency(what.operation(), what.ranks(), what.bytes(), p50Us),
                slices.mismatches().isEmpty(),
                slices.cost());
    }
}
