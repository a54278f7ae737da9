package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.TransportProvider;
import io.zipcomm.wire.proto.Heartbeat;
import io.zipcomm.wire.proto.ToRank;
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
    private static final class Relay implements PlayedChannel {
        private Listener rank;
        private boolean closed;
        private boolean admitted;

        @Override
        public void send(byte[] message) {
            if (!admitted) {
                admitted = true;
                PlayedChannel.admit(rank, INTERVAL_MS, TIMEOUT_MS);
            }
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
        TransportProvider provider = PlayedChannel.provider((address, rank) -> {
            relay.rank = rank;
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
        PlayedChannel.say(
                relay.rank,
                ToRank.newBuilder().setHeartbeat(Heartbeat.newBuilder().setNumber(1)));
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
