package io.zipcomm.transport.rdma;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.wire.Frame;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** Where everything is, byte by byte: the other end may be of another build. */
final class MessageTest {

    private static final int AT = 3;

    @Test
    void shouldHaveTheLayoutThatIsDocumented() {
        assertEquals(24, Message.HEADER_BYTES);
        assertEquals(88, Message.PAYLOAD_OFFSET);
        assertEquals(104, Message.PULL_BYTES);
        assertEquals(44, Message.MOVED_BYTES);
        assertEquals(8104, Slots.BYTES - Message.PAYLOAD_OFFSET);
        ByteBuffer message = Frame.allocate(AT + Message.HEADER_BYTES);
        Message.begin(message, AT, 0x0102030405060708L, Message.MOVED, 0x11121314);
        Message.number(message, AT, 0x7fff_abcd);
        Message.counts(message, AT, 0x21222324, 0x31323334);
        byte[] bytes = new byte[Message.HEADER_BYTES];
        message.get(AT, bytes);
        assertArrayEquals(
                new byte[] {
                    8,
                    7,
                    6,
                    5,
                    4,
                    3,
                    2,
                    1, // token
                    4,
                    0,
                    (byte) 0xcd,
                    (byte) 0xab, // kind and number
                    0x24,
                    0x23,
                    0x22,
                    0x21, // consumed
                    0x34,
                    0x33,
                    0x32,
                    0x31, // pulled
                    0x14,
                    0x13,
                    0x12,
                    0x11 // source
                },
                bytes);
        assertEquals(0x0102030405060708L, Message.token(message, AT));
        assertEquals(Message.MOVED, Message.kind(message, AT));
        assertEquals(0xabcd, Message.number(message, AT));
        assertEquals(0x21222324, Message.consumed(message, AT));
        assertEquals(0x31323334, Message.pulled(message, AT));
        assertEquals(0x11121314, Message.source(message, AT));
    }

    @Test
    void shouldCountWhatMayHaveToWait() {
        for (int kind : new int[] {Message.FRAME, Message.PULL, Message.MOVED, Message.END}) {
            assertTrue(Message.isCounted(kind), "kind " + kind);
        }
        for (int kind : new int[] {0, Message.HELLO, Message.DONE, Message.LEAVE, 8, 255}) {
            assertFalse(Message.isCounted(kind), "kind " + kind);
        }
    }
}
