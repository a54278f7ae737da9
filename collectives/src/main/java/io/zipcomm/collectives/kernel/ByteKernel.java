package io.zipcomm.collectives.kernel;

import io.zipcomm.buffer.Segment;
import io.zipcomm.collectives.ReduceOp;

/** Combines blocks of INT8. */
final class ByteKernel extends Kernel {

    private final byte[] left = new byte[BLOCK];
    private final byte[] right = new byte[BLOCK];

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
        from.bytes().get(at, (byte[]) block, 0, count);
    }

    @Override
    void write(Segment to, int at, int count) {
        to.bytes().put(at, left, 0, count);
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
            case USER -> ((ReduceOp.ByteBlocks) op.function()).combine(left, right, count);
        }
    }

    @Override
    void divide(int by, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = (byte) (left[i] / by);
        }
    }

    private static void sum(byte[] left, byte[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = (byte) (left[i] + right[i]);
        }
    }

    private static void product(byte[] left, byte[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = (byte) (left[i] * right[i]);
        }
    }

    private static void min(byte[] left, byte[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = (byte) Math.min(left[i], right[i]);
        }
    }

    private static void max(byte[] left, byte[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = (byte) Math.max(left[i], right[i]);
        }
    }

    private static void and(byte[] left, byte[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = (byte) (left[i] & right[i]);
        }
    }

    private static void or(byte[] left, byte[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = (byte) (left[i] | right[i]);
        }
    }

    private static void xor(byte[] left, byte[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] = (byte) (left[i] ^ right[i]);
        }
    }
}
