package io.zipcomm.relay;

import static io.zipcomm.relay.TestRank.join;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.proto.Abort;
import io.zipcomm.wire.proto.Agree;
import io.zipcomm.wire.proto.Agreed;
import io.zipcomm.wire.proto.Attach;
import io.zipcomm.wire.proto.Continues;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.MemberGone;
import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.Revoke;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Groups that began at a relay that is no more, and come back to one that does not know them. */
@Tag("once")
final class RestorationTest {

    /** Longer than any test takes, but for those in which the time is to be over. */
    private static final Duration LONG = Duration.ofSeconds(60);

    private static final Duration SHORT = Duration.ofMillis(500);
    private static final RelaySecret SECRET = RelaySecret.random();
    private static final byte[] PAYLOAD = {1, 2, 3};

    private final List<Returner> returners = new ArrayList<>();

    /** Of the relay that is started again. */
    private RelaySettings.Builder settings = settings(LONG);

    /** With the relay that was started again; null before {@link #before}. */
    private RelayFixture fixture;

    private static RelaySettings.Builder settings(Duration heartbeatTimeout) {
        return RelayFixture.insecure().heartbeat(Duration.ofMillis(200), heartbeatTimeout);
    }

    /** Ranks of a complete group whose relay is no more; another has been started. */
    private List<TestRank> before(int size) {
        return before(size, size);
    }

    private List<TestRank> before(int size, int sizeMax) {
        return before(size, sizeMax, 0);
    }

    private List<TestRank> before(int size, int sizeMax, int sizeMin) {
        List<TestRank> group = new ArrayList<>();
        try (RelayFixture old = new RelayFixture(RelayFixture.insecure())) {
            for (int rank = 0; rank < size; rank++) {
                TestRank member = TestRank.attached(
                        old.at, join("s", size, rank).setSizeMax(sizeMax).setSizeMin(sizeMin));
                group.add(old.opened(member));
            }
            group.forEach(TestRank::awaitReady);
        }
        fixture = new RelayFixture(settings);
        return group;
    }

    @AfterEach
    void stop() {
        returners.forEach(Returner::close);
        fixture.close();
    }

    private Returner returner(TestRank rank) {
        Returner returner = new Returner(rank, fixture.at);
        returners.add(returner);
        return returner;
    }

    private List<Returner> returners(List<TestRank> group) {
        return group.stream().map(this::returner).toList();
    }

    /** A group that has come back, with data connections. */
    private List<Returner> restored(List<TestRank> group) {
        List<Returner> back = returners(group);
        back.forEach(Returner::comeBack);
        back.forEach(Returner::awaitAdmitted);
        back.forEach(Returner::attach);
        return back;
    }

    /** Takes in that flows begin anew with so many who attached later. */
    private static void answerResets(Returner rank, int count) {
        for (int reset = 0; reset < count; reset++) {
            RawConnection.In in = rank.data.read();
            assertEquals(FrameType.RESET, in.type());
            ByteBuffer answer = ByteBuffer.wrap(rank.frame(FrameType.RESET, in.source(), new byte[0]))
                    .order(ByteOrder.LITTLE_ENDIAN);
            Frame.transfer(answer, 0, Frame.transfer(in.header(), 0));
            rank.data.write(answer.array());
        }
    }

    // Coming back

    @Test
    void shouldGoOnInTheSameEpochOnceAllAreBack() {
        List<TestRank> group = before(3);
        List<Returner> back = returners(group);
        back.get(2).comeBack();
        back.get(0).comeBack();
        assertEquals(1, fixture.relay.stats().sessions());
        back.get(1).comeBack();
        back.forEach(Returner::awaitAdmitted);
        back.forEach(Returner::attach);
        assertEquals(3, fixture.relay.stats().ranks());
        answerResets(back.get(0), 2);
        answerResets(back.get(1), 1);
        for (int source : new int[] {0, 2}) {
            Returner from = back.get(source);
            from.data.write(from.frame(FrameType.EAGER, 1, PAYLOAD));
            assertArrayEquals(PAYLOAD, back.get(1).data.read().payload());
        }
        back.forEach(Returner::roundTrip);
    }

