package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.proto.Agree;
import io.zipcomm.wire.proto.Agreed;
import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.Revoke;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.util.List;
import java.util.function.IntFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What members decide together: that a communicator is of no use any more, and what all of them say. */
@Tag("once")
final class AgreementTest {

    private static final long LONG_MS = 600_000;

    private RelayFixture fixture = new RelayFixture(RelayFixture.insecure());

    @AfterEach
    void stop() {
        fixture.close();
    }

    private void restart(RelaySettings.Builder settings) {
        fixture.close();
        fixture = new RelayFixture(settings);
    }

    private List<TestRank> group(int size) {
        return fixture.group("s", size);
    }

    /** In the world. */
    private static Agree.Builder number(int number) {
        return Agree.newBuilder().setNumber(number).setValue(true).setTimeoutMs(LONG_MS);
    }

    /** In a communicator of its own. */
    private static Agree.Builder of(int context, Integer... members) {
        return number(1).setContext(context).addAllMembers(List.of(members));
    }

    private static Agreed.Builder agreed(TestRank rank, int number, boolean value) {
        return Agreed.newBuilder().setEpoch(rank.epoch()).setNumber(number).setValue(value);
    }

    // Revoking

    @Test
    void shouldForwardRevokeInTheNameOfItsSenderOnce() {
        List<TestRank> group = group(3);
        TestRank revoker = group.get(1);
        UnknownFieldSet unknown = UnknownFieldSet.newBuilder()
                .addField(
                        99,
                        UnknownFieldSet.Field.newBuilder()
                                .addLengthDelimited(ByteString.copyFrom(new byte[4000]))
                                .build())
                .build();
        Revoke.Builder revoke = Revoke.newBuilder()
                .setEpoch(revoker.epoch())
                .setContext(5)
                .setRank(2)
                .setReason("x".repeat(3000))
                .setUnknownFields(unknown);
        for (int context : new int[] {5, 5, 0, 5}) {
            revoker.control.send(
                    ToRelay.newBuilder().setRevoke(revoke.setContext(context)).build());
        }
        for (int rank : new int[] {0, 2}) {
            for (int context : new int[] {5, 0}) {
                assertEquals(
                        Revoke.newBuilder()
                                .setEpoch(revoker.epoch())
                                .setContext(context)
                                .setRank(1)
                                .setReason("x".repeat(2000))
                                .build(),
                        group.get(rank)
                                .control
                                .expect(ToRank.MessageCase.REVOKE)
                                .getRevoke());
            }
            group.get(rank).roundTrip();
        }
        revoker.roundTrip();
        // Another member's word is news.
        group.get(0).revoke(5, "me too");
        assertEquals(
                0, revoker.control.expect(ToRank.MessageCase.REVOKE).getRevoke().getRank());
    }

    @Test
    void shouldExpelWhoRevokesInAnotherEpoch() {
        List<TestRank> group = group(2);
        group.get(0)
                .control
                .send(ToRelay.newBuilder()
                        .setRevoke(Revoke.newBuilder().setEpoch(group.get(0).epoch() + 1))
                        .build());
        group.get(0).expectRefusal(ErrorCode.STALE_EPOCH);
        group.get(1).expectGone(0, Cause.EXPELLED);
    }

    // Agreeing

    @Test
    void shouldAnswerAllAlikeOnceAllHaveSaidTheirPart() {
        List<TestRank> group = group(3);
        group.get(2).agree(number(1));
        group.get(0).agree(number(1).setValue(false));
        group.get(0).roundTrip();
        group.get(1).agree(number(1));
        for (TestRank rank : group) {
            assertEquals(agreed(rank, 1, false).build(), rank.expectAgreed());
        }
        group.forEach(rank -> rank.agree(number(2)));
        for (TestRank rank : group) {
            assertEquals(agreed(rank, 2, true).build(), rank.expectAgreed());
        }
    }

    @Test
    void shouldKeepCommunicatorsApartThatShareAContext() {
        List<TestRank> group = group(5);
        for (TestRank rank : group) {
            boolean even = rank.rank() % 2 == 0;
            rank.agree((even ? of(7, 0, 2, 4) : of(7, 1, 3)).setValue(even));
        }
        for (TestRank rank : group) {
            int leader = rank.rank() % 2;
            Agreed expected = agreed(rank, 1, leader == 0)
                    .setContext(7)
                    .setLeader(leader)
                    .addAllMembers(leader == 0 ? List.of(0, 2, 4) : List.of(1, 3))
                    .build();
            assertEquals(expected, rank.expectAgreed());
        }
    }

    @Test
    void shouldCountWhatTheDeadSaidAndNameThem() {
        List<TestRank> group = group(4);
        group.get(3).agree(number(1).setValue(false));
        group.get(3).roundTrip();
        group.get(0).agree(number(1));
        group.get(1).agree(number(1));
        group.get(3).close();
        group.get(2).expectGone(3, Cause.LOST);
        // One that said nothing, and leaves: it is not waited for either.
        group.get(2).leave();
        group.get(2).control.expectEnd();
        Agreed expected =
                agreed(group.get(0), 1, false).addFailed(2).addFailed(3).build();
        for (TestRank rank : group.subList(0, 2)) {
            rank.expectGone(3, Cause.LOST);
            assertEquals(expected, rank.expectAgreed());
        }
    }

