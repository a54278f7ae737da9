package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.testkit.Memory;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Frames on a socket that takes and gives as many bytes at a time as the test says. */
@Timeout(60)
@Tag("once")
final class FrameStreamTest {

    /** Where the messages are received, in their order. */
    private static final Memory.Kind[] TARGETS = {
        Memory.Kind.AGRONA_HEAP,
        Memory.Kind.BYTES,
        Memory.Kind.FLOATS,
        Memory.Kind.DIRECT_BUFFER,
        Memory.Kind.DIRECT_BUFFER,
        Memory.Kind.DOUBLES,
        Memory.Kind.AGRONA_DIRECT,
        Memory.Kind.AGRONA_ADDRESS,
        Memory.Kind.DIRECT_BUFFER,
        Memory.Kind.LONGS
    };

    private static final int TURN_BYTES_MAX = (1 << 20) + (128 << 10);
    private static final int WRITE_TURN_BYTES_MAX = (4 << 20) + (2 << 20);

    /** Short and long, elements of every length, memory of every kind; long direct ones follow each other. */
    private static List<Memory> messages() {
        List<Memory> messages = new ArrayList<>();
        messages.add(Memory.allocate(Memory.Kind.BYTES, 5));
        messages.add(Memory.allocate(Memory.Kind.BYTES, 0));
        messages.add(Memory.allocate(Memory.Kind.DOUBLES, 80));
        messages.add(Memory.allocate(Memory.Kind.DIRECT_BUFFER, 20_000));
        messages.add(Memory.allocate(Memory.Kind.DIRECT_BUFFER, 20_001));
        messages.add(Memory.allocate(Memory.Kind.FLOATS, 20_000));
        messages.add(Memory.allocate(Memory.Kind.DIRECT_BUFFER, 4096));
        messages.add(Memory.allocate(Memory.Kind.HEAP_BUFFER, 4999));
        messages.add(Memory.allocate(Memory.Kind.DIRECT_BUFFER, 20_003));
        messages.add(Memory.allocate(Memory.Kind.LONGS, 16));
        for (int i = 0; i < messages.size(); i++) {
            messages.get(i).fill(i);
        }
        return messages;
    }

    /** Every byte near the ends of frames, and some elsewhere. */
    private static Set<Integer> cuts() {
        Set<Integer> cuts = new TreeSet<>();
        int at = 0;
        for (Memory message : messages()) {
            for (int near = -10; near <= Frame.HEADER_BYTES + 10; near++) {
                cuts.add(Math.max(0, at + near));
            }
            int end = at + Frame.HEADER_BYTES + message.bytes();
            for (int somewhere = at; somewhere < end; somewhere += 991) {
                cuts.add(somewhere);
            }
            at = end;
        }
        return cuts;
    }

    // Pieces.

    @Test
    void shouldCarryFramesWrittenInTwoPiecesCutAtEveryByte() {
        for (int cut : cuts()) {
            Pair pair = new Pair();
            pair.wire.room = cut;
            pair.from.sendAll(messages());
            pair.from.flushStream();
            pair.wire.room = Integer.MAX_VALUE;
            pair.run();
            pair.assertAllArrived("written in pieces cut at " + cut);
        }
    }

    @Test
    void shouldCarryFramesReadInTwoPiecesCutAtEveryByte() {
        for (int cut : cuts()) {
            Pair pair = new Pair();
            pair.from.sendAll(messages());
            pair.from.flushStream();
            pair.wire.readable = cut;
            pair.to.readSome();
            pair.to.readSome();
            pair.wire.readable = Integer.MAX_VALUE;
            pair.run();
            pair.assertAllArrived("read in pieces cut at " + cut);
        }
    }

    @Test
    void shouldCarryFramesInPiecesOfAnyLength() {
        int[] lengths = {1, 3, 8, 63, 64, 65, 1000, 4095, 4097, 100_000};
        for (int written : lengths) {
            for (int read : lengths) {
                if (Math.max(written, read) >= Frame.HEADER_BYTES) {
                    Pair pair = new Pair();
                    pair.wire.writeMax = written;
                    pair.wire.readMax = read;
                    pair.from.sendAll(messages());
                    pair.from.flushStream();
                    pair.run();
                    pair.assertAllArrived(written + " bytes written, " + read + " read at a time");
                }
            }
        }
    }

