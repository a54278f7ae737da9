package io.zipcomm.collectives.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.buffer.Bfloat16;
import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Float16;
import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
import io.zipcomm.collectives.CollectiveCase;
import io.zipcomm.collectives.ReduceOp;
import io.zipcomm.collectives.Vector;
import io.zipcomm.testkit.Seeds;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every kernel against a plain loop on single elements. */
final class ReductionTest {

    /** More than a block, and not a whole number of them. */
    private static final int COUNT = 2 * Kernel.BLOCK_BYTES + 37;

    @RegisterExtension
    final Seeds seeds = new Seeds();

    @ParameterizedTest
    @EnumSource(DataType.class)
    void shouldMatchPlainLoopFromAnyPosition(DataType type) {
        SplittableRandom random = new SplittableRandom(seeds.seed());
        Kernel kernel = Kernel.of(type);
        for (ReduceOp op : CollectiveCase.reductions(type)) {
            for (Vector.Kind kind : Vector.Kind.values()) {
                for (int at = 0; at < Long.BYTES; at++) {
                    boolean arrivedFirst = random.nextBoolean();
                    int divisor = random.nextBoolean() ? 1 : 2 + random.nextInt(5);
                    check(kernel, op, kind, type, at, arrivedFirst, divisor, random);
                }
            }
        }
    }

    private static void check(
            Kernel kernel,
            ReduceOp op,
            Vector.Kind kind,
            DataType type,
            int at,
            boolean arrivedFirst,
            int divisor,
            SplittableRandom random) {
        int shift = 5; // where the operand begins, in elements
        int place = 3; // where the result begins
        Vector operand = random(kind, type, COUNT + shift, random);
        Vector target = random(kind, type, COUNT + place, random);
        Vector arrived = random(Vector.Kind.ARRAY, type, COUNT, random);
        long[] left = (arrivedFirst ? arrived : operand).bits();
        long[] right = (arrivedFirst ? operand : arrived).bits();
        Segment segment = Segment.allocate((COUNT + 2) * Long.BYTES);
        segment.bytes().put(at, arrived.bytes());

        Reduction reduction = new Reduction(kernel, type);
        reduction.operand(operand.payload(), null, (long) shift * type.bytes());
        reduction.result(target.payload(), null, (long) place * type.bytes());
        reduction.combineBy(op, arrivedFirst, divisor);
        int half = COUNT / 2 * type.bytes();
        reduction.copyIn(0, segment, at, half);
        reduction.copyIn(half, segment, at + half, COUNT * type.bytes() - half);

        assertNull(reduction.failure());
        assertTrue(target.isIntact());
        long[] found = target.bits();
        for (int i = 0; i < COUNT; i++) {
            long a = left[i + (arrivedFirst ? 0 : shift)];
            long b = right[i + (arrivedFirst ? shift : 0)];
            long expected = combine(op, type, a, b, divisor);
            if (expected != found[place + i]) {
                assertEquals(expected, found[place + i], op + " of " + type + " in " + kind + ", element " + i);
            }
        }
    }

    private static Vector random(Vector.Kind kind, DataType type, int count, SplittableRandom random) {
        Vector vector = Vector.of(kind, type, count);
        for (int i = 0; i < count; i++) {
            double value = (random.nextDouble() - 0.5) * 1000;
            vector.setBits(
                    i,
                    switch (type) {
                        case FLOAT16 -> Float16.fromFloat((float) value);
                        case BFLOAT16 -> Bfloat16.fromFloat((float) value);
                        case FLOAT32 -> Float.floatToIntBits((float) value);
                        case FLOAT64 -> Double.doubleToLongBits(value);
                        default -> random.nextLong();
                    });
        }
        return vector;
    }

    private static long combine(ReduceOp op, DataType type, long a, long b, int divisor) {
        return switch (type) {
            case INT8 -> (byte) ((byte) combine(op, a, b) / divisor);
            case INT32 -> (int) combine(op, a, b) / divisor;
            case INT64 -> combine(op, a, b) / divisor;
            case FLOAT16 ->
                Float16.fromFloat(combine(op, Float16.toFloat((short) a), Float16.toFloat((short) b)) / divisor);
            case BFLOAT16 ->
                Bfloat16.fromFloat(combine(op, Bfloat16.toFloat((short) a), Bfloat16.toFloat((short) b)) / divisor);
            case FLOAT32 ->
                Float.floatToIntBits(
                        combine(op, Float.intBitsToFloat((int) a), Float.intBitsToFloat((int) b)) / divisor);
            case FLOAT64 ->
                Double.doubleToLongBits(combine(op, Double.longBitsToDouble(a), Double.longBitsToDouble(b)) / divisor);
        };
    }

