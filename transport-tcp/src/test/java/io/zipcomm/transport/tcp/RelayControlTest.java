package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.settings.ZipSettings;
import io.zipcomm.testkit.LeakCheck;
import io.zipcomm.transport.ControlChannel;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The control connection to a relay that is slow to read. */
@Timeout(60)
final class RelayControlTest {

    private static final byte[] LAST_WORDS = "it failed here".getBytes(StandardCharsets.US_ASCII);
    private static final int READ_MS_MAX = 10_000;
    private static final int CLOSE_MS_MIN = 900;
    private static final int CLOSE_MS_MAX = 1900;
    private static final int TRIES = 3;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private final CountDownLatch tried = new CountDownLatch(1);
    private volatile boolean taken;

    /** Sockets that take nothing for a while. */
    private final class BlockedPoller extends NioPoller {
        @Override
        StreamSocket begin(InetSocketAddress address, int localPort, boolean lossBased, StreamSocket.Listener listener)
                throws IOException {
            return new BlockedSocket(super.begin(address, localPort, lossBased, listener));
        }
    }

    private final class BlockedSocket implements StreamSocket {
        private final StreamSocket real;

        BlockedSocket(StreamSocket real) {
            this.real = real;
        }

        @Override
        public int read(ByteBuffer target, int position, int limit) throws IOException {
            return real.read(target, position, limit);
        }

        @Override
        public long write(ByteBuffer[] sources, int count) throws IOException {
            tried.countDown();
            return taken ? real.write(sources, count) : 0;
        }

        @Override
        public void interest(boolean readable, boolean writable) {
            real.interest(readable, writable);
        }

        @Override
        public boolean finishConnect() throws IOException {
            return real.finishConnect();
        }

        @Override
        public void shutdownOutput() throws IOException {
            real.shutdownOutput();
        }

        @Override
        public void moveTo(Poller poller) {

            throw new UnsupportedOperationException();
        }

        @Override
        public InetSocketAddress local() {
            return real.local();
        }

        @Override
        public InetSocketAddress remote() {
            return real.remote();
        }

        @Override
        public void close() {
            real.close();
        }

        @Override
        public void abort() {
            real.abort();
        }
    }

    private static final class Silent implements ControlChannel.Listener {
        @Override
        public void message(ByteBuffer message) {
            throw new AssertionError("the relay said something");
        }

        @Override
        public void tick() {
            // Nothing to say.
        }

        @Override
        public long tickMs() {
            return 1000;
        }

        @Override
        public void ended(String reason) {
            throw new AssertionError("ended: " + reason);
        }
    }

    private RelayControl connect(ServerSocket relay) {
        ZipSettings settings = ZipSettings.builder()
                .relay("127.0.0.1:" + relay.getLocalPort())
                .session("s")
                .size(1)
                .joinTimeout(Duration.ofSeconds(10))
                .build();
        long deadlineNs = System.nanoTime() + settings.joinTimeout().toNanos();
        return RelayControl.open(new BlockedPoller(), settings, settings.relay(), 0, new Silent(), deadlineNs, true);
    }

    @Test
    void shouldCloseOnceItsLastMessageIsOnItsWay() throws Exception {
        try (ServerSocket relay = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            RelayControl control = connect(relay);
            try (Socket accepted = relay.accept()) {
                accepted.setSoTimeout(READ_MS_MAX);
                control.send(LAST_WORDS);
                assertTrue(tried.await(10, TimeUnit.SECONDS));
                Future<Void> closed = Threads.<Void>start(1, one -> {
                            control.close();
                            return null;
                        })
                        .get(0);
                Thread.sleep(200);
                taken = true;
                closed.get(10, TimeUnit.SECONDS);
                DataInputStream in = new DataInputStream(accepted.getInputStream());
                ByteBuffer header = ByteBuffer.wrap(in.readNBytes(Frame.HEADER_BYTES));
                assertEquals(Frame.HEADER_BYTES, header.limit(), "closed without a word");
                assertEquals(FrameType.CONTROL.number(), Frame.type(header, 0));
                assertArrayEquals(LAST_WORDS, in.readAllBytes());
            }
        }
    }

    @Test
    void shouldCloseThoughTheRelayTakesNothing() throws Exception {
        // A machine that is busy with something else is given another try.
        long tookMs = Long.MAX_VALUE;
        for (int i = 0; i < TRIES && tookMs >= CLOSE_MS_MAX; i++) {
            tookMs = closeWhereNothingIsTaken();
            assertTrue(tookMs >= CLOSE_MS_MIN, "took " + tookMs + " ms");
        }
        assertTrue(tookMs < CLOSE_MS_MAX, "took " + tookMs + " ms");
    }

    private long closeWhereNothingIsTaken() throws Exception {
        try (ServerSocket relay = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            RelayControl control = connect(relay);
            control.send(LAST_WORDS);
            assertTrue(tried.await(10, TimeUnit.SECONDS));
            long beginNs = System.nanoTime();
            control.close();
            return (System.nanoTime() - beginNs) / 1_000_000;
        }
    }
}