    // Release.

    @Test
    void shouldCopyWhatIsLeftOfAReleasedFrameAtEveryByte() {
        int released = 0;
        for (int cut : cuts()) {
            Pair pair = new Pair();
            pair.wire.room = cut;
            pair.from.sendAll(messages());
            pair.from.flushStream();
            Memory underWay = pair.from.underWay();
            if (underWay != null) {
                released++;
                pair.from.releaseOutbound(underWay);
                underWay.fill(-7);
            }
            int taken = pair.from.taken;
            pair.wire.room = Integer.MAX_VALUE;
            pair.run();
            pair.assertAllArrived("released at " + cut);
            assertTrue(pair.from.taken <= messages().size() - 1 - (underWay == null ? 0 : 1), "taken and released");
            assertTrue(pair.from.taken >= taken);
        }
        assertTrue(released > 50, "only " + released + " frames were under way");
    }

    @Test
    void shouldNotTouchMemoryOfAReleasedIncomingFrameAtEveryByte() {
        int released = 0;
        byte[] mark = Memory.pattern(99, 20_003);
        for (int cut : cuts()) {
            Pair pair = new Pair();
            pair.from.sendAll(messages());
            pair.from.flushStream();
            pair.wire.readable = cut;
            pair.to.readSome();
            pair.to.readSome();
            pair.to.readSome();
            int index = pair.to.received.size();
            Memory target = pair.to.comingIn;
            if (target != null) {
                released++;
                pair.to.releaseInbound(target);
                target.write(java.util.Arrays.copyOf(mark, target.bytes()));
            }
            pair.wire.readable = Integer.MAX_VALUE;
            pair.run();
            List<Memory> expected = messages();
            assertEquals(expected.size(), pair.to.received.size(), "released at " + cut);
            for (int i = 0; i < expected.size(); i++) {
                boolean dropped = i == index && target != null;
                byte[] content = dropped
                        ? java.util.Arrays.copyOf(mark, target.bytes())
                        : expected.get(i).read();
                Memory got = dropped ? target : pair.to.received.get(i);
                if (content.length > 0) {
                    assertNull(got.difference(content), "frame " + i + ", released at " + cut);
                }
            }
        }
        assertTrue(released > 50, "only " + released + " frames were coming in");
    }

    @Test
    void shouldThrowAwayTheRestOfALongReleasedFrame() {
        Pair pair = new Pair();
        pair.to.large = true;
        int bytes = 1 << 20;
        for (int i = 0; i < 3; i++) {
            pair.from.toSend.add(
                    Memory.allocate(Memory.Kind.DIRECT_BUFFER, bytes).fill(i));
        }
        pair.from.flushStream();
        pair.wire.readable = 100_000;
        pair.to.readSome();
        pair.to.readSome();
        Memory released = pair.to.comingIn;
        pair.to.releaseInbound(released);
        released.fill(77);
        pair.wire.readable = Integer.MAX_VALUE;
        pair.run();
        assertEquals(3, pair.to.received.size());
        assertNull(released.difference(Memory.pattern(77, bytes)));
        assertNull(pair.to.received.get(1).difference(Memory.pattern(1, bytes)));
        assertNull(pair.to.received.get(2).difference(Memory.pattern(2, bytes)));
    }

    // Pauses.

    @Test
    void shouldKeepWhatWasReadWhileItIsPaused() {
        for (int pauseAt = 0; pauseAt < messages().size(); pauseAt++) {
            for (boolean refuse : new boolean[] {false, true}) {
                Pair pair = new Pair();
                if (refuse) {
                    pair.to.refuseFrom = pauseAt;
                } else {
                    pair.to.pauseAfter = pauseAt + 1;
                }
                pair.from.sendAll(messages());
                pair.from.flushStream();
                pair.run();
                assertEquals(refuse ? pauseAt : pauseAt + 1, pair.to.received.size());
                assertFalse(pair.toSocket.reads, "asks for bytes it does not want");
                pair.to.refuseFrom = -1;
                pair.to.setInputOpen(true);
                // No bytes may come any more that would make the socket ready.
                pair.to.readSome();
                pair.run();
                pair.assertAllArrived("paused at frame " + pauseAt);
            }
        }
    }

