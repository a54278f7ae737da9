package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Member;
import io.zipcomm.membership.SealKeys;
import io.zipcomm.transport.FrameHandler;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.Path;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.SessionKey;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Frames that are sealed at one end and opened at the other, one behind the other, with nothing between but this test. */
class SealedPathTest {

    private static final int FRAGMENT_BYTES_MAX = 1024;
    private static final int EPOCH = 5;
    private static final Object OWNER = new Object();

    /** The relay's path, of which nothing is needed here. */
    private static final class Inner implements Path {
        private final int peer;
        private FrameHandler handler;
        private boolean closed;

        Inner(int peer) {
            this.peer = peer;
        }

        @Override
        public int peer() {
            return peer;
        }

        @Override
        public String name() {
            return "relay";
        }

        @Override
        public int fragmentBytesMax() {
            return FRAGMENT_BYTES_MAX;
        }

        @Override
        public void bind(FrameHandler frames) {
            handler = frames;
        }

        @Override
        public void openInput() {}

        @Override
        public void flush() {}

        @Override
        public void release(Object attachment) {}

        @Override
        public void closeOutput() {}

        @Override
        public void close() {
            closed = true;
        }
    }

    /** A frame that a link would make: the first of a run, or alone. */
    private record Outgoing(int tag, Payload payload, int offset, int first, int bytes, int followers) {}

    /** The link's place. */
    private static final class Ends implements FrameHandler {
        private final ArrayDeque<Outgoing> outgoing = new ArrayDeque<>();
        private final List<byte[]> arrived = new ArrayList<>();
        private final List<Long> tags = new ArrayList<>();
        private byte[] room;
        private int taken;
        private ZipException ending;

        @Override
        public boolean nextFrame(Path path, ByteBuffer header, int at, OutboundFrame out) {
            Outgoing next = outgoing.poll();
            if (next == null) {
                return false;
            }
            header(header, at, next.tag, next.first);
            out.payload = next.payload;
            out.offset = next.offset;
            out.bytes = next.bytes;
            out.followers = next.followers;
            out.attachment = next.payload == null ? null : OWNER;
            return true;
        }

        @Override
        public void payloadTaken(OutboundFrame out) {
            assertSame(OWNER, out.attachment);
            taken++;
        }

        @Override
        public void headerReceived(Path path, ByteBuffer header, int at, InboundFrame in) {
            if (Frame.tag(header, at) < 0) {
                throw new ZipException(ErrorCode.PROTOCOL, "not what was expected");
            }
            tags.add(Frame.tag(header, at));
            room = new byte[in.bytes];
            in.payload = in.bytes == 0 ? null : Payload.of(room);
        }

        @Override
        public void frameReceived(Path path, InboundFrame in) {
            arrived.add(room);
        }

        @Override
        public void ended(Path path, ZipException failure) {
            ending = failure;
        }
    }

    private static void header(ByteBuffer header, int at, int tag, int bytes) {
        Frame.begin(header, at, bytes == 0 ? FrameType.CREDIT : FrameType.EAGER);
        Frame.epoch(header, at, EPOCH);
        Frame.source(header, at, 0);
        Frame.destination(header, at, 1);
        Frame.payloadBytes(header, at, bytes);
        Frame.messageBytes(header, at, bytes);
        Frame.tag(header, at, tag);
    }

    private final Inner near = new Inner(1);
    private final Inner far = new Inner(0);
    private final Ends sender = new Ends();
    private final Ends receiver = new Ends();
    private final SealedPaths nearPaths = paths(0);
    private final SealedPath nearPath = nearPaths.around(near);
    private final SealedPath farPath = paths(1).around(far);

    SealedPathTest() {
        nearPath.bind(sender);
        farPath.bind(receiver);
    }

    private static SealedPaths paths(int rank) {
        SessionKey key = new SessionKey(new byte[SessionKey.BYTES]);
        List<Member> members = List.of(
                new Member(0, "a", List.of(), List.of("relay")), new Member(1, "b", List.of(), List.of("relay")));
        SealKeys keys = new SealKeys(
                new byte[] {1, 2, 3},
                key,
                EPOCH,
                List.of(new byte[SealKeys.NONCE_BYTES], new byte[SealKeys.NONCE_BYTES]));
        return new SealedPaths(
                new GroupView("s", EPOCH, rank, members, key, 1 << 16, FRAGMENT_BYTES_MAX + Frame.SEALED_BYTES)
                        .sealed(keys));
    }

    /** What goes out, header and payload; null if nothing does. */
    private static byte[] take(Inner from) {
        ByteBuffer header = Frame.allocate(Frame.HEADER_BYTES);
        OutboundFrame out = new OutboundFrame();
        if (!from.handler.nextFrame(from, header, 0, out)) {
            return null;
        }
        assertNull(Frame.problem(header, 0));
        assertEquals(out.bytes, Frame.payloadBytes(header, 0));
        assertEquals(0, out.followers);
        Segment memory = Segment.allocate(FRAGMENT_BYTES_MAX + 2 * Frame.HEADER_BYTES);
        out.payload.copyOut(out.offset, memory, 0, out.bytes);
        byte[] frame = new byte[Frame.HEADER_BYTES + out.bytes];
        header.get(0, frame, 0, Frame.HEADER_BYTES);
        memory.bytes().get(0, frame, Frame.HEADER_BYTES, out.bytes);
        return frame;
    }

