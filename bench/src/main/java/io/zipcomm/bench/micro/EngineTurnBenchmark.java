package io.zipcomm.bench.micro;

import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.Completion;
import io.zipcomm.internal.ControlPlane;
import io.zipcomm.internal.Engine;
import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Member;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.wire.SessionKey;
import java.nio.ByteBuffer;
import java.util.List;
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
 * What the engine costs without sockets: a turn with nothing to do, and all that two engines do for one message, from the
 * post at the sender to the completion at both ends.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class EngineTurnBenchmark {

    private static final int TAG = 7;
    private static final int EAGER_BYTES = 64;
    private static final int RENDEZVOUS_BYTES = 4 << 10;

    /** Whether the receive is there before the message. */
    @Param({"true", "false"})
    private boolean expected;

    private Engine sender;
    private Engine receiver;
    private GroupCommunicator from;
    private GroupCommunicator to;
    private Payload shortOut;
    private Payload shortIn;
    private Payload longOut;
    private Payload longIn;
    private long messages;
    private final Completion completion = this::completed;

    /** Two engines that are one group. */
    @Setup
    public void prepare() {
        MemoryTransport[] transports = MemoryTransport.pair();
        sender = engine(0, transports[0]);
        receiver = engine(1, transports[1]);
        from = sender.start();
        to = receiver.start();
        shortOut = Payload.of(ByteBuffer.allocateDirect(EAGER_BYTES));
        shortIn = Payload.of(ByteBuffer.allocateDirect(EAGER_BYTES));
        longOut = Payload.of(ByteBuffer.allocateDirect(RENDEZVOUS_BYTES));
        longIn = Payload.of(ByteBuffer.allocateDirect(RENDEZVOUS_BYTES));
    }

    private static Engine engine(int rank, MemoryTransport transport) {
        Member first = new Member(0, "here", List.of(), List.of());
        Member second = new Member(1, "here", List.of(), List.of());
        SessionKey key = new SessionKey(new byte[SessionKey.BYTES]);
        GroupView view = new GroupView("micro", 1, rank, List.of(first, second), key, 1 << 20, 1 << 20);
        ZipSettings settings = ZipSettings.builder()
                .session("micro")
                .size(2)
                .rank(rank)
                .transport(TransportChoice.RELAY)
                .eagerBytes(RENDEZVOUS_BYTES / 2)
                .build();
        return new Engine(view, transport, new Silence(), settings, System::nanoTime, false);
    }

    /** A turn in which there is nothing to do. */
    @Benchmark
    public int idleTurn() {
        return sender.tryTurn();
    }

    /** A message that travels at once. */
    @Benchmark
    public long eager() {
        return message(shortOut, shortIn, EAGER_BYTES);
    }

    /** A message that waits for its receiver's buffer. */
    @Benchmark
    public long rendezvous() {
        return message(longOut, longIn, RENDEZVOUS_BYTES);
    }

    private long message(Payload out, Payload in, int bytes) {
        long wanted = messages + 2;
        if (expected) {
            to.postReceive(0, TAG, 0, in, 0, bytes, completion, 0);
            sender.tryTurn();
            from.postSend(1, TAG, 0, out, 0, bytes, completion, 0);
        } else {
            from.postSend(1, TAG, 0, out, 0, bytes, completion, 0);
            receiver.tryTurn();
            to.postReceive(0, TAG, 0, in, 0, bytes, completion, 0);
        }
        while (messages != wanted) {
            if (receiver.tryTurn() + sender.tryTurn() == 0 && messages != wanted) {
                throw new IllegalStateException("nothing moves the message any more");
            }
        }
        return messages;
    }

    private void completed(int cookie, long bytes, ZipException failure) {
        if (failure != null) {
            throw failure;
        }
        messages++;
    }

    /** A group in which nobody dies has nothing to say. */
    private static final class Silence implements ControlPlane {
        @Override
        public void abort(int context, int code, int culprit, String reason) {}

        @Override
        public void suspect(int rank, String detail) {}

        @Override
        public void punch(int rank) {}

        @Override
        public void ask() {}

        @Override
        public void revoke(int context, String reason) {}

        @Override
        public void agree(int context, int[] members, int number, boolean value, long timeoutMs) {}

        @Override
        public void leave(long answerNs) {}

        @Override
        public void close() {}
    }
}
