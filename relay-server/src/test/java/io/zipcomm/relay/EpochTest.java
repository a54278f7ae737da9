package io.zipcomm.relay;

import static io.zipcomm.relay.TestRank.join;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.proto.Agree;
import io.zipcomm.wire.proto.Continues;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.Pong;
import io.zipcomm.wire.proto.PunchAt;
import io.zipcomm.wire.proto.PunchWanted;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** How groups go from one epoch to the next, and begin without their stragglers. */
@Tag("once")
final class EpochTest {

    private static final String SESSION = "s";

    /** Long enough for what a test does before it, under load too. */
    private static final long SOON_MS = 1500;

    private RelayFixture fixture = new RelayFixture(RelayFixture.insecure());

    /** How long members that ask for the next epoch give it. */
    private long nextMs = 30_000;

    @AfterEach
    void stop() {
        fixture.close();
    }

    private void restart(RelaySettings.Builder settings) {
        fixture.close();
        fixture = new RelayFixture(settings);
    }

    private RelayStats stats() {
        return fixture.relay.stats();
    }

    private static Join.Builder of(int size, int sizeMin, int sizeMax) {
        return join(SESSION, size, -1).setSizeMin(sizeMin).setSizeMax(sizeMax);
    }

    /** A complete group, ranks in the order of the list. */
    private List<TestRank> group(Join.Builder join) {
        List<TestRank> group = new ArrayList<>();
        for (int rank = 0; rank < join.getSize(); rank++) {
            group.add(fixture.opened(TestRank.attached(fixture.at, join.clone().setRank(rank))));
        }
        group.forEach(TestRank::awaitReady);
        return group;
    }

    private List<TestRank> group(int size, int sizeMin, int sizeMax) {
        return group(of(size, sizeMin, sizeMax));
    }

    private TestRank asking(Join.Builder join) {
        return fixture.opened(TestRank.asking(fixture.at, join));
    }

    private TestRank attached(Join.Builder join) {
        return fixture.opened(TestRank.attached(fixture.at, join));
    }

    /** A member on its way to the next epoch: admitted and attached. */
    private TestRank next(TestRank member, int sizeWanted) {
        return attached(member.joinNext(sizeWanted).setJoinTimeoutMs(nextMs));
    }

    /** The same, and not attached yet. */
    private TestRank nextAdmitted(TestRank member) {
        return fixture.opened(TestRank.admitted(fixture.at, member.joinNext(0).setJoinTimeoutMs(nextMs)));
    }

    private List<TestRank> next(List<TestRank> members, int sizeWanted) {
        return members.stream().map(member -> next(member, sizeWanted)).toList();
    }

    /** They are the next group, all of which goes by ranks, views and frames; nothing is left of the old one. */
    private static void expectEpoch(List<TestRank> group, List<TestRank> former, Integer... ranksBefore) {
        group.forEach(TestRank::awaitReady);
        TestRank first = group.get(0);
        for (int rank = 0; rank < group.size(); rank++) {
            TestRank member = group.get(rank);
            assertEquals(rank, member.rank());
            assertEquals(first.view.toBuilder().setRank(rank).build(), member.view);
            assertEquals(rank, member.view.getMembers(rank).getRank());
        }
        assertEquals(List.of(ranksBefore), first.view.getRanksBeforeList());
        assertEquals(group.size(), first.view.getMembersCount());
        for (TestRank old : former) {
            assertTrue(first.epoch() > old.epoch());
            assertNotEquals(first.view.getSessionKey(), old.view.getSessionKey());
            assertEquals("epoch " + first.epoch() + " has begun", old.expectRefusal(ErrorCode.STALE_EPOCH));
            old.data.awaitEnd();
        }
        expectFrames(group);
    }

    private static void expectFrames(List<TestRank> group) {
        for (TestRank from : group) {
            for (TestRank to : group) {
                if (to != from) {
                    byte[] payload = {(byte) from.rank(), (byte) to.rank()};
                    from.send(to.rank(), payload);
                    RawConnection.In in = to.receive();
                    assertEquals(from.rank(), in.source());
                    assertArrayEquals(payload, in.payload());
                }
            }
        }
    }

    private static void expectGone(List<TestRank> witnesses, int rank, Cause cause) {
        witnesses.forEach(witness -> witness.expectGone(rank, cause));
    }

    // Shrinking

    @Test
    void shouldGoOnWithoutTheDead() {
        List<TestRank> group = group(4, 1, 0);
        group.get(1).close();
        List<TestRank> survivors = List.of(group.get(0), group.get(2), group.get(3));
        expectGone(survivors, 1, Cause.LOST);
        // In any order.
        TestRank third = next(group.get(3), 0);
        TestRank first = next(group.get(0), 0);
        assertFalse(first.rank() < 4 || third.rank() < 4, "a number that is a rank of the current epoch");
        // The current epoch lives as long as it is waited for one of them.
        group.get(2).agree(Agree.newBuilder().setNumber(1).setTimeoutMs(1));
        assertEquals(List.of(1), group.get(2).expectAgreed().getFailedList());
        assertEquals(3, stats().ranks());
        TestRank second = next(group.get(2), 0);
        expectEpoch(List.of(first, second, third), survivors, 0, 2, 3);
        assertEquals(3, stats().ranks());
        assertEquals(2, stats().groupsCompleted());
        assertEquals(1, stats().sessionsOpened());
    }

    @Test
    void shouldWaitForMembersUntilTheyAreAttached() {
        List<TestRank> group = group(2, 1, 0);
        TestRank one = next(group.get(1), 0);
        TestRank zero = nextAdmitted(group.get(0));
        one.roundTrip();
        zero.attach();
        expectEpoch(List.of(zero, one), group, 0, 1);
    }

