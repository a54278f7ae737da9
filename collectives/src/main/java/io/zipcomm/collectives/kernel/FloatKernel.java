package io.zipcomm.collectives.kernel;

import io.zipcomm.buffer.Segment;
import io.zipcomm.collectives.ReduceOp;
import java.nio.Buffer;
import java.nio.FloatBuffer;

/** Combines blocks of FLOAT32. */
final class FloatKernel extends Kernel {

    private static final int BLOCK = BLOCK_BYTES / Float.BYTES;

    private final float[] left = new float[BLOCK];
    private final float[] right = new float[BLOCK];

    FloatKernel() {
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
    FloatBuffer elements(Segment segment) {
        return segment.floats();
    }

    @Override
    void read(Buffer from, int index, Object block, int count) {
        ((FloatBuffer) from).get(index, (float[]) block, 0, count);
    }

    @Override
    void write(Buffer to, int index, int count) {
        ((FloatBuffer) to).put(index, left, 0, count);
    }

    @Override
    void combine(ReduceOp op, int count) {
        combine(op, left, right, count);
    }

    /** Replaces the first elements of {@code left} by themselves combined with those of {@code right}. */
    static void combine(ReduceOp op, float[] left, float[] right, int count) {
        switch (op.kind()) {
            case SUM, AVG -> sum(left, right, count);
            case PROD -> product(left, right, count);
            case MIN -> min(left, right, count);
            case MAX -> max(left, right, count);
            case BAND, BOR, BXOR -> throw new IllegalArgumentException(op + " of floating-point numbers");
            case USER -> ((ReduceOp.FloatBlocks) op.function()).combine(left, right, count);
        }
    }

    @Override
    void divide(int by, int count) {
        divide(left, by, count);
    }

    /** Divides the first elements. */
    static void divide(float[] left, int by, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = left[i] / by;
        }
    }

    private static void sum(float[] left, float[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = left[i] + right[i];
        }
    }

    private static void product(float[] left, float[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = left[i] * right[i];
        }
    }

    private static void min(float[] left, float[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = Math.min(left[i], right[i]);
        }
    }

    private static void max(float[] left, float[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = Math.max(left[i], right[i]);
        }
    }
}
