package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.relay.route.DataConnection;
import io.zipcomm.relay.route.Exchange;
import io.zipcomm.relay.route.ForwardCounters;
import io.zipcomm.relay.route.ForwardLimit;
import io.zipcomm.relay.route.RateLimit;
import io.zipcomm.relay.route.Switchboard;
import io.zipcomm.testkit.Seeds;
import io.zipcomm.testkit.TestCertificates;
import io.zipcomm.wire.Enter;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.proto.Abort;
import io.zipcomm.wire.proto.Admitted;
import io.zipcomm.wire.proto.Agree;
import io.zipcomm.wire.proto.Continues;
import io.zipcomm.wire.proto.Heartbeat;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.Leave;
import io.zipcomm.wire.proto.Pong;
import io.zipcomm.wire.proto.PunchWanted;
import io.zipcomm.wire.proto.Revoke;
import io.zipcomm.wire.proto.Suspect;
import io.zipcomm.wire.proto.ToRelay;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A million inputs, random ones and right ones with changes, in pieces, to what takes the bytes of a connection apart. Each is
 * taken, or refused with a reason, or the beginning of something; the relay keeps nothing of it, and nothing goes wrong in it.
 * Part of {@link AbuseTest}; {@code zip.seed} replays, {@code zip.seed.factor} runs more.
 */
abstract class FuzzAbuse extends AbuseTest.Abuse {

    private static final int CHECK_EVERY = 1000;
    private static final String SESSION = "s";
    private static final int FAMILIES = 9;

    /** Inputs by family. */
    private static final Map<String, Long> DONE = new ConcurrentHashMap<>();

    private final long seed =
            Long.getLong(Seeds.PROPERTY, ThreadLocalRandom.current().nextLong());
    private final int factor = Integer.getInteger(Seeds.FACTOR_PROPERTY, 1);

    @TempDir
    Path folder;

    @AfterAll
    static void expectMillion() {
        long all = DONE.values().stream().mapToLong(Long::longValue).sum();
        // Not if somebody runs some of the tests only.
        assertTrue(DONE.size() < FAMILIES || all >= 1_000_000, all + " inputs");
    }

    /** Runs rounds, and says with which seed. */
    private void rounds(String what, int count, AtomicLong inputs, IntConsumer round) {
        long beganNs = System.nanoTime();
        int number = 0;
        try {
            while (inputs.get() < (long) count * factor) {
                round.accept(number++);
            }
        } catch (Throwable e) {
            throw new AssertionError(what + ": -D" + Seeds.PROPERTY + "=" + seed + " replays it, round " + number, e);
        }
        DONE.put(what, inputs.get());
        System.out.printf(
                "abuse: fuzz %-12s %,9d inputs, %,8d rounds, %,6d ms, seed %d%n",
                what, inputs.get(), number, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - beganNs), seed);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static byte[] join(int size, int rank) {
        return RawConnection.controlFrame(TestRank.message(TestRank.join(SESSION, size, rank)));
    }

    /** Each input is all that a connection ever says. */
    private void connections(
            String what, int count, int headBytes, FuzzRelay relay, List<byte[]> right, boolean frames) {
        FuzzInput input = new FuzzInput(seed, headBytes, right);
        AtomicLong inputs = new AtomicLong();
        rounds(what, count, inputs, round -> {
            FuzzChannel channel = relay.connect();
            input.inPieces(input.next(), relay.allocator(), piece -> FuzzRelay.say(channel, piece));
            inputs.incrementAndGet();
            if (frames && channel.pipeline().get(HttpDoor.class) == null && channel.isOpen()) {
                relay.hearAll(channel);
            }
            FuzzRelay.end(channel);
            if (round % CHECK_EVERY == 0) {
                relay.assertEmpty();
            }
        });
        relay.assertEmpty();
    }

