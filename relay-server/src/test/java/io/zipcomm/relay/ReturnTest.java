package io.zipcomm.relay;

import static io.zipcomm.relay.TestRank.join;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.proto.Abort;
import io.zipcomm.wire.proto.Agree;
import io.zipcomm.wire.proto.Agreed;
import io.zipcomm.wire.proto.Attach;
import io.zipcomm.wire.proto.Continues;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.Revoke;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Ranks of a complete group whose connections end, and that open others. */
@Tag("once")
final class ReturnTest {

    /** Longer than any test waits for what must come before it is over. */
    private static final String LONG_GRACE_MS = "60000";

    private static final byte[] OLD = {1, 2, 3};
    private static final byte[] NEW = {4, 5};

    private RelayFixture fixture =
            new RelayFixture(RelayFixture.insecure().set(RelayOption.RESUME_GRACE, LONG_GRACE_MS));

    @AfterEach
    void stop() {
        fixture.close();
    }

    private RawConnection dial() {
        return new RawConnection(fixture.relay.address());
    }

    private RawConnection attachAgain(TestRank rank) {
        RawConnection data = askToAttachAgain(rank);
        data.expect(ToRank.MessageCase.ATTACHED);
        return data;
    }

    private RawConnection askToAttachAgain(TestRank rank) {
        RawConnection data = dial();
        data.send(ToRelay.newBuilder()
                .setAttach(Attach.newBuilder()
                        .setVersion(Frame.VERSION)
                        .setSession(rank.session)
                        .setRank(rank.rank())
                        .setTicket(rank.admitted.getTicket())
                        .setAgain(true))
                .build());
        return data;
    }

    /** Asks for the place of a rank, whose connections are not touched. */
    private RawConnection comeBack(TestRank rank, int size, ByteString ticket) {
        RawConnection control = dial();
        control.send(TestRank.message(join(rank.session, size, rank.rank())
                .setContinues(Continues.newBuilder()
                        .setKind(Continues.Kind.SAME_EPOCH)
                        .setEpoch(rank.epoch())
                        .setRank(rank.rank())
                        .setTicket(ticket))));
        return control;
    }

    /** A rank is back in its place. */
    private RawConnection returned(TestRank rank, int size) {
        RawConnection control = comeBack(rank, size, rank.admitted.getTicket());
        ToRank back = control.expect(ToRank.MessageCase.ADMITTED);
        assertEquals(rank.admitted.getTicket(), back.getAdmitted().getTicket());
        rank.control = control;
        return control;
    }

    /** Who only closes its connections is waited for. */
    private static void leaveAll(List<TestRank> ranks) {
        ranks.forEach(TestRank::leave);
        TestRank.closeAll(ranks);
    }

    private static byte[] resetAnswer(TestRank rank, RawConnection.In reset) {
        ByteBuffer answer = ByteBuffer.wrap(rank.frame(FrameType.RESET, reset.source(), new byte[0]))
                .order(ByteOrder.LITTLE_ENDIAN);
        Frame.transfer(answer, 0, Frame.transfer(reset.header(), 0));
        return answer.array();
    }

    /** A job that is started again under the name of one that was killed just now does not find its places taken. */
    @Test
    void shouldLetAGroupBeginAnewWhoseMembersHaveJustDied() {
        fixture.close();
        fixture = new RelayFixture(RelayFixture.insecure().set(RelayOption.RESUME_GRACE, "2000"));
        List<TestRank> dead = fixture.group("s", 2);
        dead.forEach(rank -> rank.control.reset());
        Await.until("both are away", () -> fixture.relay.stats().connections() == 2);
        dead.forEach(rank -> rank.data.reset());
        TestRank one = fixture.opened(TestRank.attached(fixture.at, join("s", 2, 1)));
        TestRank zero = fixture.opened(TestRank.attached(fixture.at, join("s", 2, 0)));
        assertEquals(0, zero.awaitReady().rank());
        assertEquals(1, one.awaitReady().rank());
        assertTrue(zero.epoch() > dead.get(0).epoch());
        leaveAll(List.of(zero, one));
    }

