package io.zipcomm.collectives.kernel;

import io.zipcomm.buffer.Segment;
import io.zipcomm.collectives.ReduceOp;
import java.nio.Buffer;
import java.nio.DoubleBuffer;

/** Combines blocks of FLOAT64. */
final class DoubleKernel extends Kernel {

    private static final int BLOCK = BLOCK_BYTES / Double.BYTES;

    private final double[] left = new double[BLOCK];
    private final double[] right = new double[BLOCK];

    DoubleKernel() {
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
    DoubleBuffer elements(Segment segment) {
        return segment.doubles();
    }

    @Override
    void read(Buffer from, int index, Object block, int count) {
        ((DoubleBuffer) from).get(index, (double[]) block, 0, count);
    }

    @Override
    void write(Buffer to, int index, int count) {
        ((DoubleBuffer) to).put(index, left, 0, count);
    }

    @Override
    void combine(ReduceOp op, int count) {
        switch (op.kind()) {
            case SUM, AVG -> sum(left, right, count);
            case PROD -> product(left, right, count);
            case MIN -> min(left, right, count);
            case MAX -> max(left, right, count);
            case BAND, BOR, BXOR -> throw new IllegalArgumentException(op + " of floating-point numbers");
            case USER -> ((ReduceOp.DoubleBlocks) op.function()).combine(left, right, count);
        }
    }

    @Override
    void divide(int by, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = left[i] / by;
        }
    }

    private static void sum(double[] left, double[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = left[i] + right[i];
        }
    }

    private static void product(double[] left, double[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = left[i] * right[i];
        }
    }

    private static void min(double[] left, double[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = Math.min(left[i], right[i]);
        }
    }

    private static void max(double[] left, double[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = Math.max(left[i], right[i]);
        }
    }
}