    private static void give(Inner to, byte[] frame) {
        ByteBuffer header = Frame.allocate(Frame.HEADER_BYTES);
        header.put(0, frame, 0, Frame.HEADER_BYTES);
        InboundFrame in = new InboundFrame();
        in.bytes = frame.length - Frame.HEADER_BYTES;
        to.handler.headerReceived(to, header, 0, in);
        Segment memory = Segment.allocate(FRAGMENT_BYTES_MAX + 2 * Frame.HEADER_BYTES);
        memory.bytes().put(0, frame, Frame.HEADER_BYTES, in.bytes);
        in.payload.copyIn(in.offset, memory, 0, in.bytes);
        to.handler.frameReceived(to, in);
    }

    private static byte[] content(int bytes, int seed) {
        byte[] content = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            content[i] = (byte) (seed + i * 7);
        }
        return content;
    }

    @Test
    void shouldCarryFramesOfAnyLength() {
        for (int bytes : new int[] {0, 1, 100, FRAGMENT_BYTES_MAX}) {
            byte[] content = content(bytes, bytes);
            sender.outgoing.add(new Outgoing(bytes, bytes == 0 ? null : Payload.of(content), 0, bytes, bytes, 0));
            give(far, take(near));
            assertArrayEquals(content, receiver.arrived.get(receiver.arrived.size() - 1));
        }
        assertEquals(List.of(0L, 1L, 100L, (long) FRAGMENT_BYTES_MAX), receiver.tags);
        assertEquals(3, sender.taken);
        assertNull(take(near));
    }

    /** A run as links record it: payload, then header and payload of each follower. */
    private byte[][] run() {
        byte[][] contents = {content(40, 1), content(0, 2), content(60, 3)};
        ByteBuffer run = Frame.allocate(40 + 2 * Frame.HEADER_BYTES + 60);
        run.put(0, contents[0]);
        header(run, 40, 2, 0);
        header(run, 40 + Frame.HEADER_BYTES, 3, 60);
        run.put(40 + 2 * Frame.HEADER_BYTES, contents[2]);
        sender.outgoing.add(new Outgoing(1, Payload.of(run), 0, 40, run.capacity(), 2));
        return contents;
    }

    @Test
    void shouldSealFramesOneByOneThoughTheyLeaveTogether() {
        byte[][] contents = run();
        for (int i = 0; i < contents.length; i++) {
            assertEquals(0, sender.taken, "taken before frame " + i);
            give(far, take(near));
            assertArrayEquals(contents[i], receiver.arrived.get(i));
        }
        assertEquals(1, sender.taken);
        assertEquals(List.of(1L, 2L, 3L), receiver.tags);
    }

    @Test
    void shouldLetGoOfTheMemoryOfFramesThatHaveNotGone() {
        byte[][] contents = run();
        Payload memory = sender.outgoing.peek().payload();
        give(far, take(near));
        nearPath.release(OWNER);
        memory.direct().clear().put(0, new byte[(int) memory.bytes()]);
        for (int i = 1; i < contents.length; i++) {
            give(far, take(near));
            assertArrayEquals(contents[i], receiver.arrived.get(i));
        }
        assertEquals(0, sender.taken, "told of what it took back");
    }

    /** Numbers go on for as long as the keys do: no nonce comes twice. */
    @Test
    void shouldNumberOnWhenAPathFollowsAnother() {
        byte[] content = content(50, 9);
        sender.outgoing.add(new Outgoing(1, Payload.of(content), 0, 50, 50, 0));
        byte[] first = take(near);
        Inner next = new Inner(1);
        SealedPath follower = nearPaths.around(next);
        assertSame(follower, nearPaths.around(next));
        follower.bind(sender);
        sender.outgoing.add(new Outgoing(1, Payload.of(content), 0, 50, 50, 0));
        byte[] again = take(next);
        assertFalse(Arrays.equals(first, again));
        assertNotEquals(first[Frame.SEQUENCE_OFFSET], again[Frame.SEQUENCE_OFFSET]);
        // The first was lost with its path, and the link is content with that.
        give(far, again);
        assertArrayEquals(content, receiver.arrived.get(0));
        give(far, first);
        assertCorrupt("it was sent again or moved");
    }

    @Test
    void shouldCallItCorruptIfTheLinkMissesWhatWasDropped() {
        for (int tag : new int[] {1, -1}) {
            sender.outgoing.add(new Outgoing(tag, Payload.of(content(8, 1)), 0, 8, 8, 0));
        }
        assertNotNull(take(near));
        give(far, take(near));
        assertCorrupt("were dropped or moved");
    }

    @Test
    void shouldLeaveToTheLinkWhatThePeerItselfDidWrong() {
        sender.outgoing.add(new Outgoing(-1, Payload.of(content(8, 1)), 0, 8, 8, 0));
        give(far, take(near));
        assertEquals(ErrorCode.PROTOCOL, receiver.ending.code());
    }

    @Test
    void shouldNoticeEveryBit() {
        sender.outgoing.add(new Outgoing(1, Payload.of(content(3, 1)), 0, 3, 3, 0));
        byte[] frame = take(near);
        for (int bit = 0; bit < frame.length * Byte.SIZE; bit++) {
            int at = bit / Byte.SIZE;
            boolean isOfTransport = at < Frame.EPOCH_OFFSET;
            byte[] changed = frame.clone();
            changed[at] ^= (byte) (1 << bit % Byte.SIZE);
            if (!isOfTransport) {
                Ends victim = new Ends();
                Inner path = new Inner(0);
                paths(1).around(path).bind(victim);
                give(path, changed);
                assertNotNull(victim.ending, "bit " + bit + " was changed");
                assertTrue(path.closed && victim.tags.isEmpty());
            }
        }
    }

    private void assertCorrupt(String text) {
        assertEquals(ErrorCode.CORRUPT, receiver.ending.code());
        assertTrue(receiver.ending.getMessage().contains(text), receiver.ending.getMessage());
        assertTrue(far.closed);
    }
}
