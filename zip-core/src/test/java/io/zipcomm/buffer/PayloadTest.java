package io.zipcomm.buffer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.agrona.ExpandableArrayBuffer;
import org.junit.jupiter.api.Test;

class PayloadTest {

    private static final int COUNT = 40;

    /** Every kind of memory, each as {@code COUNT} elements from an index that is not 0. */
    private static List<Payload> kinds() {
        List<Payload> kinds = new ArrayList<>();
        kinds.add(Payload.of(new float[COUNT + 9], 3, COUNT));
        kinds.add(Payload.of(new double[COUNT + 9], 3, COUNT));
        kinds.add(Payload.of(new int[COUNT + 9], 3, COUNT));
        kinds.add(Payload.of(new long[COUNT + 9], 3, COUNT));
        kinds.add(Payload.of(new byte[COUNT + 9], 3, COUNT));
        kinds.add(Payload.ofFloat16(new short[COUNT + 9], 3, COUNT));
        kinds.add(Payload.ofBfloat16(new short[COUNT + 9], 3, COUNT));
        for (DataType type : DataType.values()) {
            kinds.add(Payload.of(ByteBuffer.allocate(COUNT * 8 + 9), 3, COUNT, type));
            kinds.add(Payload.of(ByteBuffer.allocateDirect(COUNT * 8 + 9), 3, COUNT, type));
            kinds.add(Payload.of(new ExpandableArrayBuffer(COUNT * 8 + 9), 3, COUNT, type));
        }
        return kinds;
    }

    /** An all-to-all sends one block of a buffer while it copies another. */
    @Test
    void shouldCopyWhateverTheTransportHasSetOnItsView() {
        Payload payload = Payload.of(ByteBuffer.allocateDirect(64));
        payload.direct().position(8).limit(16);
        Segment segment = Segment.allocate(64);
        segment.bytes().put(40, (byte) 7);
        payload.copyIn(32, segment, 32, 32);
        payload.copyOut(40, segment, 0, 8);
        assertEquals(7, segment.bytes().get(0));
    }

    @Test
    void shouldMoveBytesInAndOutAtAnyAlignment() {
        Random random = new Random(3);
        Segment source = Segment.allocate(1024);
        Segment target = Segment.allocate(1024);
        for (Payload payload : kinds()) {
            int element = payload.type().bytes();
            assertEquals(COUNT, payload.count());
            for (int round = 0; round < 200; round++) {
                for (int i = 0; i < source.capacity(); i++) {
                    source.bytes().put(i, (byte) random.nextInt());
                }
                int first = random.nextInt(COUNT);
                int length = random.nextInt(COUNT - first + 1) * element;
                int from = random.nextInt(64);
                int to = random.nextInt(64);
                payload.copyIn((long) first * element, source, from, length);
                payload.copyOut((long) first * element, target, to, length);
                for (int i = 0; i < length; i++) {
                    assertEquals(source.bytes().get(from + i), target.bytes().get(to + i), payload + " byte " + i);
                }
            }
        }
    }

    @Test
    void shouldTakeArraysAsLittleEndian() {
        int[] array = {0x04030201};
        Segment segment = Segment.allocate(8);
        Payload.of(array).copyOut(0, segment, 0, 4);
        for (int i = 0; i < 4; i++) {
            assertEquals(i + 1, segment.bytes().get(i));
        }
    }

    @Test
    void shouldLeaveTheCallersBufferAsItIs() {
        ByteBuffer buffer = ByteBuffer.allocateDirect(64).order(ByteOrder.BIG_ENDIAN);
        buffer.position(8).limit(24);
        Payload payload = Payload.of(buffer);
        assertEquals(16, payload.bytes());
        payload.direct().limit(5).position(2);
        assertEquals(8, buffer.position());
        assertEquals(24, buffer.limit());
        assertEquals(ByteOrder.BIG_ENDIAN, buffer.order());
        assertNull(Payload.of(ByteBuffer.allocate(8)).direct());
        assertNotNull(payload.direct());
    }

    @Test
    void shouldFindOverlaps() {
        float[] array = new float[100];
        assertTrue(Payload.of(array, 0, 51).overlaps(Payload.of(array, 50, 50)));
        assertFalse(Payload.of(array, 0, 50).overlaps(Payload.of(array, 50, 50)));
        assertFalse(Payload.of(array).overlaps(Payload.of(new float[100])));
        assertFalse(Payload.of(array, 10, 0).overlaps(Payload.of(array)), "nothing overlaps with nothing");

        byte[] bytes = new byte[100];
        assertTrue(Payload.of(bytes, 0, 60).overlaps(Payload.of(ByteBuffer.wrap(bytes, 50, 50))));
        ByteBuffer slice = ByteBuffer.wrap(bytes, 50, 50).slice();
        assertTrue(Payload.of(bytes, 50, 1).overlaps(Payload.of(slice)));
        assertFalse(Payload.of(bytes, 0, 50).overlaps(Payload.of(slice)));

        ByteBuffer direct = ByteBuffer.allocateDirect(100);
        assertTrue(Payload.of(direct).overlaps(Payload.of(direct.slice(99, 1))));
        assertFalse(Payload.of(direct.slice(0, 50)).overlaps(Payload.of(direct.slice(50, 50))));
        assertFalse(Payload.of(direct).overlaps(Payload.of(ByteBuffer.allocateDirect(100))));
    }

    @Test
    void shouldRefuseWhatIsNotInTheMemory() {
        assertBad(() -> Payload.of(new float[4], 2, 3));
        assertBad(() -> Payload.of(new float[4], -1, 3));
        assertBad(() -> Payload.of(new float[4], 0, -1));
        assertBad(() -> Payload.of(new float[4], Integer.MAX_VALUE, Integer.MAX_VALUE));
        assertBad(() -> Payload.of(ByteBuffer.allocate(7), DataType.INT32));
        assertBad(() -> Payload.of(ByteBuffer.allocate(7), 0, 2, DataType.INT32));
        assertBad(() -> Payload.of(ByteBuffer.allocate(7), 0, Integer.MAX_VALUE, DataType.INT64));
    }

    private static void assertBad(Runnable call) {
        assertEquals(
                ErrorCode.BAD_ARGUMENT,
                assertThrows(ZipException.class, call::run).code());
    }

    @Test
    void shouldKnowReadOnlyMemory() {
        assertTrue(Payload.of(ByteBuffer.allocate(8).asReadOnlyBuffer()).isReadOnly());
        assertFalse(Payload.of(ByteBuffer.allocate(8)).isReadOnly());
        assertFalse(Payload.of(new int[1]).isReadOnly());
    }
}
