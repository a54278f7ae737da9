package io.zipcomm.relay;

import static io.zipcomm.relay.TestRank.join;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.proto.MemberGone;
import io.zipcomm.wire.proto.ToRank;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Data connections on which nothing is to be said. */
@Timeout(60)
@Tag("once")
final class PulseTest {

    private static final int BEAT_MS = 50;

    private RelayFixture fixture = new RelayFixture(settings());

    private static RelaySettings.Builder settings() {
        // Over NIO the relay has nothing to go by but answers.
        return RelayFixture.insecure()
                .io(RelaySettings.IoChoice.NIO)
                .set(RelayOption.HEARTBEAT_INTERVAL, Integer.toString(BEAT_MS))
                .set(RelayOption.HEARTBEAT_TIMEOUT, "1000");
    }

    @AfterEach
    void stop() {
        fixture.close();
    }

    private TestRank attached(int size, int number, boolean answersPing) {
        TestRank rank = fixture.opened(TestRank.admitted(fixture.at, join("s", size, number)));
        rank.answersPing = answersPing;
        return rank.attach();
    }

    private static RawConnection.In expectPing(TestRank rank) {
        RawConnection.In in = rank.data.read();
        assertEquals(FrameType.PING, in.type());
        assertEquals(rank.rank(), in.source());
        return in;
    }

    private static void beat(TestRank rank) {
        rank.heartbeat(1);
    }

    @Test
    void shouldSpeakWhileTheGroupGathers() {
        TestRank first = attached(2, 0, true);
        expectPing(first);
        expectPing(first);
    }

    @Test
    void shouldAskAgainAndAgainAndTakeTheAnswers() {
        List<TestRank> ranks = List.of(attached(2, 0, true), attached(2, 1, true));
        ranks.forEach(TestRank::awaitReady);
        long deadlineNs = System.nanoTime() + Duration.ofSeconds(3).toNanos();
        while (System.nanoTime() - deadlineNs < 0) {
            for (TestRank rank : ranks) {
                expectPing(rank);
                rank.data.write(rank.frame(FrameType.PONG, rank.rank(), new byte[0]));
                beat(rank);
            }
        }
        assertEquals(2, fixture.relay.stats().ranks());
    }

    @Test
    void shouldGiveUpWhoDoesNotAnswer() throws InterruptedException {
        TestRank silent = attached(2, 0, true);
        TestRank other = attached(2, 1, false);
        silent.awaitReady();
        other.awaitReady();
        Thread beats = new Thread(() -> {
            while (fixture.relay.stats().ranks() == 2) {
                beat(silent);
                beat(other);
                java.util.concurrent.locks.LockSupport.parkNanos(
                        Duration.ofMillis(BEAT_MS).toNanos());
            }
        });
        beats.start();
        ToRank said = other.control.readMessage();
        while (said.hasHeartbeat()) {
            said = other.control.readMessage();
        }
        MemberGone gone = said.getMemberGone();
        assertEquals(0, gone.getRank(), gone::toString);
        assertEquals(MemberGone.Cause.LOST, gone.getCause(), gone::toString);
        assertTrue(gone.getDetail().contains("data connection silent for 2000 ms"), gone::getDetail);
        beats.join(10_000);
    }

    @Test
    void shouldNotAskWhoDidNotOffer() {
        TestRank old = attached(2, 0, false);
        TestRank other = attached(2, 1, false);
        old.awaitReady();
        other.awaitReady();
        long deadlineNs = System.nanoTime() + Duration.ofSeconds(3).toNanos();
        while (System.nanoTime() - deadlineNs < 0) {
            beat(old);
            beat(other);
            java.util.concurrent.locks.LockSupport.parkNanos(
                    Duration.ofMillis(BEAT_MS).toNanos());
        }
        other.send(0, new byte[] {1});
        assertEquals(FrameType.EAGER, old.data.read().type());
    }

    @Test
    void shouldTakeNoAnswerToWhatItDidNotAsk() {
        TestRank rank = attached(2, 0, false);
        TestRank other = attached(2, 1, false);
        rank.awaitReady();
        other.awaitReady();
        rank.data.write(rank.frame(FrameType.PONG, 0, new byte[0]));
        rank.expectRefusal(ErrorCode.PROTOCOL);
    }
}
