package io.zipcomm.bench.micro;

import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What it costs to write a frame's header, and to check and read one. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class FrameHeaderBenchmark {

    private static final int PAYLOAD_BYTES = 1024;

    private ByteBuffer header;
    private long sequence;

    /** A header to read. */
    @Setup
    public void prepare() {
        header = Frame.allocate(Frame.HEADER_BYTES);
        encode();
    }

    /** As a link writes it. */
    @Benchmark
    public ByteBuffer encode() {
        Frame.begin(header, 0, FrameType.EAGER);
        Frame.payloadBytes(header, 0, PAYLOAD_BYTES);
        Frame.epoch(header, 0, 1);
        Frame.context(header, 0, 0);
        Frame.source(header, 0, 2);
        Frame.destination(header, 0, 3);
        Frame.sequence(header, 0, ++sequence);
        Frame.tag(header, 0, sequence);
        Frame.credit(header, 0, sequence);
        Frame.messageBytes(header, 0, PAYLOAD_BYTES);
        return header;
    }

    /** As a link reads it. */
    @Benchmark
    public long decode() {
        if (Frame.problem(header, 0) != null) {
            throw new IllegalStateException(Frame.problem(header, 0));
        }
        return Frame.type(header, 0)
                + Frame.payloadBytes(header, 0)
                + Frame.epoch(header, 0)
                + Frame.context(header, 0)
                + Frame.source(header, 0)
                + Frame.destination(header, 0)
                + Frame.sequence(header, 0)
                + Frame.tag(header, 0)
                + Frame.credit(header, 0)
                + Frame.messageBytes(header, 0);
    }
}
