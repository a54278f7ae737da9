package io.zipcomm.buffer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Both 16-bit formats against their definition in exact numbers, and against the virtual machine where it knows one. */
final class HalfTest {

    private static final int RANDOM_FLOATS = 200_000;
    private static final int SEED = 11;

    /** A format, as its standard gives it, and what converts it. */
    private enum Format {
        FLOAT16(5, 10) {
            @Override
            float toFloat(short half) {
                return Float16.toFloat(half);
            }

            @Override
            short fromFloat(float value) {
                return Float16.fromFloat(value);
            }

            @Override
            float[] toFloats(short[] halves) {
                return Float16.toFloats(halves);
            }

            @Override
            short[] fromFloats(float[] floats) {
                return Float16.fromFloats(floats);
            }
        },
        BFLOAT16(8, 7) {
            @Override
            float toFloat(short half) {
                return Bfloat16.toFloat(half);
            }

            @Override
            short fromFloat(float value) {
                return Bfloat16.fromFloat(value);
            }

            @Override
            float[] toFloats(short[] halves) {
                return Bfloat16.toFloats(halves);
            }

            @Override
            short[] fromFloats(float[] floats) {
                return Bfloat16.fromFloats(floats);
            }
        };

        private final int fractionBits;
        private final int exponentMax;
        private final int bias;

        Format(int exponentBits, int fractionBits) {
            this.fractionBits = fractionBits;
            exponentMax = (1 << exponentBits) - 1;
            bias = (1 << (exponentBits - 1)) - 1;
        }

        abstract float toFloat(short half);

        abstract short fromFloat(float value);

        abstract float[] toFloats(short[] halves);

        abstract short[] fromFloats(float[] floats);

        private int exponent(int bits) {
            return (bits >>> fractionBits) & exponentMax;
        }

        private int fraction(int bits) {
            return bits & ((1 << fractionBits) - 1);
        }

        boolean isNotANumber(int bits) {
            return exponent(bits) == exponentMax && fraction(bits) != 0;
        }

        int infinity() {
            return exponentMax << fractionBits;
        }

        /** What bits without a sign stand for; the infinite ones stand for what would come after the largest number. */
        BigDecimal value(int bits) {
            boolean subnormal = exponent(bits) == 0;
            long significand = fraction(bits) + (subnormal ? 0 : 1L << fractionBits);
            int power = Math.max(exponent(bits), 1) - bias - fractionBits;
            BigDecimal two = BigDecimal.valueOf(2);
            BigDecimal number = BigDecimal.valueOf(significand);
            return power >= 0
                    ? number.multiply(two.pow(power))
                    : number.divide(two.pow(-power)); // exact: a power of two divides any number
        }

        /** All that are not negative, by their bits, up to the infinite one. */
        List<BigDecimal> numbers() {
            List<BigDecimal> values = new ArrayList<>();
            for (int bits = 0; bits <= infinity(); bits++) {
                values.add(value(bits));
            }
            return values;
        }

        /** The nearest of {@link #numbers}, ties to even, found by halving. */
        short nearest(float value, List<BigDecimal> values) {
            int sign = (Float.floatToRawIntBits(value) >>> Short.SIZE) & 0x8000;
            if (Float.isInfinite(value)) {
                return (short) (sign | infinity());
            }
            BigDecimal exact = new BigDecimal(Math.abs(value));
            int below = 0;
            int above = infinity();
            if (exact.compareTo(values.get(above)) >= 0) {
                return (short) (sign | above);
            }
            while (above - below > 1) {
                int middle = (above + below) / 2;
                if (values.get(middle).compareTo(exact) <= 0) {
                    below = middle;
                } else {
                    above = middle;
                }
            }
            int nearer = exact.subtract(values.get(below))
                    .compareTo(values.get(above).subtract(exact));
            return (short) (sign | (nearer < 0 || (nearer == 0 && below % 2 == 0) ? below : above));
        }
    }

    @ParameterizedTest
    @EnumSource(Format.class)
    void shouldGiveBackAllPatterns(Format format) {
        short[] all = patterns();
        for (short half : all) {
            assertEquals(half, format.fromFloat(format.toFloat(half)), Integer.toHexString(half));
        }
        short[] back = format.fromFloats(format.toFloats(all));
        for (int i = 0; i < all.length; i++) {
            // The virtual machine may make a NaN a quiet one.
            boolean both = format.isNotANumber(all[i]) && format.isNotANumber(back[i]);
            assertTrue(both || all[i] == back[i], Integer.toHexString(all[i]));
        }
    }

