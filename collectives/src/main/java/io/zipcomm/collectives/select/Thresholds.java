package io.zipcomm.collectives.select;

/**
 * Up to which lengths the algorithms for short messages are used, and in which pieces long messages travel. All in bytes.
 *
 * @param broadcastBinomialMax   longest message of a binomial broadcast
 * @param reduceBinomialMax      longest message of a binomial reduce
 * @param allReduceDoublingMax   longest message of a doubling all-reduce
 * @param allReduceHalvingMax    longest message of Rabenseifner's all-reduce
 * @param scatterBinomialMax     largest total of a binomial scatter
 * @param gatherBinomialMax      largest total of a binomial gather
 * @param allGatherDoublingMax   largest total of a doubling all-gather
 * @param reduceScatterHalvingMax largest total of a halving reduce-scatter
 * @param allToAllBruckMax       largest block of Bruck's all-to-all
 * @param segmentMin             shortest segment: much longer than the frames that go with it
 * @param segmentMax             longest segment: what a processor's second-level cache holds beside other things
 */
public record Thresholds(
        long broadcastBinomialMax,
        long reduceBinomialMax,
        long allReduceDoublingMax,
        long allReduceHalvingMax,
        long scatterBinomialMax,
        long gatherBinomialMax,
        long allGatherDoublingMax,
        long reduceScatterHalvingMax,
        long allToAllBruckMax,
        int segmentMin,
        int segmentMax) {

    private static final int KIB = 1 << 10;

    /** All ranks on one host. */
    public static final Thresholds SAME_HOST = new Thresholds(
            64 * KIB, 32 * KIB, 16 * KIB, 256 * KIB, 16 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, 256, 64 * KIB, 256 * KIB);

    /** Ranks on several hosts: latency is higher, and what is sent twice costs more. */
    public static final Thresholds NETWORK = new Thresholds(
            32 * KIB, 32 * KIB, 16 * KIB, 512 * KIB, 32 * KIB, 32 * KIB, 128 * KIB, 512 * KIB, 1 * KIB, 64 * KIB,
            256 * KIB);

    /** Bruck's all-to-all is for more ranks than this: below, sending to each costs no more than packing. */
    static final int BRUCK_SIZE_MIN = 8;

    /** Into how many segments a long message is cut at least, if that does not make them too short. */
    static final int SEGMENTS_WANTED = 8;
}
