package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.channel.epoll.Epoll;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the operating system knows of a peer whose process stands still while it is sent more than it has room for. */
@Timeout(60)
@Tag("once")
final class FullWindowTest {

    /** From here on {@link Silence} takes the connection for lost. */
    private static final long LOST_MS = (Silence.LOST_AFTER_NS - Silence.PING_AFTER_NS) / 1_000_000;

    /** Long enough for two probes of a full receiver to be farther apart than that. */
    private static final long FROZEN_NS = TimeUnit.SECONDS.toNanos(9);

    private static final long NOTICED_NS = TimeUnit.SECONDS.toNanos(20);
    private static final long LOOK_MS = 50;
    private static final int PIECE_BYTES = 64 << 10;

    /** Turns without room until the socket is full. */
    private static final int FULL_TURNS = 10;

    private final List<StreamSocket> frozen = new ArrayList<>();
    private Poller poller;
    private Poller.Acceptor acceptor;
    private StreamSocket writer;

    @BeforeEach
    void connect() throws IOException {
        assumeTrue(Epoll.isAvailable(), "epoll does not load here");
        poller = new EpollPoller();
        StreamSocket.Listener nobody = (readable, writable) -> {};
        acceptor = poller.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), true, false, one -> {
            try {
                frozen.add(one.open(nobody));
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        writer = poller.connect(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), acceptor.port()), 0, true, nobody);
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
        while (frozen.isEmpty() || !writer.finishConnect()) {
            assertTrue(System.nanoTime() - deadlineNs < 0, "not connected");
            poller.poll();
        }
    }

    @AfterEach
    void close() {
        if (poller != null) {
            writer.close();
            frozen.forEach(StreamSocket::close);
            acceptor.close();
            poller.close();
        }
    }

    /** Writes until nothing is taken any more. */
    private void fill() throws Exception {
        ByteBuffer[] pieces = {ByteBuffer.allocateDirect(PIECE_BYTES)};
        for (int full = 0; full < FULL_TURNS; ) {
            pieces[0].clear();
            if (writer.write(pieces, 1) == 0) {
                full++;
                TimeUnit.MILLISECONDS.sleep(1);
            }
        }
    }

    @Test
    void shouldNotCountTheTimeBetweenProbesThatAreAnswered() throws Exception {
        fill();
        long untilNs = System.nanoTime() + FROZEN_NS;
        long most = 0;
        while (System.nanoTime() - untilNs < 0) {
            most = Math.max(most, writer.unacknowledgedMs());
            TimeUnit.MILLISECONDS.sleep(LOOK_MS);
        }
        assertTrue(most < LOST_MS, "a system that answers seemed gone for " + most + " ms");
        assertEquals(1, frozen.size());
    }

    @Test
    void shouldCountTheTimeWhenProbesAreNotAnswered() throws Exception {
        fill();
        BlackHole.swallow(writer);
        long deadlineNs = System.nanoTime() + NOTICED_NS;
        while (writer.unacknowledgedMs() < LOST_MS) {
            assertTrue(System.nanoTime() - deadlineNs < 0, "nothing is noticed");
            TimeUnit.MILLISECONDS.sleep(LOOK_MS);
        }
    }
}
