package io.zipcomm.collectives.kernel;

import io.zipcomm.buffer.Float16;
import io.zipcomm.buffer.Segment;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/** Combines blocks of FLOAT16: by the virtual machine's own conversions where it has them, otherwise by shifts of pairs. */
final class Float16Kernel extends HalfKernel {

    private static final int INFINITY = 0x7c00;
    private static final int NOT_A_NUMBER = 0x7e00;
    private static final int FLOAT_MAGNITUDE = 0x7fffffff;
    private static final int FLOAT_INFINITY = 0x7f800000;
    private static final int FRACTION_SHIFT = 13;

    /** A float's exponent counts from 127, ours from 15. */
    private static final int EXPONENT_SHIFT = (127 - 15) << 23;

    /** The same as a factor, which normalises subnormal numbers too. */
    private static final float EXPONENT_FACTOR = 0x1p112f;

    /** The least float that is normal here: 2^-14. */
    private static final int NORMAL_MIN = EXPONENT_SHIFT + (1 << 23);

    /** Added to what is subnormal here, rounds it and puts its bits last. */
    private static final float SUBNORMAL_SHIFT = 0.5f;

    private static final int SUBNORMAL_SHIFT_BITS = 0x3f000000;

    private final boolean intrinsic;
    private final Segment shiftedSegment = Segment.allocate(blockCount() * Float.BYTES);
    private final FloatBuffer shiftedFloats = shiftedSegment.floats();
    private final IntBuffer shiftedInts = shiftedSegment.ints();
    private final float[] shifted = new float[blockCount()];
    private final int[] shiftedFirsts = new int[blockCount() / 2];
    private final int[] shiftedSeconds = new int[blockCount() / 2];

    /** Converts in the fastest way that there is. */
    Float16Kernel() {
        this(Float16.isIntrinsic());
    }

    /** Converts in a given way. */
    Float16Kernel(boolean intrinsic) {
        this.intrinsic = intrinsic;
    }

    @Override
    void widen(short[] from, float[] to, int count) {
        if (intrinsic) {
            Float16.toFloats(from, 0, to, 0, count);
        } else {
            super.widen(from, to, count);
        }
    }

    @Override
    void narrow(float[] from, short[] to, int count) {
        if (intrinsic) {
            Float16.fromFloats(from, 0, to, 0, count);
            return;
        }
        int half = (count + 1) / 2;
        for (int i = 0; i < count; i++) {
            shifted[i] = Math.abs(from[i]) + SUBNORMAL_SHIFT;
        }
        shiftedFloats.put(0, shifted, 0, count);
        shiftedInts.get(0, shiftedFirsts, 0, half);
        shiftedInts.get(half, shiftedSeconds, 0, count - half);
        super.narrow(from, to, count);
    }

    @Override
    void split(int[] pairs, int[] firsts, int[] seconds, int count) {
        for (int i = 0; i < count; i++) {
            int magnitude = pairs[i] & 0x7fff;
            int special = ((INFINITY - 1 - magnitude) >> (Integer.SIZE - 1)) & FLOAT_INFINITY;
            firsts[i] = ((pairs[i] & 0x8000) << Short.SIZE) | (magnitude << FRACTION_SHIFT) | special;
        }
        for (int i = 0; i < count; i++) {
            int magnitude = (pairs[i] >>> Short.SIZE) & 0x7fff;
            int special = ((INFINITY - 1 - magnitude) >> (Integer.SIZE - 1)) & FLOAT_INFINITY;
            seconds[i] = (pairs[i] & 0x80000000) | (magnitude << FRACTION_SHIFT) | special;
        }
    }

    @Override
    void finishWidening(float[] floats, int count) {
        for (int i = 0; i < count; i++) {
            floats[i] = floats[i] * EXPONENT_FACTOR;
        }
    }

    @Override
    void join(int[] firsts, int[] seconds, int[] pairs, int count) {
        round(firsts, shiftedFirsts, count);
        round(seconds, shiftedSeconds, count);
        for (int i = 0; i < count; i++) {
            pairs[i] = firsts[i] | (seconds[i] << Short.SIZE);
        }
    }

    /** Makes of a float's bits those of the nearest number, ties to even. Every case is worked out, masks choose. */
    private static void round(int[] bits, int[] shifted, int count) {
        for (int i = 0; i < count; i++) {
            int magnitude = bits[i] & FLOAT_MAGNITUDE;
            int odd = (magnitude >>> FRACTION_SHIFT) & 1;
            int normal = (magnitude - EXPONENT_SHIFT + 0xfff + odd) >>> FRACTION_SHIFT;
            int tooLarge = (INFINITY - normal) >> (Integer.SIZE - 1);
            normal = (normal & ~tooLarge) | (INFINITY & tooLarge);
            int subnormal = (magnitude - NORMAL_MIN) >> (Integer.SIZE - 1);
            int finite = (normal & ~subnormal) | ((shifted[i] - SUBNORMAL_SHIFT_BITS) & subnormal);
            int nan = (FLOAT_INFINITY - magnitude) >> (Integer.SIZE - 1);
            bits[i] = ((bits[i] >>> Short.SIZE) & 0x8000) | (finite & ~nan) | (NOT_A_NUMBER & nan);
        }
    }
}