    // Turns.

    @Test
    void shouldReadAndWriteABoundedNumberOfBytesInATurn() {
        Pair pair = new Pair();
        Memory memory = Memory.allocate(Memory.Kind.DIRECT_BUFFER, 1 << 20).fill(1);
        pair.to.discard = true;
        for (int i = 0; i < 20; i++) {
            pair.from.toSend.add(memory);
        }
        pair.from.flushStream();
        assertTrue(pair.wire.size() <= WRITE_TURN_BYTES_MAX, pair.wire.size() + " bytes written at once");
        assertTrue(pair.fromSocket.writes, "does not ask to go on writing");
        int before = pair.wire.size();
        assertTrue(pair.to.readSome() <= TURN_BYTES_MAX);
        assertTrue(before - pair.wire.size() <= TURN_BYTES_MAX);
        pair.run();
        assertEquals(20, pair.to.received.size());
        assertEquals(20, pair.from.taken);
    }

    @Test
    void shouldAskAgainWhenItIsFlushedWhileItIsAsked() {
        Pair pair = new Pair();
        pair.from.onNextFrame = () -> {
            if (pair.from.toSend.isEmpty() && pair.from.sent < 3) {
                pair.from.toSend.add(Memory.allocate(Memory.Kind.BYTES, 10).fill(pair.from.sent));
                pair.from.flushStream();
            }
        };
        pair.from.flushStream();
        pair.run();
        assertEquals(3, pair.to.received.size());
    }

    // Ends.

    @Test
    void shouldGoOnSendingAfterTheOtherEndClosedItsOutput() {
        Pair pair = new Pair();
        pair.to.closeStreamOutput();
        pair.from.readSome();
        assertEquals(1, pair.from.ends);
        assertNull(pair.from.failure);
        pair.from.sendAll(messages());
        pair.from.flushStream();
        pair.run();
        pair.assertAllArrived("after the end of the other direction");
        assertFalse(pair.fromSocket.closed);
        pair.from.closeStreamOutput();
        assertTrue(pair.fromSocket.closed, "nothing more can happen, and the socket is open");
        pair.to.readSome();
        assertEquals(1, pair.to.ends);
        assertTrue(pair.toSocket.closed);
    }

    @Test
    void shouldCloseItsOutputAfterWhatIsLeftAndAskForNoMore() {
        Pair pair = new Pair();
        pair.wire.room = 30_000;
        pair.from.sendAll(messages());
        pair.from.flushStream();
        int asked = pair.from.sent;
        pair.from.closeStreamOutput();
        pair.wire.room = Integer.MAX_VALUE;
        pair.run();
        assertEquals(asked, pair.from.sent);
        assertEquals(asked, pair.to.received.size());
        assertEquals(1, pair.to.ends);
        assertNull(pair.to.failure);
    }

    @Test
    void shouldTellAnEndInsideAFrameFromOneBetweenFrames() {
        Set<Integer> ends = new TreeSet<>();
        int at = 0;
        for (Memory message : messages()) {
            ends.add(at);
            at += Frame.HEADER_BYTES + message.bytes();
        }
        for (int cut : cuts()) {
            Pair pair = new Pair();
            pair.from.sendAll(messages());
            pair.from.flushStream();
            pair.wire.truncate(cut);
            pair.wire.closed = true;
            pair.run();
            assertEquals(1, pair.to.ends, "cut at " + cut);
            if (ends.contains(cut) || cut >= at) {
                assertNull(pair.to.failure, "cut at " + cut);
            } else {
                assertNotNull(pair.to.failure, "cut at " + cut);
                assertEquals(ErrorCode.PEER_LOST, pair.to.failure.code());
                assertTrue(pair.toSocket.closed);
            }
        }
    }

    @Test
    void shouldTellOnceThatTheSocketBroke() {
        Pair pair = new Pair();
        pair.wire.room = 10_000;
        pair.from.sendAll(messages());
        pair.from.flushStream();
        pair.wire.broken = true;
        pair.from.ready(true, true);
        pair.from.ready(true, true);
        pair.from.flushStream();
        assertEquals(1, pair.from.ends);
        assertEquals(ErrorCode.PEER_LOST, pair.from.failure.code());
        assertTrue(pair.fromSocket.closed);
        assertFalse(pair.streams.hasBlockedOutput(), "a broken stream counts as output that waits");
    }