    @Test
    void shouldTakeNoDataConnectionBeforeTheGroupGoesOn() {
        List<TestRank> group = before(2);
        Returner early = returner(group.get(0)).comeBack();
        try (RawConnection data = new RawConnection(fixture.at)) {
            early.sendAttach(data);
            data.expectRefusal(ErrorCode.UNAUTHORIZED);
        }
        returner(group.get(1)).comeBack().awaitAdmitted();
        early.awaitAdmitted().attach();
    }

    @Test
    void shouldGiveUpWhoDoesNotComeBackInTime() {
        settings = settings(SHORT);
        List<TestRank> group = before(3);
        List<Returner> back = returners(group.subList(0, 2));
        back.forEach(Returner::comeBack);
        for (Returner one : back) {
            String detail = one.awaitAdmitted().expectGone(2, Cause.LOST).getDetail();
            assertEquals("did not come back within 500 ms after the relay was started again", detail);
        }
        String reason = returner(group.get(2)).ask().expectRefusal(ErrorCode.EXPELLED);
        assertTrue(
                reason.startsWith("rank 2 of epoch " + group.get(2).epoch() + " was given up: did not come"), reason);
        assertEquals(1, fixture.relay.stats().membersLost());
    }

    @Test
    void shouldNotGoOnWithoutMostOfTheRanksButLetThemTryAgain() {
        settings = settings(SHORT);
        List<TestRank> group = before(4);
        for (Returner one : returners(group.subList(0, 2))) {
            one.comeBack();
        }
        for (Returner one : List.copyOf(returners)) {
            assertEquals(
                    "2 of 4 ranks of epoch " + one.epoch()
                            + " came back within 500 ms after the relay was started again, and it takes more than half of"
                            + " them to go on without the others",
                    one.expectRefusal(ErrorCode.RELAY_LOST));
        }
        Await.until("session is gone", () -> fixture.relay.stats().sessions() == 0);
        List<Returner> again = returners(group);
        again.forEach(Returner::comeBack);
        again.forEach(Returner::awaitAdmitted);
        again.forEach(Returner::attach);
        assertEquals(0, fixture.relay.stats().membersLost());
    }

    @Test
    void shouldCountWhoIsKnownToBeGoneAmongThoseOfWhomMostMustCome() {
        settings = settings(SHORT);
        List<TestRank> group = before(5);
        List<Returner> back = returners(group.subList(0, 2));
        back.forEach(one -> one.knowsGone(3, Cause.LEFT, "left").knowsGone(4, Cause.LEFT, "left"));
        back.forEach(Returner::comeBack);
        for (Returner one : back) {
            one.awaitAdmitted().expectGone(2, Cause.LOST);
        }
    }

    @Test
    void shouldGoOnWithAsFewAsTheSessionSaidAreEnough() {
        settings = settings(SHORT);
        List<TestRank> group = before(4, 4, 2);
        Returner alone = returner(group.get(0)).comeBack();
        String reason = alone.expectRefusal(ErrorCode.RELAY_LOST);
        assertTrue(reason.endsWith("and it takes 2"), reason);
        List<Returner> back = returners(group.subList(0, 2));
        back.forEach(Returner::comeBack);
        for (Returner one : back) {
            one.awaitAdmitted().expectGone(2, Cause.LOST);
        }
    }

    @Test
    void shouldGiveUpWhoOpensNoDataConnectionInTime() {
        settings = settings(SHORT);
        List<TestRank> group = before(2);
        List<Returner> back = returners(group);
        back.forEach(Returner::comeBack);
        back.forEach(Returner::awaitAdmitted);
        back.get(0).attach();
        String detail = back.get(0).expectGone(1, Cause.LOST).getDetail();
        assertEquals("no data connection since the relay was started again", detail);
        back.get(1).expectRefusal(ErrorCode.RELAY_LOST);
    }

