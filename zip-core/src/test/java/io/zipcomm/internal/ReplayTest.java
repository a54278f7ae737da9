package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.buffer.Payload;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("once")
final class ReplayTest {

    private static final int BYTES_MAX = 512 << 10;

    private final ReplayPool pool = new ReplayPool(BYTES_MAX);
    private final Replay replay = new Replay(pool, BYTES_MAX);
    private final ByteBuffer header = Frame.allocate(3 + Frame.HEADER_BYTES);
    private final OutboundFrame frame = new OutboundFrame();

    private void record(long sequence, byte[] content) {
        frame.clear();
        Frame.begin(header, 3, FrameType.DATA);
        Frame.sequence(header, 3, sequence);
        Frame.payloadBytes(header, 3, content.length);
        Frame.signature(header, 3, (int) sequence * 7);
        if (content.length > 0) {
            frame.payload = Payload.of(content);
            frame.bytes = content.length;
        }
        replay.record(header, 3, frame, content.length);
        assertArrayEquals(content, given());
        replay.taken();
    }

    /** The payload of the frame that was given out. */
    private byte[] given() {
        byte[] content = new byte[frame.bytes];
        if (frame.bytes > 0) {
            frame.payload.direct().clear().get((int) frame.offset, content);
        }
        return content;
    }

    private static byte[] content(Random random, int bytes) {
        byte[] content = new byte[bytes];
        random.nextBytes(content);
        return content;
    }

    /** All links together, phase after phase: what was in use at once is there for the next phase, and goes when it is not. */
    @Test
    void shouldKeepAsManyChunksAsWereLatelyInUse() {
        int peak = 16;
        Set<ReplayPool.Chunk> first = takeAndGive(peak);
        assertEquals(peak, pool.idle());
        for (int phase = 0; phase < 10; phase++) {
            assertEquals(first, takeAndGive(peak), "chunks of phase " + phase);
        }
        for (int i = 0; i < 3_000; i++) {
            takeAndGive(1);
        }
        // No more than in any case: the size of the test's pool has no room for one long chunk.
        assertEquals(1, pool.idle());
        takeAndGive(1_000);
        assertTrue(pool.idle() < 100, pool.idle() + " chunks of 1 MiB are kept");
    }

