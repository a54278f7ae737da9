package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.buffer.Payload;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

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
        replay.record(header, 3, frame);
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
                replay.oldest(header, 0, frame);
                assertEquals(first, Frame.sequence(header, 0));
                assertEquals((int) first * 7, Frame.signature(header, 0));
                assertArrayEquals(kept.peek(), given());
                replay.taken();
            }
            assertEquals(kept.isEmpty(), replay.isEmpty());
        }
        replay.clear();
        assertEquals(0, pool.inUse());
    }

    @Test
    void shouldGiveTheRestOfAFrame() {
        byte[] content = content(new Random(5), 1000);
        record(9, content);
        frame.clear();
        replay.restOfOldest(301, header, 0, frame);
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
