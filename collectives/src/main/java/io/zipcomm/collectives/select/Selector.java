package io.zipcomm.collectives.select;

import io.zipcomm.collectives.CollectiveOperation;

/**
 * Chooses algorithm and segment length. From what all ranks know alike, so that all choose alike: operation, length,
 * number of ranks, and whether all share a host.
 */
public final class Selector {

    /** Segments begin at multiples of this, whatever the element type. */
    private static final int SEGMENT_ALIGNMENT = 4096;

    private final int size;
    private final Thresholds max;

    /**
     * For one communicator.
     *
     * @param size       number of ranks
     * @param isSameHost whether all share a host
     */
    public Selector(int size, boolean isSameHost) {
        this(size, isSameHost ? Thresholds.SAME_HOST : Thresholds.NETWORK);
    }

    /**
     * With thresholds that were measured.
     *
     * @param size       number of ranks
     * @param thresholds equal on all ranks
     */
    public Selector(int size, Thresholds thresholds) {
        this.size = size;
        max = thresholds;
    }

    /**
     * The algorithm for a call.
     *
     * @param bytes length of the message; of all blocks together where there is one for each rank; 0 where that differs
     *              from rank to rank
     */
    public AlgorithmName algorithm(CollectiveOperation operation, long bytes) {
        long share = bytes / size;
        return switch (operation) {
            case BARRIER -> AlgorithmName.DISSEMINATION;
            case BROADCAST -> broadcast(bytes);
            case REDUCE -> choose(bytes <= max.reduceBinomialMax(), AlgorithmName.BINOMIAL, AlgorithmName.CHAIN);
            case ALL_REDUCE -> allReduce(bytes);
            case SCATTER, GATHER ->
                choose(
                        size >= Thresholds.TREE_SIZE_MIN && bytes <= max.treeMax(),
                        AlgorithmName.BINOMIAL,
                        AlgorithmName.LINEAR);
            case ALL_GATHER, ALL_GATHER_V ->
                choose(share <= max.allGatherBlockMax(), AlgorithmName.DOUBLING, AlgorithmName.RING);
            case REDUCE_SCATTER ->
                choose(share <= max.reduceScatterBlockMax(), AlgorithmName.HALVING, AlgorithmName.RING);
            case ALL_TO_ALL ->
                choose(
                        size >= Thresholds.BRUCK_SIZE_MIN && share <= max.bruckBlockMax(),
                        AlgorithmName.BRUCK,
                        AlgorithmName.PAIRWISE);
            case SCATTER_V, GATHER_V -> AlgorithmName.LINEAR;
            case ALL_TO_ALL_V -> AlgorithmName.PAIRWISE;
        };
    }

    private AlgorithmName broadcast(long bytes) {
        if (bytes <= max.broadcastBinomialMax()) {
            return AlgorithmName.BINOMIAL;
        }
        boolean fillsChain = bytes >= (long) size * max.segmentMin();
        return choose(
                size >= Thresholds.SCATTER_SIZE_MIN && !fillsChain,
                AlgorithmName.SCATTER_ALLGATHER,
                AlgorithmName.CHAIN);
    }

    private AlgorithmName allReduce(long bytes) {
        boolean isPowerOfTwo = Integer.bitCount(size) == 1;
        if (bytes <= (size == 2 ? max.allReduceDoublingPairMax() : max.allReduceDoublingMax())) {
            return AlgorithmName.DOUBLING;
        }
        long chunkMax = isPowerOfTwo ? max.allReduceChunkMax() : max.allReduceFoldedChunkMax();
        return choose(bytes / size <= chunkMax, AlgorithmName.RABENSEIFNER, AlgorithmName.RING);
    }

    private static AlgorithmName choose(boolean condition, AlgorithmName then, AlgorithmName otherwise) {
        return condition ? then : otherwise;
    }

    /**
     * The length of segments for a call: short enough for {@value Thresholds#SEGMENTS_WANTED} of them in what travels as
     * one piece otherwise, within the thresholds.
     *
     * @param bytes as for {@link #algorithm}
     */
    public int segmentBytes(AlgorithmName algorithm, long bytes) {
        if (algorithm == AlgorithmName.CHAIN && size <= 2) {
            return Integer.MAX_VALUE / SEGMENT_ALIGNMENT * SEGMENT_ALIGNMENT; // nobody passes anything on
        }
        long piece = algorithm == AlgorithmName.CHAIN ? bytes : bytes / size;
        long wanted = Math.max(piece / Thresholds.SEGMENTS_WANTED, max.segmentMin());
        long aligned = (wanted + SEGMENT_ALIGNMENT - 1) / SEGMENT_ALIGNMENT * SEGMENT_ALIGNMENT;
        return (int) Math.min(aligned, max.segmentMax());
    }
}
