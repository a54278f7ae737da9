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
import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.Revoke;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
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
        RawConnection data = dial();
        data.send(ToRelay.newBuilder()
                .setAttach(Attach.newBuilder()
                        .setVersion(Frame.VERSION)
                        .setSession(rank.session)
                        .setRank(rank.rank())
                        .setTicket(rank.admitted.getTicket())
                        .setAgain(true))
                .build());
        data.expect(ToRank.MessageCase.ATTACHED);
        return data;
    }

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

    private static byte[] resetAnswer(TestRank rank, RawConnection.In reset) {
        ByteBuffer answer = ByteBuffer.wrap(rank.frame(FrameType.RESET, reset.source(), new byte[0]))
                .order(ByteOrder.LITTLE_ENDIAN);
        Frame.transfer(answer, 0, Frame.transfer(reset.header(), 0));
        return answer.array();
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
        TestRank.closeAll(group);
    }

    @Test
    void shouldExpelWhoAnswersAResetThatWasNotSaid() {
        List<TestRank> group = fixture.group("s", 2);
        group.get(0).data.write(group.get(0).frame(FrameType.RESET, 1, new byte[0]));
        String reason = group.get(0).expectRefusal(ErrorCode.PROTOCOL);
        assertTrue(reason.contains("RESET for rank 1"), reason);
        TestRank.closeAll(group);
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
        RawConnection control = comeBack(away, 3, away.admitted.getTicket());
        ToRank back = control.expect(ToRank.MessageCase.ADMITTED);
        assertEquals(away.admitted.getTicket(), back.getAdmitted().getTicket());
        assertEquals(
                2,
                control.expect(ToRank.MessageCase.MEMBER_GONE).getMemberGone().getRank());
        assertEquals(5, control.expect(ToRank.MessageCase.ABORT).getAbort().getContext());
        // Nobody else has heard of it.
        group.get(1).roundTrip();
        away.send(1, NEW);
        assertArrayEquals(NEW, group.get(1).receive().payload());
        control.close();
        TestRank.closeAll(group);
    }

    @Test
    void shouldTakeBackARankWhoseOldConnectionHasNotEnded() {
        List<TestRank> group = fixture.group("s", 2);
        RawConnection control = comeBack(group.get(0), 2, group.get(0).admitted.getTicket());
        control.expect(ToRank.MessageCase.ADMITTED);
        group.get(0).control.awaitEnd();
        group.get(1).roundTrip();
        control.close();
        TestRank.closeAll(group);
    }

    @Test
    void shouldRefuseATicketThatIsNotOfThePlace() {
        List<TestRank> group = fixture.group("s", 2);
        group.get(0).control.reset();
        RawConnection control = comeBack(group.get(0), 2, group.get(1).admitted.getTicket());
        control.expectRefusal(ErrorCode.UNAUTHORIZED);
        control.close();
        TestRank.closeAll(group);
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
    void shouldNotOpenASessionForWhoComesBack() {
        List<TestRank> group = fixture.group("s", 2);
        TestRank.closeAll(group);
        Await.until("session is gone", () -> fixture.relay.stats().sessions() == 0);
        RawConnection control = comeBack(group.get(0), 2, group.get(0).admitted.getTicket());
        control.expectRefusal(ErrorCode.RELAY_LOST);
        assertEquals(0, fixture.relay.stats().sessions());
        control.close();
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
        RawConnection control = comeBack(away, 3, away.admitted.getTicket());
        control.expect(ToRank.MessageCase.ADMITTED);
        Agreed agreed = control.expect(ToRank.MessageCase.AGREED).getAgreed();
        assertEquals(0, agreed.getContext());
        assertTrue(agreed.getValue());
        assertEquals(List.of(), agreed.getFailedList());
        Revoke revoked = control.expect(ToRank.MessageCase.REVOKE).getRevoke();
        assertEquals(5, revoked.getContext());
        assertEquals(1, revoked.getRank());
        assertEquals("why", revoked.getReason());
        control.close();
        TestRank.closeAll(group);
    }

    private static Agree.Builder agreement(int context) {
        return Agree.newBuilder()
                .setContext(context)
                .setNumber(1)
                .setValue(true)
                .setTimeoutMs(60_000);
    }

    @Test
    void shouldWaitForTheWordOfAMemberThatIsAway() {
        List<TestRank> group = fixture.group("s", 2);
        TestRank away = group.get(0);
        away.control.reset();
        group.get(1).agree(agreement(0));
        group.get(1).roundTrip();
        RawConnection control = comeBack(away, 2, away.admitted.getTicket());
        control.expect(ToRank.MessageCase.ADMITTED);
        control.send(ToRelay.newBuilder()
                .setAgree(agreement(0).setEpoch(away.epoch()))
                .build());
        Agreed agreed = control.expect(ToRank.MessageCase.AGREED).getAgreed();
        assertTrue(agreed.getValue());
        assertEquals(agreed, group.get(1).expectAgreed());
        control.close();
        TestRank.closeAll(group);
    }

    @Test
    void shouldTakeBackAMemberThatGathersForTheNextEpoch() {
        List<TestRank> group = fixture.group("s", 2);
        TestRank first = TestRank.attached(fixture.relay.address(), group.get(0).joinNext(0));
        group.get(0).control.reset();
        RawConnection control = comeBack(group.get(0), 2, group.get(0).admitted.getTicket());
        control.expect(ToRank.MessageCase.ADMITTED);
        TestRank second =
                TestRank.attached(fixture.relay.address(), group.get(1).joinNext(0));
        assertEquals(List.of(0, 1), first.awaitReady().view.getRanksBeforeList());
        assertEquals(1, second.awaitReady().rank());
        control.expectRefusal(ErrorCode.STALE_EPOCH);
        control.close();
        TestRank.closeAll(group);
        TestRank.closeAll(List.of(first, second));
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
        TestRank.closeAll(List.of(first, second));
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
        TestRank.closeAll(group);
    }
}