    @Test
    void shouldTellWhoIsMissingAtTheDeadlineAndTellLateOnesTheSame() {
        List<TestRank> group = group(4);
        group.get(1).agree(number(1).setTimeoutMs(50));
        group.get(2).agree(number(1));
        Agreed expected =
                agreed(group.get(1), 1, false).addMissing(0).addMissing(3).build();
        assertEquals(expected, group.get(1).expectAgreed());
        assertEquals(expected, group.get(2).expectAgreed());
        group.get(0).agree(number(1));
        assertEquals(expected, group.get(0).expectAgreed());
        // What was said twice is answered once.
        group.get(0).agree(number(1));
        group.get(0).roundTrip();
        group.get(3).agree(number(1));
        assertEquals(expected, group.get(3).expectAgreed());
        // All know it, and the next goes its way.
        group.forEach(rank -> rank.agree(number(2)));
        group.forEach(rank -> assertTrue(rank.expectAgreed().getValue()));
    }

    /** It would take for failed what the others agree on later. */
    @Test
    void shouldAnswerAllAtTheEarliestDeadline() {
        List<TestRank> group = group(3);
        group.get(0).agree(number(1));
        group.get(0).roundTrip();
        group.get(2).agree(number(1).setTimeoutMs(50));
        Agreed expected = agreed(group.get(0), 1, false).addMissing(1).build();
        assertEquals(expected, group.get(0).expectAgreed());
        assertEquals(expected, group.get(2).expectAgreed());
        group.get(1).agree(number(1));
        assertEquals(expected, group.get(1).expectAgreed());
    }

    /** No member has to go since another one is slow. */
    @Test
    void shouldForgetTheFirstAnswersToWhoAsksManyTimesWithoutTheOthers() {
        restart(RelayFixture.insecure().set(RelayOption.CONTROL_MESSAGES_PER_SECOND, "1000000"));
        List<TestRank> group = group(2);
        int many = Agreements.AGREEMENTS_MAX + 10;
        for (int number = 1; number <= many; number++) {
            group.get(0).agree(number(number).setTimeoutMs(1));
            assertEquals(List.of(1), group.get(0).expectAgreed().getMissingList());
        }
        // The slow one hears the same of all of them, remembered or not, and meets the other at the next.
        for (int number = 1; number <= many; number++) {
            group.get(1).agree(number(number));
            assertEquals(
                    agreed(group.get(1), number, false).addMissing(1).build(),
                    group.get(1).expectAgreed());
        }
        group.forEach(rank -> rank.agree(number(many + 1)));
        group.forEach(rank -> assertTrue(rank.expectAgreed().getValue()));
    }

    /** It has nothing more to say in this epoch, though the next one did not begin. */
    @Test
    void shouldNotWaitForWhoAskedForTheNextEpochInVain() {
        List<TestRank> group = group(3);
        TestRank asks = fixture.opened(
                TestRank.attached(fixture.at, group.get(2).joinNext(0).setJoinTimeoutMs(50)));
        asks.expectRefusal(ErrorCode.JOIN_TIMEOUT);
        group.subList(0, 2).forEach(rank -> rank.agree(number(1)));
        for (int rank = 0; rank < 2; rank++) {
            assertEquals(
                    agreed(group.get(rank), 1, false).addMissing(2).build(),
                    group.get(rank).expectAgreed());
        }
    }

    @Test
    void shouldNotWaitForWhoGoesOnToTheNextEpoch() {
        List<TestRank> group = group(3);
        for (int rank = 0; rank < 2; rank++) {
            group.get(rank).agree(number(1));
        }
        fixture.opened(TestRank.attached(fixture.at, group.get(2).joinNext(0).setJoinTimeoutMs(LONG_MS)));
        for (int rank = 0; rank < 2; rank++) {
            assertEquals(
                    agreed(group.get(rank), 1, false).addMissing(2).build(),
                    group.get(rank).expectAgreed());
        }
    }

    @Test
    void shouldExpelOnlyWhoSaysSomethingSenseless() {
        List<IntFunction<Agree.Builder>> senseless = List.of(
                rank -> of(3, 8, rank),
                rank -> of(3, rank, rank, 8),
                rank -> of(3, rank, 9),
                rank -> of(3, -1, rank),
                rank -> of(3, rank + 1, 8),
                rank -> of(0, rank, 8),
                rank -> number(0),
                rank -> number(-1));
        List<TestRank> group = group(9);
        TestRank last = group.get(8);
        for (int rank = 0; rank < senseless.size(); rank++) {
            TestRank sender = group.get(rank);
            for (int gone = 0; gone < rank; gone++) {
                sender.expectGone(gone, Cause.EXPELLED);
            }
            sender.agree(senseless.get(rank).apply(rank));
            String reason = sender.expectRefusal(ErrorCode.PROTOCOL);
            assertTrue(reason.startsWith("Agree number "), reason);
            last.expectGone(rank, Cause.EXPELLED);
        }
        last.roundTrip();
        assertEquals(1, fixture.relay.stats().ranks());
    }

