package io.zipcomm.bench.micro;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
import io.zipcomm.collectives.ReduceOp;
import io.zipcomm.collectives.kernel.Kernel;
import io.zipcomm.collectives.kernel.Reduction;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.UnsafeBuffer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What it costs to add bytes that have come in to user data, in place: the inner loop of every reduction. To compare with:
 * {@link #loop}, one loop over two arrays of floats, which no reduction of what comes from a socket can beat.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class ReductionBenchmark {

    /** What the user data is in. */
    public enum Memory {
        /** An array of the type. */
        ARRAY,
        /** A buffer over a byte array. */
        HEAP,
        /** A direct buffer. */
        DIRECT,
        /** An Agrona buffer over an address. */
        AGRONA
    }

    /** Of the user's data and what has come in. */
    @State(Scope.Thread)
    public static class Length {

        @Param({"65536", "1048576", "16777216"})
        private int bytes;
    }

    /** User data, and what has come in. */
    @State(Scope.Thread)
    public static class Operands {

        @Param({"INT8", "INT32", "INT64", "FLOAT32", "FLOAT64", "FLOAT16", "BFLOAT16"})
        private DataType type;

        @Param({"ARRAY", "HEAP", "DIRECT", "AGRONA"})
        private Memory memory;

        /** A constant of {@link ReduceOp}. */
        @Param({"SUM"})
        private String op;

        /** First byte of what has come in: a multiple of the element's length, or not. */
        @Param({"0"})
        private int at;

        private ByteBuffer keptReachable;
        private Segment arrived;
        private Reduction reduction;

        /** Memory on both sides. */
        @Setup
        public void prepare(Length length) {
            arrived = Segment.allocate(length.bytes + Long.BYTES);
            Payload mine = payload(length.bytes);
            reduction = new Reduction(Kernel.of(type), type);
            reduction.operand(mine, null, 0);
            reduction.result(mine, null, 0);
            reduction.combineBy(operation(), false, op.equals("AVG") ? 3 : 1);
        }

        private ReduceOp operation() {
            return switch (ReduceOp.Kind.valueOf(op)) {
                case SUM -> ReduceOp.SUM;
                case PROD -> ReduceOp.PROD;
                case MIN -> ReduceOp.MIN;
                case MAX -> ReduceOp.MAX;
                case AVG -> ReduceOp.AVG;
                case BAND -> ReduceOp.BAND;
                case BOR -> ReduceOp.BOR;
                case BXOR -> ReduceOp.BXOR;
                case USER -> throw new IllegalArgumentException("not a constant: " + op);
            };
        }

        private Payload payload(int bytes) {
            return switch (memory) {
                case ARRAY -> array(bytes / type.bytes());
                case HEAP -> Payload.of(ByteBuffer.allocate(bytes), type);
                case DIRECT -> Payload.of(ByteBuffer.allocateDirect(bytes), type);
                case AGRONA -> {
                    keptReachable = ByteBuffer.allocateDirect(bytes);
                    long address = new UnsafeBuffer(keptReachable).addressOffset();
                    yield Payload.of(new UnsafeBuffer(address, bytes), 0, bytes / type.bytes(), type);
                }
            };
        }

        private Payload array(int count) {
            return switch (type) {
                case INT8 -> Payload.of(new byte[count]);
                case FLOAT16 -> Payload.ofFloat16(new short[count]);
                case BFLOAT16 -> Payload.ofBfloat16(new short[count]);
                case INT32 -> Payload.of(new int[count]);
                case INT64 -> Payload.of(new long[count]);
                case FLOAT32 -> Payload.of(new float[count]);
                case FLOAT64 -> Payload.of(new double[count]);
            };
        }
    }

    /** Two arrays of floats. */
    @State(Scope.Thread)
    public static class Floats {

        private float[] mine;
        private float[] other;

        /** As many bytes as the operands of the reduction have. */
        @Setup
        public void prepare(Length length) {
            mine = new float[length.bytes / Float.BYTES];
            other = new float[mine.length];
        }
    }

    /** One message. */
    @Benchmark
    public Reduction reduce(Length length, Operands operands) {
        operands.reduction.copyIn(0, operands.arrived, operands.at, length.bytes);
        return operands.reduction;
    }

    /** The same length, from one array to another. */
    @Benchmark
    public float[] loop(Floats floats) {
        float[] mine = floats.mine;
        float[] other = floats.other;
        for (int i = 0; i < mine.length; i++) {
            mine[i] = mine[i] + other[i];
        }
        return mine;
    }
}