    /** The others have gone on and heard who is gone: a relay that has forgotten that must not begin the group once more. */
    @Test
    void shouldNotBeginOnceMoreWhatItHasEnded() {
        List<TestRank> group = fixture.group("s", 3);
        leaveAll(group);
        Await.until("the session is over", () -> fixture.relay.stats().sessions() == 0);
        Join.Builder join = join("s", 3, 1);
        join.getContinuesBuilder()
                .setKind(Continues.Kind.SAME_EPOCH)
                .setEpoch(group.get(1).epoch())
                .setRank(1)
                .setTicket(group.get(1).admitted.getTicket())
                .setGroup(ByteString.copyFromUtf8("what members know"));
        RawConnection late = dial();
        late.send(TestRank.message(join));
        String reason = late.expectRefusal(ErrorCode.EXPELLED);
        assertTrue(reason.endsWith("was given up, and the epoch is over"), reason);
        assertEquals(0, fixture.relay.stats().sessions());
    }

    @Test
    void shouldBeginFlowsAnewWithAnotherDataConnection() {
        List<TestRank> group = fixture.group("s", 2);
        TestRank one = group.get(0);
        TestRank other = group.get(1);
        one.send(1, OLD);
        assertArrayEquals(OLD, other.receive().payload());
        one.data.reset();
        ToRank told = one.control.expect(ToRank.MessageCase.DETACHED);
        assertEquals(1, told.getDetached().getNumber());
        one.data = attachAgain(one);
        RawConnection.In reset = other.receiveWithoutCredit();
        assertEquals(FrameType.RESET, reset.type());
        assertEquals(0, reset.source());
        // Of the flow before: it must neither arrive nor count.
        other.send(0, OLD);
        other.sendCredit(0, Frame.HEADER_BYTES + OLD.length);
        other.data.write(resetAnswer(other, reset));
        other.send(0, NEW);
        assertArrayEquals(NEW, one.receiveWithoutCredit().payload());
        one.send(1, NEW);
        assertArrayEquals(NEW, other.receiveWithoutCredit().payload());
        // Credit counts from the beginning of the new flow.
        other.sendCredit(0, Frame.HEADER_BYTES + NEW.length);
        RawConnection.In credit = one.data.read();
        assertEquals(FrameType.FLOW, credit.type());
        assertEquals(Frame.HEADER_BYTES + NEW.length, Frame.credit(credit.header(), 0));
        one.roundTrip();
        other.roundTrip();
        leaveAll(group);
    }

    @Test
    void shouldExpelWhoAnswersAResetThatWasNotSaid() {
        List<TestRank> group = fixture.group("s", 2);
        group.get(0).data.write(group.get(0).frame(FrameType.RESET, 1, new byte[0]));
        String reason = group.get(0).expectRefusal(ErrorCode.PROTOCOL);
        assertTrue(reason.contains("RESET for rank 1"), reason);
        group.get(0).close();
        leaveAll(group.subList(1, 2));
    }

    @Test
    void shouldTellWhoComesBackWhatItMissed() {
        List<TestRank> group = fixture.group("s", 3);
        TestRank away = group.get(0);
        away.control.reset();
        group.get(2).leave();
        group.get(2).data.close();
        group.get(1).expectGone(2, Cause.LEFT);
        group.get(1)
                .abort(Abort.newBuilder()
                        .setEpoch(away.epoch())
                        .setContext(5)
                        .setCode(9)
                        .setReason("why"));
        group.get(1).roundTrip();
        RawConnection control = returned(away, 3);
        assertEquals(
                2,
                control.expect(ToRank.MessageCase.MEMBER_GONE).getMemberGone().getRank());
        assertEquals(5, control.expect(ToRank.MessageCase.ABORT).getAbort().getContext());
        // Nobody else has heard of it.
        group.get(1).roundTrip();
        away.send(1, NEW);
        assertArrayEquals(NEW, group.get(1).receive().payload());
        group.get(2).close();
        leaveAll(group.subList(0, 2));
    }

    @Test
    void shouldTakeBackARankWhoseOldConnectionHasNotEnded() {
        List<TestRank> group = fixture.group("s", 2);
        RawConnection old = group.get(0).control;
        returned(group.get(0), 2);
        old.awaitEnd();
        group.get(1).roundTrip();
        leaveAll(group);
    }

