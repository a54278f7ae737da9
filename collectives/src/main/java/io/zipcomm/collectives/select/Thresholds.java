package io.zipcomm.collectives.select;

/**
 * Up to which lengths the algorithms for short messages are used, and in which pieces long messages travel. All in bytes.
 *
 * <p>Measured by all-reduce and the others on 2, 4 and 8 processes over TCP on one machine with two cores; the values for
 * networks follow from them and from a latency some ten times higher.
 *
 * @param broadcastBinomialMax     longest message of a binomial broadcast
 * @param reduceBinomialMax        longest message of a binomial reduce
 * @param allReduceDoublingMax     longest message of a doubling all-reduce
 * @param allReduceDoublingPairMax the same for two ranks, which send no byte more that way than by a ring
 * @param allReduceChunkMax        longest message divided by ranks of Rabenseifner's all-reduce
 * @param allReduceFoldedChunkMax  the same where the number of ranks is no power of two, and some data travels twice
 * @param treeMax                  longest sum of blocks of a binomial scatter and gather
 * @param allGatherBlockMax        longest block of a doubling all-gather
 * @param reduceScatterBlockMax    longest block of a halving reduce-scatter
 * @param bruckBlockMax            longest block of Bruck's all-to-all
 * @param segmentMin               shortest segment: much longer than the frames that go with it
 * @param segmentMax               longest segment
 */
public record Thresholds(
        long broadcastBinomialMax,
        long reduceBinomialMax,
        long allReduceDoublingMax,
        long allReduceDoublingPairMax,
        long allReduceChunkMax,
        long allReduceFoldedChunkMax,
        long treeMax,
        long allGatherBlockMax,
        long reduceScatterBlockMax,
        long bruckBlockMax,
        int segmentMin,
        int segmentMax) {

    private static final int KIB = 1 << 10;

    /** All ranks on one host. */
    public static final Thresholds SAME_HOST = new Thresholds(
            256 * KIB,
            64 * KIB,
            32 * KIB,
            1024 * KIB,
            128 * KIB,
            16 * KIB,
            16 * KIB,
            64 * KIB,
            64 * KIB,
            4 * KIB,
            128 * KIB,
            512 * KIB);

    /** Ranks on several hosts. */
    public static final Thresholds NETWORK = new Thresholds(
            64 * KIB, 64 * KIB, 32 * KIB, 256 * KIB, 128 * KIB, 32 * KIB, 64 * KIB, 64 * KIB, 128 * KIB, 1 * KIB,
            64 * KIB, 256 * KIB);

    /** From so many ranks on, blocks go down and up a tree: to fewer, the root sends as quickly one by one. */
    static final int TREE_SIZE_MIN = 16;

    /** From so many ranks on, small blocks of an all-to-all travel together: for fewer, packing does not pay. */
    static final int BRUCK_SIZE_MIN = 8;

    /**
     * From so many ranks on, a broadcast too short to fill a chain, segment by segment, is scattered and gathered instead.
     */
    static final int SCATTER_SIZE_MIN = 16;

    /** Into how many segments what travels as one piece otherwise is cut, if that does not make them too short. */
    static final int SEGMENTS_WANTED = 8;
}
