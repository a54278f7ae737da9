package io.zipcomm.bench.micro;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
import io.zipcomm.collectives.ReduceOp;
import io.zipcomm.collectives.kernel.Kernel;
import io.zipcomm.collectives.kernel.Reduction;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
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

/** What it costs to add a segment that has just come in to user data, in place: the inner loop of every reduction. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class ReductionBenchmark {

    @Param({"INT8", "INT32", "INT64", "FLOAT32", "FLOAT64"})
    private DataType type;

    @Param({"65536"})
    private int bytes;

    /** Whether the user data is an array rather than a direct buffer. */
    @Param({"true", "false"})
    private boolean array;

    private Segment arrived;
    private Reduction reduction;

    /** Memory on both sides. */
    @Setup
    public void prepare() {
        arrived = Segment.allocate(bytes);
        Payload mine = array ? array() : Payload.of(ByteBuffer.allocateDirect(bytes), type);
        reduction = new Reduction(Kernel.of(type), type);
        reduction.operand(mine, null, 0);
        reduction.result(mine, null, 0);
        reduction.combineBy(ReduceOp.SUM, false, 1);
    }

    private Payload array() {
        int count = bytes / type.bytes();
        return switch (type) {
            case INT8 -> Payload.of(new byte[count]);
            case INT32 -> Payload.of(new int[count]);
            case INT64 -> Payload.of(new long[count]);
            case FLOAT32 -> Payload.of(new float[count]);
            case FLOAT64 -> Payload.of(new double[count]);
        };
    }

    /** One segment. */
    @Benchmark
    public Reduction add() {
        reduction.copyIn(0, arrived, 0, bytes);
        return reduction;
    }
}
