package io.zipcomm.collectives.kernel;

import io.zipcomm.buffer.Segment;
import io.zipcomm.collectives.ReduceOp;
import java.nio.Buffer;
import java.nio.LongBuffer;

/** Combines blocks of INT64. */
final class LongKernel extends Kernel {

    private static final int BLOCK = BLOCK_BYTES / Long.BYTES;

    private final long[] left = new long[BLOCK];
    private final long[] right = new long[BLOCK];

    LongKernel() {
        super(BLOCK);
    }

    @Override
    Object left() {
        return left;
    }

    @Override
    Object right() {
        return right;
    }

    @Override
    LongBuffer elements(Segment segment) {
        return segment.longs();
    }

    @Override
    void read(Buffer from, int index, Object block, int count) {
        ((LongBuffer) from).get(index, (long[]) block, 0, count);
    }

    @Override
    void write(Buffer to, int index, int count) {
        ((LongBuffer) to).put(index, left, 0, count);
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
