package io.zipcomm.bench.worker;

import java.io.IOException;

/** One round of what the floor measures, on the process that times. */
interface FloorRound {

    /** Makes the data of an iteration ready: all, or those at the probes. Not timed. */
    default void prepare(int iteration, boolean all) {}

    /** Does it once. Returns the nanoseconds that it took, without looking at the data. */
    long run(int iteration, boolean all) throws IOException;

    /** The first wrong datum; null if there was none. */
    String mismatch();
}