    @Test
    void shouldNotWaitForWhoMembersKnowToBeGoneAndTellTheOthers() {
        List<TestRank> group = before(4);
        List<Returner> back = returners(group.subList(0, 2));
        back.get(0).knowsGone(2, Cause.LEFT, "left").comeBack();
        back.get(1).knowsGone(3, Cause.SILENT, "no heartbeat").comeBack();
        for (Returner one : back) {
            one.awaitAdmitted();
            one.expectGone(2, Cause.LEFT);
            assertEquals("no heartbeat", one.expectGone(3, Cause.SILENT).getDetail());
        }
        String reason = returner(group.get(3)).ask().expectRefusal(ErrorCode.EXPELLED);
        assertTrue(reason.endsWith("was given up: no heartbeat"), reason);
    }

    @Test
    void shouldExpelAReturnerThatAnotherKnowsToBeGone() {
        List<TestRank> group = before(3);
        Returner gone = returner(group.get(2)).comeBack();
        returner(group.get(0)).comeBack();
        Returner judge = returner(group.get(1))
                .knowsGone(2, Cause.LOST, "its connection broke")
                .comeBack();
        String reason = gone.expectRefusal(ErrorCode.EXPELLED);
        assertTrue(reason.endsWith("was given up: its connection broke"), reason);
        judge.awaitAdmitted().expectGone(2, Cause.LOST);
    }

    @Test
    void shouldTakeAMemberOnAnotherConnectionWhileOthersAreMissing() {
        List<TestRank> group = before(2);
        Returner first = returner(group.get(0)).comeBack();
        Returner again = returner(group.get(0)).comeBack();
        first.control.awaitEnd();
        returner(group.get(1)).comeBack().awaitAdmitted();
        again.awaitAdmitted().roundTrip();
        assertEquals(2, fixture.relay.stats().ranks());
    }

    @Test
    void shouldEndASessionToWhichNobodyIsLeftThatCameBack() {
        List<TestRank> group = before(2);
        returner(group.get(0)).comeBack().close();
        Await.until("session is gone", () -> fixture.relay.stats().sessions() == 0);
        assertEquals(0, fixture.relay.stats().ranks());
    }

    /** As above, for a group that this relay took up, and whose tickets are those of another. */
    @Test
    void shouldNotTakeUpAGroupTwice() {
        List<TestRank> group = before(2);
        restored(group).forEach(Returner::close);
        Await.until("session is gone", () -> fixture.relay.stats().sessions() == 0);
        returner(group.get(0)).ask().expectRefusal(ErrorCode.EXPELLED);
    }

    // Epochs

    @Test
    void shouldTakeUpTheLaterEpochWhicheverComesFirst() {
        List<TestRank> group = before(2);
        int later = group.get(0).epoch() + 5;
        Returner stale = returner(group.get(0)).comeBack();
        Returner live = returner(group.get(1)).ofEpoch(later);
        live.recall.setSize(1);
        // Of the later epoch it is the only one, and its rank there 0.
        live.ask(live.continues().setRank(0)).awaitRestoring().recall();
        String reason = stale.expectRefusal(ErrorCode.STALE_EPOCH);
        assertTrue(reason.contains("epoch " + later + " has begun"), reason);
        live.awaitAdmitted();
        String after = returner(group.get(0)).ask().expectRefusal(ErrorCode.STALE_EPOCH);
        assertTrue(after.contains("is over: epoch " + later + " has begun"), after);
        live.roundTrip();
    }

    @Test
    void shouldEndAnEpochThatWentOnWithoutSomeForALaterOne() {
        settings = settings(SHORT);
        List<TestRank> group = before(2, 2, 1);
        int later = group.get(0).epoch() + 5;
        Returner stale = returner(group.get(0)).comeBack().awaitAdmitted();
        stale.expectGone(1, Cause.LOST);
        Returner live = returner(group.get(1)).ofEpoch(later);
        live.recall.setSize(1);
        live.ask(live.continues().setRank(0)).awaitRestoring().recall();
        String reason = stale.expectRefusal(ErrorCode.STALE_EPOCH);
        assertEquals("epoch " + later + ", which is later, goes on", reason);
        live.awaitAdmitted().roundTrip();
    }

