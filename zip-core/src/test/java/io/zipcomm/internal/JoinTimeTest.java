package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.InvalidProtocolBufferException;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.ControlChannel;
import io.zipcomm.transport.TransportProvider;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.proto.Admitted;
import io.zipcomm.wire.proto.Heartbeat;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** How much time a rank gives the relay, by a clock that is set by hand. */
final class JoinTimeTest {

    private static final int TIMEOUT_MS = 20_000;

    /** How long the relay's answer may take when that is over. */
    private static final int ANSWER_MS = 2000;

    private static final ToRank ADMITTED = ToRank.newBuilder()
            .setAdmitted(Admitted.newBuilder().setVersion(Frame.VERSION))
            .build();

    private static final ToRank BEAT = ToRank.newBuilder()
            .setHeartbeat(Heartbeat.newBuilder().setNumber(1))
            .build();

    private long nowNs = TimeUnit.SECONDS.toNanos(1000);

    /** Answers who joins. */
    private final class Relay implements ControlChannel {
        private final List<ToRank> answers;
        private final Duration answering;
        private Listener rank;
        private Join join;

        Relay(Duration answering, ToRank... answers) {
            this.answering = answering;
            this.answers = List.of(answers);
        }

        @Override
        public void send(byte[] message) {
            try {
                join = ToRelay.parseFrom(message).getJoin();
            } catch (InvalidProtocolBufferException e) {
                throw new IllegalArgumentException(e);
            }
            nowNs += answering.toNanos();
            answers.forEach(answer -> rank.message(ByteBuffer.wrap(answer.toByteArray())));
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
        public void close() {}
    }

    /** Joins at a relay to which connecting takes some time. */
    private void join(Relay relay, Duration connecting) {
        ZipSettings settings = ZipSettings.builder()
                .relay("127.0.0.1:2")
                .session("s")
                .size(2)
                .joinTimeout(Duration.ofMillis(TIMEOUT_MS))
                .build();
        TransportProvider provider = (TransportProvider) Proxy.newProxyInstance(
                TransportProvider.class.getClassLoader(),
                new Class<?>[] {TransportProvider.class},
                (proxy, method, arguments) -> {
                    if (!method.getName().equals("openControl")) {
                        return List.of();
                    }
                    nowNs += connecting.toNanos();
                    relay.rank = (ControlChannel.Listener) arguments[3];
                    return relay;
                });
        MembershipClient.join(settings, provider, List.of(), 0, "host", true, () -> nowNs);
    }

    private Join joinedAfter(Duration connecting) {
        Relay relay = new Relay(Duration.ZERO, ADMITTED);
        join(relay, connecting);
        return relay.join;
    }

    private ZipException timedOut(ToRank... answers) {
        // One ms is left to wait.
        Relay relay = new Relay(Duration.ofMillis(TIMEOUT_MS + ANSWER_MS - 1), answers);
        return assertThrows(ZipException.class, () -> join(relay, Duration.ZERO));
    }

    @Test
    void shouldGiveTheRelayWhatConnectingHasLeft() {
        assertEquals(TIMEOUT_MS, joinedAfter(Duration.ZERO).getJoinTimeoutMs());
        assertEquals(TIMEOUT_MS - 2300, joinedAfter(Duration.ofMillis(2300)).getJoinTimeoutMs());
    }

    @Test
    void shouldAskARelayForAnAnswerAtOnceIfNothingIsLeft() {
        assertEquals(1, joinedAfter(Duration.ofMillis(TIMEOUT_MS)).getJoinTimeoutMs());
        assertEquals(1, joinedAfter(Duration.ofMillis(TIMEOUT_MS + 1500)).getJoinTimeoutMs());
    }

    @Test
    void shouldNotTakeARelayForUnreachableThatAnswersWhileOthersAreAwaited() {
        ZipException failure = timedOut(BEAT);
        assertEquals(ErrorCode.JOIN_TIMEOUT, failure.code(), failure.getMessage());
        assertTrue(failure.reason().contains("this rank's join timeout is over"), failure.getMessage());
    }

    @Test
    void shouldTakeARelayForUnreachableThatSaysNothing() {
        ZipException failure = timedOut();
        assertEquals(ErrorCode.RELAY_UNREACHABLE, failure.code(), failure.getMessage());
        assertTrue(failure.reason().contains("did not answer"), failure.getMessage());
    }
}
