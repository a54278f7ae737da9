package io.zipcomm.transport.rdma;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ZipException;
import io.zipcomm.testkit.LeakCheck;
import io.zipcomm.testkit.Seeds;
import io.zipcomm.transport.FrameHandler;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.rdma.ffi.Native;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Memory that is taken back while the peer reads it, at any moment of that, a message of several frames or of one: two threads, a rank each. */
@Tag("once")
final class ReleasedPayloadTest {

    private static final int MESSAGES = 2000;

    /** More than are read at a time. */
    private static final int FRAGMENTS = 6;

    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(60);

    /** Content of memory that was taken back. */
    private static final long MARK = -1;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @RegisterExtension
    final Seeds seeds = new Seeds();

    private List<RdmaRank> ranks = List.of();

    @AfterEach
    void close() {
        ranks.forEach(RdmaRank::close);
    }

    private void open(String provider) {
        ranks = RdmaRank.group(provider, provider);
        ranks.get(0).transport.connect(1);
        long limitNs = System.nanoTime() + PATIENCE_NS;
        while (ranks.stream().anyMatch(rank -> rank.opened.isEmpty()) && System.nanoTime() < limitNs) {
            ranks.forEach(RdmaRank::turn);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {Native.SHM, Native.TCP})
    void shouldArriveAsItWasWhenItWasSent(String provider) throws Exception {
        open(provider);
        Path to = ranks.get(1).opened.get(0);
        Sender sender = new Sender(ranks.get(0).opened.get(1), seeds.random());
        Receiver receiver = new Receiver(to);
        CompletableFuture<Void> receiving = CompletableFuture.runAsync(() -> {
            long limitNs = System.nanoTime() + PATIENCE_NS;
            while (receiver.count < MESSAGES && receiver.failure == null && System.nanoTime() < limitNs) {
                ranks.get(1).transport.poll();
            }
        });
        long limitNs = System.nanoTime() + PATIENCE_NS;
        while (!receiving.isDone() && sender.failure == null && System.nanoTime() < limitNs) {
            sender.go();
            ranks.get(0).transport.poll();
        }
        receiving.get(90, TimeUnit.SECONDS);
        assertNull(sender.failure);
        assertNull(receiver.failure);
        assertEquals(MESSAGES, receiver.count);
        assertTrue(sender.released > MESSAGES / 10, sender.released + " were taken back");
        assertEquals(1, ranks.get(0).transport.endpoint().cache().count(), "the one buffer");
    }

    /** What a path has held is free for others when it has ended, however it ended. */
    @Test
    void shouldGiveAllMemoryBackWhenAPathEnds() {
        open(Native.SHM);
        Sender sender = new Sender(ranks.get(0).opened.get(1), seeds.random());
        Receiver receiver = new Receiver(ranks.get(1).opened.get(0));
        for (int i = 0; i < 200; i++) {
            sender.go();
            ranks.get(0).transport.poll();
        }
        ranks.get(0).opened.get(1).close();
        long limitNs = System.nanoTime() + PATIENCE_NS;
        while (receiver.failure == null && System.nanoTime() < limitNs) {
            ranks.get(1).transport.poll();
            ranks.get(0).turn();
        }
        for (RdmaRank rank : ranks) {
            RdmaEndpoint endpoint = rank.transport.endpoint();
            endpoint.cache().expire(Long.MAX_VALUE / 2 + System.nanoTime());
            assertEquals(0, endpoint.cache().count(), "memory in use");
            assertEquals(0, endpoint.outgoing().used() + endpoint.incoming().used());
            assertTrue(!endpoint.isSending());
        }
    }

    /** The last resort, when memory must be its owner's and something may touch it yet. */
    @ParameterizedTest
    @ValueSource(strings = {Native.SHM, Native.TCP})
    void shouldEndEveryPathWhenTheEndpointIsGivenUp(String provider) {
        open(provider);
        Sender sender = new Sender(ranks.get(0).opened.get(1), seeds.random());
        Receiver receiver = new Receiver(ranks.get(1).opened.get(0));
        for (int i = 0; i < 50; i++) {
            sender.go();
            ranks.forEach(RdmaRank::turn);
        }
        RdmaTransport transport = ranks.get(0).transport;
        transport.endpoint().giveUp("a test wants it");
        sender.go();
        transport.poll();
        assertTrue(sender.failure.getMessage().contains("a test wants it"), sender.failure.getMessage());
        assertFalse(transport.hasOutput() || transport.isConnecting() || transport.reaches(1));
        transport.beforeSleep();
        transport.afterSleep();
        assertEquals(0, transport.poll());
        transport.close();
        assertTrue(receiver.failure == null || receiver.failure instanceof ZipException);
    }

    /** Whoever closes first, amid whatever is under way: nothing is touched afterwards, and nothing is left. */
    @ParameterizedTest
    @ValueSource(strings = {Native.SHM, Native.TCP})
    void shouldCloseInAnyOrderAmidTraffic(String provider) throws Exception {
        RandomGenerator random = seeds.random();
        for (int round = 0; round < 20; round++) {
            closeAmidTraffic(provider, random, this::closeWhileTheOtherTurns);
        }
    }

    /** The same, with a peer that does nothing meanwhile. Over tcp that leaves an endpoint behind, see {@code ZF_STAYS}. */
    @Test
    void shouldCloseAmidTrafficWhenThePeerDoesNotTurn() throws Exception {
        RandomGenerator random = seeds.random();
        for (int round = 0; round < 20; round++) {
            closeAmidTraffic(Native.SHM, random, (closing, turning) -> closing.close());
        }
    }

    private void closeAmidTraffic(String provider, RandomGenerator random, Closing closing) throws Exception {
        open(provider);
        Sender sender = new Sender(ranks.get(0).opened.get(1), random);
        Receiver receiver = new Receiver(ranks.get(1).opened.get(0));
        for (int i = random.nextInt(300); i > 0; i--) {
            sender.go();
            ranks.get(random.nextInt(2)).transport.poll();
        }
        int first = random.nextInt(2);
        if (random.nextBoolean()) {
            ranks.get(first).opened.get(1 - first).close();
        }
        closing.close(ranks.get(first), ranks.get(1 - first));
        sender.fill(MARK);
        for (int i = random.nextInt(300); i > 0; i--) {
            ranks.forEach(RdmaRank::turn);
        }
        ranks.get(1 - first).close();
        assertTrue(receiver.failure == null || receiver.failure instanceof ZipException, () -> "" + receiver.failure);
        assertEquals(0, Native.library().openEndpoints());
    }

    private void closeWhileTheOtherTurns(RdmaRank closing, RdmaRank turning) throws Exception {
        CompletableFuture<Void> closed = CompletableFuture.runAsync(closing::close);
        long limitNs = System.nanoTime() + PATIENCE_NS;
        while (!closed.isDone() && System.nanoTime() < limitNs) {
            turning.turn();
        }
        closed.get(1, TimeUnit.SECONDS);
    }

    /** A way to close one of two ranks. */
    private interface Closing {
        void close(RdmaRank closing, RdmaRank turning) throws Exception;
    }

    /** Sends a buffer again and again, and takes it back now and then. */
    private static final class Sender implements FrameHandler {
        private final Path path;
        private final RandomGenerator random;
        private final ByteBuffer memory;
        private final Payload payload;
        private long sequence;
        private Object underWay;
        private int left;
        private int fragments;
        private int taken;
        private long releaseNs;
        int released;
        ZipException failure;

        Sender(Path path, RandomGenerator random) {
            this.path = path;
            this.random = random;
            memory = Frame.allocate(FRAGMENTS * path.fragmentBytesMax());
            payload = Payload.of(memory, 0, memory.capacity(), DataType.INT8);
            path.bind(this);
            path.openInput();
        }

        private void fill(long word) {
            for (int i = 0; i < memory.capacity(); i += Long.BYTES) {
                memory.putLong(i, word);
            }
        }

        /** Begins with the next frame, or takes the last one back. */
        void go() {
            if (underWay == null && sequence < MESSAGES) {
                sequence++;
                fragments = random.nextBoolean() ? 1 : FRAGMENTS;
                left = fragments;
                taken = 0;
                fill(sequence);
                underWay = new Object();
                releaseNs = System.nanoTime() + random.nextInt(200_000 * fragments);
                path.flush();
            } else if (underWay != null && left < fragments && System.nanoTime() - releaseNs >= 0) {
                path.release(underWay);
                released++;
                underWay = null;
                left = 0;
                fill(MARK);
            }
        }

        @Override
        public boolean nextFrame(Path asking, ByteBuffer header, int at, OutboundFrame out) {
            if (left == 0) {
                return false;
            }
            int bytes = path.fragmentBytesMax();
            int offset = (fragments - left) * bytes;
            left--;
            Frame.begin(header, at, FrameType.DATA);
            Frame.payloadBytes(header, at, bytes);
            Frame.offset(header, at, offset);
            Frame.messageBytes(header, at, (long) fragments * bytes);
            Frame.source(header, at, 0);
            Frame.destination(header, at, 1);
            Frame.sequence(header, at, sequence);
            out.payload = payload;
            out.offset = offset;
            out.bytes = bytes;
            out.attachment = underWay;
            return true;
        }

        @Override
        public void payloadTaken(OutboundFrame out) {
            if (out.attachment != underWay) {
                throw new AssertionError("taken after its release");
            }
            taken++;
            if (taken == fragments) {
                underWay = null;
            }
        }

        @Override
        public void headerReceived(Path from, ByteBuffer header, int at, InboundFrame in) {}

        @Override
        public void frameReceived(Path from, InboundFrame in) {}

        @Override
        public void ended(Path which, ZipException why) {
            failure = why;
        }
    }

    /** Looks at every word of what comes in. */
    private static final class Receiver implements FrameHandler {
        private final ByteBuffer memory;
        private final Payload payload;
        private long expected;
        volatile int count;
        volatile Throwable failure;

        Receiver(Path path) {
            memory = Frame.allocate(path.fragmentBytesMax());
            payload = Payload.of(memory, 0, memory.capacity(), DataType.INT8);
            path.bind(this);
            path.openInput();
        }

        @Override
        public boolean nextFrame(Path asking, ByteBuffer header, int at, OutboundFrame out) {
            return false;
        }

        @Override
        public void payloadTaken(OutboundFrame out) {}

        @Override
        public void headerReceived(Path from, ByteBuffer header, int at, InboundFrame in) {
            expected = Frame.sequence(header, at);
            in.payload = payload;
            in.bytes = memory.capacity();
            in.attachment = this;
        }

        @Override
        public void frameReceived(Path from, InboundFrame in) {
            for (int i = 0; i < memory.capacity(); i += Long.BYTES) {
                if (memory.getLong(i) != expected) {
                    failure = new AssertionError(memory.getLong(i) + " at " + i + " of a frame of message " + expected);
                    return;
                }
            }
            count = (int) expected;
        }

        @Override
        public void ended(Path which, ZipException why) {
            failure = why;
        }
    }
}