    @Test
    void shouldRefuseATicketThatIsNotOfThePlace() {
        List<TestRank> group = fixture.group("s", 2);
        group.get(0).control.reset();
        RawConnection control = comeBack(group.get(0), 2, group.get(1).admitted.getTicket());
        control.expectRefusal(ErrorCode.UNAUTHORIZED);
        control.close();
        returned(group.get(0), 2);
        leaveAll(group);
    }

    @Test
    void shouldSayToWhomComesTooLateWhyItWasGivenUp() {
        fixture.close();
        fixture = new RelayFixture(RelayFixture.insecure().set(RelayOption.RESUME_GRACE, "100"));
        List<TestRank> group = fixture.group("s", 2);
        group.get(0).control.reset();
        group.get(1).expectGone(0, Cause.LOST);
        RawConnection control = comeBack(group.get(0), 2, group.get(0).admitted.getTicket());
        String reason = control.expectRefusal(ErrorCode.EXPELLED);
        assertTrue(
                reason.startsWith("rank 0 of epoch " + group.get(1).epoch() + " was given up: control connection"),
                reason);
        control.close();
        TestRank.closeAll(group);
    }

    @Test
    void shouldTellWhoComesBackOfRevocationsAndOfAgreementsThatItTookPartIn() {
        List<TestRank> group = fixture.group("s", 3);
        TestRank away = group.get(0);
        away.agree(agreement(0));
        away.roundTrip();
        away.control.reset();
        group.get(1).agree(agreement(6).addMembers(1).addMembers(2));
        group.get(2).agree(agreement(6).addMembers(1).addMembers(2));
        group.get(1).expectAgreed();
        group.get(1).agree(agreement(0));
        group.get(2).agree(agreement(0));
        assertEquals(0, group.get(1).expectAgreed().getContext());
        group.get(1).revoke(5, "why");
        group.get(1).roundTrip();
        RawConnection control = returned(away, 3);
        Agreed agreed = control.expect(ToRank.MessageCase.AGREED).getAgreed();
        assertEquals(0, agreed.getContext());
        assertTrue(agreed.getValue());
        assertEquals(List.of(), agreed.getFailedList());
        Revoke revoked = control.expect(ToRank.MessageCase.REVOKE).getRevoke();
        assertEquals(5, revoked.getContext());
        assertEquals(1, revoked.getRank());
        assertEquals("why", revoked.getReason());
        leaveAll(group);
    }

    private static Agree.Builder agreement(int context) {
        return Agree.newBuilder()
                .setContext(context)
                .setNumber(1)
                .setValue(true)
                .setTimeoutMs(60_000);
    }

    @Test
    void shouldKeepAnswersAndTheRevocationOfTheWorldWhateverIsSaidBehindThem() {
        List<TestRank> group = fixture.group("s", 3);
        TestRank away = group.get(0);
        TestRank busy = group.get(1);
        away.agree(agreement(0));
        away.roundTrip();
        away.control.reset();
        busy.agree(agreement(0));
        group.get(2).agree(agreement(0));
        busy.expectAgreed();
        busy.revoke(0, "first");
        busy.roundTrip();
        group.get(2).revoke(0, "second");
        busy.control.expect(ToRank.MessageCase.REVOKE);
        for (int context = 1; context <= Epoch.TOLD_MAX + 1; context++) {
            busy.revoke(context, "why");
        }
        busy.roundTrip();
        RawConnection control = returned(away, 3);
        assertEquals(1, control.expect(ToRank.MessageCase.AGREED).getAgreed().getNumber());
        for (int context = 2; context <= Epoch.TOLD_MAX + 1; context++) {
            assertEquals(
                    context,
                    control.expect(ToRank.MessageCase.REVOKE).getRevoke().getContext());
        }
        Revoke world = control.expect(ToRank.MessageCase.REVOKE).getRevoke();
        assertEquals(0, world.getContext());
        assertEquals("first", world.getReason());
        away.roundTrip();
        leaveAll(group);
    }

