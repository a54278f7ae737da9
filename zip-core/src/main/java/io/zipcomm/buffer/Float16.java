package io.zipcomm.buffer;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Objects;

/**
 * IEEE 754 half precision (binary16) in a {@code short}: 1 bit of sign, 5 of exponent, 10 of fraction. Every such number
 * is a {@code float}; the other way numbers are rounded to nearest, ties to even, and those from 65520 on become infinite.
 *
 * <p>On Java 20 and later the conversions of whole arrays are the virtual machine's own, which are vector instructions;
 * before that they are done by shifts.
 */
public final class Float16 {

    /** Turns a number between 2^-24 and 2^-14 into one whose last bits are those of a subnormal number here. */
    private static final float SUBNORMAL_SHIFT = 0.5f;

    private static final int SUBNORMAL_SHIFT_BITS = 0x3f000000;

    /** Weight of a subnormal number's last bit. */
    private static final float SUBNORMAL_UNIT = 0x1p-24f;

    private static final int FRACTION_SHIFT = 13;
    private static final int INFINITY = 0x7c00;
    private static final int FLOAT_INFINITY = 0x7f800000;

    /** A float's exponent counts from 127, ours from 15. */
    private static final int EXPONENT_SHIFT = (127 - 15) << 23;

    /** The least float that is normal here: 2^-14. */
    private static final int NORMAL_MIN = EXPONENT_SHIFT + (1 << 23);

    private static final MethodHandle TO_FLOAT = find("float16ToFloat", float.class, short.class);
    private static final MethodHandle FROM_FLOAT = find("floatToFloat16", short.class, float.class);

    private Float16() {}

    /**
     * The number that 16 bits stand for: exactly, and the sign and fraction of what is not a number too.
     *
     * @param half the bits
     */
    public static float toFloat(short half) {
        int sign = (half & 0x8000) << 16;
        int magnitude = half & 0x7fff;
        if (magnitude < 0x400) {
            float subnormal = magnitude * SUBNORMAL_UNIT;
            return Float.intBitsToFloat(sign | Float.floatToRawIntBits(subnormal));
        }
        int bits = magnitude << FRACTION_SHIFT;
        // What is infinite or not a number goes from the largest exponent to the largest exponent.
        bits = magnitude < INFINITY ? bits + EXPONENT_SHIFT : bits | FLOAT_INFINITY;
        return Float.intBitsToFloat(sign | bits);
    }

    /**
     * The nearest number, ties to even. What is not a number stays so, with its sign and the upper bits of its fraction.
     *
     * @param value any float
     * @return the bits
     */
    public static short fromFloat(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = (bits >>> 16) & 0x8000;
        int magnitude = bits & 0x7fffffff;
        if (magnitude < NORMAL_MIN) {
            // The addition rounds.
            float shifted = Float.intBitsToFloat(magnitude) + SUBNORMAL_SHIFT;
            return (short) (sign | (Float.floatToRawIntBits(shifted) - SUBNORMAL_SHIFT_BITS));
        }
        if (magnitude > FLOAT_INFINITY) {
            int fraction = (magnitude >>> FRACTION_SHIFT) & 0x3ff;
            return (short) (sign | INFINITY | (fraction == 0 ? 0x200 : fraction));
        }
        int odd = (magnitude >>> FRACTION_SHIFT) & 1;
        int rounded = (magnitude - EXPONENT_SHIFT + 0xfff + odd) >>> FRACTION_SHIFT;
        return (short) (sign | Math.min(rounded, INFINITY));
    }

    /** All of an array as floats. */
    public static float[] toFloats(short[] halves) {
        float[] floats = new float[halves.length];
        toFloats(halves, 0, floats, 0, halves.length);
        return floats;
    }

    /**
     * As {@link #toFloat}, but what is not a number may lose what its fraction says.
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
        if (TO_FLOAT == null) {
            for (int i = 0; i < count; i++) {
                to[toIndex + i] = toFloat(from[fromIndex + i]);
            }
            return;
        }
        try {
            for (int i = 0; i < count; i++) {
                to[toIndex + i] = (float) TO_FLOAT.invokeExact(from[fromIndex + i]);
            }
        } catch (Throwable e) {
            throw new LinkageError("Float.float16ToFloat", e);
        }
    }

    /** All of an array, rounded. */
    public static short[] fromFloats(float[] floats) {
        short[] halves = new short[floats.length];
        fromFloats(floats, 0, halves, 0, floats.length);
        return halves;
    }

    /**
     * As {@link #fromFloat}, but what is not a number may lose what its fraction says.
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
        if (FROM_FLOAT == null) {
            for (int i = 0; i < count; i++) {
                to[toIndex + i] = fromFloat(from[fromIndex + i]);
            }
            return;
        }
        try {
            for (int i = 0; i < count; i++) {
                to[toIndex + i] = (short) FROM_FLOAT.invokeExact(from[fromIndex + i]);
            }
        } catch (Throwable e) {
            throw new LinkageError("Float.floatToFloat16", e);
        }
    }

    /** Whether {@link #toFloats} and {@link #fromFloats} are the virtual machine's own. */
    public static boolean isIntrinsic() {
        return TO_FLOAT != null && FROM_FLOAT != null;
    }

    private static MethodHandle find(String name, Class<?> result, Class<?> parameter) {
        try {
            return MethodHandles.publicLookup().findStatic(Float.class, name, MethodType.methodType(result, parameter));
        } catch (ReflectiveOperationException e) {
            return null; // Java 19 or older
        }
    }
}
