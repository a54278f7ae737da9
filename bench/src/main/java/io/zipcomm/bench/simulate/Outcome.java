package io.zipcomm.bench.simulate;

/**
 * What came of a run.
 *
 * @param bytes              M that was simulated: that of the scenario, rounded up
 * @param seconds            from the common start to the end of the last rank
 * @param sentBytesMax       bytes that the busiest rank sent
 * @param messages           of all ranks together
 * @param scratchBytesMax    largest scratch memory of a plan
 * @param unexpectedBytesMax most bytes that waited on one rank for their receive; the library holds no more than a window
 *                           for each peer, and has the rest wait at the sender
 * @param memoryBytesMax     scratch and unexpected bytes together, on the rank that has most of both
 * @param planBytesMax       what the longest plan takes, with one execution; kept for the next call if not too long
 * @param isOneForAll        whether one rank stood for all
 */
public record Outcome(
        long bytes,
        double seconds,
        long sentBytesMax,
        long messages,
        long scratchBytesMax,
        long unexpectedBytesMax,
        long memoryBytesMax,
        long planBytesMax,
        boolean isOneForAll) {}
