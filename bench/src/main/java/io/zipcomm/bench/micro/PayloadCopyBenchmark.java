package io.zipcomm.bench.micro;

import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
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

/**
 * What it costs to move user data into and out of a transport's segment: from an array of floats, where the bytes in the
 * segment are aligned to the element and where they are not, and from a direct buffer.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class PayloadCopyBenchmark {

    /** Where the user's data is. */
    public enum Memory {
        /** {@code float[]}. */
        FLOATS,
        /** {@code byte[]}. */
        BYTES,
        /** A direct buffer. */
        DIRECT
    }

    @Param({"FLOATS", "BYTES", "DIRECT"})
    private Memory memory;

    @Param({"1024", "65536"})
    private int bytes;

    /** First byte in the segment: a multiple of the element's length, or not. */
    @Param({"64", "65"})
    private int at;

    private Payload payload;
    private Segment segment;

    /** Memory on both sides. */
    @Setup
    public void prepare() {
        segment = Segment.allocate(bytes + 128);
        payload = switch (memory) {
            case FLOATS -> Payload.of(new float[bytes / Float.BYTES]);
            case BYTES -> Payload.of(new byte[bytes]);
            case DIRECT -> Payload.of(ByteBuffer.allocateDirect(bytes));
        };
    }

    /** User data to the segment. */
    @Benchmark
    public Segment copyOut() {
        payload.copyOut(0, segment, at, bytes);
        return segment;
    }

    /** The segment to user data. */
    @Benchmark
    public Payload copyIn() {
        payload.copyIn(0, segment, at, bytes);
        return payload;
    }
}