    @Test
    void shouldNotWaitForTheDataConnectionOfMembersThatAttachNone() {
        TestRank direct = fixture.opened(
                TestRank.admitted(fixture.at, of(2, 1, 0).setRank(0).setRelayed(false)));
        TestRank other = attached(of(2, 1, 0).setRank(1));
        direct.awaitReady();
        other.awaitReady();
        TestRank directNext = nextAdmitted(direct);
        TestRank otherNext = next(other, 0);
        assertEquals(List.of(0, 1), directNext.awaitReady().view.getRanksBeforeList());
        otherNext.awaitReady();
        directNext.leave();
        otherNext.expectGone(0, Cause.LEFT);
    }

    @Test
    void shouldGoThroughManyEpochs() {
        List<TestRank> group = group(4, 1, 0);
        for (int size = 3; size >= 1; size--) {
            group.get(0).close();
            List<TestRank> survivors = List.copyOf(group.subList(1, group.size()));
            expectGone(survivors, 0, Cause.LOST);
            group = next(survivors, 0);
            expectEpoch(group, survivors, List.of(1, 2, 3).subList(0, size).toArray(Integer[]::new));
        }
        assertEquals(4, stats().groupsCompleted());
        assertEquals(1, stats().ranks());
        Await.until("old connections are gone", () -> stats().connections() == 2);
    }

    @Test
    void shouldRefuseAtOnceToShrinkBelowTheSmallestSize() {
        List<TestRank> group = group(3, 2, 0);
        group.get(0).close();
        group.get(1).expectGone(0, Cause.LOST);
        group.get(2).expectGone(0, Cause.LOST);
        group.get(1).close();
        group.get(2).expectGone(1, Cause.LOST);
        String reason = next(group.get(2), 0).expectRefusal(ErrorCode.JOIN_TIMEOUT);
        assertTrue(reason.contains(": 1 ranks, and it takes 2"), reason);
        group.get(2).roundTrip();
    }

    @Test
    void shouldTellTheOthersWhenOneGoesOnThatCouldNotRevoke() {
        List<TestRank> group = group(3, 1, 0);
        TestRank first = next(group.get(1), 0);
        for (int rank : new int[] {0, 2}) {
            ToRank told = group.get(rank).control.readAnyMessage();
            assertTrue(told.hasRevoke(), told::toString);
            assertEquals(0, told.getRevoke().getContext());
            assertEquals(1, told.getRevoke().getRank());
            assertEquals(Epoch.GOES_ON, told.getRevoke().getReason());
        }
        List<TestRank> next = new ArrayList<>(List.of(next(group.get(0), 0), first, next(group.get(2), 0)));
        expectEpoch(next, group, 0, 1, 2);
    }

    @Test
    void shouldNotRevokeAgainWhatIsRevoked() {
        List<TestRank> group = group(2, 1, 0);
        group.get(0).revoke(0, "enough");
        assertEquals("enough", group.get(1).control.readAnyMessage().getRevoke().getReason());
        List<TestRank> next = next(group, 0);
        next.forEach(TestRank::awaitReady);
        ToRank last = group.get(1).control.readAnyMessage();
        assertEquals(ErrorCode.STALE_EPOCH.number(), last.getRefused().getCode(), last::toString);
    }

    /** The hub, and who opens connections at one instant, know nothing of the epoch before. */
    @Test
    void shouldServeTheHubAndPunchesInEachEpoch() {
        List<TestRank> group = group(3, 1, 0);
        HubRank unfinished = new HubRank(group.get(1));
        unfinished.bytes = 4;
        unfinished.enters(1);
        unfinished.contributes(1, 0, HubRank.floats(1));
        Await.until("the hub has it", () -> stats().hubOperationsOpen() == 1);
        group.get(0).close();
        List<TestRank> survivors = group.subList(1, 3);
        expectGone(survivors, 0, Cause.LOST);
        List<TestRank> next = next(survivors, 0);
        expectEpoch(next, survivors, 1, 2);
        assertEquals(0, stats().hubOperationsOpen());
        for (TestRank rank : next) {
            HubRank one = new HubRank(rank);
            one.bytes = 4;
            one.enters(1);
            one.contributes(1, 0, HubRank.floats(1 + rank.rank()));
        }
        for (TestRank rank : next) {
            HubRank one = new HubRank(rank);
            one.bytes = 4;
            assertArrayEquals(HubRank.floats(3), one.expectPart(1, 0));
        }
        next.get(0)
                .control
                .send(ToRelay.newBuilder()
                        .setPunchWanted(PunchWanted.newBuilder()
                                .setEpoch(next.get(0).epoch())
                                .setRank(1))
                        .build());
        for (TestRank rank : next) {
            long number = rank.control.expect(ToRank.MessageCase.PING).getPing().getNumber();
            rank.control.send(ToRelay.newBuilder()
                    .setPong(Pong.newBuilder().setNumber(number))
                    .build());
        }
        for (TestRank rank : next) {
            PunchAt told = rank.control.expect(ToRank.MessageCase.PUNCH_AT).getPunchAt();
            assertEquals(1 - rank.rank(), told.getRank());
            assertEquals(rank.epoch(), told.getEpoch());
        }
    }