    @ParameterizedTest
    @EnumSource(Format.class)
    void shouldReadAllPatternsAsTheStandardSays(Format format) {
        float[] floats = format.toFloats(patterns());
        for (int bits = 0; bits < floats.length; bits++) {
            int magnitude = bits & 0x7fff;
            float value = format.toFloat((short) bits);
            assertEquals(value, floats[bits], "in bulk: " + Integer.toHexString(bits));
            assertEquals(bits >>> 15, Float.floatToRawIntBits(value) >>> 31, "sign of " + Integer.toHexString(bits));
            if (magnitude < format.infinity()) {
                BigDecimal exact = new BigDecimal(Math.abs(value));
                assertEquals(0, format.value(magnitude).compareTo(exact), Integer.toHexString(bits));
            } else {
                assertEquals(magnitude == format.infinity(), Float.isInfinite(value), Integer.toHexString(bits));
                assertEquals(magnitude > format.infinity(), Float.isNaN(value), Integer.toHexString(bits));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Format.class)
    void shouldRoundToNearestAndTiesToEven(Format format) {
        float[] floats = floats(format);
        short[] bulk = format.fromFloats(floats);
        List<BigDecimal> values = format.numbers();
        for (int i = 0; i < floats.length; i++) {
            short half = format.fromFloat(floats[i]);
            if (Float.isNaN(floats[i])) {
                assertTrue(format.isNotANumber(half) && format.isNotANumber(bulk[i]));
                continue;
            }
            float value = floats[i];
            assertEquals(half, bulk[i], () -> "in bulk: " + value);
            // The exact way is slow: for some, and for all that may be special.
            if (i < 40_000) {
                assertEquals(format.nearest(value, values), half, () -> "of " + value);
            }
        }
    }

    @Test
    void shouldAgreeWithTheVirtualMachine() throws ReflectiveOperationException {
        assumeTrue(Runtime.version().feature() >= 20, "Java before 20 has no conversion to compare with");
        assertTrue(Float16.isIntrinsic());
        Method method = Float.class.getMethod("floatToFloat16", float.class);
        for (float value : floats(Format.FLOAT16)) {
            if (!Float.isNaN(value)) {
                assertEquals(method.invoke(null, value), Float16.fromFloat(value), () -> "of " + value);
            }
        }
    }

    @Test
    void shouldConvertPartsOfArrays() {
        short[] halves = new short[5];
        Float16.fromFloats(new float[] {9, 1, 2, 9}, 1, halves, 2, 2);
        assertArrayEquals(new short[] {0, 0, 0x3c00, 0x4000, 0}, halves);
        float[] floats = new float[4];
        Float16.toFloats(halves, 2, floats, 1, 2);
        assertArrayEquals(new float[] {0, 1, 2, 0}, floats);
        halves = new short[5];
        Bfloat16.fromFloats(new float[] {9, 1, 2, 9}, 1, halves, 2, 2);
        assertArrayEquals(new short[] {0, 0, 0x3f80, 0x4000, 0}, halves);
        floats = new float[4];
        Bfloat16.toFloats(halves, 2, floats, 1, 2);
        assertArrayEquals(new float[] {0, 1, 2, 0}, floats);
        assertThrows(IndexOutOfBoundsException.class, () -> Float16.toFloats(new short[3], 2, new float[3], 0, 2));
        assertThrows(IndexOutOfBoundsException.class, () -> Bfloat16.fromFloats(new float[3], 0, new short[1], 0, 2));
    }

    private static short[] patterns() {
        short[] all = new short[1 << Short.SIZE];
        for (int i = 0; i < all.length; i++) {
            all[i] = (short) i;
        }
        return all;
    }

    /** Every limit between two numbers of a range of exponents, its neighbours, special values, then chance. */
    private static float[] floats(Format format) {
        float[] floats = new float[RANDOM_FLOATS];
        float[] special = {
            0f,
            -0f,
            Float.MIN_VALUE,
            Float.MIN_NORMAL,
            Float.MAX_VALUE,
            Float.POSITIVE_INFINITY,
            Float.NaN,
            65504f,
            65519.996f,
            65520f,
            65536f,
            0x1p-24f,
            0x1p-25f,
            0x1.000002p-25f,
            0x1p-14f,
            0x1.ffep-15f,
            0x1.fffp-15f,
            Float.intBitsToFloat(0x7f800001),
            Float.intBitsToFloat(0x7f7f7fff),
            Float.intBitsToFloat(0x7f7f8000)
        };
        SplittableRandom random = new SplittableRandom(SEED);
        int count = 0;
        for (float value : special) {
            floats[count++] = value;
            floats[count++] = -value;
        }
        while (count < 30_000) {
            int bits = random.nextInt(format.infinity());
            float between = (format.toFloat((short) bits) + format.toFloat((short) (bits + 1))) / 2;
            floats[count++] = between;
            floats[count++] = Math.nextUp(between);
            floats[count++] = -Math.nextDown(between);
        }
        while (count < floats.length) {
            // Half of any size, half of the size that half precision holds.
            int bits = random.nextInt();
            int exponent = random.nextInt(100, 145) << 23;
            floats[count] = Float.intBitsToFloat(count % 2 == 0 ? bits : (bits & 0x807fffff) | exponent);
            count++;
        }
        return floats;
    }
}
