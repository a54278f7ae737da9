package io.zipcomm.collectives;

import io.zipcomm.buffer.DataType;
import io.zipcomm.internal.Signature;
import java.util.Objects;
import java.util.function.DoubleBinaryOperator;
import java.util.function.IntBinaryOperator;
import java.util.function.LongBinaryOperator;

/**
 * How the elements of all ranks become one: the constants here, or a function of the caller's.
 *
 * <p>The order in which ranks are combined depends on the algorithm and the number of ranks, never on timing: the same
 * call on the same input gives the same bits, and an all-reduce gives the same bits on all ranks. Sums of floating-point
 * numbers may differ in the last bits between algorithms.
 *
 * <p>Integers wrap around on overflow. Bytes are signed. FLOAT16 and BFLOAT16 are combined as FLOAT32, two at a time, and
 * each result is rounded to nearest, ties to even, before it is combined with the next or sent on: a sum over P ranks is
 * rounded P - 1 times, in the order in which ranks are combined. Only the last step of {@link #AVG} divides before it rounds.
 *
 * <p>A result that is not a number (NaN) is so on all ranks; which of the many bit patterns for that it has is not defined.
 */
public final class ReduceOp {

    /** Sum. */
    public static final ReduceOp SUM = new ReduceOp(Kind.SUM);

    /** Product. */
    public static final ReduceOp PROD = new ReduceOp(Kind.PROD);

    /** Smallest, as {@link Math#min(float, float)} has it: NaN if any is NaN, and -0.0 is smaller than 0.0. */
    public static final ReduceOp MIN = new ReduceOp(Kind.MIN);

    /** Largest, as {@link Math#max(float, float)} has it: NaN if any is NaN, and 0.0 is larger than -0.0. */
    public static final ReduceOp MAX = new ReduceOp(Kind.MAX);

    /**
     * Sum divided by the number of ranks, once, at the end. On integers the sum wraps around like {@link #SUM}, and the
     * quotient is rounded towards zero.
     */
    public static final ReduceOp AVG = new ReduceOp(Kind.AVG);

    /** Bitwise and, of integers. */
    public static final ReduceOp BAND = new ReduceOp(Kind.BAND);

    /** Bitwise or, of integers. */
    public static final ReduceOp BOR = new ReduceOp(Kind.BOR);

    /** Bitwise exclusive or, of integers. */
    public static final ReduceOp BXOR = new ReduceOp(Kind.BXOR);

    /** What a reduction does. */
    public enum Kind {
        /** See {@link ReduceOp#SUM}. */
        SUM(1),
        /** See {@link ReduceOp#PROD}. */
        PROD(2),
        /** See {@link ReduceOp#MIN}. */
        MIN(3),
        /** See {@link ReduceOp#MAX}. */
        MAX(4),
        /** See {@link ReduceOp#AVG}. */
        AVG(5),
        /** See {@link ReduceOp#BAND}. */
        BAND(6),
        /** See {@link ReduceOp#BOR}. */
        BOR(7),
        /** See {@link ReduceOp#BXOR}. */
        BXOR(8),
        /** A function of the caller's. */
        USER(9);

        private final int number;

        Kind(int number) {
            this.number = number;
        }

        /** The number that stands for this on the wire. */
        public int number() {
            return number;
        }
    }

    /** Combines two numbers. */
    @FunctionalInterface
    public interface FloatOperator {
        /** Must be associative and commutative, up to rounding. */
        float apply(float a, float b);
    }

    /** Combines two bytes. */
    @FunctionalInterface
    public interface ByteOperator {
        /** Must be associative and commutative. */
        byte apply(byte a, byte b);
    }

    /** Combines blocks of elements: faster than one at a time, where it can be written as a simple loop. */
    @FunctionalInterface
    public interface FloatBlocks {
        /** Replaces each of the first {@code count} elements of {@code into} by itself combined with {@code from}'s. */
        void combine(float[] into, float[] from, int count);
    }

    /** As {@link FloatBlocks}. */
    @FunctionalInterface
    public interface DoubleBlocks {
        /** Replaces each of the first {@code count} elements of {@code into} by itself combined with {@code from}'s. */
        void combine(double[] into, double[] from, int count);
    }

    /** As {@link FloatBlocks}. */
    @FunctionalInterface
    public interface IntBlocks {
        /** Replaces each of the first {@code count} elements of {@code into} by itself combined with {@code from}'s. */
        void combine(int[] into, int[] from, int count);
    }

    /** As {@link FloatBlocks}. */
    @FunctionalInterface
    public interface LongBlocks {
        /** Replaces each of the first {@code count} elements of {@code into} by itself combined with {@code from}'s. */
        void combine(long[] into, long[] from, int count);
    }

