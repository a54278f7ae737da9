package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.TransportProvider;
import io.zipcomm.wire.proto.Heartbeat;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.Refused;
import io.zipcomm.wire.proto.ToRank;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;

/** How joining ends when nobody else has ended it, by a clock that is set by hand. */
final class JoinTimeTest {

    private static final int TIMEOUT_MS = 20_000;

    /** How long the relay's answer may take when that is over. */
    private static final int ANSWER_MS = 2000;

    private static final byte[] BEAT = ToRank.newBuilder()
            .setHeartbeat(Heartbeat.newBuilder().setNumber(1))
            .build()
            .toByteArray();

    private long nowNs = TimeUnit.SECONDS.toNanos(1000);

    /** What is left to wait when the relay has been asked. */
    private long leftMs = 1;

    /** Called when the clock is read, with how often that was since the relay was asked. */
    private IntConsumer onRead = times -> {};

    /** Negative before. */
    private int reads = Integer.MIN_VALUE;

    private long read() {
        onRead.accept(reads++);
        return nowNs;
    }

    /** Admits nobody, and answers heartbeats at some instants. */
    private final class Relay implements PlayedChannel {
        private final int[] beatsMs;
        private Listener rank;
        private Join join;

        Relay(int... beatsMs) {
            this.beatsMs = beatsMs;
        }

        @Override
        public void send(byte[] message) {
            join = PlayedChannel.read(message).getJoin();
            long saidNs = nowNs;
            for (int ms : beatsMs) {
                nowNs = saidNs + TimeUnit.MILLISECONDS.toNanos(ms);
                rank.message(ByteBuffer.wrap(BEAT));
            }
            nowNs = saidNs + TimeUnit.MILLISECONDS.toNanos(TIMEOUT_MS + ANSWER_MS - leftMs);
            reads = 0;
        }
    }

    private ZipException timedOut(Relay relay) {
        ZipSettings settings = ZipSettings.builder()
                .relay("127.0.0.1:2")
                .session("s")
                .size(2)
                .joinTimeout(Duration.ofMillis(TIMEOUT_MS))
                .build();
        TransportProvider provider = PlayedChannel.provider((address, rank) -> {
            relay.rank = rank;
            return relay;
        });
        ZipException failure = assertThrows(
                ZipException.class,
                () -> MembershipClient.join(settings, provider, List.of(), 0, "host", true, this::read));
        assertEquals(TIMEOUT_MS, relay.join.getJoinTimeoutMs());
        return failure;
    }

    @Test
    void shouldNotTakeARelayForUnreachableThatAnswersWhileOthersAreAwaited() {
        ZipException failure = timedOut(new Relay(1000, 18_000));
        assertEquals(ErrorCode.JOIN_TIMEOUT, failure.code(), failure.getMessage());
        assertTrue(failure.reason().contains("this rank's join timeout is over"), failure.getMessage());
    }

    @Test
    void shouldTakeARelayForUnreachableThatSaysNothing() {
        ZipException failure = timedOut(new Relay());
        assertEquals(ErrorCode.RELAY_UNREACHABLE, failure.code(), failure.getMessage());
        assertTrue(failure.reason().contains("did not answer"), failure.getMessage());
    }

    @Test
    void shouldTakeARelayForUnreachableThatSaysNothingAnyMore() {
        ZipException failure = timedOut(new Relay(1000, 15_000));
        assertEquals(ErrorCode.RELAY_UNREACHABLE, failure.code(), failure.getMessage());
    }

    /** It is read only after the wait, which is over when the process goes on. */
    @Test
    void shouldReadWhatTheRelayHasSaidWhileItStoodStill() {
        Relay relay = new Relay(1000);
        leftMs = -TimeUnit.MINUTES.toMillis(1);
        ToRank.Builder refused = ToRank.newBuilder()
                .setRefused(
                        Refused.newBuilder().setCode(ErrorCode.LIMIT.number()).setReason("no heartbeat"));
        onRead = times -> {
            // How long it may wait, until when that is, and how late it is.
            if (times == 2) {
                PlayedChannel.say(relay.rank, refused);
            }
        };
        ZipException failure = timedOut(relay);
        assertEquals(ErrorCode.LIMIT, failure.code(), failure.getMessage());
        assertTrue(failure.reason().contains("no heartbeat"), failure.getMessage());
    }
}
