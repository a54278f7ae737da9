package io.zipcomm.collectives.kernel;

import io.zipcomm.buffer.Segment;
import io.zipcomm.collectives.ReduceOp;

/** Combines blocks of INT64. */
final class LongKernel extends Kernel {

    private final long[] left = new long[BLOCK];
    private final long[] right = new long[BLOCK];

    @Override
    Object left() {
        return left;
    }

    @Override
    Object right() {
        return right;
    }

    @Override
    void read(Segment from, int at, Object block, int count) {
        from.longs(at).get(at / Long.BYTES, (long[]) block, 0, count);
    }

    @Override
    void write(Segment to, int at, int count) {
        to.longs().put(at / Long.BYTES, left, 0, count);
    }

    @Override
    void combine(ReduceOp op, int count) {
        switch (op.kind()) {
            case SUM, AVG -> sum(left, right, count);
            case PROD -> product(left, right, count);
            case MIN -> min(left, right, count);
            case MAX -> max(left, right, count);
            case BAND -> and(left, right, count);
            case BOR -> or(left, right, count);
            case BXOR -> xor(left, right, count);
            case USER -> ((ReduceOp.LongBlocks) op.function()).combine(left, right, count);
        }
    }

    @Override
    void divide(int by, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = left[i] / by;
        }
    }

    private static void sum(long[] left, long[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = left[i] + right[i];
        }
    }

    private static void product(long[] left, long[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = left[i] * right[i];
        }
    }

    private static void min(long[] left, long[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = Math.min(left[i], right[i]);
        }
    }

    private static void max(long[] left, long[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = Math.max(left[i], right[i]);
        }
    }

    private static void and(long[] left, long[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = left[i] & right[i];
        }
    }

    private static void or(long[] left, long[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = left[i] | right[i];
        }
    }

    private static void xor(long[] left, long[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = left[i] ^ right[i];
        }
    }
}
