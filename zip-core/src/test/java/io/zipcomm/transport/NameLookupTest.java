package io.zipcomm.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class NameLookupTest {

    private static final long PLENTY_NS = 50_000_000_000L;

    @Test
    void shouldFindNamesAndTakeAddressesAsTheyAre() throws Exception {
        assertTrue(NameLookup.of("localhost", PLENTY_NS)[0].isLoopbackAddress());
        assertEquals("192.0.2.7", NameLookup.of("192.0.2.7", PLENTY_NS)[0].getHostAddress());
    }

    /** A process that was stopped meanwhile has no time left for it, and needs none. */
    @Test
    void shouldTakeAddressesInNoTime() throws Exception {
        assertEquals("192.0.2.7", NameLookup.of("192.0.2.7", 0)[0].getHostAddress());
        assertEquals("255.255.255.255", NameLookup.of("255.255.255.255", -1)[0].getHostAddress());
        assertEquals("2001:db8:0:0:0:0:0:7", NameLookup.of("2001:db8::7", 0)[0].getHostAddress());
        assertTrue(NameLookup.of("::", 0)[0].isAnyLocalAddress());
        UnknownHostException unknown =
                assertThrows(UnknownHostException.class, () -> NameLookup.of("2001:db8:7", PLENTY_NS));
        assertEquals("2001:db8:7", unknown.getMessage());
        assertThrows(SocketTimeoutException.class, () -> NameLookup.of("256.0.2.7", 0));
        assertThrows(SocketTimeoutException.class, () -> NameLookup.of("some-name:7", 0));
    }

    @Test
    void shouldTellNoSuchNameFromNoAnswer() {
        UnknownHostException unknown =
                assertThrows(UnknownHostException.class, () -> NameLookup.of("no such name", PLENTY_NS));
        assertEquals("no such name", unknown.getMessage());
        SocketTimeoutException late =
                assertThrows(SocketTimeoutException.class, () -> NameLookup.of("a-name-to-be-asked-for", 0));
        assertTrue(late.getMessage().contains("a-name-to-be-asked-for"), late.getMessage());
    }

    @Test
    void shouldEndWhenInterrupted() {
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> NameLookup.of("localhost", PLENTY_NS));
    }
}