    private static long combine(ReduceOp op, long a, long b) {
        return switch (op.kind()) {
            case SUM, AVG -> a + b;
            case PROD -> a * b;
            case MIN -> Math.min(a, b);
            case MAX -> Math.max(a, b);
            case BAND -> a & b;
            case BOR -> a | b;
            case BXOR -> a ^ b;
            case USER -> a + b + a * b;
        };
    }

    private static float combine(ReduceOp op, float a, float b) {
        return switch (op.kind()) {
            case SUM, AVG -> a + b;
            case PROD -> a * b;
            case MIN -> Math.min(a, b);
            case MAX -> Math.max(a, b);
            case USER -> a + b + a * b;
            case BAND, BOR, BXOR -> throw new AssertionError(op);
        };
    }

    private static double combine(ReduceOp op, double a, double b) {
        return switch (op.kind()) {
            case SUM, AVG -> a + b;
            case PROD -> a * b;
            case MIN -> Math.min(a, b);
            case MAX -> Math.max(a, b);
            case USER -> a + b + a * b;
            case BAND, BOR, BXOR -> throw new AssertionError(op);
        };
    }

    @Test
    void shouldUseSegmentsAsOperandAndResult() {
        Segment operand = Segment.allocate(64);
        Segment result = Segment.allocate(64);
        Segment arrived = Segment.allocate(64);
        operand.floats().put(2, 10).put(3, 20);
        arrived.floats().put(0, 1).put(1, 2);
        Reduction reduction = new Reduction(Kernel.of(DataType.FLOAT32), DataType.FLOAT32);
        reduction.operand(Payload.of(operand.bytes()), operand, 8);
        reduction.result(Payload.of(result.bytes()), result, 16);
        reduction.combineBy(ReduceOp.SUM, false, 1);
        reduction.copyIn(0, arrived, 0, 8);
        assertEquals(11, result.floats().get(4));
        assertEquals(22, result.floats().get(5));
    }

    @Test
    void shouldKeepWhatAUserFunctionThrows() {
        ReduceOp faulty = ReduceOp.ofLongs(Math::multiplyExact);
        Vector values = Vector.of(Vector.Kind.ARRAY, DataType.INT64, 2);
        values.setBits(0, Long.MAX_VALUE);
        Segment arrived = Segment.allocate(64);
        arrived.longs().put(0, 2);
        Reduction reduction = new Reduction(Kernel.of(DataType.INT64), DataType.INT64);
        reduction.operand(values.payload(), null, 0);
        reduction.result(values.payload(), null, 0);
        reduction.combineBy(faulty, false, 1);
        reduction.copyIn(0, arrived, 0, 8);
        reduction.copyIn(8, arrived, 8, 8);
        assertInstanceOf(ArithmeticException.class, reduction.failure());
    }

    @Test
    void shouldTreatNotANumberAndZeroAsDocumented() {
        float[] left = {Float.NaN, 1, -0.0f, 0.0f};
        float[] right = {1, Float.NaN, 0.0f, -0.0f};
        float[] min = land(ReduceOp.MIN, left, right);
        float[] max = land(ReduceOp.MAX, left, right);
        assertEquals(Float.NaN, min[0]);
        assertEquals(Float.NaN, min[1]);
        assertEquals(Float.NaN, max[0]);
        assertEquals(-0.0f, min[2]);
        assertEquals(-0.0f, min[3]);
        assertEquals(0.0f, max[2]);
        assertEquals(0.0f, max[3]);
    }

