package io.zipcomm.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
    }

    /** What only looks like an address is asked for, and an answer that does not come in the time is not waited for longer. */
    @ParameterizedTest
    @ValueSource(strings = {"a-name-to-be-asked-for", "256.0.2.7", "some-name:7"})
    void shouldNotWaitLongerThanItMay(String host) throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        BlockingQueue<String> asked = new LinkedBlockingQueue<>();
        try {
            for (long leftNs : new long[] {-1, 0, 200_000_000}) {
                SocketTimeoutException late = assertThrows(
                        SocketTimeoutException.class,
                        () -> NameLookup.of(host, leftNs, name -> silent(name, asked, over)));
                assertTrue(late.getMessage().contains(host), late.getMessage());
            }
            assertEquals(host, asked.poll(PLENTY_NS, TimeUnit.NANOSECONDS));
        } finally {
            over.countDown();
        }
    }

    @Test
    void shouldSayWhenThereIsNoSuchName() {
        UnknownHostException unknown =
                assertThrows(UnknownHostException.class, () -> NameLookup.of("no such name", PLENTY_NS));
        assertEquals("no such name", unknown.getMessage());
    }

    @Test
    void shouldEndWhenInterrupted() {
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> NameLookup.of("localhost", PLENTY_NS));
    }

    private static InetAddress[] silent(String host, Queue<String> asked, CountDownLatch over) {
        asked.add(host);
        try {
            over.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return new InetAddress[0];
    }
}