    @Test
    void shouldExpelWhoSendsFramesOfTheEpochBefore() {
        List<TestRank> group = group(2, 1, 0);
        List<TestRank> next = next(group, 0);
        expectEpoch(next, group, 0, 1);
        next.get(0).data.write(RawConnection.frame(FrameType.EAGER, group.get(0).epoch(), 0, 1, new byte[1]));
        next.get(0).expectRefusal(ErrorCode.STALE_EPOCH);
        next.get(1).expectGone(0, Cause.EXPELLED);
    }

    // Deadlines

    @Test
    void shouldLeaveOutMembersThatDoNotAsk() {
        List<TestRank> group = group(4, 2, 0);
        nextMs = SOON_MS;
        List<TestRank> survivors = List.of(group.get(0), group.get(2));
        List<TestRank> next = next(survivors, 0);
        for (int rank : new int[] {1, 3}) {
            TestRank late = group.get(rank);
            // Each may hear that the other one is gone.
            ToRank told = late.control.readMessage();
            while (told.hasMemberGone()) {
                told = late.control.readMessage();
            }
            assertEquals(ErrorCode.EXPELLED.number(), told.getRefused().getCode(), told::toString);
            assertEquals(
                    "rank " + rank + " did not ask for the next epoch within " + SOON_MS + " ms",
                    told.getRefused().getReason());
            late.data.awaitEnd();
        }
        expectGone(survivors, 1, Cause.EXPELLED);
        expectGone(survivors, 3, Cause.EXPELLED);
        expectEpoch(next, survivors, 0, 2);
        // They are told apart: those who were members, by what they know.
        asking(group.get(1).joinNext(0)).expectRefusal(ErrorCode.STALE_EPOCH);
        Join.Builder guess = group.get(1).joinNext(0);
        guess.getContinuesBuilder().setTicket(ByteString.copyFrom(new byte[32]));
        asking(guess).expectRefusal(ErrorCode.UNAUTHORIZED);
    }

    @Test
    void shouldGiveMembersThatHaveAskedTimeToAttach() {
        restart(RelayFixture.insecure().heartbeat(Duration.ofMillis(500), Duration.ofSeconds(20)));
        List<TestRank> group = group(3, 1, 0);
        nextMs = SOON_MS;
        TestRank zero = next(group.get(0), 0);
        TestRank slow = nextAdmitted(group.get(1));
        group.get(0).expectGone(2, Cause.EXPELLED);
        group.get(1).expectGone(2, Cause.EXPELLED);
        // The deadline is over.
        slow.attach();
        expectEpoch(List.of(zero, slow), group.subList(0, 2), 0, 1);
    }

    @Test
    void shouldLeaveOutMembersThatAskAndDoNotAttach() {
        restart(RelayFixture.insecure().heartbeat(Duration.ofMillis(200), Duration.ofMillis(3000)));
        List<TestRank> group = group(3, 1, 0);
        nextMs = SOON_MS;
        TestRank zero = next(group.get(0), 0);
        TestRank slow = asking(group.get(1).joinNext(0));
        TestRank witness = group.get(0);
        ToRank told = awaitSkippingHeartbeats(witness, List.of(witness, zero, slow, group.get(1)));
        assertEquals(2, told.getMemberGone().getRank());
        told = awaitSkippingHeartbeats(witness, List.of(witness, zero, slow, group.get(1)));
        assertEquals(1, told.getMemberGone().getRank(), told::toString);
        assertEquals(Cause.EXPELLED, told.getMemberGone().getCause());
        ToRank refused = skipHeartbeats(slow);
        while (refused.hasAdmitted() || refused.hasHeartbeat()) {
            refused = slow.control.readMessage();
        }
        assertEquals(ErrorCode.EXPELLED.number(), refused.getRefused().getCode(), refused::toString);
        ToRank ready = skipHeartbeats(zero);
        assertEquals(1, ready.getGroupReady().getMembersCount(), ready::toString);
    }

    /** Whom nobody goes on without is not left out. */
    @Test
    void shouldLeaveNobodyOutAsLongAsTooFewAreReady() {
        restart(RelayFixture.insecure().heartbeat(Duration.ofMillis(200), Duration.ofMillis(3000)));
        List<TestRank> group = group(5, 0, 0);
        nextMs = SOON_MS;
        TestRank zero = next(group.get(0), 0);
        List<TestRank> slow = List.of(nextAdmitted(group.get(1)), nextAdmitted(group.get(2)));
        List<TestRank> living = new ArrayList<>(group);
        living.addAll(slow);
        living.add(zero);
        ToRank refused = awaitSkippingHeartbeats(zero, living);
        assertEquals(ErrorCode.JOIN_TIMEOUT.number(), refused.getRefused().getCode(), refused::toString);
        String reason = refused.getRefused().getReason();
        assertTrue(
                reason.contains(
                        ": 1 ranks, and it takes more than half of the living members to leave others out;"
                                + " ranks 3, 4 did not ask for it; ranks 1, 2 did not attach a data connection; 5 members live"),
                reason);
        for (TestRank rank : slow) {
            assertEquals(
                    ErrorCode.JOIN_TIMEOUT.number(),
                    skipHeartbeats(rank).getRefused().getCode());
        }
        // All are what they were, and go on together.
        nextMs = 30_000;
        List<TestRank> next = next(group, 0);
        for (TestRank rank : next) {
            ToRank ready = skipHeartbeats(rank);
            assertEquals(5, ready.getGroupReady().getMembersCount(), ready::toString);
        }
    }

