package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Enter;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.proto.Heartbeat;
import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.ToRelay;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Frames that are too long, cut off, or wrong; credit that cannot be; what a hub must not be asked. Part of {@link AbuseTest}. */
abstract class FrameAbuse extends AbuseTest.Abuse {

    /** Frames of these types may come on a data connection. */
    private static final Set<FrameType> NOT_DATA =
            EnumSet.of(FrameType.HELLO, FrameType.CONTROL, FrameType.PING, FrameType.PONG);

    private interface Change {
        void apply(ByteBuffer header);
    }

    /** Rank 0 of a group of three sends a frame with something wrong in its header, and is expelled. */
    private void expectExpelled(ErrorCode code, String reason, FrameType type, int payloadBytes, Change change) {
        List<TestRank> group = suite.group("s", 3);
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
        suite.awaitNoOtherSession();
    }

    @Test
    void shouldExpelAndNameRankWithWrongFrame() {
        long before = suite.relay.stats().membersExpelled();
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
        expectExpelled(ErrorCode.PROTOCOL, "unknown frame type 99", FrameType.EAGER, 5, h -> h.put(1, (byte) 99));
        expectExpelled(ErrorCode.PROTOCOL, "RESET frame with a payload of 5", FrameType.RESET, 5, h -> {});
        expectExpelled(ErrorCode.PROTOCOL, "RESET for rank 1, whose flow did not", FrameType.RESET, 0, h -> {});
        expectExpelled(ErrorCode.PROTOCOL, "-1 payload bytes", FrameType.EAGER, 5, h -> Frame.payloadBytes(h, 0, -1));
        expectExpelled(ErrorCode.PROTOCOL, "EAGER frame of 5", FrameType.EAGER, 5, h -> Frame.messageBytes(h, 0, 6));
        expectExpelled(ErrorCode.PROTOCOL, "frame for rank 1000000 of 3", FrameType.FLOW, 0, h -> {
            Frame.destination(h, 0, 1_000_000);
        });
        assertEquals(before + 12, suite.relay.stats().membersExpelled());
    }

    // Oversized

