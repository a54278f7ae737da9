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
