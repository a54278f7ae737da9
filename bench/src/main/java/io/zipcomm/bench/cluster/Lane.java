package io.zipcomm.bench.cluster;

import io.zipcomm.bench.plan.BenchCase;
import io.zipcomm.bench.report.CostModel;
import io.zipcomm.bench.report.Row;
import io.zipcomm.bench.worker.CaseOrder;
import io.zipcomm.bench.worker.CaseResult;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** One row while it is measured, slice by slice. */
final class Lane {

    private static final double NS_PER_US = 1e3;

    private final Entry entry;
    private final Entry rater;
    private final BenchCase what;
    private final int number;
    private final CaseOrder order;
    private final Slices slices = new Slices();
    private final List<Double> efficiencies = new ArrayList<>();
    private int warmGroup = -1;
    private boolean failed;

    /**
     * A row.
     *
     * @param entry      who measures it
     * @param rater      whose paths say what would be possible; null if it is not rated
     * @param what       operation, size and ranks
     * @param number     of the row in its run
     * @param order      for all slices together
     */
    Lane(Entry entry, Entry rater, BenchCase what, int number, CaseOrder order) {
        this.entry = entry;
        this.rater = rater;
        this.what = what;
        this.number = number;
        this.order = order;
    }

    BenchCase what() {
        return what;
    }

    int number() {
        return number;
    }

    /** Warms up: what it gives the compiler to do, and the processes to fetch, is done before anybody is timed. */
    void rehearse() throws InterruptedException {
        Collection<CaseResult> results = ask(1, order.budgetNs());
        if (results != null) {
            slices.check(results);
        }
    }

    /** Times the {@code slice}-th slice of {@code count}, beside what a message costs in the same second. */
    void measure(int slice, int count) throws InterruptedException {
        int share = (order.iterations() + count - 1 - slice) / count;
        Collection<CaseResult> results = ask(share, order.budgetNs() / count);
        if (results != null) {
            double p50Us = slices.add(results) / NS_PER_US;
            // Not before: its group would be awake, and the others not.
            efficiencies.add(model().efficiency(what.operation(), what.ranks(), what.bytes(), p50Us));
        }
    }

    private CostModel model() throws InterruptedException {
        CostModel model = rater == null || failed ? CostModel.UNKNOWN : rater.probe(what);
        if (model != null) {
            return model;
        }
        // Its own group is gone, and the row with it; that of another one costs the slice its rating only.
        failed = rater == entry;
        return CostModel.UNKNOWN;
    }

    private Collection<CaseResult> ask(int count, long budget) throws InterruptedException {
        if (failed) {
            return null;
        }
        // A group that took the place of a failed one knows nothing of this row.
        boolean warm = warmGroup == entry.group();
        Collection<CaseResult> results = entry.measure(what, order.slice(count, budget, warm));
        failed = results == null;
        warmGroup = entry.group();
        return results;
    }

    /** The row. */
    Row row(BenchListener listener) {
        slices.mismatches().forEach(text -> listener.problem(what + ": wrong data at " + text));
        if (failed) {
            return Row.failed(what.operation(), what.transport(), order.algorithm(), what.ranks(), what.bytes());
        }
        return new Row(
                what.operation(),
                what.transport(),
                slices.algorithm(),
                what.ranks(),
                what.bytes(),
                slices.iterations(),
                slices.p50Ns() / NS_PER_US,
                slices.p99Ns() / NS_PER_US,
                efficiency(),
                slices.mismatches().isEmpty(),
                slices.cost());
    }

    /**
     * The median over the slices, each by the model and the median of its own second. The quotient of medians over all slices
     * would be of two speeds where the machine has changed its own between them: the fast slices have more samples.
     */
    private double efficiency() {
        double[] known = efficiencies.stream()
                .mapToDouble(Double::doubleValue)
                .filter(Double::isFinite)
                .sorted()
                .toArray();
        int n = known.length;
        return n == 0 ? Double.NaN : (known[(n - 1) / 2] + known[n / 2]) / 2;
    }
}