    @Test
    void shouldExpelRankWhoseFrameOfAnyTypeIsTooLong() {
        int tooLong = RelaySettings.builder().insecure(true).build().fragmentBytesMax() + 1;
        for (FrameType type : FrameType.values()) {
            List<TestRank> group = suite.group("s", 2);
            byte[] frame = group.get(0).frame(type, 1, new byte[tooLong]);
            ByteBuffer header = ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN);
            Frame.messageBytes(header, 0, tooLong);
            group.get(0).data.write(frame);
            boolean allowed = Frame.problem(header, 0) == null && !NOT_DATA.contains(type);
            String told = group.get(0).expectRefusal(allowed ? ErrorCode.LIMIT : ErrorCode.PROTOCOL);
            assertTrue(told.contains(allowed ? "the limit is 65536" : type.name()), told);
            group.get(1).expectGone(0, Cause.EXPELLED);
            TestRank.closeAll(group);
            suite.awaitNoOtherSession();
        }
    }

    /** Nobody waits for a payload that the header should not have, or takes memory for one. */
    @Test
    void shouldExpelRankThatAnnouncesMoreThanAnyFrameHas() {
        for (int bytes : new int[] {Frame.PAYLOAD_BYTES_MAX + 1, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            expectExpelled(ErrorCode.PROTOCOL, bytes + " payload bytes", FrameType.DATA, 0, h -> {
                Frame.payloadBytes(h, 0, bytes);
            });
        }
    }

    @Test
    void shouldRefuseFirstMessagesThatAreNone() {
        ToRelay heartbeat = ToRelay.newBuilder()
                .setHeartbeat(Heartbeat.getDefaultInstance())
                .build();
        suite.expectRefusal(RawConnection.controlFrame(heartbeat), ErrorCode.PROTOCOL, "expected JOIN or ATTACH");
        suite.expectRefusal(
                RawConnection.controlFrame(ToRelay.getDefaultInstance()),
                ErrorCode.PROTOCOL,
                "first message MESSAGE_NOT_SET");
        suite.expectRefusal(
                RawConnection.frame(FrameType.CONTROL, 0, 0, 0, new byte[16_385]),
                ErrorCode.LIMIT,
                "control message of 16385 bytes, the limit is 16384");
        suite.expectRefusal(
                RawConnection.frame(FrameType.CONTROL, 0, 0, 0, new byte[] {-1, -1, -1}),
                ErrorCode.PROTOCOL,
                "does not parse");
        suite.expectRefusal(
                "POST / HTTP/1.1\r\nHost: relay.example.net\r\nUser-Agent: a browser that got lost\r\n\r\n"
                        .getBytes(StandardCharsets.US_ASCII),
                ErrorCode.PROTOCOL,
                "frame version 80");
        for (FrameType type : EnumSet.complementOf(EnumSet.of(FrameType.CONTROL))) {
            byte[] frame = RawConnection.frame(type, 0, 0, 0, new byte[Frame.HEADER_BYTES]);
            suite.expectRefusal(frame, ErrorCode.PROTOCOL, type.name());
        }
    }

    @Test
    void shouldExpelRankWithWrongControlMessage() {
        byte[] endless = RawConnection.frame(FrameType.CONTROL, 0, 0, 0, new byte[0]);
        Frame.payloadBytes(ByteBuffer.wrap(endless).order(ByteOrder.LITTLE_ENDIAN), 0, Frame.PAYLOAD_BYTES_MAX + 1);
        List<byte[]> wrong = List.of(
                RawConnection.frame(FrameType.CONTROL, 0, 0, 0, new byte[] {-1, -1, -1}),
                RawConnection.controlFrame(ToRelay.getDefaultInstance()),
                RawConnection.frame(FrameType.EAGER, 1, 0, 1, new byte[3]),
                endless);
        for (byte[] message : wrong) {
            List<TestRank> group = suite.group("s", 2);
            group.get(0).control.write(message);
            String reason = group.get(0).expectRefusal(ErrorCode.PROTOCOL);
            assertEquals(
                    "PROTOCOL: " + reason,
                    group.get(1).expectGone(0, Cause.EXPELLED).getDetail());
            TestRank.closeAll(group);
            suite.awaitNoOtherSession();
        }
    }

    @Test
    void shouldRefuseFramesBeforeTheGroupIsComplete() {
        TestRank early = suite.attached(suite.join("s", 2, 0));
        early.data.write(RawConnection.frame(FrameType.EAGER, 1, 0, 1, new byte[3]));
        assertEquals("frame before the group was complete", early.expectRefusal(ErrorCode.PROTOCOL));
        early.data.awaitEnd();
    }

    // Truncated

    @Test
    void shouldNotMindFirstMessagesThatEndAnywhere() {
        byte[] join = RawConnection.controlFrame(TestRank.message(suite.join("s", 2, 0)));
        byte[] request = "GET / HTTP/1.1\r\nContent-Length: 500\r\n\r\nthe beginning of a body"
                .getBytes(StandardCharsets.US_ASCII);
        for (byte[] whole : List.of(join, request, FloodAbuse.UPGRADE)) {
            for (int bytes = 0; bytes < whole.length; bytes += 3) {
                try (RawConnection stranger = new RawConnection(suite.at)) {
                    stranger.write(Arrays.copyOf(whole, bytes));
                    if (bytes % 2 == 0) {
                        stranger.reset();
                    }
                }
            }
        }
    }

    /** Of every type, cut off in the header and in the payload, on either connection. */
    @Test
    void shouldTakeRankForLostWhoseFramesEndAnywhere() {
        byte[] heartbeat = RawConnection.controlFrame(ToRelay.newBuilder()
                .setHeartbeat(Heartbeat.newBuilder().setNumber(7))
                .build());
        for (FrameType type : FrameType.values()) {
            for (int bytes : new int[] {1, Frame.HEADER_BYTES - 1, Frame.HEADER_BYTES + 5}) {
                List<TestRank> group = suite.group("s", 2);
                byte[] frame = group.get(0).frame(type, 1, new byte[64]);
                boolean cutPayload = bytes > Frame.HEADER_BYTES && type == FrameType.EAGER;
                group.get(0).data.write(Arrays.copyOf(frame, cutPayload ? bytes : bytes % Frame.HEADER_BYTES));
                group.get(0).control.write(Arrays.copyOf(heartbeat, Math.min(bytes, heartbeat.length - 1)));
                group.get(0).close();
                group.get(1).expectGone(0, Cause.LOST);
                group.get(1).roundTrip();
                group.get(1).close();
                suite.awaitNoOtherSession();
            }
        }
    }

    // Credit

    @Test
    void shouldExpelRankThatSendsMoreThanItsCredit() {
        List<TestRank> group = suite.group("s", 2);
        byte[] payload = new byte[group.get(0).view.getFragmentBytesMax()];
        long room = group.get(0).view.getFlowWindowBytes() / (payload.length + Frame.HEADER_BYTES);
        for (int i = 0; i <= room; i++) {
            group.get(0).send(1, payload);
        }
        String told = group.get(0).expectRefusal(ErrorCode.PROTOCOL);
        assertTrue(told.startsWith("flow from rank 0 to rank 1 has "), told);
        group.get(1).expectGone(0, Cause.EXPELLED);
    }

    @Test
    void shouldExpelRankWhoseCreditCannotBe() {
        long[] credits = {1, 66, Long.MAX_VALUE, -1, Long.MIN_VALUE};
        for (long credit : credits) {
            expectExpelled(ErrorCode.PROTOCOL, "destination says that it took " + credit, FrameType.FLOW, 0, h -> {
                Frame.credit(h, 0, credit);
            });
        }
        // More than it was sent, and then less than it has said.
        for (long second : new long[] {66, 64, -65}) {
            List<TestRank> group = suite.group("s", 2);
            group.get(1).send(0, new byte[] {5});
            group.get(0).receiveWithoutCredit();
            group.get(0).sendCredit(1, 65);
            group.get(0).sendCredit(1, second);
            String told = group.get(0).expectRefusal(ErrorCode.PROTOCOL);
            assertEquals(
                    "flow from rank 1 to rank 0: destination says that it took " + second
                            + " bytes, of 65 sent and after 65",
                    told);
            group.get(1).expectGone(0, Cause.EXPELLED);
            TestRank.closeAll(group);
            suite.awaitNoOtherSession();
        }
    }

    // The hub; what else it is not to be asked is in HubTest

    private HubRank multicasting(TestRank rank, long bytes) {
        HubRank one = new HubRank(rank);
        one.kind = Enter.MULTICAST;
        one.bytes = bytes;
        return one;
    }

    @Test
    void shouldStandLengthsThatNobodySends() {
        for (long bytes : new long[] {Long.MAX_VALUE, Long.MAX_VALUE - 65_535, 1L << 62}) {
            List<TestRank> group = suite.group("s", 2);
            HubRank root = multicasting(group.get(0), bytes);
            HubRank other = multicasting(group.get(1), bytes);
            root.enters(1).contributes(1, 0, new byte[root.partBytes()]);
            other.enters(1);
            assertEquals(root.partBytes(), other.expectPart(1, 0).length);
            root.contributes(1, Long.MAX_VALUE - root.partBytes(), new byte[root.partBytes()]);
            assertNotNull(root.rank.expectRefusal(ErrorCode.PROTOCOL));
            other.expectVerdict(1, ErrorCode.PEER_LEFT, 0);
            TestRank.closeAll(group);
            suite.awaitNoOtherSession();
        }
    }

    /** One rank after the other begins operations of all ranks, to which none of the others comes. */
    @Test
    void shouldBoundOperationsThatNobodyComesTo() {
        int each = 4;
        suite.limit(RelayOption.HUB_OPERATIONS_MAX, each);
        int size = 8;
        List<TestRank> group = suite.group("s", size);
        int refused = 0;
        for (int rank = 0; rank < size; rank++) {
            HubRank one = multicasting(group.get(rank), 0);
            one.root = (rank + 1) % size;
            for (int i = 0; i < each; i++) {
                one.tag = (long) rank * each + i;
                one.enters(i + 1);
            }
            // Each has as many as it may; two ranks' worth is what all together may have.
            if (rank >= 2) {
                String text = one.expectVerdict(1, ErrorCode.LIMIT, rank);
                suite.expectLimit(RelayOption.HUB_OPERATIONS_MAX, text);
                assertTrue(text.contains(" places of " + 2 * size * each), text);
                refused++;
            }
        }
        assertEquals(size - 2, refused);
        assertEquals(2L * each, suite.relay.stats().hubOperationsOpen());
    }
}