    @Test
    void shouldAddEveryPairOfKindsOf16BitNumbersLikeTheScalarConversions() {
        SplittableRandom random = new SplittableRandom(seeds.seed());
        short[] left = new short[(1 << Short.SIZE) + 1];
        short[] right = new short[left.length];
        for (int i = 0; i < left.length; i++) {
            left[i] = (short) i;
            right[i] = (short) (i % 3 == 0 ? 0 : random.nextInt());
        }
        for (Kernel kernel : new Kernel[] {new Float16Kernel(false), new Float16Kernel(Float16.isIntrinsic())}) {
            short[] sums = sums(kernel, Payload.ofFloat16(left.clone()), right);
            for (int i = 0; i < sums.length; i++) {
                float sum = Float16.toFloat(left[i]) + Float16.toFloat(right[i]);
                assertHalf(Float16.fromFloat(sum), Float.isNaN(sum), sums[i], Float16.toFloat(sums[i]), i);
            }
        }
        short[] sums = sums(new Bfloat16Kernel(), Payload.ofBfloat16(left.clone()), right);
        for (int i = 0; i < sums.length; i++) {
            float sum = Bfloat16.toFloat(left[i]) + Bfloat16.toFloat(right[i]);
            assertHalf(Bfloat16.fromFloat(sum), Float.isNaN(sum), sums[i], Bfloat16.toFloat(sums[i]), i);
        }
    }

    private static short[] sums(Kernel kernel, Payload left, short[] right) {
        Segment arrived = Segment.allocate((right.length * Short.BYTES + 7) / 8 * 8);
        arrived.shorts().put(0, right);
        Reduction reduction = new Reduction(kernel, left.type());
        reduction.operand(left, null, 0);
        reduction.result(left, null, 0);
        reduction.combineBy(ReduceOp.SUM, false, 1);
        reduction.copyIn(0, arrived, 0, right.length * Short.BYTES);
        return (short[]) left.array();
    }

    private static void assertHalf(short expected, boolean nan, short found, float value, int index) {
        if (nan ? !Float.isNaN(value) : expected != found) {
            assertEquals(Integer.toHexString(expected), Integer.toHexString(found), "element " + index);
        }
    }

    /** 60000 + 60000 is infinite in half precision; half of it is not. */
    @Test
    void shouldDivideAnAverageBeforeItRounds() {
        short[] values = {Float16.fromFloat(60000), Float16.fromFloat(1 + 0x1p-10f)};
        short[] others = {Float16.fromFloat(60000), Float16.fromFloat(1)};
        Segment arrived = Segment.allocate(8);
        arrived.shorts().put(0, others);
        Payload payload = Payload.ofFloat16(values);
        Reduction reduction = new Reduction(Kernel.of(DataType.FLOAT16), DataType.FLOAT16);
        reduction.operand(payload, null, 0);
        reduction.result(payload, null, 0);
        reduction.combineBy(ReduceOp.AVG, false, 2);
        reduction.copyIn(0, arrived, 0, 4);
        assertEquals(60000, Float16.toFloat(values[0]), 16);
        assertEquals(1, Float16.toFloat(values[1]), "a tie goes to even");
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 7, 10, 127, 128, 129, 1000, Integer.MAX_VALUE})
    void shouldDivideBytesLikeIntegers(int divisor) {
        byte[] values = new byte[256];
        for (int i = 0; i < values.length; i++) {
            values[i] = (byte) i;
        }
        Payload payload = Payload.of(values);
        Reduction reduction = new Reduction(Kernel.of(DataType.INT8), DataType.INT8);
        reduction.operand(payload, null, 0);
        reduction.result(payload, null, 0);
        reduction.combineBy(ReduceOp.AVG, false, divisor);
        reduction.copyIn(0, Segment.allocate(values.length), 0, values.length);
        for (int i = 0; i < values.length; i++) {
            assertEquals((byte) ((byte) i / divisor), values[i], (byte) i + " / " + divisor);
        }
    }

    private static float[] land(ReduceOp op, float[] left, float[] right) {
        float[] result = new float[left.length];
        Segment arrived = Segment.allocate(64);
        arrived.floats().put(0, right);
        Reduction reduction = new Reduction(Kernel.of(DataType.FLOAT32), DataType.FLOAT32);
        reduction.operand(Payload.of(left), null, 0);
        reduction.result(Payload.of(result), null, 0);
        reduction.combineBy(op, false, 1);
        reduction.copyIn(0, arrived, 0, left.length * Float.BYTES);
        return result;
    }
}
