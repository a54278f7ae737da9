package io.zipcomm.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class UdpTailTest {

    private static final long MS = 1_000_000;
    private static final int WORD_BYTES = 64;

    private final UdpTail tail = new UdpTail(1000);

    @Test
    void shouldSayNothingOfAStreamThatHasNotMoved() {
        assertFalse(tail.isDue(1000, 0));
        assertFalse(tail.isDue(1000, 1000 * MS));
    }

    @Test
    void shouldSayItTwiceAfterTheLastMessage() {
        assertFalse(tail.isDue(2000, 0));
        assertFalse(tail.isDue(2000, MS));
        assertTrue(tail.isDue(2000, 2 * MS));
        tail.said(2000 + WORD_BYTES, 2 * MS);
        assertFalse(tail.isDue(2000 + WORD_BYTES, 11 * MS));
        assertTrue(tail.isDue(2000 + WORD_BYTES, 12 * MS));
        tail.said(2000 + 2 * WORD_BYTES, 12 * MS);
        assertFalse(tail.isDue(2000 + 2 * WORD_BYTES, 1000 * MS));
    }

    @Test
    void shouldSayNothingWhileMoreIsSent() {
        for (int ms = 0; ms < 100; ms++) {
            assertFalse(tail.isDue(2000 + ms, ms * MS));
        }
        assertFalse(tail.isDue(2099, 100 * MS));
        assertTrue(tail.isDue(2099, 101 * MS));
    }
}
