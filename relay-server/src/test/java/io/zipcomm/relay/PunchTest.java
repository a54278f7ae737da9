package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.testkit.LeakCheck;
import io.zipcomm.wire.proto.Heartbeat;
import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.Pong;
import io.zipcomm.wire.proto.PunchAt;
import io.zipcomm.wire.proto.PunchWanted;
import io.zipcomm.wire.proto.ToRank.MessageCase;
import io.zipcomm.wire.proto.ToRelay;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Two ranks are told to begin at one instant, however far away each of them is. */
@Timeout(60)
final class PunchTest {

    private static final long FAR_MS = 200;
    private static final long TOLERANCE_MS = 30;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private RelayFixture fixture;

    @BeforeEach
    void start() {
        fixture = new RelayFixture(RelayFixture.insecure());
    }

    @AfterEach
    void stop() {
        fixture.close();
    }

    private static void want(TestRank from, int peer) {
        want(from, peer, from.epoch());
    }

    private static void want(TestRank from, int peer, int epoch) {
        from.control.send(ToRelay.newBuilder()
                .setPunchWanted(PunchWanted.newBuilder().setEpoch(epoch).setRank(peer))
                .build());
    }

    private static void pong(TestRank from) {
        long number = from.control.expect(MessageCase.PING).getPing().getNumber();
        assertNotEquals(0, number);
        from.control.send(ToRelay.newBuilder()
                .setPong(Pong.newBuilder().setNumber(number))
                .build());
    }

    private static PunchAt told(TestRank rank) {
        return rank.control.expect(MessageCase.PUNCH_AT).getPunchAt();
    }

    /** The next message answers this one, so nothing else was said before. */
    private static void assertThatNothingWasSaid(TestRank rank) {
        rank.control.send(ToRelay.newBuilder()
                .setHeartbeat(Heartbeat.newBuilder().setNumber(99))
                .build());
        assertEquals(
                99, rank.control.expect(MessageCase.HEARTBEAT).getHeartbeat().getNumber());
    }

    @Test
    void shouldTellBothOneInstantByTheirDistances() {
        List<TestRank> group = fixture.group("s", 2);
        want(group.get(1), 0);
        pong(group.get(1));
        // Rank 0 is far away: its answer takes its time.
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(FAR_MS));
        pong(group.get(0));
        PunchAt far = told(group.get(0));
        PunchAt near = told(group.get(1));
        assertEquals(1, far.getRank());
        assertEquals(0, near.getRank());
        assertEquals(group.get(0).epoch(), far.getEpoch());
        long laterMs = (near.getInUs() - far.getInUs()) / 1000;
        // Half of the difference: the near one's answer takes its time, too.
        assertTrue(
                Math.abs(laterMs - FAR_MS / 2) <= TOLERANCE_MS,
                "the near one is told to wait " + laterMs + " ms longer");
        assertTrue(far.getInUs() > 0, "an instant that is over when it is heard");
        assertEquals(far.getRoundTripUs(), near.getRoundTripUs());
        assertTrue(far.getRoundTripUs() >= FAR_MS * 1000, "round trip " + far.getRoundTripUs() + " us");
    }

    @Test
    void shouldMeasureARankOnceForAllItsPeers() {
        List<TestRank> group = fixture.group("s", 3);
        want(group.get(0), 1);
        want(group.get(0), 2);
        group.forEach(PunchTest::pong);
        int first = told(group.get(0)).getRank();
        int second = told(group.get(0)).getRank();
        assertEquals(3, first + second);
        assertEquals(0, told(group.get(1)).getRank());
        assertEquals(0, told(group.get(2)).getRank());
        // What was measured just now serves this pair, too.
        want(group.get(1), 2);
        assertEquals(2, told(group.get(1)).getRank());
        assertEquals(1, told(group.get(2)).getRank());
    }

    @Test
    void shouldMeasureAPairOnceThoughBothAsk() {
        List<TestRank> group = fixture.group("s", 2);
        want(group.get(0), 1);
        want(group.get(1), 0);
        group.forEach(PunchTest::pong);
        group.forEach(PunchTest::told);
        group.forEach(PunchTest::assertThatNothingWasSaid);
    }

    /** A rank that could not hear yet when both were told asks by itself later. */
    @Test
    void shouldTellWhoAsksAgainAndNotTheOther() {
        List<TestRank> group = fixture.group("s", 2);
        want(group.get(0), 1);
        group.forEach(PunchTest::pong);
        group.forEach(PunchTest::told);
        want(group.get(1), 0);
        PunchAt again = told(group.get(1));
        assertEquals(0, again.getRank());
        assertTrue(again.getInUs() >= 0, "an instant before the message");
        assertThatNothingWasSaid(group.get(0));
    }

    @Test
    void shouldTellNothingOfAPeerThatIsGoneOrDoesNotAnswer() {
        List<TestRank> group = fixture.group("s", 3);
        want(group.get(0), 1);
        pong(group.get(0));
        group.get(1).close();
        group.get(0).expectGone(1, Cause.LOST);
        want(group.get(0), 1);
        assertThatNothingWasSaid(group.get(0));
    }

    @Test
    void shouldExpelWhoAsksForAPeerThatCannotBe() {
        for (int peer : new int[] {-1, 0, 3, Integer.MAX_VALUE}) {
            List<TestRank> group = fixture.group("s" + peer, 3);
            want(group.get(0), peer);
            group.get(1).expectGone(0, Cause.EXPELLED);
        }
        List<TestRank> group = fixture.group("stale", 2);
        want(group.get(0), 1, group.get(0).epoch() + 1);
        group.get(1).expectGone(0, Cause.EXPELLED);
    }

    @Test
    void shouldTakeNoNoticeOfAnswersThatNobodyAskedFor() {
        List<TestRank> group = fixture.group("s", 2);
        for (long number : new long[] {0, 1, -1, Long.MAX_VALUE}) {
            group.get(0)
                    .control
                    .send(ToRelay.newBuilder()
                            .setPong(Pong.newBuilder().setNumber(number))
                            .build());
        }
        group.forEach(PunchTest::assertThatNothingWasSaid);
    }
}
