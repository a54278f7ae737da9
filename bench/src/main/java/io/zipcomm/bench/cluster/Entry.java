package io.zipcomm.bench.cluster;

import io.zipcomm.bench.plan.BenchCase;
import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.report.CostModel;
import io.zipcomm.bench.report.Row;
import io.zipcomm.bench.worker.CaseOrder;
import io.zipcomm.bench.worker.CaseResult;
import java.util.Collection;
import java.util.List;

/**
 * One contestant's part in the rows of a group size. A failure costs the row that is being measured: the contestant is
 * closed and reported, and another one made for the next, until {@link #GROUPS_MAX} have failed.
 */
final class Entry implements AutoCloseable {

    private static final int GROUPS_MAX = 4;

    private final ContestantFactory factory;
    private final int ranks;
    private final BenchListener listener;
    private Contestant contestant;
    private CostModel model = CostModel.UNKNOWN;
    private int groups;
    private boolean started;
    private boolean givenUp;

    Entry(ContestantFactory factory, int ranks, BenchListener listener) {
        this.factory = factory;
        this.ranks = ranks;
        this.listener = listener;
        contestant = factory.create(ranks);
    }

    String name() {
        return contestant.name();
    }

    List<String> algorithms(BenchOperation operation) {
        return contestant.algorithms(operation);
    }

    /** What a message costs in its present group. */
    CostModel model() {
        return model;
    }

    /** Which of its groups this is: it changes when one has failed. */
    int group() {
        return groups;
    }

    /** Starts the processes if there are none. Returns whether there are. */
    boolean start() throws InterruptedException {
        while (!started && !givenUp) {
            try {
                model = contestant.start();
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
