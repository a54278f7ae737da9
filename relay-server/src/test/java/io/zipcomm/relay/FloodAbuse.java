package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.proto.Abort;
import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.Suspect;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.io.ByteArrayOutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Those who say much and read nothing. Part of {@link AbuseTest}. */
abstract class FloodAbuse extends AbuseTest.Abuse {

    private static final long LONGEST_NS = TimeUnit.SECONDS.toNanos(10);
    private static final long MIB = 1 << 20;

    /** The request that opens a WebSocket. */
    static final byte[] UPGRADE = String.join(
                    "\r\n",
                    "GET /zip HTTP/1.1",
                    "Host: a",
                    "Upgrade: websocket",
                    "Connection: Upgrade",
                    "Sec-WebSocket-Version: 13",
                    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
                    "",
                    "")
            .getBytes(StandardCharsets.US_ASCII);

    private static byte[] many(byte[] one, int count) {
        byte[] many = new byte[count * one.length];
        for (int i = 0; i < count; i++) {
            System.arraycopy(one, 0, many, i * one.length, one.length);
        }
        return many;
    }

    /** Says it again and again in a thread of its own, until the relay has had enough. */
    private Thread flood(RawConnection by, byte[] what, AtomicBoolean over) {
        Thread flood = new Thread(
                () -> {
                    long endNs = System.nanoTime() + LONGEST_NS;
                    try {
                        while (!over.get() && System.nanoTime() < endNs) {
                            by.write(what);
                        }
                    } catch (UncheckedIOException e) {
                        // It has.
                    }
                },
                "flood");
        flood.setDaemon(true);
        flood.start();
        suite.opened(() -> {
            over.set(true);
            by.close();
            flood.join(TimeUnit.SECONDS.toMillis(20));
        });
        return flood;
    }

    /** What goes to one rank only. */
    private static byte[] suspect(TestRank by, int rank) {
        return RawConnection.controlFrame(ToRelay.newBuilder()
                .setSuspect(
                        Suspect.newBuilder().setEpoch(by.epoch()).setRank(rank).setDetail("x".repeat(2000)))
                .build());
    }

    @Test
    void shouldExpelRankThatReadsNothing() {
        suite.limit(RelayOption.CONTROL_MESSAGES_PER_SECOND, 10_000_000);
        List<TestRank> group = groupOfDeaf(1);
        TestRank talker = group.get(1);
        flood(talker.control, many(suspect(talker, 0), 50), new AtomicBoolean());
        String detail = talker.expectGone(0, Cause.EXPELLED).getDetail();
        assertTrue(detail.startsWith("LIMIT: does not read its control connection: "), detail);
        suite.expectLimit(RelayOption.CONTROL_WAITING_MAX, detail);
    }

    /** Each keeps less than one may, and all together more than they may: they are expelled, one after the other. */
    @Test
    void shouldBoundWhatWaitsForAllRanksTogether() {
        long limit = 4 * MIB;
        suite.relay.reload(suite.with(RelayOption.CONTROL_MESSAGES_PER_SECOND, 10_000_000)
                .set(RelayOption.CONTROL_MEMORY, Long.toString(limit))
                .build());
        int deaf = 6;
        List<TestRank> group = groupOfDeaf(deaf);
        TestRank talker = group.get(deaf);
        byte[] rounds = {};
        for (int rank = 0; rank < deaf; rank++) {
            rounds = joined(rounds, many(suspect(talker, rank), 20));
        }
        AtomicBoolean over = new AtomicBoolean();
        flood(talker.control, rounds, over);
        long most = 0;
        for (int gone = 0; gone < 3; gone++) {
            most = Math.max(most, suite.relay.stats().controlBytesWaiting());
            ToRank told = talker.control.readMessage();
            suite.expectLimit(RelayOption.CONTROL_MEMORY, told.getMemberGone().getDetail());
        }
        over.set(true);
        // What one read of a connection brings is added before somebody is chosen.
        assertTrue(most > 0 && most <= limit + MIB, most + " bytes waited");
    }

    /** The last one reads, the others have little room for what they do not read. */
    private List<TestRank> groupOfDeaf(int deaf) {
        List<TestRank> group = new ArrayList<>();
        for (int rank = 0; rank <= deaf; rank++) {
            int receiveBytes = rank < deaf ? 4096 : 0;
            TestRank member = suite.opened(new TestRank(any -> new RawConnection(suite.at, receiveBytes), "s"));
            group.add(
                    member.ask(suite.join("s", deaf + 1, rank)).awaitAdmitted().attach());
        }
        group.forEach(TestRank::awaitReady);
        return group;
    }

