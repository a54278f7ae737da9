package io.zipcomm.bench.worker;

/**
 * The few elements of a block that are written anew and checked in every iteration: the first, the last, and some in
 * between that move from one iteration to the next.
 */
final class Probes {

    /** Probes in a block, however long it is. */
    static final int COUNT = 6;

    private Probes() {}

    /**
     * Place of a probe.
     *
     * @param iteration  number of the iteration
     * @param probe      0 to {@link #COUNT} - 1
     * @param blockCount elements in the block, at least 1
     * @return index in the block
     */
    static int index(int iteration, int probe, int blockCount) {
        return switch (probe) {
            case 0 -> 0;
            case 1 -> blockCount - 1;
            default -> Math.floorMod((iteration + 1) * 0x9e3779b1 + probe * 0x7f4a7c15, blockCount);
        };
    }
}
