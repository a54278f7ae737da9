package io.zipcomm.testkit;

import java.util.random.RandomGenerator;

/**
 * What a {@link SimulatedNetwork} is like.
 *
 * @param latencyNsMin           shortest time that a piece of a frame travels
 * @param latencyNsMax           longest; pieces on one path never overtake each other
 * @param bytesPerSecond         what one rank can send, over all its paths
 * @param windowBytes            bytes that one direction of one path holds before its sender has to wait
 * @param pieceBytesMax          a frame travels in pieces of at most this length, each with a latency of its own
 * @param relayFragmentBytesMax  largest DATA payload on a relayed path
 * @param directFragmentBytesMax largest DATA payload on a direct path
 * @param connectNsMax           longest time from asking for a direct path to its opening
 * @param resets                 whether closing a path on which bytes come in may destroy bytes that went out, as TCP does
 */
public record Conditions(
        long latencyNsMin,
        long latencyNsMax,
        long bytesPerSecond,
        int windowBytes,
        int pieceBytesMax,
        int relayFragmentBytesMax,
        int directFragmentBytesMax,
        long connectNsMax,
        boolean resets) {

    private static final int WINDOW_BYTES_MIN = 256;

    /** Checks every value. */
    public Conditions {
        if (latencyNsMin < 0 || latencyNsMax < latencyNsMin || bytesPerSecond < 1 || connectNsMax < 0) {
            throw new IllegalArgumentException("times");
        }
        if (windowBytes < WINDOW_BYTES_MIN || pieceBytesMax < Long.BYTES) {
            throw new IllegalArgumentException("window of " + windowBytes + ", pieces of " + pieceBytesMax);
        }
        if (relayFragmentBytesMax < Long.BYTES || directFragmentBytesMax < Long.BYTES) {
            throw new IllegalArgumentException("fragments of " + relayFragmentBytesMax + ", " + directFragmentBytesMax);
        }
    }

    /** A quick network with windows small enough to fill. */
    public static Conditions usual() {
        return new Conditions(5_000, 50_000, 10_000_000_000L, 64 << 10, 16 << 10, 16 << 10, 32 << 10, 500_000, true);
    }

    /**
     * Every message takes the same time: {@code latencyNs} plus its bytes over the rate. For comparing algorithms with
     * their lower bounds.
     *
     * @param latencyNs      time that a byte travels
     * @param bytesPerSecond what one rank can send
     */
    public static Conditions even(long latencyNs, long bytesPerSecond) {
        return new Conditions(
                latencyNs, latencyNs, bytesPerSecond, 4 << 20, 64 << 10, 256 << 10, 256 << 10, latencyNs, false);
    }

    /**
     * Anything from a quick network with large windows to a slow one that cuts everything to bits.
     *
     * @param random where from
     */
    public static Conditions random(RandomGenerator random) {
        long latencyNsMin = 1L << random.nextInt(8, 18);
        return new Conditions(
                latencyNsMin,
                latencyNsMin << random.nextInt(0, 5),
                1L << random.nextInt(27, 36),
                WINDOW_BYTES_MIN << random.nextInt(0, 11),
                64 << random.nextInt(0, 10),
                Long.BYTES << random.nextInt(4, 14),
                Long.BYTES << random.nextInt(4, 14),
                1L << random.nextInt(10, 24),
                random.nextBoolean());
    }
}