    private static byte[] joined(byte[] one, byte[] other) {
        byte[] both = Arrays.copyOf(one, one.length + other.length);
        System.arraycopy(other, 0, both, one.length, other.length);
        return both;
    }

    /** What one rank tells all others is kept once, however many do not read it. */
    @Test
    void shouldKeepOnceWhatIsToldToMany() {
        int deaf = 11;
        suite.limit(RelayOption.CONTROL_MESSAGES_PER_SECOND, 10_000_000);
        List<TestRank> group = groupOfDeaf(deaf);
        TestRank talker = group.get(deaf);
        // More than systems hold for those who read nothing, and less than the relay does for one of them.
        int aborts = 2500;
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int context = 0; context < aborts; context++) {
            all.writeBytes(RawConnection.controlFrame(ToRelay.newBuilder()
                    .setAbort(Abort.newBuilder()
                            .setEpoch(talker.epoch())
                            .setContext(context)
                            .setReason("x".repeat(2000)))
                    .build()));
        }
        talker.control.write(all.toByteArray());
        talker.roundTrip();
        long waiting = suite.relay.stats().controlBytesWaiting();
        assertTrue(waiting > 0, "nothing waited");
        assertTrue(waiting <= all.size() + 16L * aborts, waiting + " bytes waited");
        for (TestRank rank : group.subList(0, deaf)) {
            // The answers come behind what waits.
            group.forEach(alive -> alive.heartbeat(1));
            for (int i = 0; i < aborts; i++) {
                assertEquals(
                        2000, rank.control.readMessage().getAbort().getReason().length());
            }
        }
        assertEquals(deaf + 1 + 4, suite.relay.stats().ranks());
    }

    /** Messages that begin, with as much as may be, and do not end. */
    @Test
    void shouldBoundMessagesThatDoNotEnd() {
        suite.relay.reload(suite.with(RelayOption.CONTROL_BYTES_MAX, MIB)
                .set(RelayOption.CONTROL_MEMORY, Long.toString(3 * MIB))
                .build());
        List<TestRank> group = suite.group("s", 5);
        byte[] begun = RawConnection.frame(FrameType.CONTROL, 0, 0, 0, new byte[900_000]);
        Frame.payloadBytes(ByteBuffer.wrap(begun).order(ByteOrder.LITTLE_ENDIAN), 0, (int) MIB);
        for (int rank = 0; rank < 3; rank++) {
            group.get(rank).control.write(begun);
        }
        Await.until("they are kept", () -> suite.relay.stats().controlBytesWaiting() > 3 * 900_000);
        group.get(3).control.write(begun);
        MemberEnd end = expelled(group.get(4));
        assertTrue(end.rank < 4);
        suite.expectLimit(RelayOption.CONTROL_MEMORY, end.detail);
        suite.expectLimit(RelayOption.CONTROL_MEMORY, group.get(end.rank).expectRefusal(ErrorCode.LIMIT));
        group.get(4).roundTrip();
        assertEquals(4 + 4, suite.relay.stats().ranks());
    }

    private record MemberEnd(int rank, String detail) {}

    private static MemberEnd expelled(TestRank witness) {
        var gone = witness.control.readMessage().getMemberGone();
        assertEquals(Cause.EXPELLED, gone.getCause(), gone::toString);
        return new MemberEnd(gone.getRank(), gone.getDetail());
    }

    /** A group whose ranks come by WebSocket and send frames that do not end, in which nobody has seen a frame of Zip yet. */
    @Test
    void shouldBoundFramesOfWebSocketsThatDoNotEnd() throws Exception {
        long limit = suite.relay.settings().memoryBytes();
        // Buffers grow by doubling, so four of five would do. The last one sees what comes of the others.
        int size = (int) (limit / (1 << 17)) * 5 / 4 + 1;
        long reached = suite.reached(RelayOption.MEMORY);
        List<TestRank> group = new ArrayList<>();
        for (int rank = 0; rank < size; rank++) {
            TestRank one = suite.asking(suite.join("s", size, rank));
            one.data = suite.connect();
            one.data.write(UPGRADE);
            group.add(one);
        }
        for (TestRank one : group) {
            AbuseRelay.awaitWebSocket(one.data);
            one.awaitAdmitted();
            one.data.write(frame(2, RawConnection.controlFrame(one.attachMessage())));
        }
        group.forEach(TestRank::awaitReady);
        long before = AbuseRelay.directBytes();
        long most = 0;
        byte[] half = Arrays.copyOf(longFrame(1 << 16), 14 + (1 << 16) - 1);
        for (TestRank one : group.subList(0, size - 1)) {
            try {
                one.data.write(half);
            } catch (UncheckedIOException e) {
                // It had to go.
            }
            most = Math.max(most, AbuseRelay.directBytes() - before);
        }
        Await.until("somebody is expelled", () -> suite.reached(RelayOption.MEMORY) > reached);
        Await.until("less is under way", () -> suite.relay.stats().bytesUnderWay() <= limit);
        most = Math.max(most, AbuseRelay.directBytes() - before);
        assertTrue(most <= limit + MIB, most + " bytes of direct memory");
        MemberEnd end = expelled(group.get(size - 1));
        suite.expectLimit(RelayOption.MEMORY, end.detail);
    }

    /** The same in control connections of those who have joined. */
    @Test
    void shouldBoundMessagesInFramesOfWebSocketsThatDoNotEnd() throws Exception {
        suite.limit(RelayOption.CONTROL_MEMORY, MIB);
        long reached = suite.reached(RelayOption.CONTROL_MEMORY);
        int joined = 40;
        byte[] half = Arrays.copyOf(longFrame(1 << 16), 14 + (1 << 16) - 1);
        long before = AbuseRelay.directBytes();
        long most = 0;
        for (int rank = 0; rank < joined; rank++) {
            RawConnection socket = suite.webSocket();
            socket.write(frame(2, RawConnection.controlFrame(TestRank.message(suite.join("s", joined + 1, rank)))));
            // Longer frames are for those who have joined.
            socket.socket.getInputStream().readNBytes(2);
            socket.write(half);
            most = Math.max(most, AbuseRelay.directBytes() - before);
        }
        Await.until("somebody is expelled", () -> suite.reached(RelayOption.CONTROL_MEMORY) > reached);
        Await.until("less is kept", () -> suite.relay.stats().controlBytesWaiting() <= MIB);
        most = Math.max(most, AbuseRelay.directBytes() - before);
        assertTrue(most <= 2 * MIB, most + " bytes of direct memory");
    }

    /** Pings that want answers, from one who reads none; before its handshake ends and after. */
    @Test
    void shouldNotKeepAnswersToPings() throws Exception {
        byte[] pings = many(frame(9, new byte[125]), 500);
        for (boolean joined : new boolean[] {false, true}) {
            RawConnection socket = suite.webSocket();
            if (joined) {
                socket.write(frame(2, RawConnection.controlFrame(TestRank.message(suite.join("s", 1, 0)))));
                Await.until("it has joined", () -> suite.relay.stats().ranks() == 5);
            }
            long before = suite.relay.stats().bufferBytes();
            AtomicBoolean over = new AtomicBoolean();
            Thread flood = flood(socket, pings, over);
            long most = 0;
            long reached = suite.reached(RelayOption.CONTROL_MESSAGES_PER_SECOND);
            long endNs = System.nanoTime() + LONGEST_NS;
            while (suite.relay.stats().connections() > 8 && System.nanoTime() < endNs) {
                most = Math.max(most, suite.relay.stats().bufferBytes() - before);
                TimeUnit.MILLISECONDS.sleep(5);
            }
            assertEquals(8, suite.relay.stats().connections(), "the flood was not ended");
            assertEquals(reached + 1, suite.reached(RelayOption.CONTROL_MESSAGES_PER_SECOND));
            over.set(true);
            flood.join(TimeUnit.SECONDS.toMillis(10));
            assertTrue(most < 8 * MIB, most + " bytes more in buffers");
            suite.awaitNoOtherSession();
        }
    }

    /** The header of a WebSocket frame of 64 KiB or more, under a mask of zeros. */
    static byte[] longFrame(long payloadBytes) {
        return ByteBuffer.allocate(14)
                .put((byte) 0x82)
                .put((byte) 0xFF)
                .putLong(payloadBytes)
                .array();
    }

    /** A WebSocket frame under a mask of zeros. */
    static byte[] frame(int opcode, byte[] payload) {
        boolean isLong = payload.length > 125;
        ByteBuffer frame = ByteBuffer.allocate(2 + (isLong ? 2 : 0) + 4 + payload.length);
        frame.put((byte) (0x80 | opcode)).put((byte) (0x80 | (isLong ? 126 : payload.length)));
        if (isLong) {
            frame.putShort((short) payload.length);
        }
        frame.putInt(0).put(payload);
        return Arrays.copyOf(frame.array(), frame.position());
    }
}
