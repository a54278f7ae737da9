package io.zipcomm.bench.cluster;

import io.zipcomm.bench.plan.BenchCase;
import io.zipcomm.bench.report.CostModel;
import io.zipcomm.bench.report.FloorSpeed;
import io.zipcomm.bench.report.Row;

/** Told of a run as it goes on. All on the thread that runs it. */
public interface BenchListener {

    /**
     * A contestant's group of processes is there.
     *
     * @param transport of the library, or name of a baseline
     * @param ranks     its size
     * @param model     what a message costs in it now; unknown for groups of one, and for baselines
     */
    void group(String transport, int ranks, CostModel model);

    /** A slice of a row is being measured, or rehearsed: the {@code number}-th row of {@code total}. */
    void measuring(BenchCase what, int number, int total);

    /** A row is complete. */
    void row(Row row);

    /** What the machine can do with nothing of the library; before the first row. */
    void floor(FloorSpeed speed);

    /** A contestant was asked for that cannot be had here: which, and why. */
    void absent(String text);

    /** Another system takes part: in which version. */
    void version(String name, String version);

    /** The machine is not steady: what shows that. */
    void noise(String text);

    /** Something went wrong that is not only a wrong result: what, in one or more lines. */
    void problem(String text);
}
