package io.zipcomm.collectives.kernel;

import io.zipcomm.buffer.Segment;
import io.zipcomm.collectives.ReduceOp;

/** Combines blocks of FLOAT32. */
final class FloatKernel extends Kernel {

    private final float[] left = new float[BLOCK];
    private final float[] right = new float[BLOCK];

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
        from.floats(at).get(at / Float.BYTES, (float[]) block, 0, count);
    }

    @Override
    void write(Segment to, int at, int count) {
        to.floats().put(at / Float.BYTES, left, 0, count);
    }

    @Override
    void combine(ReduceOp op, int count) {
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