    @Test
    void shouldStandAnyFirstMessage() {
        FuzzRelay relay = new FuzzRelay(RelayFixture.insecure());
        List<byte[]> right = List.of(
                join(1, 0),
                join(2, -1),
                join(60_000, 7),
                RawConnection.controlFrame(TestRank.message(
                        TestRank.join("t", 3, 1).setElsewhere(true).setRelayed(false))),
                RawConnection.controlFrame(TestRank.message(TestRank.join("u", 3, 1)
                        .setSizeMin(1)
                        .setSizeMax(9)
                        .setContinues(Continues.newBuilder().setEpoch(1)))),
                RawConnection.controlFrame(FuzzRelay.attach(SESSION, Admitted.getDefaultInstance())));
        connections("first bytes", 200_000, Frame.HEADER_BYTES, relay, right, true);
        assertTrue(relay.refused.get() > 30_000 && relay.sessionsOpened() > 20_000, relay.refused + " refused");
    }

    @Test
    void shouldStandAnyHttp() {
        List<byte[]> right = List.of(
                ascii("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
                ascii("HEAD /health?x HTTP/1.0\r\n\r\n"),
                ascii("GET /zip HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
                ascii("GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"),
                FloodAbuse.UPGRADE);
        FuzzRelay relay = new FuzzRelay(RelayFixture.insecure());
        connections("http", 40_000, 120, relay, right, false);
    }

    @Test
    void shouldStandAnyWebSocket() {
        FuzzRelay relay = new FuzzRelay(RelayFixture.insecure());
        byte[] upgrade = FloodAbuse.UPGRADE;
        byte[] join = join(1, 0);
        byte[] half = Arrays.copyOf(join, join.length / 2);
        FuzzInput input = new FuzzInput(
                seed,
                8,
                List.of(
                        FloodAbuse.frame(2, join),
                        FloodAbuse.frame(2, half),
                        FloodAbuse.frame(1, half),
                        FloodAbuse.frame(0, half),
                        FloodAbuse.frame(8, new byte[] {3, (byte) 0xe8}),
                        FloodAbuse.frame(9, new byte[20]),
                        FloodAbuse.frame(10, new byte[0])));
        AtomicLong inputs = new AtomicLong();
        rounds("websocket", 30_000, inputs, round -> {
            FuzzChannel channel = relay.connect();
            FuzzRelay.say(
                    channel, relay.allocator().directBuffer(upgrade.length).writeBytes(upgrade));
            for (int i = 0; i < 2; i++) {
                input.inPieces(input.next(), relay.allocator(), piece -> FuzzRelay.say(channel, piece));
                inputs.incrementAndGet();
            }
            FuzzRelay.end(channel);
            if (round % CHECK_EVERY == 0) {
                relay.assertEmpty();
            }
        });
        relay.assertEmpty();
        assertTrue(relay.sessionsOpened() > 300, relay.sessionsOpened() + " sessions");
    }

    @Test
    void shouldStandAnyTls() throws Exception {
        TestCertificates.Pair own = new TestCertificates(folder).local("relay");
        FuzzRelay relay = new FuzzRelay(RelayFixture.insecure()
                .set(RelayOption.TLS_CERT, own.certificate().toString())
                .set(RelayOption.TLS_KEY, own.key().toString()));
        SSLEngine client = SSLContext.getDefault().createSSLEngine();
        client.setUseClientMode(true);
        client.beginHandshake();
        ByteBuffer hello = ByteBuffer.allocate(client.getSession().getPacketBufferSize());
        client.wrap(ByteBuffer.allocate(0), hello);
        byte[] clientHello = Arrays.copyOf(hello.array(), hello.position());
        connections("tls", 500, clientHello.length, relay, List.of(clientHello), false);
    }

    /** Straight into what reads control connections, message behind message. */
    @Test
    void shouldReadOrRefuseAnyControlFrame() {
        FuzzInput input = new FuzzInput(seed, Frame.HEADER_BYTES + 16, List.of(join(2, 0), join(7, -1)));
        byte[] behind = join(1, 0);
        AtomicLong inputs = new AtomicLong();
        AtomicLong messages = new AtomicLong();
        AtomicLong violations = new AtomicLong();
        rounds("control", 400_000, inputs, round -> {
            ControlReader reader = new ControlReader(1024);
            byte[] wild = input.next();
            ByteBuf in = Unpooled.wrappedBuffer(wild, behind);
            inputs.incrementAndGet();
            try {
                while (in.isReadable()) {
                    ByteBuf piece = in.readSlice(1 + input.number(in.readableBytes()));
                    while (reader.next(piece) != null) {
                        messages.incrementAndGet();
                    }
                    assertEquals(0, piece.readableBytes());
                    assertTrue(reader.heldBytes() <= 1024, "memory for a promise");
                }
            } catch (ControlReader.Violation e) {
                assertTrue(!e.refusal().reason().isEmpty(), "a violation without reason");
                violations.incrementAndGet();
            }
        });
        assertTrue(messages.get() > 100_000 && violations.get() > 50_000, messages + " messages, " + violations);
    }

    /** Straight into what reads data connections, and out of those to which it forwards. */
    @Test
    void shouldForwardOrRefuseAnyFrame() {
        UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true, true);
        FuzzChannel home = new FuzzChannel(allocator);
        ForwardCounters counters = new ForwardCounters();
        Exchange exchange = new Exchange(home.eventLoop(), allocator, counters, 1 << 20);
        FuzzInput input = new FuzzInput(seed, Frame.HEADER_BYTES, dataFrames(1));
        AtomicLong inputs = new AtomicLong();
        AtomicLong violations = new AtomicLong();
        rounds("data", 350_000, inputs, round -> {
            Switchboard board = new Switchboard(1, 2, 1 << 20, 1 << 16, 4, true);
            List<FuzzChannel> channels = new ArrayList<>();
            List<DataConnection> connections = new ArrayList<>();
            for (int rank = 0; rank < 2; rank++) {
                Judge judge = new Judge(violations);
                DataConnection connection =
                        new DataConnection(rank, exchange, judge, new RateLimit(0, 1, 0), new RateLimit(0, 1, 0));
                judge.judged = connection;
                FuzzChannel channel = new FuzzChannel(allocator);
                channel.pipeline().addLast(connection);
                connection.connect(rank, board);
                channels.add(channel);
                connections.add(connection);
            }
            for (int i = 0; i < 4 && channels.get(0).isOpen(); i++) {
                input.inPieces(input.next(), allocator, piece -> FuzzRelay.say(channels.get(0), piece));
                home.runPendingTasks();
                inputs.incrementAndGet();
            }
            assertWhole(channels.get(1));
            connections.forEach(DataConnection::close);
            board.close();
            channels.forEach(FuzzRelay::end);
            home.runPendingTasks();
            assertEquals(0, allocator.metric().usedDirectMemory(), "bytes of buffers that nobody released");
        });
        assertEquals(0, counters.bytesWaiting.sum());
        assertEquals(0, counters.hubOperations.sum());
        assertEquals(0, counters.defects.sum(), "defects in the relay: see the log");
        assertTrue(violations.get() > 50_000 && counters.frames.sum() > 50_000, violations + " violations");
    }

    /** Ends a connection that breaks the rules, as a session does. */
    private static final class Judge implements DataConnection.Owner {
        private final AtomicLong violations;
        private DataConnection judged;

        Judge(AtomicLong violations) {
            this.violations = violations;
        }

        @Override
        public void violated(ErrorCode code, String reason) {
            assertTrue(!reason.isEmpty(), "a violation without reason");
            violations.incrementAndGet();
            judged.close();
        }

        @Override
        public void exceeded(ForwardLimit limit, String reason) {
            violated(ErrorCode.LIMIT, reason);
        }

        @Override
        public void limitReached(ForwardLimit limit) {}

        @Override
        public void dataEnded(String reason) {}
    }

    // Members of a complete group

    private static byte[] control(ToRelay.Builder message) {
        return RawConnection.controlFrame(message.build());
    }

    /** Epochs change with each group, so the first one's is put in; then all others differ, as most of what comes would. */
    private static List<byte[]> controlMessages(int epoch) {
        return List.of(
                control(ToRelay.newBuilder().setHeartbeat(Heartbeat.newBuilder().setNumber(5))),
                control(ToRelay.newBuilder()
                        .setAbort(Abort.newBuilder()
                                .setEpoch(epoch)
                                .setReason("why")
                                .setCulprit(1))),
                control(ToRelay.newBuilder()
                        .setSuspect(
                                Suspect.newBuilder().setEpoch(epoch).setRank(1).setDetail("reset"))),
                control(ToRelay.newBuilder()
                        .setPunchWanted(PunchWanted.newBuilder().setEpoch(epoch).setRank(1))),
                control(ToRelay.newBuilder()
                        .setRevoke(Revoke.newBuilder()
                                .setEpoch(epoch)
                                .setContext(1)
                                .setReason("why"))),
                control(ToRelay.newBuilder()
                        .setAgree(Agree.newBuilder()
                                .setEpoch(epoch)
                                .setContext(1)
                                .addMembers(0)
                                .addMembers(1)
                                .setNumber(1)
                                .setTimeoutMs(1))),
                control(ToRelay.newBuilder().setPong(Pong.newBuilder().setNumber(1))),
                control(ToRelay.newBuilder().setLeave(Leave.newBuilder().setUnlessComplete(true))));
    }

    @Test
    void shouldStandAnyControlMessageOfMembers() {
        FuzzRelay relay = new FuzzRelay(RelayFixture.insecure());
        AtomicLong inputs = new AtomicLong();
        List<byte[]> right = new ArrayList<>();
        FuzzInput input = new FuzzInput(seed, Frame.HEADER_BYTES + 8, right);
        rounds("members", 25_000, inputs, round -> {
            List<FuzzRelay.Rank> group = relay.group(SESSION, 2);
            right.clear();
            right.addAll(controlMessages(group.get(0).view.getEpoch()));
            FuzzChannel wild = group.get(0).control;
            for (int i = 0; i < 16 && isServed(wild); i++) {
                input.inPieces(input.next(), relay.allocator(), piece -> FuzzRelay.say(wild, piece));
                inputs.incrementAndGet();
            }
            relay.hearAll(wild);
            relay.hearAll(group.get(1).control);
            endAll(group);
            if (round % (CHECK_EVERY / 10) == 0) {
                relay.assertEmpty();
            }
        });
        relay.assertEmpty();
        assertTrue(relay.expelled() > 2_000, relay.expelled() + " expelled");
    }

    /** Joins of members on their way to the next epoch, of newcomers, and of those who are neither. */
    @Test
    void shouldStandAnyJoinAtAGroup() {
        FuzzRelay relay = new FuzzRelay(RelayFixture.insecure());
        AtomicLong inputs = new AtomicLong();
        List<byte[]> right = new ArrayList<>();
        // Mostly in the Join itself: a frame that is none gets nowhere.
        FuzzInput input = new FuzzInput(seed, Frame.HEADER_BYTES + 160, right);
        rounds("next epochs", 25_000, inputs, round -> {
            Join.Builder own = TestRank.join(SESSION, 2, 0).setSizeMin(1).setSizeMax(4);
            List<FuzzRelay.Rank> group = relay.group(own);
            right.clear();
            right.add(RawConnection.controlFrame(TestRank.message(own.clone().setRank(-1))));
            for (FuzzRelay.Rank member : group) {
                // Some attach no data connection, and are ready at once.
                Join.Builder next = own.clone().setRelayed(round % 2 == 0);
                next.setContinues(Continues.newBuilder()
                        .setEpoch(member.view.getEpoch())
                        .setRank(member.view.getRank())
                        .setTicket(member.admitted.getTicket())
                        .setSizeWanted(round % 5));
                right.add(RawConnection.controlFrame(TestRank.message(next)));
            }
            List<FuzzChannel> channels = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                FuzzChannel channel = relay.connect();
                channels.add(channel);
                input.inPieces(input.next(), relay.allocator(), piece -> FuzzRelay.say(channel, piece));
                inputs.incrementAndGet();
                if (i == 8 && round % 3 == 0) {
                    FuzzRelay.end(group.get(0).control);
                }
            }
            channels.forEach(FuzzRelay::end);
            endAll(group);
            if (round % (CHECK_EVERY / 10) == 0) {
                relay.assertEmpty();
            }
        });
        relay.assertEmpty();
        long further = relay.groupsCompleted() - relay.sessionsOpened();
        assertTrue(further > 100, further + " further epochs");
    }

