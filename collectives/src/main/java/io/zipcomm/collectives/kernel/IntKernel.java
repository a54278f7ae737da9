package io.zipcomm.collectives.kernel;

import io.zipcomm.buffer.Segment;
import io.zipcomm.collectives.ReduceOp;

/** Combines blocks of INT32. */
final class IntKernel extends Kernel {

    private final int[] left = new int[BLOCK];
    private final int[] right = new int[BLOCK];

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
        from.ints(at).get(at / Integer.BYTES, (int[]) block, 0, count);
    }

    @Override
    void write(Segment to, int at, int count) {
        to.ints().put(at / Integer.BYTES, left, 0, count);
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
            case USER -> ((ReduceOp.IntBlocks) op.function()).combine(left, right, count);
        }
    }

    @Override
    void divide(int by, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = left[i] / by;
        }
    }

    private static void sum(int[] left, int[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = left[i] + right[i];
        }
    }

    private static void product(int[] left, int[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = left[i] * right[i];
        }
    }

    private static void min(int[] left, int[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = Math.min(left[i], right[i]);
        }
    }

    private static void max(int[] left, int[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = Math.max(left[i], right[i]);
        }
    }

    private static void and(int[] left, int[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = left[i] & right[i];
        }
    }

    private static void or(int[] left, int[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = left[i] | right[i];
        }
    }

    private static void xor(int[] left, int[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = left[i] ^ right[i];
        }
    }
}