    /** As soon as enough are ready, though the deadline is over. */
    @Test
    void shouldLeaveOutWhoDidNotAskOnceEnoughOthersAreReady() throws Exception {
        restart(RelayFixture.insecure().heartbeat(Duration.ofMillis(500), Duration.ofSeconds(20)));
        List<TestRank> group = group(5, 0, 0);
        nextMs = SOON_MS;
        TestRank zero = next(group.get(0), 0);
        TestRank one = next(group.get(1), 0);
        TestRank two = nextAdmitted(group.get(2));
        // So the deadline is over. If it is not, the outcome is the same.
        TimeUnit.MILLISECONDS.sleep(SOON_MS + 500);
        two.attach();
        for (int rank = 0; rank < 3; rank++) {
            group.get(rank).expectGone(3, Cause.EXPELLED);
            group.get(rank).expectGone(4, Cause.EXPELLED);
        }
        expectEpoch(List.of(zero, one, two), group.subList(0, 3), 0, 1, 2);
    }

    /** Whoever heard that one goes on has ended its own: that is no death, also when nobody asks any more. */
    @Test
    void shouldNotTakeForDeadWhoLosesItsDataConnectionOnceOneHasGoneOn() throws Exception {
        restart(RelayFixture.insecure().heartbeat(Duration.ofMillis(500), Duration.ofSeconds(20)));
        List<TestRank> group = group(3, 0, 0);
        nextMs = SOON_MS;
        next(group.get(1), 0).expectRefusal(ErrorCode.JOIN_TIMEOUT);
        group.get(0).data.close();
        // Longer than the relay waits for the reason of such an end.
        TimeUnit.MILLISECONDS.sleep(1500);
        group.get(0).roundTrip();
        group.get(2).roundTrip();
        nextMs = 30_000;
        List<TestRank> next = next(group, 0);
        next.forEach(TestRank::awaitReady);
        assertEquals(List.of(0, 1, 2), next.get(0).view.getRanksBeforeList());
    }

    /** Lets these live by heartbeats until one of them hears something else. */
    private static ToRank awaitSkippingHeartbeats(TestRank witness, List<TestRank> living) {
        while (true) {
            for (TestRank rank : living) {
                rank.heartbeat(1);
            }
            ToRank told = witness.control.readMessage();
            if (!told.hasHeartbeat()) {
                return told;
            }
        }
    }

    private static ToRank skipHeartbeats(TestRank rank) {
        ToRank told = rank.control.readMessage();
        while (told.hasHeartbeat()) {
            told = rank.control.readMessage();
        }
        return told;
    }

    @Test
    void shouldShrinkToAnyNumberUnlessToldOtherwise() {
        List<TestRank> group = group(3, 0, 0);
        group.get(0).close();
        group.get(2).expectGone(0, Cause.LOST);
        group.get(1).close();
        group.get(2).expectGone(1, Cause.LOST);
        expectEpoch(List.of(next(group.get(2), 0)), group.subList(2, 3), 2);
    }

    /** As when one alone believes that something is wrong. */
    @Test
    void shouldNotLetHalfOfTheLivingLeaveOutTheOthers() {
        List<TestRank> group = group(5, 0, 0);
        group.get(4).close();
        group.subList(0, 4).forEach(rank -> rank.expectGone(4, Cause.LOST));
        nextMs = SOON_MS / 3;
        TestRank first = next(group.get(0), 0);
        nextMs = SOON_MS;
        TestRank second = next(group.get(1), 0);
        String half = "more than half of the living members to leave others out; ranks 2, 3 did not ask for it; ";
        expectTooFew(first, group, ": 2 ranks, and it takes " + half + "4 members live");
        expectTooFew(second, group, ": 1 ranks, and it takes " + half + "rank 0 asked and gave up; 4 members live");
        group.get(3).roundTrip();
        List<TestRank> next = next(group.subList(0, 3), 0);
        group.get(3).expectRefusal(ErrorCode.EXPELLED);
        next.forEach(TestRank::awaitReady);
        assertEquals(List.of(0, 1, 2), next.get(0).view.getRanksBeforeList());
    }

    @Test
    void shouldStayWhatItIsIfTooFewAsk() {
        List<TestRank> group = group(4, 3, 0);
        nextMs = SOON_MS / 3;
        TestRank one = next(group.get(1), 0);
        nextMs = SOON_MS;
        TestRank two = nextAdmitted(group.get(2));
        String unattached = "rank 2 did not attach a data connection; 4 members live";
        expectTooFew(one, group, ": 2 ranks, and it takes 3; ranks 0, 3 did not ask for it; " + unattached);
        expectTooFew(
                two,
                group,
                ": 1 ranks, and it takes 3; ranks 0, 3 did not ask for it; rank 1 asked and gave up; " + unattached);
        nextMs = 30_000;
        group.forEach(TestRank::roundTrip);
        expectFrames(group);
        expectEpoch(next(group, 0), group, 0, 1, 2, 3);
    }

    private static void expectTooFew(TestRank asked, List<TestRank> group, String end) {
        String reason = asked.expectRefusal(ErrorCode.JOIN_TIMEOUT);
        assertTrue(reason.startsWith("session s, epoch after " + group.get(0).epoch() + ", after "), reason);
        assertTrue(reason.endsWith(end), reason);
    }

    /** Who has little time gives up alone as long as there are too few; the others wait for as long as they said. */
    @Test
    void shouldWaitOnForWhoHasMoreTime() {
        List<TestRank> group = group(4, 0, 0);
        nextMs = SOON_MS;
        TestRank hasty = next(group.get(0), 0);
        nextMs = 30_000;
        List<TestRank> patient = new ArrayList<>(List.of(next(group.get(1), 0)));
        expectTooFew(
                hasty,
                group,
                ": 2 ranks, and it takes more than half of the living members to leave others out; ranks 2, 3 did not"
                        + " ask for it; 4 members live");
        patient.add(next(group.get(2), 0));
        patient.add(next(group.get(3), 0));
        patient.add(0, next(group.get(0), 0));
        expectEpoch(patient, group, 0, 1, 2, 3);
    }