    /** It cannot know whether what it said just before its connection broke was heard. */
    @Test
    void shouldTakeAWordOnceThatAMemberSaysAgainWhenItIsBack() {
        List<TestRank> group = fixture.group("s", 2);
        TestRank away = group.get(0);
        for (TestRank rank : group) {
            rank.agree(agreement(0));
        }
        group.get(1).expectAgreed();
        assertEquals(1, away.expectAgreed().getNumber());
        away.agree(agreement(0).setNumber(2));
        away.roundTrip();
        away.control.reset();
        RawConnection control = returned(away, 2);
        assertEquals(1, control.expect(ToRank.MessageCase.AGREED).getAgreed().getNumber());
        away.agree(agreement(0));
        away.agree(agreement(0).setNumber(2));
        away.roundTrip();
        group.get(1).agree(agreement(0).setNumber(2));
        for (TestRank rank : group) {
            Agreed agreed = rank.expectAgreed();
            assertEquals(2, agreed.getNumber());
            assertTrue(agreed.getValue());
        }
        for (TestRank rank : group) {
            rank.agree(agreement(0).setNumber(3));
        }
        for (TestRank rank : group) {
            assertEquals(3, rank.expectAgreed().getNumber());
        }
        leaveAll(group);
    }

    // What it costs

    /** Each time costs a quarter of a second, and only the first few are free. */
    private static final String SLOW_PER_SECOND = "4";

    /** Longer than it takes to pay for the free ones. */
    private static final Duration PAID_FOR = Duration.ofSeconds(30);

    private static final Duration BETWEEN = Duration.ofMillis(2);

    private void startSlow() {
        fixture.close();
        // A Leave right before the end of a connection that is read slowly may not be heard.
        fixture = new RelayFixture(RelayFixture.insecure()
                .set(RelayOption.RESUME_GRACE, "1000")
                .set(RelayOption.HEARTBEAT_TIMEOUT, LONG_GRACE_MS)
                .set(RelayOption.CONTROL_MESSAGES_PER_SECOND, SLOW_PER_SECOND));
    }

    /** The first answer that is no other than the one expected. */
    private static ToRank lastOf(ToRank.MessageCase expected, Supplier<RawConnection> attempt) {
        long untilNs = System.nanoTime() + PAID_FOR.toNanos();
        ToRank answer = attempt.get().readMessage();
        while (answer.getMessageCase() == expected) {
            assertTrue(System.nanoTime() < untilNs, answer::toString);
            LockSupport.parkNanos(BETWEEN.toNanos());
            answer = attempt.get().readMessage();
        }
        return answer;
    }

    private static void expectLimit(ToRank answer) {
        assertEquals(ErrorCode.LIMIT.number(), answer.getRefused().getCode(), answer::toString);
        String reason = answer.getRefused().getReason();
        assertTrue(reason.contains(RelayOption.CONTROL_MESSAGES_PER_SECOND.key()), reason);
    }

    @Test
    void shouldNotTakeBackWhoComesAgainAndAgainBeforeItHasPaidForIt() {
        startSlow();
        List<TestRank> group = fixture.group("s", 2);
        TestRank one = group.get(0);
        Supplier<RawConnection> attempt = () -> comeBack(one, 2, one.admitted.getTicket());
        expectLimit(lastOf(ToRank.MessageCase.ADMITTED, attempt));
        ToRank back = lastOf(ToRank.MessageCase.REFUSED, () -> {
            one.control = attempt.get();
            return one.control;
        });
        assertTrue(back.hasAdmitted(), back::toString);
        one.roundTrip();
        group.get(1).roundTrip();
        leaveAll(group);
    }

    @Test
    void shouldNotAttachWhoDoesSoAgainAndAgainBeforeItHasPaidForIt() {
        startSlow();
        List<TestRank> group = fixture.group("s", 2);
        TestRank one = group.get(0);
        Supplier<RawConnection> attempt = () -> askToAttachAgain(one);
        expectLimit(lastOf(ToRank.MessageCase.ATTACHED, attempt));
        assertEquals(
                ToRank.MessageCase.ATTACHED,
                lastOf(ToRank.MessageCase.REFUSED, attempt).getMessageCase());
        leaveAll(group);
    }

