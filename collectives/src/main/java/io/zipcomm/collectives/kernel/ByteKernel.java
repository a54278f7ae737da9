package io.zipcomm.collectives.kernel;

import io.zipcomm.buffer.Segment;
import io.zipcomm.collectives.ReduceOp;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Combines blocks of INT8. */
final class ByteKernel extends Kernel {

    private static final int BLOCK = BLOCK_BYTES / Byte.BYTES;

    private final byte[] left = new byte[BLOCK];
    private final byte[] right = new byte[BLOCK];

    ByteKernel() {
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
    ByteBuffer elements(Segment segment) {
        return segment.bytes();
    }

    @Override
    void read(Buffer from, int index, Object block, int count) {
        ((ByteBuffer) from).get(index, (byte[]) block, 0, count);
    }

    @Override
    void write(Buffer to, int index, int count) {
        ((ByteBuffer) to).put(index, left, 0, count);
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
        if (by > -Byte.MIN_VALUE) {
            Arrays.fill(left, 0, count, (byte) 0);
            return;
        }
        // Multiplies by 1 / by in units of 2^-16, rounded up. Exact: the error stays below 2^-9, and quotients that are
        // not
        // whole are at least 2^-7 below the next whole number.
        int reciprocal = (1 << Short.SIZE) / by + 1;
        for (int i = 0; i < count; i++) {
            int product = left[i] * reciprocal;
            left[i] = (byte) ((product >> Short.SIZE) + (product >>> (Integer.SIZE - 1)));
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