    /** The other way round: who comes later with less time is not made to wait. */
    @Test
    void shouldGoOnWhenTheTimeOfTheHastiestIsOver() {
        List<TestRank> group = group(4, 0, 0);
        List<TestRank> next = new ArrayList<>(List.of(next(group.get(0), 0), next(group.get(1), 0)));
        nextMs = SOON_MS;
        next.add(next(group.get(2), 0));
        expectGone(group.subList(0, 3), 3, Cause.EXPELLED);
        expectEpoch(next, group.subList(0, 3), 0, 1, 2);
    }

    // Growing

    @Test
    void shouldLetNewcomersInBehindTheMembersInOrder() {
        List<TestRank> group = group(2, 1, 4);
        // A wish is not heard: that place is taken.
        TestRank first = attached(of(2, 1, 4).setRank(0));
        TestRank second = attached(of(2, 1, 4));
        assertEquals(4, stats().ranks());
        List<TestRank> grown = new ArrayList<>(next(group, 4));
        grown.add(first);
        grown.add(second);
        expectEpoch(grown, group, 0, 1, -1, -1);
        // Three epochs in a row: the last newcomer and the first rank go.
        grown.get(3).close();
        expectGone(grown.subList(0, 3), 3, Cause.LOST);
        grown.get(0).close();
        List<TestRank> left = List.copyOf(grown.subList(1, 3));
        expectGone(left, 0, Cause.LOST);
        List<TestRank> shrunk = next(left, 0);
        expectEpoch(shrunk, left, 1, 2);
    }

    @Test
    void shouldWaitForAsManyNewcomersAsMembersWant() {
        List<TestRank> group = group(2, 1, 4);
        List<TestRank> grown = new ArrayList<>(next(group, 4));
        grown.add(attached(of(2, 1, 4)));
        grown.get(0).roundTrip();
        TestRank last = fixture.opened(TestRank.admitted(fixture.at, of(2, 1, 4)));
        grown.get(1).roundTrip();
        grown.add(last.attach());
        expectEpoch(grown, group, 0, 1, -1, -1);
    }

    @Test
    void shouldGrowByThoseWhoHaveComeAtTheDeadline() {
        List<TestRank> group = group(2, 1, 8);
        nextMs = SOON_MS;
        TestRank newcomer = attached(of(2, 1, 8));
        TestRank unready = fixture.opened(TestRank.admitted(fixture.at, of(2, 1, 8)));
        List<TestRank> grown = new ArrayList<>(next(group, 8));
        grown.add(newcomer);
        expectEpoch(grown, group, 0, 1, -1);
        nextMs = 30_000;
        // Who was not ready goes on waiting, and is in the next.
        unready.attach();
        List<TestRank> more = new ArrayList<>(next(grown, 4));
        more.add(unready);
        expectEpoch(more, grown, 0, 1, 2, -1);
    }

    @Test
    void shouldLeaveNewcomersWaitingWhenMembersShrink() {
        List<TestRank> group = group(3, 1, 0);
        group.get(1).close();
        List<TestRank> survivors = List.of(group.get(0), group.get(2));
        expectGone(survivors, 1, Cause.LOST);
        TestRank newcomer = attached(of(3, 1, 0));
        List<TestRank> shrunk = next(survivors, 0);
        expectEpoch(shrunk, survivors, 0, 2);
        newcomer.roundTrip();
        List<TestRank> grown = new ArrayList<>(next(shrunk, 3));
        grown.add(newcomer);
        expectEpoch(grown, shrunk, 0, 1, -1);
    }

    @Test
    void shouldRefuseNewcomersForWhomThereIsNoPlace() {
        List<TestRank> group = group(2, 1, 3);
        TestRank waiting = attached(of(2, 1, 3));
        String reason = asking(of(2, 1, 3)).expectRefusal(ErrorCode.GROUP_FULL);
        assertEquals("all 3 ranks of session s have joined", reason);
        waiting.close();
        Await.until("the place is free", () -> stats().ranks() == 2);
        attached(of(2, 1, 3)).roundTrip();
        asking(of(2, 1, 4)).expectRefusal(ErrorCode.SIZE_MISMATCH);
        asking(of(2, 2, 3)).expectRefusal(ErrorCode.SIZE_MISMATCH);
        asking(of(3, 1, 3)).expectRefusal(ErrorCode.SIZE_MISMATCH);
        asking(of(2, 1, 3).putGroupSettings("x", 1)).expectRefusal(ErrorCode.BAD_SETTING);
        group.forEach(TestRank::roundTrip);
    }

    @Test
    void shouldTellNewcomersThatNobodyLetsThemIn() {
        List<TestRank> group = group(1, 1, 2);
        TestRank waiting = attached(of(1, 1, 2).setJoinTimeoutMs(SOON_MS));
        assertEquals(
                "session s after " + SOON_MS + " ms: its members have not let anybody in",
                waiting.expectRefusal(ErrorCode.JOIN_TIMEOUT));
        waiting.data.awaitEnd();
        group.get(0).roundTrip();
        assertEquals(1, stats().ranks());
        // The relay's own limit is named.
        restart(RelayFixture.insecure().set(RelayOption.JOIN_TIMEOUT_MAX, "1500"));
        group(1, 1, 2);
        String reason = attached(of(1, 1, 2)).expectRefusal(ErrorCode.JOIN_TIMEOUT);
        assertTrue(reason.endsWith(" let anybody in (join-timeout-max)"), reason);
    }

