package io.zipcomm.bench.cluster;

import io.zipcomm.bench.plan.BenchCase;
import io.zipcomm.bench.report.CostModel;
import io.zipcomm.bench.report.Row;

/** Told of a run as it goes on. All on the thread that runs it. */
public interface BenchListener {

    /**
     * A group of processes has joined.
     *
     * @param transport over which it talks
     * @param ranks     its size
     * @param model     what a message costs in it
     */
    void group(String transport, int ranks, CostModel model);

    /** A row is being measured: the {@code number}-th of {@code total}. */
    void measuring(BenchCase what, int number, int total);

    /** A row is complete. */
    void row(Row row);

    /** Something went wrong that is not only a wrong result: what, in one or more lines. */
    void problem(String text);
}