    @Test
    void shouldNotEndACompleteGroupForALaterEpoch() {
        List<TestRank> group = before(2);
        List<Returner> back = restored(group);
        Returner other = returner(group.get(1)).ofEpoch(group.get(0).epoch() + 1);
        String reason = other.ask().expectRefusal(ErrorCode.EXPELLED);
        assertTrue(reason.startsWith("another group of session s has begun at the relay: epoch "), reason);
        back.forEach(Returner::roundTrip);
    }

    @Test
    void shouldNumberLaterEpochsOfASessionAboveThatWhichItTookUp() {
        List<TestRank> group = before(2);
        int high = (1 << 30) - 1;
        List<Returner> back = returners(group);
        back.forEach(one -> one.ofEpoch(high).comeBack());
        back.forEach(Returner::awaitAdmitted);
        // Nobody else has to do with it.
        assertEquals(1, fixture.group("t", 1).get(0).epoch());
        List<TestRank> next = new ArrayList<>();
        for (TestRank member : group) {
            Join.Builder join = member.joinNext(0);
            join.getContinuesBuilder().setEpoch(high);
            next.add(fixture.opened(TestRank.attached(fixture.at, join)));
        }
        next.forEach(TestRank::awaitReady);
        assertEquals(high + 1, next.get(0).epoch());
    }

    @Test
    void shouldNotEndAGroupForALaterEpochThatOneOnlyNames() throws InterruptedException {
        settings = settings(SHORT);
        List<TestRank> group = before(3);
        Returner first = returner(group.get(0)).comeBack();
        returner(group.get(1)).ofEpoch(first.epoch() + 5).ask().awaitRestoring();
        Returner second = returner(group.get(1)).comeBack();
        for (Returner one : List.of(first, second)) {
            one.awaitAdmitted().expectGone(2, Cause.LOST);
        }
        // It went on incomplete, and another names a later one again.
        Returner stranger = returner(group.get(2)).ofEpoch(first.epoch() + 6);
        stranger.ask().awaitRestoring();
        first.roundTrip();
        second.roundTrip();
        first.attach();
        second.attach();
        // The others must not be silent for as long as it.
        while (!stranger.control.hasInput()) {
            first.roundTrip();
            second.roundTrip();
            TimeUnit.MILLISECONDS.sleep(20);
        }
        assertTrue(stranger.expectRefusal(ErrorCode.RELAY_LOST).contains("did not say in time"));
        first.roundTrip();
        second.roundTrip();
    }

    @Test
    void shouldRefuseALaterEpochOnceAllOfTheGroupAreBack() {
        List<TestRank> group = before(2);
        Returner later = returner(group.get(1)).ofEpoch(group.get(0).epoch() + 5);
        later.ask().awaitRestoring();
        List<Returner> back = restored(group);
        String reason = later.expectRefusal(ErrorCode.EXPELLED);
        assertTrue(reason.startsWith("another group of session s has begun at the relay: epoch "), reason);
        back.forEach(Returner::roundTrip);
    }

    @Test
    void shouldBoundTheEpochsThatComeBackAtOnce() {
        List<TestRank> group = before(2);
        for (int later = 1; later <= 4; later++) {
            returner(group.get(0)).ofEpoch(group.get(0).epoch() + later).ask().awaitRestoring();
        }
        String reason = returner(group.get(0)).ask().expectRefusal(ErrorCode.LIMIT);
        assertEquals("members of 4 epochs of session s come back to the relay, and no more are allowed", reason);
    }