    private static boolean isServed(EmbeddedChannel channel) {
        return channel.isOpen() && !(channel.pipeline().last() instanceof Farewell);
    }

    private static void endAll(List<FuzzRelay.Rank> group) {
        for (FuzzRelay.Rank rank : group) {
            FuzzRelay.end(rank.data);
            FuzzRelay.end(rank.control);
        }
    }

    /** All types, those of the hub as parts of one operation. */
    private static List<byte[]> dataFrames(int epoch) {
        List<byte[]> frames = new ArrayList<>();
        for (FrameType type : FrameType.values()) {
            boolean bare = Frame.problem(header(RawConnection.frame(type, epoch, 0, 1, new byte[8])), 0) != null;
            byte[] frame = RawConnection.frame(type, epoch, 0, 1, new byte[bare ? 0 : 8]);
            ByteBuffer header = header(frame);
            Frame.messageBytes(header, 0, bare ? 0 : 8);
            Frame.transfer(header, 0, 1);
            if (type == FrameType.ENTER) {
                Frame.payloadBytes(header, 0, 0);
                Frame.flags(header, 0, Enter.ALL_REDUCE);
                Frame.signature(header, 0, HubRank.SUM_OF_FLOATS);
                frame = Arrays.copyOf(frame, Frame.HEADER_BYTES);
            }
            if (type == FrameType.DATA) {
                Frame.offset(header, 0, 0);
            }
            frames.add(frame);
        }
        return frames;
    }