    /** The relay that comes after it takes the group up. */
    @Test
    void shouldRefuseNobodyWhoComesBackWhileTheRelayEnds() throws Exception {
        for (int round = 0; round < 20; round++) {
            fixture.close();
            fixture = new RelayFixture(RelayFixture.insecure().set(RelayOption.CONTROL_MESSAGES_PER_SECOND, "1000000"));
            List<TestRank> group = fixture.group("s", 4);
            List<Thread> returning = new ArrayList<>();
            Queue<ToRank> refusals = new ConcurrentLinkedQueue<>();
            CountDownLatch allBack = new CountDownLatch(group.size());
            for (TestRank rank : group) {
                Thread thread = new Thread(() -> refusals.addAll(comeBackUntilTheRelayIsGone(rank, allBack)));
                thread.start();
                returning.add(thread);
            }
            assertTrue(allBack.await(30, TimeUnit.SECONDS), "they are not back");
            fixture.relay.close();
            for (Thread thread : returning) {
                thread.join();
            }
            assertEquals(List.of(), List.copyOf(refusals));
        }
    }

    private List<ToRank> comeBackUntilTheRelayIsGone(TestRank rank, CountDownLatch back) {
        while (true) {
            try (RawConnection control = comeBack(rank, 4, rank.admitted.getTicket())) {
                RawConnection.In in = control.read();
                if (in != null) {
                    ToRank answer = ToRank.parseFrom(in.payload());
                    if (answer.hasRefused()) {
                        return List.of(answer);
                    }
                }
                back.countDown();
            } catch (UncheckedIOException | InvalidProtocolBufferException e) {
                return List.of();
            }
        }
    }

    @Test
    void shouldWaitForTheWordOfAMemberThatIsAway() {
        List<TestRank> group = fixture.group("s", 2);
        TestRank away = group.get(0);
        away.control.reset();
        group.get(1).agree(agreement(0));
        group.get(1).roundTrip();
        RawConnection control = returned(away, 2);
        control.send(ToRelay.newBuilder()
                .setAgree(agreement(0).setEpoch(away.epoch()))
                .build());
        Agreed agreed = control.expect(ToRank.MessageCase.AGREED).getAgreed();
        assertTrue(agreed.getValue());
        assertEquals(agreed, group.get(1).expectAgreed());
        leaveAll(group);
    }

    @Test
    void shouldTakeBackAMemberThatGathersForTheNextEpoch() {
        List<TestRank> group = fixture.group("s", 2);
        TestRank first = TestRank.attached(fixture.relay.address(), group.get(0).joinNext(0));
        group.get(0).control.reset();
        RawConnection control = returned(group.get(0), 2);
        TestRank second =
                TestRank.attached(fixture.relay.address(), group.get(1).joinNext(0));
        assertEquals(List.of(0, 1), first.awaitReady().view.getRanksBeforeList());
        assertEquals(1, second.awaitReady().rank());
        control.expectRefusal(ErrorCode.STALE_EPOCH);
        TestRank.closeAll(group);
        leaveAll(List.of(first, second));
    }

    @Test
    void shouldSayToWhomComesBackThatAnotherEpochHasBegun() {
        List<TestRank> group = fixture.group("s", 2);
        TestRank first = TestRank.attached(fixture.relay.address(), group.get(0).joinNext(0));
        group.get(0).control.reset();
        TestRank second =
                TestRank.attached(fixture.relay.address(), group.get(1).joinNext(0));
        first.awaitReady();
        second.awaitReady();
        RawConnection control = comeBack(group.get(0), 2, group.get(0).admitted.getTicket());
        String reason = control.expectRefusal(ErrorCode.STALE_EPOCH);
        assertTrue(reason.endsWith("epoch " + first.epoch() + " has begun"), reason);
        // It was about the old place, and nobody is given up for it.
        first.roundTrip();
        second.roundTrip();
        assertEquals(2, fixture.relay.stats().ranks());
        control.close();
        TestRank.closeAll(group);
        leaveAll(List.of(first, second));
    }

    @Test
    void shouldNotWantADataConnectionBackThatIsOfNoUse() {
        List<TestRank> group = fixture.group("s", 2);
        group.get(0).revoke(0, "why");
        group.get(1).control.expect(ToRank.MessageCase.REVOKE);
        group.get(1).data.close();
        Await.until("its end is heard", () -> fixture.relay.stats().connections() == 3);
        // No Detached comes before the answer.
        group.get(1).roundTrip();
        group.get(0).roundTrip();
        leaveAll(group);
    }
}