    @Test
    void shouldTakeMembersToTheNextEpochAfterTheyCameBack() {
        List<TestRank> group = before(2);
        TestRank refused = TestRank.asking(fixture.at, group.get(0).joinNext(0));
        fixture.opened(refused).expectRefusal(ErrorCode.RELAY_LOST);
        Returner first = returner(group.get(0)).comeBack();
        TestRank early = TestRank.asking(fixture.at, group.get(0).joinNext(0));
        fixture.opened(early).expectRefusal(ErrorCode.RELAY_LOST);
        returner(group.get(1)).comeBack().awaitAdmitted();
        first.awaitAdmitted();
        List<TestRank> next = new ArrayList<>();
        for (TestRank member : group) {
            next.add(fixture.opened(TestRank.attached(fixture.at, member.joinNext(0))));
        }
        next.forEach(TestRank::awaitReady);
        assertEquals(List.of(0, 1), next.get(0).view.getRanksBeforeList());
        assertTrue(next.get(0).epoch() > group.get(0).epoch());
    }

    /** A process that joins may reach the relay before any member comes back, and one member ask for the next epoch before that. */
    @Test
    void shouldLetMembersAskAgainWhereOnlyThoseAreWhoGatherForAFirstEpoch() {
        List<TestRank> group = before(2, 3);
        TestRank fresh =
                fixture.opened(TestRank.attached(fixture.at, join("s", 2, 0).setSizeMax(3)));
        TestRank early = TestRank.asking(fixture.at, group.get(0).joinNext(0));
        fixture.opened(early).expectRefusal(ErrorCode.RELAY_LOST);
        restored(group);
        fresh.roundTrip();
    }

    @Test
    void shouldLetMembersAskAgainWhereAnEarlierEpochWentOnWithoutThem() {
        settings = settings(SHORT);
        List<TestRank> group = before(2, 2, 1);
        Returner stale = returner(group.get(0)).comeBack().awaitAdmitted();
        stale.expectGone(1, Cause.LOST);
        int later = stale.epoch() + 5;
        fixture.opened(TestRank.asking(fixture.at, asksFrom(group.get(1), later)))
                .expectRefusal(ErrorCode.RELAY_LOST);
        fixture.opened(TestRank.asking(fixture.at, asksFrom(group.get(1), stale.epoch() - 1)))
                .expectRefusal(ErrorCode.UNAUTHORIZED);
        stale.roundTrip();
    }

    @Test
    void shouldNotLetMembersAskAgainWhereACompleteGroupIs() {
        List<TestRank> group = before(2);
        List<Returner> back = restored(group);
        Join.Builder later = asksFrom(group.get(1), group.get(0).epoch() + 5);
        fixture.opened(TestRank.asking(fixture.at, later)).expectRefusal(ErrorCode.UNAUTHORIZED);
        back.forEach(Returner::roundTrip);
    }

    private static Join.Builder asksFrom(TestRank member, int epoch) {
        Join.Builder join = member.joinNext(0);
        join.getContinuesBuilder().setEpoch(epoch);
        return join;
    }

    // Others of the same name

    @Test
    void shouldTakeTheSessionFromThoseWhoGatherForAFirstEpoch() {
        List<TestRank> group = before(2);
        TestRank fresh = fixture.opened(TestRank.attached(fixture.at, join("s", 2, 0)));
        List<Returner> back = returners(group);
        back.get(0).comeBack();
        fresh.expectRefusal(ErrorCode.GROUP_FULL);
        back.get(1).comeBack();
        back.forEach(Returner::awaitAdmitted);
        back.forEach(Returner::attach);
    }

    @Test
    void shouldLetThoseWhoGatherWaitWhereThereIsRoom() {
        List<TestRank> group = before(2, 3);
        TestRank fresh =
                fixture.opened(TestRank.attached(fixture.at, join("s", 2, 0).setSizeMax(3)));
        restored(group);
        fresh.roundTrip();
        assertEquals(3, fixture.relay.stats().ranks());
        List<TestRank> next = new ArrayList<>();
        for (TestRank member : group) {
            next.add(fixture.opened(TestRank.attached(fixture.at, member.joinNext(3))));
        }
        next.forEach(TestRank::awaitReady);
        assertEquals(2, fresh.awaitReady().rank());
    }