    @Test
    void shouldForgetNewcomersThatGoAwayOrFallSilent() {
        restart(RelayFixture.insecure().heartbeat(Duration.ofMillis(200), Duration.ofMillis(2000)));
        TestRank member = group(1, 1, 3).get(0);
        TestRank leaves = attached(of(1, 1, 3));
        leaves.leave();
        leaves.control.expectEnd();
        leaves.data.awaitEnd();
        TestRank lost = attached(of(1, 1, 3));
        lost.data.close();
        lost.expectRefusal(ErrorCode.RELAY_LOST);
        TestRank silent = attached(of(1, 1, 3));
        CompletableFuture<String> told = CompletableFuture.supplyAsync(() -> silent.expectRefusal(ErrorCode.LIMIT));
        while (!told.isDone()) {
            member.heartbeat(1);
            member.control.expect(ToRank.MessageCase.HEARTBEAT);
        }
        assertTrue(told.join().startsWith("no heartbeat for "), told.join());
        assertEquals(1, stats().ranks());
        assertEquals(0, stats().membersLost());
    }

    /** They would wait for nobody: members that are gone let nobody in. */
    @Test
    void shouldLetThoseWhoWaitBeginAnewWhenAllMembersAreGone() {
        List<TestRank> group = group(2, 2, 4);
        TestRank first = attached(of(2, 2, 4));
        TestRank second =
                fixture.opened(TestRank.admitted(fixture.at, of(2, 2, 4).setRank(0)));
        TestRank.closeAll(group);
        Await.until("they are gone", () -> stats().ranks() == 2);
        second.attach();
        // Who asked for a rank has it.
        expectEpoch(List.of(second, first), List.of());
        assertTrue(second.epoch() > group.get(0).epoch());
        asking(group.get(0).joinNext(0)).expectRefusal(ErrorCode.STALE_EPOCH);
        assertEquals(1, stats().sessions());
    }

    @Test
    void shouldEndWhenAllMembersAreGoneAndTheRelayDrains() throws Exception {
        List<TestRank> group = group(1, 1, 2);
        TestRank waiting = attached(of(1, 1, 2));
        CompletableFuture<Void> drained = fixture.relay.drain();
        // It lets sessions go on that are there.
        TestRank next = next(group.get(0), 2);
        expectEpoch(List.of(next, waiting), group, 0, -1);
        waiting.close();
        next.expectGone(1, Cause.LOST);
        TestRank left = attached(of(1, 1, 2));
        next.close();
        left.expectRefusal(ErrorCode.RELAY_UNREACHABLE);
        drained.get(10, TimeUnit.SECONDS);
    }

    // Who may go on, and what ends it

    @Test
    void shouldTellAllWhoAskThatTheyWantDifferentSizes() {
        List<TestRank> group = group(3, 1, 8);
        TestRank one = next(group.get(1), 5);
        TestRank two = next(group.get(2), 5);
        TestRank zero = asking(group.get(0).joinNext(0));
        String expected = "session s, epoch after " + group.get(0).epoch()
                + ": rank 1 wants 5 ranks, rank 0 wants the living members alone";
        for (TestRank asked : List.of(zero, one, two)) {
            assertEquals(expected, asked.expectRefusal(ErrorCode.OPERATION_MISMATCH));
        }
        one.data.awaitEnd();
        group.forEach(TestRank::roundTrip);
        asking(group.get(0).joinNext(-1)).expectRefusal(ErrorCode.BAD_SETTING);
        asking(group.get(0).joinNext(9)).expectRefusal(ErrorCode.BAD_SETTING);
        expectEpoch(next(group, 3), group, 0, 1, 2);
    }

    @Test
    void shouldTakeWhoDiesWhileItGathersForDead() {
        List<TestRank> group = group(3, 1, 0);
        TestRank dead = next(group.get(0), 0);
        group.get(0).control.reset();
        String reason = dead.expectRefusal(ErrorCode.EXPELLED);
        assertTrue(
                reason.startsWith("rank 0 of epoch " + group.get(0).epoch() + " is gone: control connection "), reason);
        dead.data.awaitEnd();
        List<TestRank> survivors = group.subList(1, 3);
        expectGone(survivors, 0, Cause.LOST);
        // The last who is waited for dies, too.
        TestRank one = next(group.get(1), 0);
        group.get(2).close();
        group.get(1).expectGone(2, Cause.LOST);
        expectEpoch(List.of(one), group.subList(1, 2), 1);
        assertEquals(2, stats().membersLost());
    }

    @Test
    void shouldNotWaitForWhoLeavesWhileItGathers() {
        List<TestRank> group = group(2, 1, 0);
        TestRank leaves = next(group.get(1), 0);
        TestRank stays = nextAdmitted(group.get(0));
        group.get(1).leave();
        group.get(1).control.expectEnd();
        assertEquals("rank 1 has left", leaves.expectRefusal(ErrorCode.CLOSED));
        asking(group.get(1).joinNext(0)).expectRefusal(ErrorCode.EXPELLED);
        stays.attach();
        expectEpoch(List.of(stays), group.subList(0, 1), 0);
        group.get(1).data.awaitEnd();
    }