    @Test
    void shouldExpelWhoNamesOtherMembersThanTheFirst() {
        List<TestRank> group = group(4);
        group.get(0).agree(of(3, 0, 1, 2));
        group.get(0).roundTrip();
        group.get(1).agree(of(3, 0, 1, 3));
        String reason = group.get(1).expectRefusal(ErrorCode.PROTOCOL);
        assertTrue(reason.endsWith("other members than who said it first"), reason);
        for (int rank : new int[] {0, 2, 3}) {
            group.get(rank).expectGone(1, Cause.EXPELLED);
        }
        group.get(2).agree(of(3, 0, 1, 2));
        for (int rank : new int[] {0, 2}) {
            assertEquals(
                    agreed(group.get(0), 1, true)
                            .setContext(3)
                            .addFailed(1)
                            .addAllMembers(List.of(0, 1, 2))
                            .build(),
                    group.get(rank).expectAgreed());
        }
    }

    @Test
    void shouldExpelWhoAsksForTwoAtATimeOrInAnotherEpoch() {
        List<TestRank> group = group(3);
        group.get(0).agree(number(1));
        group.get(0).agree(number(2));
        String reason = group.get(0).expectRefusal(ErrorCode.PROTOCOL);
        assertTrue(reason.endsWith(" while number 1 has no answer"), reason);
        group.get(1).expectGone(0, Cause.EXPELLED);
        group.get(1)
                .control
                .send(ToRelay.newBuilder()
                        .setAgree(number(1).setEpoch(group.get(1).epoch() + 7))
                        .build());
        group.get(1).expectRefusal(ErrorCode.STALE_EPOCH);
        group.get(2).expectGone(0, Cause.EXPELLED);
        group.get(2).expectGone(1, Cause.EXPELLED);
        group.get(2).agree(number(1));
        assertEquals(
                agreed(group.get(2), 1, true).addFailed(0).addFailed(1).build(),
                group.get(2).expectAgreed());
    }

    @Test
    void shouldBoundWhatItRemembers() {
        restart(RelayFixture.insecure().set(RelayOption.CONTROL_MESSAGES_PER_SECOND, "1000000"));
        List<TestRank> group = group(2);
        TestRank asker = group.get(0);
        for (int context = 1; context <= Agreements.AGREEMENTS_MAX; context++) {
            asker.agree(of(context, 0, 1));
        }
        asker.roundTrip();
        asker.agree(of(Agreements.AGREEMENTS_MAX + 1, 0, 1));
        String reason = asker.expectRefusal(ErrorCode.LIMIT);
        assertTrue(reason.contains("there are " + Agreements.AGREEMENTS_MAX + " "), reason);
        group.get(1).expectGone(0, Cause.EXPELLED);
        // The other one's are answered and forgotten: there is room again.
        for (int context = 1; context <= Agreements.AGREEMENTS_MAX + 1; context++) {
            group.get(1).agree(of(context, 0, 1));
            Agreed told = group.get(1).expectAgreed();
            assertEquals(context, told.getContext());
            assertEquals(List.of(0), told.getFailedList());
        }
    }

    @Test
    void shouldNotWaitForAnswersThatWhoAsksForLaterOnesHas() {
        List<TestRank> group = group(2);
        for (int number = 1; number <= Agreements.AGREEMENTS_MAX + 10; number++) {
            // Rank 1 never comes in time for odd ones, and does not ask for them any more.
            group.get(0).agree(number(number).setTimeoutMs(number % 2 == 1 ? 1 : LONG_MS));
            if (number % 2 == 0) {
                group.get(1).agree(number(number));
                assertTrue(group.get(1).expectAgreed().getValue());
            }
            assertEquals(number % 2 == 0, group.get(0).expectAgreed().getValue());
        }
    }

    @Test
    void shouldReadALongListOfMembers() {
        restart(RelayFixture.insecure().set(RelayOption.CONTROL_BYTES_MAX, "1024"));
        List<TestRank> group = group(2);
        // Agreements of groups so large are longer than control-bytes-max.
        Agree.Builder wrong = number(1).setContext(4);
        for (int rank = 0; rank < 2000; rank++) {
            wrong.addMembers(rank);
        }
        group.get(0).agree(wrong);
        group.get(0).expectRefusal(ErrorCode.PROTOCOL);
        group.get(1).expectGone(0, Cause.EXPELLED);
        assertFalse(fixture.relay.stats().limitsReached().containsKey(RelayOption.CONTROL_BYTES_MAX));
    }
}
