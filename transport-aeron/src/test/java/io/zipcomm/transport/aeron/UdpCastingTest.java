package io.zipcomm.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aeron.driver.DataPacketDispatcher;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ReceiveChannelEndpointSupplier;
import io.aeron.driver.SendChannelEndpointSupplier;
import io.aeron.driver.media.UdpChannel;
import io.aeron.protocol.DataHeaderFlyweight;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.DirectWiring;
import io.zipcomm.testkit.LeakCheck;
import io.zipcomm.testkit.Seeds;
import io.zipcomm.testkit.SharedMemoryFolder;
import io.zipcomm.transport.FrameHandler;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.Path;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;
import java.util.stream.IntStream;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.AtomicCounter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rank 0 sends the same to all others, over UDP: it is cast, and all get it, whatever becomes of one of them. */
@Timeout(120)
@Tag("once")
final class UdpCastingTest {

    private static final long PATIENCE_NS = 40_000_000_000L;
    private static final int MESSAGE_BYTES = 300_008;
    private static final int MESSAGES = 60;

    /** One of so many datagrams is lost. */
    private static final int LOSES_ONE_OF = 20;

    /** Longer than a reader may be silent before nothing is cast any more. */
    private static final long FREEZE_NS = 3_500_000_000L;

    private static final long SETTLE_NS = 400_000_000;

    /** A second until a destination is given up, and time for a slow machine. */
    private static final long CUT_NS_MAX = 10_000_000_000L;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @RegisterExtension
    final Seeds seeds = new Seeds();

    @TempDir(factory = SharedMemoryFolder.class)
    private java.nio.file.Path directory;

    private DirectWiring wiring;
    private int size;
    private final List<Sender> senders = new ArrayList<>();
    private final List<Reader> readers = new ArrayList<>();

    /** Ends of paths between the other ranks, on which nothing comes. */
    private final List<Reader> others = new ArrayList<>();

    private long nextShare = 1;

    private void open(int ranks, AeronUdpProvider provider) {
        open(ranks, provider, false);
    }

    /**
     * Opens all paths.
     *
     * @param apart whether ranks take each other for ranks of other hosts, so that a frame is many datagrams
     */
    private void open(int ranks, AeronUdpProvider provider, boolean apart) {
        size = ranks;
        wiring = AeronWiring.open(
                ranks, seeds.seed(), provider, TransportChoice.AERON_UDP, directory.toString(), "auto", apart);
        for (int rank = 1; rank < ranks; rank++) {
            senders.add(new Sender(wiring.path(0, rank)));
            readers.add(new Reader(wiring.path(rank, 0)));
            for (int peer = 1; peer < ranks; peer++) {
                if (peer != rank) {
                    others.add(new Reader(wiring.path(rank, peer)));
                }
            }
        }
    }

    @AfterEach
    void close() {
        wiring.close();
    }

    /** What a message holds at a place. */
    private static byte expected(long share, long at) {
        return (byte) (share * 31 + at * 7 + at / 4096);
    }

    /** Rank 0's end of a path: sends messages in fragments. */
    private static final class Sender implements FrameHandler {
        final Path path;
        final Queue<OutboundFrame> queue = new ArrayDeque<>();
        OutboundFrame last;
        int taken;
        ZipException failure;

        Sender(Path path) {
            this.path = path;
            path.bind(this);
            path.openInput();
        }

        void send(Payload message, long share, int sharers) {
            for (int at = 0; at < MESSAGE_BYTES; at += path.fragmentBytesMax()) {
                OutboundFrame one = new OutboundFrame();
                one.payload = message;
                one.offset = at;
                one.bytes = Math.min(path.fragmentBytesMax(), MESSAGE_BYTES - at);
                one.share = share;
                one.sharers = sharers;
                queue.add(one);
            }
            path.flush();
        }

