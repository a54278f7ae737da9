package io.zipcomm.internal;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What the credit window costs a message: asked, charged, kept, released, and given back. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class CreditBenchmark {

    private static final int WINDOW_BYTES = 1 << 20;
    private static final int MESSAGE_BYTES = 1024;

    private final Credit sender = new Credit(WINDOW_BYTES);
    private final Credit receiver = new Credit(WINDOW_BYTES);

    /** One eager message, both ends. */
    @Benchmark
    public long message() {
        if (!sender.allowsEager(MESSAGE_BYTES)) {
            throw new IllegalStateException("no credit");
        }
        sender.charge(MESSAGE_BYTES);
        if (!receiver.keep(MESSAGE_BYTES)) {
            throw new IllegalStateException("no credit for what came in");
        }
        receiver.release(MESSAGE_BYTES);
        if (receiver.isTellDue() && !sender.returned(receiver.tell())) {
            throw new IllegalStateException("more given back than taken");
        }
        return receiver.keptBytes();
    }
}