    /** Newcomers who waited at the relay before are as many as a group, and faster here than its members. */
    @Test
    void shouldLetNewcomersOfARelayThatWasJustStartedWaitForMembers() {
        settings.set(RelayOption.RESUME_GRACE, "3000");
        List<TestRank> group = before(2, 4);
        List<TestRank> fresh = new ArrayList<>();
        for (int rank = 0; rank < 2; rank++) {
            fresh.add(fixture.opened(
                    TestRank.attached(fixture.at, join("s", 2, rank).setSizeMax(4))));
        }
        restored(group);
        fresh.forEach(TestRank::roundTrip);
        assertEquals(4, fixture.relay.stats().ranks());
        List<TestRank> next = new ArrayList<>();
        for (TestRank member : group) {
            next.add(fixture.opened(TestRank.attached(fixture.at, member.joinNext(4))));
        }
        next.forEach(TestRank::awaitReady);
        assertEquals(4, fresh.get(0).awaitReady().view.getMembersCount());
    }

    @Test
    void shouldBeginAGroupThatMayHaveNewcomersWhenNobodyHasComeBack() {
        settings.set(RelayOption.RESUME_GRACE, "300");
        fixture = new RelayFixture(settings);
        List<TestRank> group = new ArrayList<>();
        for (int rank = 0; rank < 2; rank++) {
            group.add(fixture.opened(
                    TestRank.attached(fixture.at, join("s", 2, rank).setSizeMax(3))));
        }
        group.forEach(TestRank::awaitReady);
    }

    @Test
    void shouldRefuseForGoodWhereAnotherGroupHasBegun() {
        List<TestRank> group = before(2);
        List<TestRank> fresh = fixture.group("s", 2);
        String reason = returner(group.get(0)).ask().expectRefusal(ErrorCode.EXPELLED);
        assertTrue(reason.startsWith("another group of session s has begun at the relay"), reason);
        fresh.forEach(TestRank::roundTrip);
    }

    @Test
    void shouldNotMixGroupsOfTheSameNameAndEpoch() {
        List<TestRank> group = before(2);
        Returner stranger = returner(group.get(1));
        returner(group.get(0)).comeBack();
        stranger.ask(stranger.continues().setGroup(ByteString.copyFrom(new byte[32])));
        stranger.expectRefusal(ErrorCode.EXPELLED);
        returner(group.get(1)).comeBack().awaitAdmitted();
    }

    // What was said at the relay before

    private static Agree.Builder agree(Returner rank, int number) {
        return Agree.newBuilder()
                .setEpoch(rank.epoch())
                .setNumber(number)
                .setValue(true)
                .setTimeoutMs(LONG.toMillis());
    }

    private static Agreed.Builder agreed(Returner rank, int number) {
        return Agreed.newBuilder().setEpoch(rank.epoch()).setNumber(number).setValue(false);
    }

    @Test
    void shouldGiveAnAnswerThatOneHasHeardToWhomAsksForTheSame() {
        List<TestRank> group = before(3);
        List<Returner> back = returners(group);
        back.get(0).recall.addAgreed(agreed(back.get(0), 4)).addAgreed(agreed(back.get(0), 5));
        back.get(1).recall.addAgreed(agreed(back.get(1), 5));
        back.get(2).recall.addAsked(agree(back.get(2), 5));
        back.forEach(Returner::comeBack);
        back.forEach(Returner::awaitAdmitted);
        Agreed told = back.get(2).control.expect(ToRank.MessageCase.AGREED).getAgreed();
        assertEquals(agreed(back.get(2), 5).build(), told);
        // The next is a new question.
        for (Returner one : back) {
            one.say(ToRelay.newBuilder().setAgree(agree(one, 6)).build());
        }
        for (Returner one : back) {
            assertTrue(one.control.expect(ToRank.MessageCase.AGREED).getAgreed().getValue());
        }
    }