    /** The memory goes on behind the frame: what comes there must not meet the bounds of the read that failed. */
    @Test
    void shouldReceiveTheRestOnAnotherStreamWhereASocketBroke() {
        int frameBytes = 20_000;
        int bytes = frameBytes + 1000;
        Memory whole = Memory.allocate(Memory.Kind.DIRECT_BUFFER, bytes).fill(1);
        byte[] content = whole.read();
        for (int landed : new int[] {1, 4096, 15_000, 15_904}) {
            Memory target = Memory.allocate(Memory.Kind.DIRECT_BUFFER, bytes);
            Pair broken = new Pair();
            broken.to.begun = target;
            broken.from.toSend.add(part(content, 0, frameBytes));
            broken.from.flushStream();
            broken.wire.readable = Frame.HEADER_BYTES + landed;
            broken.to.readSome();
            broken.to.readSome();
            broken.wire.broken = true;
            broken.to.readSome();
            assertEquals(1, broken.to.ends);
            assertEquals(frameBytes - landed, broken.to.missingInbound());

            // All is staged, and copied to where it belongs.
            Pair next = new Pair();
            next.to.trust();
            next.to.begun = target;
            next.to.begunBytes = landed;
            next.from.toSend.add(part(content, landed, bytes));
            next.from.flushStream();
            next.run();
            assertNull(next.to.failure);
            assertEquals(1, next.to.received.size());
            assertNull(target.difference(content), landed + " bytes before it broke");
        }
    }

    private static Memory part(byte[] content, int from, int to) {
        Memory part = Memory.allocate(Memory.Kind.DIRECT_BUFFER, to - from);
        part.write(java.util.Arrays.copyOfRange(content, from, to));
        return part;
    }

    /** Where a handler may close its path. */
    enum Callback {
        NEXT_FRAME,
        PAYLOAD_TAKEN,
        HEADER_RECEIVED,
        FRAME_RECEIVED
    }

    @ParameterizedTest
    @EnumSource
    void shouldCallNobodyAfterItWasClosedInACallback(Callback callback) {
        for (int count = 1; count < messages().size(); count++) {
            Pair pair = new Pair();
            boolean sender = callback == Callback.NEXT_FRAME || callback == Callback.PAYLOAD_TAKEN;
            ScriptedStream closing = sender ? pair.from : pair.to;
            int[] left = {count};
            Runnable close = () -> {
                assertFalse(closing.isEnded(), "called after it was closed");
                if (--left[0] == 0) {
                    closing.closeStream();
                }
            };
            switch (callback) {
                case NEXT_FRAME -> closing.onNextFrame = close;
                case PAYLOAD_TAKEN -> closing.onPayloadTaken = close;
                case HEADER_RECEIVED -> closing.onHeaderReceived = close;
                case FRAME_RECEIVED -> closing.onFrameReceived = close;
            }
            pair.from.sendAll(messages());
            pair.from.flushStream();
            pair.run();
            assertEquals(0, closing.ends, "told of an end that it made itself");
            assertEquals(left[0] == 0, closing.isEnded());
        }
    }

    @Test
    void shouldEndWhenAHandlerFails() {
        Pair pair = new Pair();
        pair.to.onFrameReceived = () -> {
            throw new IllegalStateException("a defect");
        };
        pair.from.sendAll(messages());
        pair.from.flushStream();
        pair.run();
        assertEquals(1, pair.to.ends);
        assertEquals(ErrorCode.INTERNAL, pair.to.failure.code());
        Pair other = new Pair();
        other.from.onNextFrame = () -> {
            throw new IllegalStateException("a defect");
        };
        other.from.flushStream();
        assertEquals(1, other.from.ends);
        assertEquals(ErrorCode.INTERNAL, other.from.failure.code());
    }

