package io.zipcomm.bench.worker;

import java.nio.ByteBuffer;

/**
 * Data that every rank can compute for every other: a function of the iteration, of who sends it (and to whom), and of the
 * index. What a wrong or late byte from another iteration, rank or place holds differs from it nearly always.
 *
 * <p>Numbers are whole and below {@link #NUMBER_LIMIT}, so that sums of floats are exact whatever the order of additions.
 */
final class TestPattern {

    /** Numbers are smaller than this. */
    static final int NUMBER_LIMIT = 64;

    private static final int NUMBER_SHIFT = Integer.SIZE - Integer.numberOfTrailingZeros(NUMBER_LIMIT);
    private static final int BYTE_SHIFT = Integer.SIZE - Byte.SIZE;

    private TestPattern() {}

    /** What a stream of data starts from. */
    static int seed(int iteration, int source, int destination) {
        return iteration * 0x27d4eb2f + source * 0x165667b1 + destination * 0x5bd1e995 + 0x3c6ef372;
    }

    static byte byteAt(int seed, int index) {
        return (byte) (mix(seed, index) >>> BYTE_SHIFT);
    }

    static float floatAt(int seed, int index) {
        return mix(seed, index) >>> NUMBER_SHIFT;
    }

    private static int mix(int seed, int index) {
        int x = seed ^ (index * 0x9e3779b1);
        x = (x ^ (x >>> 15)) * 0x85ebca6b;
        return x ^ (x << 7);
    }

    /** Sum over all ranks of one element. */
    static float sumAt(int iteration, int ranks, int index) {
        float sum = 0;
        for (int rank = 0; rank < ranks; rank++) {
            sum += floatAt(seed(iteration, rank, rank), index);
        }
        return sum;
    }

    static void fill(ByteBuffer buffer, int at, int length, int seed) {
        for (int i = 0; i < length; i++) {
            buffer.put(at + i, byteAt(seed, i));
        }
    }

    static void fill(Numbers numbers, int seed) {
        for (int i = 0; i < numbers.count(); i++) {
            numbers.put(i, floatAt(seed, i));
        }
    }
}