    @Test
    void shouldKeepAnAnswerForWhoLosesItOnceMore() {
        List<TestRank> group = before(2);
        List<Returner> back = returners(group);
        back.get(0).recall.addAgreed(agreed(back.get(0), 5));
        back.get(1).recall.addAsked(agree(back.get(1), 5));
        back.forEach(Returner::comeBack);
        back.forEach(Returner::awaitAdmitted);
        back.forEach(Returner::attach);
        Returner again = returner(group.get(1)).ask().awaitAdmitted();
        assertEquals(
                agreed(again, 5).build(),
                again.control.expect(ToRank.MessageCase.AGREED).getAgreed());
        // It may say it once more nevertheless.
        again.say(ToRelay.newBuilder().setAgree(agree(again, 5)).build());
        back.get(0).say(ToRelay.newBuilder().setAgree(agree(again, 6)).build());
        again.say(ToRelay.newBuilder().setAgree(agree(again, 6)).build());
        assertEquals(
                6, again.control.expect(ToRank.MessageCase.AGREED).getAgreed().getNumber());
    }

    @Test
    void shouldAnswerWhatMembersWereAskingOnceAllHaveSaidIt() {
        List<TestRank> group = before(2);
        List<Returner> back = returners(group);
        back.get(0).recall.addAsked(agree(back.get(0), 1));
        back.forEach(Returner::comeBack);
        back.forEach(Returner::awaitAdmitted);
        back.get(0).roundTrip();
        back.get(1).say(ToRelay.newBuilder().setAgree(agree(back.get(1), 1)).build());
        for (Returner one : back) {
            Agreed told = one.control.expect(ToRank.MessageCase.AGREED).getAgreed();
            assertEquals(1, told.getNumber());
            assertTrue(told.getValue());
        }
    }

    @Test
    void shouldTellAllWhatWasRevokedAndAborted() {
        List<TestRank> group = before(2);
        List<Returner> back = returners(group);
        int epoch = back.get(0).epoch();
        back.get(0)
                .recall
                .addRevoked(Revoke.newBuilder()
                        .setEpoch(epoch)
                        .setContext(3)
                        .setRank(0)
                        .setReason("why"))
                .addAborted(Abort.newBuilder()
                        .setEpoch(epoch)
                        .setContext(4)
                        .setRank(0)
                        .setCode(9));
        back.forEach(Returner::comeBack);
        back.forEach(Returner::awaitAdmitted);
        assertEquals(
                "why",
                back.get(1)
                        .control
                        .expect(ToRank.MessageCase.REVOKE)
                        .getRevoke()
                        .getReason());
        assertEquals(
                4,
                back.get(1).control.expect(ToRank.MessageCase.ABORT).getAbort().getContext());
        // It said so itself.
        back.get(0).roundTrip();
    }

    @Test
    void shouldExpelWhoRecallsWhatCannotBe() {
        List<TestRank> group = before(2, 8);
        Returner senseless = returner(group.get(0));
        senseless.recall.addGone(
                MemberGone.newBuilder().setEpoch(senseless.epoch()).setRank(2));
        senseless.comeBack().expectRefusal(ErrorCode.PROTOCOL);
        Returner large = returner(group.get(0));
        large.recall.setSize(9);
        large.comeBack().expectRefusal(ErrorCode.PROTOCOL);
        Returner outside = returner(group.get(0));
        outside.ask(outside.continues().setRank(7)).awaitRestoring().recall().expectRefusal(ErrorCode.PROTOCOL);
        Returner beyond = returner(group.get(0));
        beyond.ask(beyond.continues().setRank(8)).expectRefusal(ErrorCode.PROTOCOL);
        Await.until("session is gone", () -> fixture.relay.stats().sessions() == 0);
    }

    @Test
    void shouldExpelWhoChoosesARelayWhileItComesBack() {
        Returner choosing = returner(before(2).get(0)).askElsewhere().awaitRestoring();
        choosing.say(ToRelay.newBuilder().setAttach(Attach.getDefaultInstance()).build());
        choosing.expectRefusal(ErrorCode.PROTOCOL);
        assertEquals(0, fixture.relay.stats().defects());
    }

    @Test
    void shouldTakeOneRecallOnEachConnection() {
        List<TestRank> group = before(2);
        Returner twice = returner(group.get(0)).comeBack().recall();
        String reason = twice.expectRefusal(ErrorCode.PROTOCOL);
        assertEquals("second Recall of rank 0 on one connection", reason);
    }

