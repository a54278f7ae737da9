package io.zipcomm.collectives.kernel;

import io.zipcomm.buffer.Segment;
import io.zipcomm.collectives.ReduceOp;
import java.nio.Buffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.ShortBuffer;

/**
 * Combines blocks of 16-bit floating-point numbers: widens them to FLOAT32, combines those, and rounds the result once.
 *
 * <p>No Java before 20 turns conversions between 16 and 32 bits into vector instructions, nor does any between the bits of
 * an {@code int} and a {@code float}. Both are a matter of how memory is looked at, so blocks are looked at through a
 * segment instead: elements as pairs in an {@code int}, of which shifts make the first and the second of each, and these as
 * floats. All loops are then on arrays of one type. The floats of a block are not in the order of its elements, which
 * element-wise functions cannot tell.
 */
abstract class HalfKernel extends Kernel {

    private static final int BLOCK = 1024;

    private final short[] left = new short[BLOCK];
    private final short[] right = new short[BLOCK];
    private final float[] leftFloats = new float[BLOCK];
    private final float[] rightFloats = new float[BLOCK];

    private final Segment crossing = Segment.allocate(BLOCK * Float.BYTES);
    private final ShortBuffer shorts = crossing.shorts();
    private final IntBuffer ints = crossing.ints();
    private final FloatBuffer floats = crossing.floats();
    private final int[] pairs = new int[BLOCK / 2];
    private final int[] firsts = new int[BLOCK / 2];
    private final int[] seconds = new int[BLOCK / 2];

    HalfKernel() {
        super(BLOCK);
    }

    @Override
    final Object left() {
        return left;
    }

    @Override
    final Object right() {
        return right;
    }

    @Override
    final ShortBuffer elements(Segment segment) {
        return segment.shorts();
    }

    @Override
    final void read(Buffer from, int index, Object block, int count) {
        ((ShortBuffer) from).get(index, (short[]) block, 0, count);
    }

    @Override
    final void write(Buffer to, int index, int count) {
        ((ShortBuffer) to).put(index, left, 0, count);
    }

    @Override
    final void combine(ReduceOp op, int count) {
        widen(left, leftFloats, count);
        widen(right, rightFloats, count);
        FloatKernel.combine(op, leftFloats, rightFloats, count);
    }

    @Override
    final void divide(int by, int count) {
        FloatKernel.divide(leftFloats, by, count);
    }

    @Override
    final void round(int count) {
        narrow(leftFloats, left, count);
    }

    /** Makes floats of elements, in any order that {@link #narrow} undoes. */
    void widen(short[] from, float[] to, int count) {
        int half = (count + 1) / 2;
        shorts.put(0, from, 0, count);
        ints.get(0, pairs, 0, half);
        split(pairs, firsts, seconds, half);
        ints.put(0, firsts, 0, half);
        ints.put(half, seconds, 0, count - half);
        floats.get(0, to, 0, count);
        finishWidening(to, count);
    }

    /** Makes elements of floats, rounding. */
    void narrow(float[] from, short[] to, int count) {
        int half = (count + 1) / 2;
        floats.put(0, from, 0, count);
        ints.get(0, firsts, 0, half);
        ints.get(half, seconds, 0, count - half);
        join(firsts, seconds, pairs, half);
        ints.put(0, pairs, 0, half);
        shorts.get(0, to, 0, count);
    }

    /** Makes of each pair the bits of two floats. */
    abstract void split(int[] pairs, int[] firsts, int[] seconds, int count);

    /** What is left to do when {@link #split} has made the bits. */
    void finishWidening(float[] floats, int count) {}

    /** Makes of the bits of two floats a pair, rounding both. */
    abstract void join(int[] firsts, int[] seconds, int[] pairs, int count);
}