        @Override
        public boolean nextFrame(Path from, ByteBuffer header, int at, OutboundFrame out) {
            OutboundFrame next = queue.poll();
            if (next == null) {
                return false;
            }
            out.payload = next.payload;
            out.offset = next.offset;
            out.shareOffset = next.offset;
            out.bytes = next.bytes;
            out.share = next.share;
            out.sharers = next.sharers;
            out.attachment = next;
            last = next;
            Frame.begin(header, at, FrameType.DATA);
            Frame.payloadBytes(header, at, next.bytes);
            Frame.context(header, at, (int) next.share);
            Frame.messageBytes(header, at, MESSAGE_BYTES);
            Frame.offset(header, at, next.offset);
            return true;
        }

        @Override
        public void payloadTaken(OutboundFrame out) {
            taken++;
        }

        @Override
        public void headerReceived(Path from, ByteBuffer header, int at, InboundFrame in) {}

        @Override
        public void frameReceived(Path from, InboundFrame in) {}

        @Override
        public void ended(Path from, ZipException why) {
            failure = why;
        }
    }

    /** Another rank's end: compares what comes in. */
    private static final class Reader implements FrameHandler {
        private byte[] landing = {};
        private long share;
        private long offset;
        private long nextOffset;
        long bytes;
        String problem;
        ZipException failure;

        Reader(Path path) {
            path.bind(this);
            path.openInput();
        }

        @Override
        public boolean nextFrame(Path from, ByteBuffer header, int at, OutboundFrame out) {
            return false;
        }

        @Override
        public void payloadTaken(OutboundFrame out) {}

        @Override
        public void headerReceived(Path from, ByteBuffer header, int at, InboundFrame in) {
            landing = new byte[Frame.payloadBytes(header, at)];
            share = Frame.context(header, at);
            offset = Frame.offset(header, at);
            in.payload = Payload.of(landing);
            in.bytes = landing.length;
        }

        @Override
        public void frameReceived(Path from, InboundFrame in) {
            if (offset != nextOffset) {
                problem = "share " + share + " at " + offset + " instead of " + nextOffset;
            }
            for (int i = 0; i < landing.length; i++) {
                if (landing[i] != expected(share, offset + i)) {
                    problem = "share " + share + ": wrong byte at " + (offset + i);
                }
            }
            bytes += landing.length;
            nextOffset = (offset + landing.length) % MESSAGE_BYTES;
        }

        @Override
        public void ended(Path from, ZipException why) {
            failure = why;
        }
    }

    private void sendAll() {
        long share = nextShare++;
        byte[] message = new byte[MESSAGE_BYTES];
        for (int i = 0; i < message.length; i++) {
            message[i] = expected(share, i);
        }
        Payload payload = Payload.of(message);
        senders.forEach(one -> one.send(payload, share, size - 1));
    }

    private void until(BooleanSupplier done, int frozen) {
        long endNs = System.nanoTime() + PATIENCE_NS;
        while (!done.getAsBoolean()) {
            assertTrue(System.nanoTime() < endNs, this::state);
            for (int rank = 0; rank < size; rank++) {
                if (rank != frozen) {
                    wiring.transport(rank).poll();
                }
            }
        }
    }

    private String state() {
        return readers.stream()
                        .map(one -> one.bytes + " " + one.problem + " " + one.failure)
                        .toList() + ", cast " + cast();
    }

    private long cast() {
        return wiring.transport(0).counters().framesCast;
    }

    private boolean hasAll(int rank) {
        Reader reader = readers.get(rank - 1);
        assertNull(reader.problem);
        return reader.bytes == (nextShare - 1) * MESSAGE_BYTES;
    }

    private boolean allHaveAll() {
        return IntStream.range(1, size).allMatch(this::hasAll);
    }

    /** Until the first is cast. */
    private void warmUp() {
        while (cast() == 0) {
            assertTrue(nextShare < 1000, this::state);
            sendAll();
            until(this::allHaveAll, -1);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 4})
    void shouldCastWhatAllGet(int ranks) {
        open(ranks, new AeronUdpProvider());
        warmUp();
        long before = cast();
        for (int i = 0; i < MESSAGES; i++) {
            sendAll();
            until(this::allHaveAll, -1);
        }
        assertTrue(cast() - before >= MESSAGES, this::state);
        assertTrue(readers.stream().allMatch(one -> one.failure == null), this::state);
    }