    // Limits and rights

    @Test
    void shouldRefuseByNameWhereItsLimitsAreOthersThanBefore() {
        settings = settings(LONG).set(RelayOption.FRAGMENT_BYTES_MAX, "4096");
        List<TestRank> group = before(2);
        String reason = returner(group.get(0)).comeBack().expectRefusal(ErrorCode.BAD_SETTING);
        assertTrue(reason.startsWith("the relay was started again with other limits"), reason);
        assertTrue(reason.contains("payloads of up to 4096"), reason);
        Await.until("session is gone", () -> fixture.relay.stats().sessions() == 0);
    }

    @Test
    void shouldTakeBackOnlyWhomATokenAdmits() {
        settings = RelaySettings.builder()
                .listen("127.0.0.1:0")
                .secret(SECRET)
                .heartbeat(Duration.ofMillis(200), LONG)
                .set(RelayOption.RESUME_GRACE, "100");
        List<TestRank> group = before(2);
        assertEquals("this relay wants a token", returner(group.get(0)).ask().expectRefusal(ErrorCode.UNAUTHORIZED));
        assertEquals(
                "the token is not for rank 0",
                returner(group.get(0)).withToken(mint("s", "1")).ask().expectRefusal(ErrorCode.UNAUTHORIZED));
        assertEquals(
                "the token is for another session",
                returner(group.get(0)).withToken(mint("t", null)).ask().expectRefusal(ErrorCode.UNAUTHORIZED));
        assertEquals(0, fixture.relay.stats().sessionsOpened());
        Returner first = returner(group.get(0)).withToken(mint("s", "0")).comeBack();
        returner(group.get(1)).withToken(mint("s", "0-1")).comeBack().awaitAdmitted();
        first.awaitAdmitted();
        // Its ticket is known by now.
        first.control.reset();
        returner(group.get(0)).ask().awaitAdmitted();
    }

    private static String mint(String session, String ranks) {
        return RelayTokens.mint(SECRET, session, Optional.ofNullable(ranks), Optional.empty());
    }

    @Test
    void shouldCountASessionThatComesBackLikeAnyOther() {
        settings = settings(LONG).set(RelayOption.SESSIONS_MAX, "1");
        List<TestRank> group = before(2);
        TestRank fresh = fixture.opened(TestRank.attached(fixture.at, join("other", 2, 0)));
        String reason = returner(group.get(0)).ask().expectRefusal(ErrorCode.LIMIT);
        assertTrue(reason.contains(RelayOption.SESSIONS_MAX.key()), reason);
        fresh.close();
        Await.until("session is gone", () -> fixture.relay.stats().sessions() == 0);
        returner(group.get(0)).ask().awaitRestoring();
        assertEquals(1, fixture.relay.stats().sessions());
        assertEquals(1, fixture.relay.stats().ranks());
    }

    @Test
    void shouldRefuseGroupsAboveItsLimitOfRanks() {
        settings = settings(LONG).set(RelayOption.RANKS_MAX, "2");
        List<TestRank> group = before(3);
        String reason = returner(group.get(0)).ask().expectRefusal(ErrorCode.LIMIT);
        assertTrue(reason.contains(RelayOption.RANKS_MAX.key()), reason);
        assertEquals(0, fixture.relay.stats().sessionsOpened());
    }

    @Test
    void shouldTakeNobodyElseForAMemberWhoseTicketItHeardFirst() {
        List<TestRank> group = before(2);
        returner(group.get(0)).comeBack();
        Returner other = returner(group.get(0));
        other.ask(other.continues().setTicket(group.get(1).admitted.getTicket()))
                .expectRefusal(ErrorCode.UNAUTHORIZED);
        Returner malformed = returner(group.get(1));
        malformed.ask(Continues.newBuilder()
                .setKind(Continues.Kind.SAME_EPOCH)
                .setEpoch(group.get(0).epoch())
                .setRank(1));
        malformed.expectRefusal(ErrorCode.UNAUTHORIZED);
    }
}