    /** As {@link FloatBlocks}. */
    @FunctionalInterface
    public interface ByteBlocks {
        /** Replaces each of the first {@code count} elements of {@code into} by itself combined with {@code from}'s. */
        void combine(byte[] into, byte[] from, int count);
    }

    private final Kind kind;
    private final DataType type;
    private final Object function;

    private ReduceOp(Kind kind) {
        this.kind = kind;
        type = null;
        function = null;
    }

    private ReduceOp(DataType type, Object function) {
        kind = Kind.USER;
        this.type = type;
        this.function = Objects.requireNonNull(function, "function");
    }

    /**
     * A reduction of FLOAT32 by a function of two elements; also of FLOAT16 and BFLOAT16, whose elements it gets as floats
     * and whose results are rounded.
     *
     * <p>The function must be associative and commutative (up to rounding), equal on all ranks, and quick: it runs between
     * two pieces of I/O. It may run on any thread that waits for an operation. If it throws, the operation fails with
     * USER_FUNCTION.
     */
    public static ReduceOp ofFloats(FloatOperator function) {
        Objects.requireNonNull(function, "function");
        return ofFloatBlocks((into, from, count) -> {
            for (int i = 0; i < count; i++) {
                into[i] = function.apply(into[i], from[i]);
            }
        });
    }

    /** As {@link #ofFloats}, for FLOAT64. */
    public static ReduceOp ofDoubles(DoubleBinaryOperator function) {
        Objects.requireNonNull(function, "function");
        return ofDoubleBlocks((into, from, count) -> {
            for (int i = 0; i < count; i++) {
                into[i] = function.applyAsDouble(into[i], from[i]);
            }
        });
    }

    /** As {@link #ofFloats}, for INT32. */
    public static ReduceOp ofInts(IntBinaryOperator function) {
        Objects.requireNonNull(function, "function");
        return ofIntBlocks((into, from, count) -> {
            for (int i = 0; i < count; i++) {
                into[i] = function.applyAsInt(into[i], from[i]);
            }
        });
    }

    /** As {@link #ofFloats}, for INT64. */
    public static ReduceOp ofLongs(LongBinaryOperator function) {
        Objects.requireNonNull(function, "function");
        return ofLongBlocks((into, from, count) -> {
            for (int i = 0; i < count; i++) {
                into[i] = function.applyAsLong(into[i], from[i]);
            }
        });
    }

    /** As {@link #ofFloats}, for INT8. */
    public static ReduceOp ofBytes(ByteOperator function) {
        Objects.requireNonNull(function, "function");
        return ofByteBlocks((into, from, count) -> {
            for (int i = 0; i < count; i++) {
                into[i] = function.apply(into[i], from[i]);
            }
        });
    }

    /**
     * A reduction of FLOAT32, FLOAT16 and BFLOAT16 by a function of blocks, under the conditions of {@link #ofFloats}. How elements are cut into
     * blocks is not defined: the function must treat each by itself, and touch none from {@code count} on.
     */
    public static ReduceOp ofFloatBlocks(FloatBlocks function) {
        return new ReduceOp(DataType.FLOAT32, function);
    }

    /** As {@link #ofFloatBlocks}, for FLOAT64. */
    public static ReduceOp ofDoubleBlocks(DoubleBlocks function) {
        return new ReduceOp(DataType.FLOAT64, function);
    }

    /** As {@link #ofFloatBlocks}, for INT32. */
    public static ReduceOp ofIntBlocks(IntBlocks function) {
        return new ReduceOp(DataType.INT32, function);
    }

    /** As {@link #ofFloatBlocks}, for INT64. */
    public static ReduceOp ofLongBlocks(LongBlocks function) {
        return new ReduceOp(DataType.INT64, function);
    }

    /** As {@link #ofFloatBlocks}, for INT8. */
    public static ReduceOp ofByteBlocks(ByteBlocks function) {
        return new ReduceOp(DataType.INT8, function);
    }

    /** What this does. */
    public Kind kind() {
        return kind;
    }

    /** The caller's function on blocks, such as a {@link FloatBlocks}; null if {@link #kind} is not USER. */
    public Object function() {
        return function;
    }

    /** Whether this can reduce elements of a type. */
    public boolean supports(DataType elements) {
        return switch (kind) {
            case SUM, PROD, MIN, MAX, AVG -> true;
            case BAND, BOR, BXOR -> !elements.isFloating();
            case USER -> elements == type || (type == DataType.FLOAT32 && elements.isHalf());
        };
    }

    @Override
    public String toString() {
        String name = Signature.reductionName(kind.number());
        return type == null ? name : name + " " + type;
    }
}
