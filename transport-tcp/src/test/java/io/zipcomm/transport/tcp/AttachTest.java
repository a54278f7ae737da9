package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.LeakCheck;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.UnsupportedAddressTypeException;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A data connection that the relay does not take: the error says what failed, for whom, and after how long. */
@Timeout(60)
final class AttachTest {

    private static final long TIME_NS = 300_000_000;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private static ZipSettings settings(int port) {
        return ZipSettings.builder()
                .relay("127.0.0.1:" + port)
                .session("mine")
                .size(4)
                .transport(TransportChoice.RELAY)
                .build();
    }

    private static ZipException failure(int port) {
        ZipSettings settings = settings(port);
        TcpTransport transport = new TcpTransport(settings);
        try {
            return assertThrows(
                    ZipException.class,
                    () -> transport.attach(
                            settings.relay(), settings.session(), 2, new byte[1], System.nanoTime() + TIME_NS));
        } finally {
            transport.close();
        }
    }

    private static void assertNamed(ZipException failure, ErrorCode code, String reason) {
        String text = failure.getMessage();
        assertEquals(code, failure.code(), text);
        assertEquals(2, failure.rank(), text);
        assertEquals("join of session mine", failure.operation(), text);
        assertEquals("attaching the data connection", failure.phase(), text);
        assertTrue(failure.elapsedMs() >= 0, text);
        assertTrue(failure.reason().contains(reason), text);
    }

    @Test
    void shouldNameARelayThatDoesNotAnswer() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            ZipException failure = failure(silent.getLocalPort());
            assertNamed(failure, ErrorCode.RELAY_UNREACHABLE, "127.0.0.1:" + silent.getLocalPort() + " did not answer");
            assertTrue(failure.elapsedMs() >= TIME_NS / 1_000_000, failure.getMessage());
        }
    }

    @Test
    void shouldNameARelayThatEndsTheConnection() throws Exception {
        try (ServerSocket rude = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Future<Void> ended = Threads.<Void>start(1, one -> {
                        try (Socket connection = rude.accept()) {
                            // All of it, so that closing is no reset.
                            connection.getInputStream().read(new byte[4096]);
                        }
                        return null;
                    })
                    .get(0);
            assertNamed(failure(rude.getLocalPort()), ErrorCode.RELAY_UNREACHABLE, "ended the connection");
            ended.get();
        }
    }

    @Test
    void shouldNameARelayThatNobodyIs() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        assertNamed(failure(port), ErrorCode.RELAY_UNREACHABLE, "cannot connect to the relay at 127.0.0.1:" + port);
    }

    @Test
    void shouldNameWhatAnInterruptEnded() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread.currentThread().interrupt();
            ZipException failure = failure(silent.getLocalPort());
            assertTrue(Thread.interrupted(), "the flag is gone");
            assertEquals(ErrorCode.CANCELLED, failure.code(), failure.getMessage());
        }
    }

    /** Java's own sockets say so of an address of IPv6 where there is none. */
    @Test
    void shouldNameTheRelayWhateverTheSystemsSocketsThrow() {
        ZipSettings settings = settings(1);
        NioPoller poller = new NioPoller() {
            @Override
            StreamSocket begin(
                    InetSocketAddress address, int localPort, boolean lossBased, StreamSocket.Listener listener) {
                throw new UnsupportedAddressTypeException();
            }
        };
        try (poller) {
            ZipException failure = assertThrows(
                    ZipException.class,
                    () -> RelaySockets.connect(
                            poller,
                            settings.access(),
                            settings.relay(),
                            1,
                            (readable, writable) -> {},
                            System.nanoTime() + TIME_NS,
                            false));
            assertEquals(ErrorCode.RELAY_UNREACHABLE, failure.code(), failure.getMessage());
            assertTrue(failure.reason().contains("127.0.0.1: UnsupportedAddressTypeException"), failure.getMessage());
        }
    }
}
