package io.zipcomm.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Rings of a real socket. */
@Timeout(20)
final class DoorbellTest {

    @TempDir
    private Path directory;

    private Doorbell bell;
    private ServerSocketChannel server;
    private SocketChannel heard;

    @AfterEach
    void close() throws IOException {
        if (bell != null) {
            bell.close();
            bell.close();
        }
        if (heard != null) {
            heard.close();
        }
        if (server != null) {
            server.close();
        }
    }

    private Path file() {
        return directory.resolve("bell");
    }

    private void listen() throws IOException {
        Files.deleteIfExists(file());
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(file()));
        server.configureBlocking(false);
    }

    /** How many rings have come. A Unix domain socket hands them over within the write. */
    private int rings() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(1 << 20);
        heard.configureBlocking(false);
        return Math.max(0, heard.read(bytes));
    }

    @Test
    void shouldRingOnceForEachSleep() throws IOException {
        listen();
        bell = new Doorbell(file());
        bell.ring(1);
        heard = server.accept();
        assertNotNull(heard);
        assertEquals(1, rings());
        bell.ring(1);
        bell.ring(1);
        assertEquals(0, rings());
        bell.ring(3);
        assertEquals(1, rings());
    }

    @Test
    void shouldConnectWhenItIsFirstNeeded() throws IOException {
        listen();
        bell = new Doorbell(file());
        assertNull(server.accept());
        bell.ring(1);
        heard = server.accept();
        bell.ring(3);
        assertNull(server.accept(), "one connection for all rings");
        assertEquals(2, rings());
    }

    @Test
    void shouldBearThatThereIsNoBell() throws IOException {
        bell = new Doorbell(file());
        bell.ring(1);
        listen();
        bell.ring(3);
        heard = server.accept();
        assertEquals(1, rings(), "it tries again");
    }

    @Test
    void shouldConnectAgainWhenTheBellWasReplaced() throws IOException {
        listen();
        bell = new Doorbell(file());
        bell.ring(1);
        heard = server.accept();
        heard.close();
        server.close();
        listen();
        // The first one finds that nobody hears it.
        bell.ring(3);
        bell.ring(5);
        heard = server.accept();
        assertNotNull(heard);
        assertEquals(1, rings());
    }

    /** Who is rung does not read: the socket is full some day, and that must not hold up this end. */
    @Test
    void shouldNotBlockWhenNobodyReads() throws IOException {
        listen();
        bell = new Doorbell(file());
        int rings = 200_000;
        for (long sleep = 1; sleep < 2L * rings; sleep += 2) {
            bell.ring(sleep);
        }
        heard = server.accept();
        assertNotNull(heard);
        bell.ring(2L * rings + 1);
    }
}