    @Test
    void shouldRefuseMalformedHeaders() {
        Pair pair = new Pair();
        pair.wire.bytes(ByteBuffer.allocate(Frame.HEADER_BYTES));
        pair.run();
        assertEquals(1, pair.to.ends);
        assertEquals(ErrorCode.PROTOCOL, pair.to.failure.code());
        assertArrayEquals(new Object[0], pair.to.received.toArray());
    }

    // Fixture.

    /** Two streams with a wire between them, on which the test acts in one direction. */
    private static final class Pair {
        final Streams streams = new Streams();
        final Wire wire = new Wire();
        final Wire back = new Wire();
        final ScriptedStream from = new ScriptedStream(streams);
        final ScriptedStream to = new ScriptedStream(new Streams());
        final ScriptedSocket fromSocket = new ScriptedSocket(wire, back);
        final ScriptedSocket toSocket = new ScriptedSocket(back, wire);

        Pair() {
            from.open(fromSocket);
            to.open(toSocket);
        }

        /** What an event loop does, until nothing happens any more. */
        void run() {
            int idle = 0;
            while (idle < 2) {
                long before = wire.moved + back.moved + to.ends;
                if (fromSocket.writes && !fromSocket.closed) {
                    from.ready(false, true);
                }
                if (toSocket.reads && !toSocket.closed) {
                    to.ready(true, false);
                }
                idle = wire.moved + back.moved + to.ends == before ? idle + 1 : 0;
            }
        }

        void assertAllArrived(String how) {
            List<Memory> expected = messages();
            assertEquals(expected.size(), to.received.size(), how);
            for (int i = 0; i < expected.size(); i++) {
                byte[] content = expected.get(i).read();
                if (content.length > 0) {
                    assertNull(to.received.get(i).difference(content), "frame " + i + ", " + how);
                }
            }
            assertFalse(streams.hasBlockedOutput(), how);
        }
    }

    /** Bytes under way. */
    private static final class Wire {
        private final ArrayDeque<byte[]> pieces = new ArrayDeque<>();
        private int first;
        private int size;
        int room = Integer.MAX_VALUE;
        int readable = Integer.MAX_VALUE;
        int writeMax = Integer.MAX_VALUE;
        int readMax = Integer.MAX_VALUE;
        boolean closed;
        boolean broken;
        long moved;

        int size() {
            return size;
        }

        int bytes(ByteBuffer source) {
            int count = Math.min(source.remaining(), Math.min(room, writeMax));
            byte[] piece = new byte[count];
            source.get(piece);
            if (count > 0) {
                pieces.add(piece);
            }
            size += count;
            moved += count;
            room -= room == Integer.MAX_VALUE ? 0 : count;
            return count;
        }

        int read(ByteBuffer target) {
            int most = Math.min(target.remaining(), Math.min(readable, readMax));
            int count = 0;
            while (count < most && !pieces.isEmpty()) {
                byte[] piece = pieces.peek();
                int now = Math.min(most - count, piece.length - first);
                target.put(piece, first, now);
                first += now;
                count += now;
                if (first == piece.length) {
                    pieces.poll();
                    first = 0;
                }
            }
            size -= count;
            moved += count;
            readable -= readable == Integer.MAX_VALUE ? 0 : count;
            return count == 0 && size == 0 && closed && most > 0 ? -1 : count;
        }

        void truncate(int bytes) {
            byte[] kept = new byte[Math.min(bytes, size)];
            read(ByteBuffer.wrap(kept));
            pieces.clear();
            first = 0;
            size = 0;
            bytes(ByteBuffer.wrap(kept));
        }
    }

    private static final class ScriptedSocket implements StreamSocket {
        private final Wire out;
        private final Wire in;
        boolean reads;
        boolean writes;
        boolean closed;

        ScriptedSocket(Wire out, Wire in) {
            this.out = out;
            this.in = in;
        }

        @Override
        public int read(ByteBuffer target, int position, int limit) throws IOException {
            assertFalse(closed, "read from a closed socket");
            assertTrue(target.isDirect());
            assertTrue(
                    position >= 0 && position < limit && limit <= target.capacity(),
                    () -> "read to " + position + " to " + limit + " of " + target.capacity());
            // As a channel does, a read that fails leaves its bounds.
            target.limit(limit).position(position);
            if (in.broken || out.broken) {
                throw new IOException("broken");
            }
            return in.read(target);
        }