    @Test
    void shouldLetMembersAskAgainWhoseNewConnectionEnds() {
        List<TestRank> group = group(2, 1, 0);
        for (int round = 0; round < 6; round++) {
            TestRank lost = next(group.get(0), 0);
            switch (round % 3) {
                case 0 -> lost.control.reset();
                case 1 -> {
                    lost.data.reset();
                    assertTrue(lost.expectRefusal(ErrorCode.RELAY_LOST).startsWith("data connection "));
                }
                default -> {
                    lost.leave();
                    lost.control.expectEnd();
                }
            }
            // Nobody asks any more, whatever was said last.
            TestRank other = next(group.get(1), 0);
            group.get(0).roundTrip();
            other.control.close();
            Await.until("its connections are gone", () -> stats().connections() == 4);
        }
        assertEquals(2, stats().ranks());
        expectFrames(group);
        expectEpoch(next(group, 0), group, 0, 1);
    }

    @Test
    void shouldTakeTheLatestOfTwoConnectionsOnWhichAMemberAsks() {
        List<TestRank> group = group(2, 1, 4);
        TestRank first = next(group.get(0), 0);
        TestRank second = next(group.get(0), 2);
        assertEquals("rank 0 has asked once more", first.expectRefusal(ErrorCode.RANK_TAKEN));
        first.data.awaitEnd();
        expectEpoch(List.of(second, next(group.get(1), 2)), group, 0, 1);
    }

    /** It needs it no more, and the next epoch is waited for on its control connection. */
    @Test
    void shouldLetMembersThatGatherLoseTheirOldDataConnection() {
        List<TestRank> group = group(2, 1, 0);
        TestRank zero = next(group.get(0), 0);
        group.get(0).data.close();
        TestRank one = nextAdmitted(group.get(1));
        Await.until("its end is heard", () -> stats().connections() == 6);
        // If it does not gather any more, it is a member without data connection, and may ask again.
        zero.control.close();
        Await.until("its new connections are gone", () -> stats().connections() == 4);
        one.attach();
        one.roundTrip();
        expectEpoch(List.of(next(group.get(0), 0), one), group, 0, 1);
    }

    @Test
    void shouldLetNobodyGoOnWithoutTheTicketOfAMember() {
        List<TestRank> group = group(3, 1, 0);
        TestRank member = group.get(0);
        TestRank stranger = fixture.opened(TestRank.admitted(fixture.at, join("t", 2, 0)));
        List<Continues.Builder> wrong = List.of(
                member.joinNext(0).getContinuesBuilder().clearTicket(),
                member.joinNext(0).getContinuesBuilder().setRank(1),
                member.joinNext(0).getContinuesBuilder().setRank(-1),
                member.joinNext(0).getContinuesBuilder().setRank(3),
                member.joinNext(0).getContinuesBuilder().setEpoch(member.epoch() + 1),
                member.joinNext(0).getContinuesBuilder().setTicket(stranger.admitted.getTicket()),
                member.joinNext(0)
                        .getContinuesBuilder()
                        .setKind(Continues.Kind.SAME_EPOCH)
                        .clearTicket());
        for (Continues.Builder continues : wrong) {
            // Nor is it told what else is wrong.
            Join.Builder join = of(2, 1, 0).setContinues(continues.setSizeWanted(99));
            assertEquals("there is no such place for this ticket", asking(join).expectRefusal(ErrorCode.UNAUTHORIZED));
        }
        asking(member.joinNext(0).setSession("nobody")).expectRefusal(ErrorCode.RELAY_LOST);
        // Where only those are who gather afresh, its group may still come back.
        asking(member.joinNext(0).setSession("t")).expectRefusal(ErrorCode.RELAY_LOST);
        Join.Builder unknown = member.joinNext(0);
        unknown.getContinuesBuilder().setKindValue(7);
        asking(unknown).expectRefusal(ErrorCode.PROTOCOL);
        asking(member.joinNext(0).setSizeMin(2)).expectRefusal(ErrorCode.SIZE_MISMATCH);
        group.get(1).close();
        expectGone(List.of(group.get(0), group.get(2)), 1, Cause.LOST);
        asking(group.get(1).joinNext(0)).expectRefusal(ErrorCode.EXPELLED);
        assertEquals(1, stats().sessionsOpened() - 1);
    }

    @Test
    void shouldLetMembersGoOnWhoseTokenHasExpired() throws Exception {
        RelaySecret secret = RelaySecret.random();
        restart(RelaySettings.builder().listen("127.0.0.1:0").secret(secret));
        Instant expires = Instant.now().plusSeconds(2);
        String token = RelayTokens.mint(
                TokenKey.of(secret), TokenRequest.forSession(SESSION).expires(expires));
        List<TestRank> group = group(of(2, 1, 0).setToken(token));
        // Clocks may differ by five seconds.
        Await.until("it has expired", () -> {
            group.forEach(TestRank::roundTrip);
            return Instant.now().isAfter(expires.plusSeconds(6));
        });
        asking(of(2, 1, 0).setToken(token)).expectRefusal(ErrorCode.UNAUTHORIZED);
        expectEpoch(next(group, 0), group, 0, 1);
    }

    @Test
    void shouldNotLetWhatIsSaidOnTheNewConnectionCount() {
        List<TestRank> group = group(2, 1, 0);
        TestRank asked = next(group.get(0), 0);
        asked.view = group.get(0).view;
        asked.revoke(0, "too early");
        assertTrue(asked.expectRefusal(ErrorCode.STALE_EPOCH).endsWith(" before the group is complete"));
        group.forEach(TestRank::roundTrip);
        assertEquals(2, stats().ranks());
        assertEquals(0, stats().membersExpelled());
    }

