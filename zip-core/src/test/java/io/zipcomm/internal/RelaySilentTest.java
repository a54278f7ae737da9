package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.ControlChannel;
import io.zipcomm.transport.TransportProvider;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.proto.Admitted;
import io.zipcomm.wire.proto.Heartbeat;
import io.zipcomm.wire.proto.ToRank;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** When a rank takes its relay for silent, by a clock that is set by hand. */
final class RelaySilentTest {

    private static final int INTERVAL_MS = 1000;
    private static final int TIMEOUT_MS = 5000;

    private final Relay relay = new Relay();
    private long nowMs = 1_000_000;

    /** Admits, and says what it is told to say. */
    private static final class Relay implements ControlChannel {
        private Listener rank;
        private boolean closed;
        private boolean admitted;

        private void say(ToRank message) {
            rank.message(ByteBuffer.wrap(message.toByteArray()));
        }

        @Override
        public void send(byte[] message) {
            if (!admitted) {
                admitted = true;
                say(ToRank.newBuilder()
                        .setAdmitted(Admitted.newBuilder()
                                .setVersion(Frame.VERSION)
                                .setHeartbeatIntervalMs(INTERVAL_MS)
                                .setHeartbeatTimeoutMs(TIMEOUT_MS))
                        .build());
            }
        }

        @Override
        public InetSocketAddress local() {
            return new InetSocketAddress(InetAddress.getLoopbackAddress(), 1);
        }

        @Override
        public InetSocketAddress remote() {
            return new InetSocketAddress(InetAddress.getLoopbackAddress(), 2);
        }

        @Override
        public void close() {
            closed = true;
        }
    }

    @BeforeEach
    void join() {
        ZipSettings settings =
                ZipSettings.builder().relay("127.0.0.1:2").session("s").size(2).build();
        TransportProvider provider = (TransportProvider) Proxy.newProxyInstance(
                TransportProvider.class.getClassLoader(),
                new Class<?>[] {TransportProvider.class},
                (proxy, method, arguments) -> {
                    if (!method.getName().equals("openControl")) {
                        return List.of();
                    }
                    relay.rank = (ControlChannel.Listener) arguments[3];
                    return relay;
                });
        MembershipClient.visit(settings, settings.relay(), provider, 0, () -> TimeUnit.MILLISECONDS.toNanos(nowMs));
        assertEquals(INTERVAL_MS, relay.rank.tickMs());
    }

    private void tickAfter(int ms) {
        nowMs += ms;
        relay.rank.tick();
    }

    @Test
    void shouldGiveARelayUpThatIsSilentForTooLong() {
        for (int ms = INTERVAL_MS; ms <= TIMEOUT_MS; ms += INTERVAL_MS) {
            tickAfter(INTERVAL_MS);
            assertFalse(relay.closed, "after " + ms + " ms");
        }
        tickAfter(INTERVAL_MS);
        assertTrue(relay.closed);
    }

    @Test
    void shouldReadWhatCameWhileItStoodStillFirst() {
        tickAfter(8000);
        assertFalse(relay.closed, "it has not looked yet");
        relay.say(ToRank.newBuilder()
                .setHeartbeat(Heartbeat.newBuilder().setNumber(1))
                .build());
        tickAfter(INTERVAL_MS);
        assertFalse(relay.closed, "the relay is there");
    }

    @Test
    void shouldGiveARelayUpThatSaysNothingAfterItStoodStill() {
        tickAfter(8000);
        assertFalse(relay.closed, "it has not looked yet");
        tickAfter(INTERVAL_MS);
        assertTrue(relay.closed);
    }
}
