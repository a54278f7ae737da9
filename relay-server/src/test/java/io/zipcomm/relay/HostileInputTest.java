package io.zipcomm.relay;

import static io.zipcomm.relay.TestRank.join;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.proto.Heartbeat;
import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.ToRelay;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whatever comes in, the relay stands, says what is wrong, and other sessions do not notice. */
final class HostileInputTest {

    private static final long SEED = 20;

    private RelayFixture fixture;

    /** Works beside whatever happens. */
    private List<TestRank> healthy;

    @BeforeEach
    void start() {
        fixture = new RelayFixture(RelayFixture.insecure());
        healthy = fixture.group("healthy", 2);
    }

    @AfterEach
    void stop() {
        assertHealthy();
        assertEquals(2, fixture.relay.stats().ranks());
        fixture.close();
    }

    private void assertHealthy() {
        for (int from = 0; from < 2; from++) {
            byte[] payload = new byte[1000 + from];
            healthy.get(from).send(1 - from, payload);
            assertArrayEquals(payload, healthy.get(1 - from).receive().payload());
            healthy.get(from).roundTrip();
        }
    }

    private interface Change {
        void apply(ByteBuffer header);
    }

    /** Rank 0 of a group of three sends a frame with something wrong in its header, and is expelled. */
    private void expectExpelled(ErrorCode code, String reason, FrameType type, int payloadBytes, Change change) {
        List<TestRank> group = fixture.group("s", 3);
        TestRank wrong = group.get(0);
        wrong.send(1, new byte[] {1});
        byte[] frame = wrong.frame(type, 1, new byte[payloadBytes]);
        change.apply(ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN));
        wrong.data.write(frame);
        String told = wrong.expectRefusal(code);
        assertTrue(told.contains(reason), told);
        wrong.data.awaitEnd();
        for (int rank = 1; rank < 3; rank++) {
            assertEquals(
                    code + ": " + told,
                    group.get(rank).expectGone(0, Cause.EXPELLED).getDetail());
        }
        // What it sent before arrived, and the wrong frame did not; the others go on.
        assertArrayEquals(new byte[] {1}, group.get(1).receive().payload());
        group.get(2).send(1, new byte[] {2});
        assertArrayEquals(new byte[] {2}, group.get(1).receive().payload());
        TestRank.closeAll(group);
        Await.until("session is gone", () -> fixture.relay.stats().sessions() == 1);
    }

    @Test
    void shouldExpelAndNameRankWithWrongFrame() {
        expectExpelled(
                ErrorCode.PROTOCOL, "frame in the name of rank 2", FrameType.EAGER, 5, h -> Frame.source(h, 0, 2));
        expectExpelled(
                ErrorCode.PROTOCOL, "frame for rank 0 of 3", FrameType.EAGER, 5, h -> Frame.destination(h, 0, 0));
        expectExpelled(
                ErrorCode.PROTOCOL, "frame for rank 3 of 3", FrameType.EAGER, 5, h -> Frame.destination(h, 0, 3));
        expectExpelled(
                ErrorCode.PROTOCOL, "frame for rank -1 of 3", FrameType.BYE, 0, h -> Frame.destination(h, 0, -1));
        expectExpelled(ErrorCode.STALE_EPOCH, "frame of epoch 0 in", FrameType.EAGER, 5, h -> Frame.epoch(h, 0, 0));
        expectExpelled(ErrorCode.PROTOCOL, "frame version 9", FrameType.EAGER, 5, h -> h.put(0, (byte) 9));
        expectExpelled(ErrorCode.PROTOCOL, "unknown frame type 23", FrameType.EAGER, 5, h -> h.put(1, (byte) 23));
        expectExpelled(ErrorCode.PROTOCOL, "-1 payload bytes", FrameType.EAGER, 5, h -> Frame.payloadBytes(h, 0, -1));
        expectExpelled(ErrorCode.PROTOCOL, "EAGER frame of 5", FrameType.EAGER, 5, h -> Frame.messageBytes(h, 0, 6));
        expectExpelled(ErrorCode.PROTOCOL, "CONTROL frame on a data", FrameType.CONTROL, 5, h -> {});
        expectExpelled(ErrorCode.PROTOCOL, "HELLO frame on a data", FrameType.HELLO, 56, h -> {});
        expectExpelled(ErrorCode.LIMIT, "65537 payload bytes, the limit is 65536", FrameType.EAGER, 65537, h -> {});
        expectExpelled(ErrorCode.PROTOCOL, "destination says that it took", FrameType.FLOW, 0, h -> {
            Frame.credit(h, 0, Long.MIN_VALUE);
        });
        expectExpelled(ErrorCode.PROTOCOL, "frame for rank 1000000 of 3", FrameType.FLOW, 0, h -> {
            Frame.destination(h, 0, 1_000_000);
        });
        assertEquals(14, fixture.relay.stats().membersExpelled());
    }

    @Test
    void shouldRefuseFramesBeforeTheGroupIsComplete() {
        TestRank early = fixture.opened(TestRank.attached(fixture.at, join("s", 2, 0)));
        early.data.write(RawConnection.frame(FrameType.EAGER, 1, 0, 1, new byte[3]));
        assertEquals("frame before the group was complete", early.expectRefusal(ErrorCode.PROTOCOL));
        early.data.awaitEnd();
        Await.until("place is free", () -> fixture.relay.stats().ranks() == 2);
    }

    @Test
    void shouldRefuseFirstMessagesThatAreNone() {
        ToRelay heartbeat = ToRelay.newBuilder()
                .setHeartbeat(Heartbeat.getDefaultInstance())
                .build();
        byte[] oversized = RawConnection.frame(FrameType.CONTROL, 0, 0, 0, new byte[16_385]);
        byte[] unparsable = RawConnection.frame(FrameType.CONTROL, 0, 0, 0, new byte[] {-1, -1, -1});
        byte[] http = "POST / HTTP/1.1\r\nHost: relay.example.net\r\nUser-Agent: a browser that got lost\r\n\r\n"
                .getBytes(StandardCharsets.US_ASCII);
        expectRefusal(RawConnection.controlFrame(heartbeat), ErrorCode.PROTOCOL, "expected JOIN or ATTACH");
        expectRefusal(
                RawConnection.controlFrame(ToRelay.getDefaultInstance()),
                ErrorCode.PROTOCOL,
                "first message MESSAGE_NOT_SET");
        expectRefusal(oversized, ErrorCode.LIMIT, "control message of 16385 bytes, the limit is 16384");
        expectRefusal(unparsable, ErrorCode.PROTOCOL, "does not parse");
        expectRefusal(http, ErrorCode.PROTOCOL, "frame version 80");
        expectRefusal(
                RawConnection.frame(FrameType.EAGER, 0, 0, 0, new byte[3]),
                ErrorCode.PROTOCOL,
                "EAGER frame where a CONTROL frame is expected");
    }

    private void expectRefusal(byte[] first, ErrorCode code, String reason) {
        try (RawConnection stranger = new RawConnection(fixture.at)) {
            stranger.write(first);
            String told = stranger.expectRefusal(code);
            assertTrue(told.contains(reason), told);
        }
    }

    @Test
    void shouldExpelRankWithWrongControlMessage() {
        List<byte[]> wrong = List.of(
                RawConnection.frame(FrameType.CONTROL, 0, 0, 0, new byte[] {-1, -1, -1}),
                RawConnection.controlFrame(ToRelay.getDefaultInstance()),
                RawConnection.controlFrame(TestRank.message(join("s", 2, 0))),
                RawConnection.frame(FrameType.EAGER, 1, 0, 1, new byte[3]));
        for (byte[] message : wrong) {
            List<TestRank> group = fixture.group("s", 2);
            group.get(0).control.write(message);
            String reason = group.get(0).expectRefusal(ErrorCode.PROTOCOL);
            assertEquals(
                    "PROTOCOL: " + reason,
                    group.get(1).expectGone(0, Cause.EXPELLED).getDetail());
            TestRank.closeAll(group);
            Await.until("session is gone", () -> fixture.relay.stats().sessions() == 1);
        }
    }

    @Test
    void shouldNotMindConnectionsThatEndAnywhere() {
        byte[] join = RawConnection.controlFrame(TestRank.message(join("s", 2, 0)));
        for (int bytes = 0; bytes < join.length; bytes += 3) {
            try (RawConnection stranger = new RawConnection(fixture.at)) {
                stranger.write(Arrays.copyOf(join, bytes));
                if (bytes % 2 == 0) {
                    stranger.reset();
                }
            }
        }
        for (int bytes = 1; bytes < 200; bytes += 7) {
            List<TestRank> group = fixture.group("s", 2);
            byte[] frame = group.get(0).frame(FrameType.EAGER, 1, new byte[136]);
            group.get(0).data.write(Arrays.copyOf(frame, bytes));
            group.get(0).close();
            group.get(1).expectGone(0, Cause.LOST);
            group.get(1).close();
            Await.until("session is gone", () -> fixture.relay.stats().sessions() == 1);
        }
    }

    /** Random bytes and right messages with random changes, as first bytes of connections to the live relay. */
    @Test
    void shouldStandRandomConnections() {
        Random random = new Random(SEED);
        byte[] join = RawConnection.controlFrame(TestRank.message(join("fuzz", 60_000, -1)));
        for (int round = 0; round < 1000; round++) {
            byte[] input = mutated(random, join);
            try (RawConnection stranger = new RawConnection(fixture.at)) {
                stranger.write(input);
                if (round % 4 == 0) {
                    stranger.reset();
                }
            } catch (UncheckedIOException e) {
                // The relay may be done with it before we are.
            }
            if (round % 100 == 0) {
                assertHealthy();
            }
        }
        Await.until("connections are gone", () -> fixture.relay.stats().connections() == 4);
    }

    /** Members of a complete group that send right frames with random changes in headers. */
    @Test
    void shouldStandRandomFramesOfMembers() {
        Random random = new Random(SEED);
        FrameType[] types = FrameType.values();
        int expelled = 0;
        for (int round = 0; round < 200; round++) {
            List<TestRank> group = fixture.group("s", 2);
            TestRank wild = group.get(0);
            byte[] frame = wild.frame(types[random.nextInt(types.length)], 1, new byte[random.nextInt(300)]);
            try {
                for (int i = 0; i < 50; i++) {
                    wild.data.write(mutated(random, frame));
                }
            } catch (UncheckedIOException e) {
                // Expelled.
            }
            wild.close();
            Cause cause = group.get(1).control.readMessage().getMemberGone().getCause();
            assertTrue(cause == Cause.EXPELLED || cause == Cause.LOST, "seed " + SEED + ", round " + round);
            expelled += cause == Cause.EXPELLED ? 1 : 0;
            group.get(1).roundTrip();
            group.get(1).close();
            Await.until("session is gone", () -> fixture.relay.stats().sessions() == 1);
        }
        assertTrue(expelled > 0);
        assertHealthy();
    }

    /** Control messages in pieces, straight into the reader: a message, a named violation, or more to come. */
    @Test
    void shouldReadOrRefuseRandomControlFrames() {
        Random random = new Random(SEED);
        byte[] right = RawConnection.controlFrame(TestRank.message(join("s", 2, 0)));
        int messages = 0;
        int violations = 0;
        for (int round = 0; round < 100_000; round++) {
            ControlReader reader = new ControlReader(1024);
            ByteBuf in = Unpooled.wrappedBuffer(mutated(random, right), right);
            try {
                while (in.isReadable()) {
                    ByteBuf piece = in.readSlice(1 + random.nextInt(in.readableBytes()));
                    while (reader.next(piece) != null) {
                        messages++;
                    }
                    assertEquals(0, piece.readableBytes());
                }
            } catch (ControlReader.Violation e) {
                assertTrue(!e.refusal().reason().isEmpty());
                violations++;
            }
        }
        assertTrue(messages > 10_000 && violations > 10_000, messages + " messages, " + violations + " violations");
    }

    private static byte[] mutated(Random random, byte[] right) {
        if (random.nextInt(8) == 0) {
            byte[] noise = new byte[random.nextInt(300)];
            random.nextBytes(noise);
            return noise;
        }
        byte[] wrong = right.clone();
        for (int changes = random.nextInt(4); changes > 0; changes--) {
            int at = random.nextBoolean() ? random.nextInt(Frame.HEADER_BYTES) : random.nextInt(wrong.length);
            wrong[at] = (byte) random.nextInt();
        }
        return random.nextInt(8) == 0 ? Arrays.copyOf(wrong, random.nextInt(wrong.length)) : wrong;
    }
}