    private static ByteBuffer header(byte[] frame) {
        return ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Test
    void shouldStandAnyFrameOfMembers() {
        FuzzRelay relay = new FuzzRelay(RelayFixture.insecure());
        AtomicLong inputs = new AtomicLong();
        List<byte[]> right = new ArrayList<>();
        FuzzInput input = new FuzzInput(seed, Frame.HEADER_BYTES, right);
        rounds("senders", 25_000, inputs, round -> {
            List<FuzzRelay.Rank> group = relay.group(SESSION, 2);
            right.clear();
            right.addAll(dataFrames(group.get(0).view.getEpoch()));
            FuzzChannel wild = group.get(0).data;
            for (int i = 0; i < 16 && wild.isOpen(); i++) {
                input.inPieces(input.next(), relay.allocator(), piece -> FuzzRelay.say(wild, piece));
                relay.turn();
                inputs.incrementAndGet();
            }
            relay.hearAll(group.get(0).control);
            relay.hearAll(group.get(1).control);
            // What was forwarded is whole frames.
            assertWhole(group.get(1).data);
            endAll(group);
            if (round % (CHECK_EVERY / 10) == 0) {
                relay.assertEmpty();
            }
        });
        relay.assertEmpty();
        assertTrue(relay.expelled() > 2_000, relay.expelled() + " expelled");
    }

    private static void assertWhole(FuzzChannel channel) {
        int left = 0;
        byte[] header = new byte[Frame.HEADER_BYTES];
        int headerBytes = 0;
        for (ByteBuf piece = channel.readOutbound(); piece != null; piece = channel.readOutbound()) {
            while (piece.isReadable()) {
                if (left == 0) {
                    int count = Math.min(Frame.HEADER_BYTES - headerBytes, piece.readableBytes());
                    piece.readBytes(header, headerBytes, count);
                    headerBytes += count;
                    if (headerBytes == Frame.HEADER_BYTES) {
                        assertEquals(
                                null,
                                Frame.problem(header(header), 0),
                                () -> HexFormat.of().formatHex(header));
                        left = Frame.payloadBytes(header(header), 0);
                        headerBytes = 0;
                    }
                } else {
                    int count = Math.min(left, piece.readableBytes());
                    piece.skipBytes(count);
                    left -= count;
                }
            }
            piece.release();
        }
        assertEquals(0, left + headerBytes, "a part of a frame was forwarded");
    }
}
