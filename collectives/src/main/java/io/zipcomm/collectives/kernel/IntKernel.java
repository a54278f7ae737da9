package io.zipcomm.collectives.kernel;

import io.zipcomm.buffer.Segment;
import io.zipcomm.collectives.ReduceOp;
import java.nio.Buffer;
import java.nio.IntBuffer;

/** Combines blocks of INT32. */
final class IntKernel extends Kernel {

    private static final int BLOCK = BLOCK_BYTES / Integer.BYTES;

    private final int[] left = new int[BLOCK];
    private final int[] right = new int[BLOCK];

    IntKernel() {
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
    IntBuffer elements(Segment segment) {
        return segment.ints();
    }

    @Override
    void read(Buffer from, int index, Object block, int count) {
        ((IntBuffer) from).get(index, (int[]) block, 0, count);
    }

    @Override
    void write(Buffer to, int index, int count) {
        ((IntBuffer) to).put(index, left, 0, count);
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