    @Test
    void shouldForgetAllWhenTheRelayClosesMeanwhile() {
        List<TestRank> group = group(3, 1, 4);
        TestRank asked = next(group.get(0), 4);
        TestRank waiting = attached(of(3, 1, 4));
        group.get(1).agree(Agree.newBuilder().setNumber(1).setTimeoutMs(60_000));
        group.get(1).roundTrip();
        fixture.relay.close();
        for (TestRank rank : List.of(group.get(0), group.get(1), group.get(2), asked, waiting)) {
            rank.control.awaitEnd();
            rank.data.awaitEnd();
        }
        assertEquals(0, stats().sessions());
        assertEquals(0, stats().ranks());
    }

    @Test
    void shouldShowEachRankOnce() throws Exception {
        List<TestRank> group = group(2, 1, 4);
        next(group.get(0), 3);
        fixture.opened(TestRank.admitted(fixture.at, of(2, 1, 4)));
        SessionView view = fixture.relay.sessions().get(10, TimeUnit.SECONDS).get(0);
        assertEquals(
                List.of(0, 1, -1),
                view.ranks().stream().map(SessionView.RankView::rank).toList());
        assertEquals(group.get(0).epoch(), view.epoch());
        assertEquals(2, view.size());
    }

    // Stragglers

    @Test
    void shouldBeginWithoutStragglersOnceTheJoinTimeoutIsOver() {
        // Not all who come in time ask for a number.
        TestRank three = attached(of(4, 2, 0).setRank(3).setJoinTimeoutMs(SOON_MS));
        TestRank any = asking(of(4, 2, 0));
        TestRank one = attached(of(4, 2, 0).setRank(1));
        any.awaitAdmitted().attach();
        expectEpoch(List.of(any, one, three), List.of());
        // A straggler is a newcomer.
        TestRank straggler = attached(of(4, 2, 0).setRank(1));
        List<TestRank> group = List.of(any, one, three);
        List<TestRank> all = new ArrayList<>(next(group, 4));
        all.add(straggler);
        expectEpoch(all, group, 0, 1, 2, -1);
    }

    @Test
    void shouldLetStragglersThatAreNotReadyWaitForTheNextEpoch() {
        restart(RelayFixture.insecure().heartbeat(Duration.ofMillis(200), Duration.ofMillis(3000)));
        TestRank zero = attached(of(3, 1, 0).setRank(0).setJoinTimeoutMs(SOON_MS));
        TestRank slow = fixture.opened(TestRank.admitted(fixture.at, of(3, 1, 0).setRank(1)));
        // Its number is that of a place which somebody else has now.
        TestRank two = attached(of(3, 1, 0).setRank(2));
        ToRank told = awaitSkippingHeartbeats(zero, List.of(zero, slow, two));
        assertEquals(2, told.getGroupReady().getMembersCount(), told::toString);
        zero.view = told.getGroupReady();
        two.view = skipHeartbeats(two).getGroupReady();
        assertEquals(1, two.rank());
        slow.attach();
        List<TestRank> group = List.of(zero, two);
        List<TestRank> all = new ArrayList<>(next(group, 3));
        all.add(slow);
        for (TestRank rank : all) {
            rank.view = skipHeartbeats(rank).getGroupReady();
            assertEquals(List.of(0, 1, -1), rank.view.getRanksBeforeList());
        }
        assertEquals(2, slow.rank());
        expectFrames(all);
    }

    /** Places are not given any more, but who comes now need not come again. */
    @Test
    void shouldLetThoseWaitWhoComeWhileStragglersAreGivenTime() {
        TestRank zero = attached(of(3, 1, 5).setRank(0).setJoinTimeoutMs(SOON_MS));
        TestRank slow = asking(of(3, 1, 5));
        // It is admitted at the deadline.
        slow.awaitAdmitted();
        TestRank late = attached(of(3, 1, 5).setRank(2));
        slow.attach();
        List<TestRank> group = List.of(zero, slow);
        expectEpoch(group, List.of());
        List<TestRank> all = new ArrayList<>(next(group, 3));
        all.add(late);
        expectEpoch(all, group, 0, 1, -1);
    }

    @Test
    void shouldNotBeginWithTooFewWhenTheJoinTimeoutIsOver() {
        TestRank zero = attached(of(4, 3, 0).setRank(0).setJoinTimeoutMs(SOON_MS));
        TestRank one = attached(of(4, 3, 0).setRank(1));
        String expected = "session s after " + SOON_MS + " ms: 2 of 4 ranks joined; missing ranks 2, 3";
        assertEquals(expected, zero.expectRefusal(ErrorCode.JOIN_TIMEOUT));
        assertEquals(expected, one.expectRefusal(ErrorCode.JOIN_TIMEOUT));
    }

    @Test
    void shouldGiveThePlaceOfWhoGoesAwayToWhoWaits() {
        TestRank zero = attached(of(2, 2, 3).setRank(0));
        TestRank one = fixture.opened(TestRank.admitted(fixture.at, of(2, 2, 3).setRank(1)));
        TestRank waiting = attached(of(2, 2, 3));
        asking(of(2, 2, 3)).expectRefusal(ErrorCode.GROUP_FULL);
        one.control.reset();
        expectEpoch(List.of(zero, waiting), List.of());
    }

    @Test
    void shouldRefuseSizesThatCannotBe() {
        for (int[] sizes : new int[][] {{2, 3, 0}, {2, -1, 0}, {2, 1, 1}, {2, 1, -1}, {2, 1, 65_537}}) {
            asking(of(sizes[0], sizes[1], sizes[2])).expectRefusal(ErrorCode.BAD_SETTING);
        }
        asking(of(2, 1, 1025)).expectRefusal(ErrorCode.LIMIT);
        assertEquals(0, stats().sessionsOpened());
    }
}
