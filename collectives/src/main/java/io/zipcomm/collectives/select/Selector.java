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
    private final Thresholds thresholds;

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
        this.thresholds = thresholds;
    }

    /**
     * The algorithm for a call.
     *
     * @param bytes length of the message; of all blocks together where there is one for each rank; 0 where that differs
     *              from rank to rank
     */
    public AlgorithmName algorithm(CollectiveOperation operation, long bytes) {
        Thresholds max = thresholds;
        return switch (operation) {
            case BARRIER -> AlgorithmName.DISSEMINATION;
            case BROADCAST -> choose(bytes <= max.broadcastBinomialMax(), AlgorithmName.BINOMIAL, AlgorithmName.CHAIN);
            case REDUCE -> choose(bytes <= max.reduceBinomialMax(), AlgorithmName.BINOMIAL, AlgorithmName.CHAIN);
            case ALL_REDUCE ->
                bytes <= max.allReduceDoublingMax()
                        ? AlgorithmName.DOUBLING
                        : choose(bytes <= max.allReduceHalvingMax(), AlgorithmName.RABENSEIFNER, AlgorithmName.RING);
            case SCATTER -> choose(bytes <= max.scatterBinomialMax(), AlgorithmName.BINOMIAL, AlgorithmName.LINEAR);
            case GATHER -> choose(bytes <= max.gatherBinomialMax(), AlgorithmName.BINOMIAL, AlgorithmName.LINEAR);
            case ALL_GATHER, ALL_GATHER_V ->
                choose(bytes <= max.allGatherDoublingMax(), AlgorithmName.DOUBLING, AlgorithmName.RING);
            case REDUCE_SCATTER ->
                choose(bytes <= max.reduceScatterHalvingMax(), AlgorithmName.HALVING, AlgorithmName.RING);
            case ALL_TO_ALL ->
                choose(
                        size >= Thresholds.BRUCK_SIZE_MIN && bytes / size <= max.allToAllBruckMax(),
                        AlgorithmName.BRUCK,
                        AlgorithmName.PAIRWISE);
            case SCATTER_V, GATHER_V -> AlgorithmName.LINEAR;
            case ALL_TO_ALL_V -> AlgorithmName.PAIRWISE;
        };
    }

    private static AlgorithmName choose(boolean isShort, AlgorithmName forShort, AlgorithmName forLong) {
        return isShort ? forShort : forLong;
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
        long wanted = Math.max(piece / Thresholds.SEGMENTS_WANTED, thresholds.segmentMin());
        long aligned = (wanted + SEGMENT_ALIGNMENT - 1) / SEGMENT_ALIGNMENT * SEGMENT_ALIGNMENT;
        return (int) Math.min(aligned, thresholds.segmentMax());
    }
}
