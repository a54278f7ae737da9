package io.zipcomm.bench.cluster;

import io.zipcomm.bench.plan.BenchCase;
import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.report.CostModel;
import io.zipcomm.bench.report.Row;
import io.zipcomm.bench.worker.CaseOrder;
import io.zipcomm.bench.worker.CaseResult;
import java.util.Collection;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * One contestant's part in the rows of a group size. A failure costs the row that is being measured: the contestant is
 * closed and reported, and another one made for the next, until {@link #GROUPS_MAX} have failed.
 */
final class Entry implements AutoCloseable {

    private static final int GROUPS_MAX = 4;

    /** A machine may change its speed every few seconds: what a message cost is not believed for longer. More where a test sets it. */
    static final long PROBE_AGE_NS = 1_000_000L * Long.getLong("zip.bench.probe-age-ms", 1000);

    private final ContestantFactory factory;
    private final int ranks;
    private final BenchListener listener;
    private final LongSupplier nanoTime;
    private Contestant contestant;
    private CostModel model = CostModel.UNKNOWN;
    private long probedNs;
    private int groups;
    private boolean started;
    private boolean givenUp;

    Entry(ContestantFactory factory, int ranks, BenchListener listener) {
        this(factory, ranks, listener, System::nanoTime);
    }

    /** With a clock of its own. */
    Entry(ContestantFactory factory, int ranks, BenchListener listener, LongSupplier nanoTime) {
        this.factory = factory;
        this.ranks = ranks;
        this.listener = listener;
        this.nanoTime = nanoTime;
        contestant = factory.create(ranks);
    }

    String name() {
        return contestant.name();
    }

    List<String> algorithms(BenchOperation operation) {
        return contestant.algorithms(operation);
    }

    /** Whether its rows are rated by {@link #probe}. */
    boolean hasProbe() {
        return contestant.hasProbe();
    }

    /** Which of its groups this is: it changes when one has failed. */
    int group() {
        return groups;
    }

    /** Starts the processes if there are none. Returns whether there are. */
    boolean start() throws InterruptedException {
        while (!started && !givenUp) {
            try {
                contestant.start();
                measureModel();
                started = true;
                // The floor is of no group size.
                if (!name().equals(Row.FLOOR)) {
                    listener.group(name(), ranks, model);
                }
            } catch (WorkerFailure e) {
                failed("starting", e);
            }
        }
        return started;
    }

    private void measureModel() throws WorkerFailure, InterruptedException {
        model = contestant.probe();
        probedNs = nanoTime.getAsLong();
    }

    /**
     * What a message costs in its present group, measured within the last second.
     *
     * @param what for the report of a failure
     * @return null if it failed
     */
    CostModel probe(BenchCase what) throws InterruptedException {
        if (!start()) {
            return null;
        }
        try {
            if (nanoTime.getAsLong() - probedNs > PROBE_AGE_NS) {
                measureModel();
            }
            return model;
        } catch (WorkerFailure e) {
            failed(what.toString(), e);
            return null;
        }
    }

    /**
     * Measures.
     *
     * @param what  for the report of a failure
     * @param order what to do
     * @return null if it failed
     */
    Collection<CaseResult> measure(BenchCase what, CaseOrder order) throws InterruptedException {
        if (!start()) {
            return null;
        }
        try {
            return contestant.measure(order);
        } catch (WorkerFailure e) {
            failed(what.toString(), e);
            return null;
        }
    }

    private void failed(String what, WorkerFailure failure) {
        listener.problem(name() + ", " + ranks + " ranks, " + what + ":\n" + failure.getMessage());
        contestant.close();
        started = false;
        groups++;
        givenUp = groups >= GROUPS_MAX;
        if (givenUp) {
            listener.problem(name() + ", " + ranks + " ranks: the rows that are left are given up, " + GROUPS_MAX
                    + " groups have failed");
        }
        contestant = factory.create(ranks);
    }

    /** Has the processes leave in good order. */
    void end() throws InterruptedException {
        if (started) {
            try {
                contestant.end();
            } catch (WorkerFailure e) {
                listener.problem(name() + ", " + ranks + " ranks, leaving the group:\n" + e.getMessage());
            }
        }
    }

    @Override
    public void close() {
        contestant.close();
    }
}