        @Override
        public long write(ByteBuffer[] sources, int count) throws IOException {
            assertFalse(closed, "write to a closed socket");
            if (out.broken) {
                throw new IOException("broken");
            }
            long written = 0;
            for (int i = 0; i < count; i++) {
                assertTrue(sources[i].isDirect());
                int wanted = sources[i].remaining();
                int taken = out.bytes(sources[i]);
                written += taken;
                if (taken < wanted) {
                    break;
                }
            }
            return written;
        }

        @Override
        public void interest(boolean readable, boolean writable) {
            reads = readable;
            writes = writable;
        }

        @Override
        public boolean finishConnect() {
            return true;
        }

        @Override
        public void shutdownOutput() {
            out.closed = true;
        }

        @Override
        public void moveTo(Poller poller) {

            throw new UnsupportedOperationException();
        }

        @Override
        public InetSocketAddress local() {
            return null;
        }

        @Override
        public InetSocketAddress remote() {
            return null;
        }

        @Override
        public void close() {
            closed = true;
        }

        @Override
        public void abort() {
            closed = true;
        }
    }

    /** Sends what it is given, keeps what comes in. */
    private static final class ScriptedStream extends FrameStream {
        final ArrayDeque<Memory> toSend = new ArrayDeque<>();
        final List<Memory> received = new ArrayList<>();
        Runnable onNextFrame = () -> {};
        Runnable onPayloadTaken = () -> {};
        Runnable onHeaderReceived = () -> {};
        Runnable onFrameReceived = () -> {};
        Memory comingIn;
        boolean discard;
        boolean large;

        /** Where all that comes in goes, from a byte on; null if each message has memory of its own. */
        Memory begun;

        int begunBytes;
        int refuseFrom = -1;
        int pauseAfter = -1;
        int sent;
        int taken;
        int ends;
        ZipException failure;
        private Memory last;

        ScriptedStream(Streams streams) {
            super(streams, false);
        }

        void sendAll(List<Memory> messages) {
            toSend.addAll(messages);
        }

        /** Whose memory the stream still reads; null if none. */
        Memory underWay() {
            return last;
        }

        @Override
        boolean nextFrame(ByteBuffer header, int at, OutboundFrame frame) {
            assertTrue(frame.payload == null && frame.attachment == null && frame.bytes == 0, "frame is not empty");
            onNextFrame.run();
            Memory message = toSend.poll();
            if (message == null) {
                return false;
            }
            Frame.begin(header, at, FrameType.EAGER);
            Frame.payloadBytes(header, at, message.bytes());
            Frame.messageBytes(header, at, message.bytes());
            Frame.sequence(header, at, ++sent);
            if (message.bytes() > 0) {
                frame.payload = message.payload();
                frame.bytes = message.bytes();
                frame.attachment = message;
                last = message;
            }
            return true;
        }

        @Override
        void payloadTaken(OutboundFrame frame) {
            assertEquals(last, frame.attachment);
            last = null;
            taken++;
            onPayloadTaken.run();
        }

        @Override
        boolean accepts(ByteBuffer header, int at) {
            return refuseFrom < 0 || received.size() < refuseFrom;
        }

        @Override
        void headerReceived(ByteBuffer header, int at, InboundFrame frame) {
            assertEquals(received.size() + 1, Frame.sequence(header, at));
            int index = received.size() % messages().size();
            Memory.Kind kind = large ? Memory.Kind.DIRECT_BUFFER : TARGETS[index];
            comingIn = discard || frame.bytes == 0 ? null : Memory.allocate(kind, frame.bytes);
            if (begun != null) {
                comingIn = begun;
                frame.offset = begunBytes;
            }
            if (comingIn != null) {
                frame.payload = comingIn.payload();
                frame.attachment = comingIn;
            }
            onHeaderReceived.run();
        }

        @Override
        void frameReceived(InboundFrame frame) {
            received.add(comingIn);
            comingIn = null;
            if (received.size() == pauseAfter) {
                setInputOpen(false);
            }
            onFrameReceived.run();
        }

        @Override
        void streamEnded(ZipException why) {
            ends++;
            failure = why;
        }

        @Override
        String describe() {
            return "the other end";
        }
    }
}
