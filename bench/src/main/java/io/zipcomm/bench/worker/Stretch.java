package io.zipcomm.bench.worker;

import java.nio.ByteBuffer;

/**
 * A stretch of memory that holds one stream of the test pattern.
 *
 * @param memory      where
 * @param at          first byte
 * @param length      bytes
 * @param source      rank that makes the data
 * @param destination rank for which they are made; the source again if for all alike
 */
record Stretch(ByteBuffer memory, int at, int length, int source, int destination) {

    private static final byte POISON_FLIP = 0x55;

    private int seed(int iteration) {
        return TestPattern.seed(iteration, source, destination);
    }

    /** Writes the data of an iteration, all or those at the probes. */
    void write(int iteration, boolean all) {
        int seed = seed(iteration);
        if (all) {
            TestPattern.fill(memory, at, length, seed);
        } else if (length > 0) {
            for (int probe = 0; probe < Probes.COUNT; probe++) {
                int index = Probes.index(iteration, probe, length);
                memory.put(at + index, TestPattern.byteAt(seed, index));
            }
        }
    }

    /** Writes what is surely wrong, so that data which never come are missed. */
    void poison(int iteration, boolean all) {
        int seed = seed(iteration);
        if (all) {
            for (int i = 0; i < length; i++) {
                memory.put(at + i, (byte) (TestPattern.byteAt(seed, i) ^ POISON_FLIP));
            }
        } else if (length > 0) {
            for (int probe = 0; probe < Probes.COUNT; probe++) {
                int index = Probes.index(iteration, probe, length);
                memory.put(at + index, (byte) (TestPattern.byteAt(seed, index) ^ POISON_FLIP));
            }
        }
    }

    /** Compares with the data of an iteration, all or those at the probes; null if they are right. */
    String mismatch(int iteration, boolean all) {
        if (length == 0) {
            return null;
        }
        int seed = seed(iteration);
        int count = all ? length : Probes.COUNT;
        for (int i = 0; i < count; i++) {
            int index = all ? i : Probes.index(iteration, i, length);
            byte expected = TestPattern.byteAt(seed, index);
            byte found = memory.get(at + index);
            if (found != expected) {
                return "iteration " + iteration + ": byte " + index + " of " + length + " from rank " + source + " is "
                        + found + ", expected " + expected;
            }
        }
        return null;
    }
}