    @Test
    void shouldCastFramesOfManyDatagrams() {
        open(3, new AeronUdpProvider(), true);
        warmUp();
        long before = cast();
        for (int i = 0; i < MESSAGES; i++) {
            sendAll();
            until(this::allHaveAll, -1);
        }
        assertTrue(cast() - before >= MESSAGES, this::state);
        assertTrue(readers.stream().allMatch(one -> one.failure == null), this::state);
    }

    @ParameterizedTest
    @CsvSource({"3, false", "4, false", "3, true"})
    void shouldBringAllThroughANetworkThatLoses(int ranks, boolean apart) {
        Random random = new Random(seeds.seed());
        open(
                ranks,
                new AeronUdpProvider((names, signs) -> (channel, dispatcher, status, context) ->
                        new LossyGate(random, LOSES_ONE_OF, names, signs, channel, dispatcher, status, context)),
                apart);
        warmUp();
        long before = cast();
        for (int i = 0; i < MESSAGES; i++) {
            sendAll();
        }
        until(this::allHaveAll, -1);
        // Where so much is lost the paths need not meet in so few messages.
        long endNs = System.nanoTime() + PATIENCE_NS;
        while (cast() == before) {
            assertTrue(System.nanoTime() < endNs, this::state);
            sendAll();
            until(this::allHaveAll, -1);
        }
        assertTrue(readers.stream().allMatch(one -> one.failure == null), this::state);
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 4})
    void shouldNotHoldUpOthersForOneThatStandsStill(int ranks) {
        open(ranks, new AeronUdpProvider());
        warmUp();
        int frozen = ranks - 1;
        long thawNs = System.nanoTime() + FREEZE_NS;
        for (int i = 0; i < MESSAGES; i++) {
            sendAll();
            until(() -> IntStream.range(1, size).allMatch(rank -> rank == frozen || hasAll(rank)), frozen);
        }
        assertTrue(System.nanoTime() < thawNs, "the others waited for it");
        until(() -> System.nanoTime() > thawNs, frozen);
        until(this::allHaveAll, -1);
        // It reads again, so it is cast to again.
        long before = cast();
        while (cast() == before) {
            sendAll();
            until(this::allHaveAll, -1);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 4})
    void shouldGoOnWithoutOneThatLeavesAmid(int ranks) {
        open(ranks, new AeronUdpProvider());
        warmUp();
        for (int i = 0; i < MESSAGES; i++) {
            sendAll();
        }
        int gone = ranks - 1;
        wiring.transport(gone).close();
        until(() -> IntStream.range(1, size).allMatch(rank -> rank == gone || hasAll(rank)), gone);
        until(() -> senders.get(gone - 1).failure != null, gone);
        assertNotNull(senders.get(gone - 1).failure);
        long before = cast();
        sendAll();
        until(() -> IntStream.range(1, size).allMatch(rank -> rank == gone || hasAll(rank)), gone);
        assertEquals(before, cast(), "nobody waits for who is gone");
    }

    /**
     * Drops each payload of a cast stream when it comes first, and datagrams that have nothing in them, by which Aeron tells after
     * a while how far the stream goes.
     */
    private static final class SilentGate extends UdpGate {
        private final int castStream;
        private final Set<List<Integer>> seen = new HashSet<>();

        SilentGate(
                UdpNames names,
                UdpSigns signs,
                UdpChannel channel,
                DataPacketDispatcher dispatcher,
                AtomicCounter status,
                MediaDriver.Context context) {
            super(names, signs, channel, dispatcher, status, context);
            castStream = names.castStream();
        }

        @Override
        public int onDataPacket(
                DataHeaderFlyweight header, UnsafeBuffer buffer, int length, InetSocketAddress source, int transport) {
            boolean isEmpty = length == DataHeaderFlyweight.HEADER_LENGTH;
            boolean isPayload = length >= UdpCast.BYTES_MIN;
            boolean isLost = header.streamId() == castStream
                    && (isEmpty || (isPayload && seen.add(List.of(header.termId(), header.termOffset()))));
            return isLost ? 0 : super.onDataPacket(header, buffer, length, source, transport);
        }
    }

    @Test
    void shouldTellSoonOfTheLossOfWhatWasCastLast() {
        open(
                3,
                new AeronUdpProvider((names, signs) -> (channel, dispatcher, status, context) ->
                        new SilentGate(names, signs, channel, dispatcher, status, context)));
        warmUp();
        long before = cast();
        while (cast() < before + 10) {
            assertTrue(nextShare < 1000, this::state);
            sendAll();
            until(this::allHaveAll, -1);
        }
    }

    /** Sends nothing to one port, as if the system knew no way to it. */
    private static final class DeafSender extends UdpSender {
        private final IntSupplier port;

        DeafSender(IntSupplier port, UdpChannel channel, AtomicCounter status, MediaDriver.Context context) {
            super(channel, status, context);
            this.port = port;
        }

        @Override
        public void sendHook(ByteBuffer buffer, InetSocketAddress to) {
            if (to.getPort() == port.getAsInt()) {
                buffer.position(buffer.limit());
            }
        }
    }

    /** Opens paths of three ranks, and casts; ranks send nothing to a port. */
    private void openWithHoles(int[] port) {
        open(3, new AeronUdpProvider(new UdpEndpoint.Gates() {
            @Override
            public ReceiveChannelEndpointSupplier of(UdpNames names, UdpSigns signs) {
                return (channel, dispatcher, status, context) ->
                        new UdpGate(names, signs, channel, dispatcher, status, context);
            }

            @Override
            public SendChannelEndpointSupplier senders() {
                return (channel, status, context) -> new DeafSender(() -> port[0], channel, status, context);
            }
        }));
        warmUp();
    }

    private int portOf(int rank) {
        return wiring.transport(rank).candidates().stream()
                .filter(one -> one.transport().equals(UdpTransport.NAME))
                .findFirst()
                .orElseThrow()
                .port();
    }

    @Test
    void shouldNotWaitForOneThatIsGoneAndCannotBeSentTo() {
        int[] port = new int[1];
        openWithHoles(port);
        port[0] = portOf(2);
        sendAll();
        wiring.transport(2).close();
        until(() -> hasAll(1) && !wiring.transport(0).hasOutput(), 2);
        assertNotNull(senders.get(1).failure);
        assertNull(senders.get(0).failure);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldNotHoldUpOthersForOneThatCannotBeSentTo(boolean comesBack) {
        int[] port = new int[1];
        openWithHoles(port);
        port[0] = portOf(2);
        long beganNs = System.nanoTime();
        for (int i = 0; i < 3; i++) {
            sendAll();
        }
        until(() -> hasAll(1), -1);
        assertTrue(System.nanoTime() - beganNs < CUT_NS_MAX, "it waited for the other");
        if (comesBack) {
            port[0] = 0;
            until(this::allHaveAll, -1);
            long before = cast();
            while (cast() == before) {
                sendAll();
                until(this::allHaveAll, -1);
            }
        } else {
            wiring.transport(2).close();
            until(() -> senders.get(1).failure != null, 2);
            until(() -> !wiring.transport(0).hasOutput(), 2);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {3})
    void shouldGiveBackWhatWaits(int ranks) {
        open(ranks, new AeronUdpProvider());
        warmUp();
        // Readers say now and then that they have room again.
        long settledNs = System.nanoTime() + SETTLE_NS;
        until(() -> System.nanoTime() > settledNs, -1);
        long share = nextShare++;
        byte[] message = new byte[MESSAGE_BYTES];
        for (int i = 0; i < message.length; i++) {
            message[i] = expected(share, i);
        }
        Sender first = senders.get(0);
        int takenBefore = first.taken;
        first.send(Payload.of(message), share, size - 1);
        assertEquals(takenBefore, first.taken, "it waits for the other");
        // The queue's first frame is under way; the rest is not sent, and the memory is used for something else.
        first.queue.clear();
        first.path.release(first.path);
        assertEquals(takenBefore, first.taken, "that was nobody's");
        first.path.release(first.last);
        Arrays.fill(message, (byte) 0);
        long before = readers.get(0).bytes;
        until(() -> readers.get(0).bytes == before + first.path.fragmentBytesMax(), -1);
        assertNull(readers.get(0).problem);
        assertEquals(takenBefore, first.taken);
    }
}