    private Set<ReplayPool.Chunk> takeAndGive(int count) {
        List<ReplayPool.Chunk> chunks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            chunks.add(pool.take(true));
        }
        chunks.forEach(pool::give);
        assertEquals(0, pool.inUse());
        return Set.copyOf(chunks);
    }

    @Test
    void shouldGiveBackFramesAsTheyWereInTheirOrder() {
        Random random = new Random(11);
        ArrayDeque<byte[]> kept = new ArrayDeque<>();
        long first = 1;
        long next = 1;
        for (int turn = 0; turn < 20_000; turn++) {
            int bytes = random.nextInt(8) == 0 ? random.nextInt(64 << 10) : random.nextInt(300);
            if (random.nextBoolean() && replay.hasRoom(Frame.HEADER_BYTES + bytes)) {
                byte[] content = content(random, bytes);
                record(next++, content);
                kept.add(content);
            } else if (!kept.isEmpty() && random.nextInt(20) == 0) {
                int count = random.nextInt(kept.size() + 1);
                replay.acknowledged(first + count - 1);
                for (int i = 0; i < count; i++) {
                    kept.remove();
                }
                first += count;
            } else if (!kept.isEmpty()) {
                frame.clear();
                replay.sendAgain();
                replay.nextAgain(header, 0, frame);
                assertEquals(first, Frame.sequence(header, 0));
                assertEquals((int) first * 7, Frame.signature(header, 0));
                assertArrayEquals(kept.peek(), given());
                replay.taken();
                replay.stopSendingAgain();
            }
            assertEquals(kept.isEmpty(), replay.isEmpty());
        }
        replay.clear();
        assertEquals(0, pool.inUse());
    }

    /** Frames that follow each other are sent as one piece of memory, and given back one by one. */
    @Test
    void shouldGiveOutFollowersTogetherAndBackOneByOne() {
        Random random = new Random(3);
        byte[][] contents = {content(random, 800), content(random, 1600), content(random, 0), content(random, 13)};
        header(1, contents[0].length, header, 3);
        carry(contents[0]);
        replay.record(header, 3, frame, 2400);
        int begin = (int) frame.offset;
        ByteBuffer wire = ByteBuffer.allocate(1 << 20).put(contents[0]);
        for (int i = 1; i < contents.length; i++) {
            assertTrue(replay.takesFollower(Frame.HEADER_BYTES + contents[i].length));
            header(i + 1, contents[i].length, replay.nextHeader(), replay.nextHeaderAt());
            byte[] head = new byte[Frame.HEADER_BYTES];
            replay.nextHeader().get(replay.nextHeaderAt(), head);
            wire.put(head).put(contents[i]);
            carry(contents[i]);
            replay.recordFollower(frame, begin, i);
        }
        assertFalse(replay.takesFollower(Frame.HEADER_BYTES), "behind a payload that ends amid an element");
        assertEquals(contents.length - 1, frame.followers);
        assertArrayEquals(Arrays.copyOf(wire.array(), wire.position()), given());
        assertEquals(contents.length, replay.leaving());
        replay.taken();
        replay.sendAgain();
        for (int i = 0; i < contents.length; i++) {
            frame.clear();
            assertTrue(replay.isSendingAgain());
            replay.nextAgain(header, 0, frame);
            assertEquals(i + 1, Frame.sequence(header, 0));
            assertArrayEquals(contents[i], given());
            assertEquals(0, frame.followers);
            replay.taken();
        }
        assertFalse(replay.isSendingAgain());
        assertFalse(replay.isAcknowledged(contents.length));
        replay.acknowledged(contents.length);
        assertTrue(replay.isEmpty());
        assertEquals(0, pool.inUse());
    }

    private static void header(int sequence, int payloadBytes, ByteBuffer target, int at) {
        Frame.begin(target, at, FrameType.DATA);
        Frame.sequence(target, at, sequence);
        Frame.payloadBytes(target, at, payloadBytes);
    }

    private void carry(byte[] content) {
        frame.clear();
        frame.payload = content.length == 0 ? null : Payload.of(content);
        frame.bytes = content.length;
    }

    /** A long message is cut into frames that leave together, however full the chunk is that is begun. */
    @Test
    void shouldTakeLongChunksForLongMessagesAndReuseThem() {
        ReplayPool longPool = new ReplayPool(4 << 20);
        Replay longReplay = new Replay(longPool, 4 << 20);
        byte[] fragment = new byte[(64 << 10) - Frame.HEADER_BYTES];
        long sequence = 1;
        ByteBuffer memory = null;
        for (int message = 0; message < 20; message++) {
            int most = 0;
            for (int left = 16; left > 0; ) {
                header((int) sequence++, fragment.length, header, 3);
                carry(fragment);
                longReplay.record(header, 3, frame, (long) left * fragment.length);
                left--;
                int begin = (int) frame.offset;
                int count = 1;
                for (; left > 0 && longReplay.takesFollower(64 << 10); left--) {
                    header((int) sequence++, fragment.length, longReplay.nextHeader(), longReplay.nextHeaderAt());
                    carry(fragment);
                    longReplay.recordFollower(frame, begin, count++);
                }
                most = Math.max(most, count);
                longReplay.taken();
            }
            assertEquals(16, most, "frames that left together, message " + message);
            if (memory != null) {
                assertSame(memory, frame.payload.direct(), "memory of message " + message);
            }
            memory = frame.payload.direct();
            longReplay.acknowledged(sequence - 1);
            assertEquals(0, longPool.inUse());
        }
    }

    @Test
    void shouldGiveTheRestOfAFrame() {
        byte[] content = content(new Random(5), 1000);
        record(9, content);
        frame.clear();
        replay.sendAgain();
        replay.restOfNextAgain(301, header, 0, frame);
        assertEquals(FrameType.REST.number(), Frame.type(header, 0));
        assertEquals(9, Frame.sequence(header, 0));
        assertEquals(699, Frame.payloadBytes(header, 0));
        assertArrayEquals(Arrays.copyOfRange(content, 301, 1000), given());
    }

    @Test
    void shouldTakeNoMoreThanItsBytesAndOnlyAsMuchMemoryAsIsNeeded() {
        byte[] content = new byte[1000];
        long sequence = 1;
        while (replay.hasRoom(Frame.HEADER_BYTES + content.length)) {
            record(sequence++, content);
        }
        assertEquals(BYTES_MAX / (Frame.HEADER_BYTES + content.length) + 1, sequence);
        int chunks = pool.inUse();
        assertTrue(chunks <= BYTES_MAX / ReplayPool.CHUNK_BYTES + 1, chunks + " chunks");
        replay.acknowledged(sequence / 2);
        assertTrue(pool.inUse() <= chunks / 2 + 1, pool.inUse() + " of " + chunks + " chunks");
        assertTrue(replay.hasRoom(BYTES_MAX / 3));
        replay.acknowledged(sequence);
        assertTrue(replay.isEmpty());
        assertEquals(0, pool.inUse());
        assertTrue(replay.hasRoom(BYTES_MAX));
        assertFalse(replay.hasRoom(BYTES_MAX + 1));
    }
}
