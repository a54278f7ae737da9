package io.zipcomm.buffer;

import java.util.Objects;

/**
 * The upper half of a {@code float} in a {@code short}: its sign, its 8 bits of exponent, 7 of its fraction. Every such
 * number is a float; the other way numbers are rounded to nearest, ties to even.
 */
public final class Bfloat16 {

    private static final int QUIET = 0x40;

    private Bfloat16() {}

    /**
     * The number that 16 bits stand for: exactly.
     *
     * @param half the bits
     */
    public static float toFloat(short half) {
        return Float.intBitsToFloat(half << Short.SIZE);
    }

    /**
     * The nearest number, ties to even. What is not a number stays so, with its sign and the upper bits of its fraction.
     *
     * @param value any float
     * @return the bits
     */
    public static short fromFloat(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            int upper = bits >>> Short.SIZE;
            // A fraction that is in the lower half alone would leave an infinite number.
            return (short) ((upper & 0x7f) == 0 ? upper | QUIET : upper);
        }
        int odd = (bits >>> Short.SIZE) & 1;
        return (short) ((bits + 0x7fff + odd) >>> Short.SIZE);
    }

    /** All of an array as floats. */
    public static float[] toFloats(short[] halves) {
        float[] floats = new float[halves.length];
        toFloats(halves, 0, floats, 0, halves.length);
        return floats;
    }

    /**
     * As {@link #toFloat}.
     *
     * @param from      the bits
     * @param fromIndex first to read
     * @param to        takes the numbers
     * @param toIndex   first to write
     * @param count     how many
     */
    public static void toFloats(short[] from, int fromIndex, float[] to, int toIndex, int count) {
        Objects.checkFromIndexSize(fromIndex, count, from.length);
        Objects.checkFromIndexSize(toIndex, count, to.length);
        for (int i = 0; i < count; i++) {
            to[toIndex + i] = toFloat(from[fromIndex + i]);
        }
    }

    /** All of an array, rounded. */
    public static short[] fromFloats(float[] floats) {
        short[] halves = new short[floats.length];
        fromFloats(floats, 0, halves, 0, floats.length);
        return halves;
    }

    /**
     * As {@link #fromFloat}.
     *
     * @param from      the numbers
     * @param fromIndex first to read
     * @param to        takes the bits
     * @param toIndex   first to write
     * @param count     how many
     */
    public static void fromFloats(float[] from, int fromIndex, short[] to, int toIndex, int count) {
        Objects.checkFromIndexSize(fromIndex, count, from.length);
        Objects.checkFromIndexSize(toIndex, count, to.length);
        for (int i = 0; i < count; i++) {
            to[toIndex + i] = fromFloat(from[fromIndex + i]);
        }
    }
}
