package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class TicketsTest {

    private final Tickets tickets = new Tickets();
    private final byte[] ticket = tickets.issue("s", new byte[Tickets.BYTES]);

    @Test
    void shouldKnowItsOwn() {
        assertEquals(Tickets.BYTES, ticket.length);
        assertTrue(tickets.isOwn("s", ticket));
    }

    @Test
    void shouldNotTakeThoseOfOthersForItsOwn() {
        assertFalse(new Tickets().isOwn("s", ticket));
        assertFalse(tickets.isOwn("t", ticket));
        assertFalse(tickets.isOwn("s", new byte[0]));
        for (int at = 0; at < ticket.length; at++) {
            byte[] other = ticket.clone();
            other[at] ^= 1;
            assertFalse(tickets.isOwn("s", other), "byte " + at);
        }
    }
}
