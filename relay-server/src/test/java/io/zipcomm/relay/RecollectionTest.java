package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.proto.Abort;
import io.zipcomm.wire.proto.Agree;
import io.zipcomm.wire.proto.Agreed;
import io.zipcomm.wire.proto.MemberGone;
import io.zipcomm.wire.proto.Recall;
import io.zipcomm.wire.proto.Revoke;
import io.zipcomm.wire.proto.ToRank;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is kept of what members recall, and what of it is too much. */
final class RecollectionTest {

    private static final int EPOCH = 7;
    private static final int SIZE = 1000;
    private static final String REASON = "x".repeat(200);

    private final Recollection recollection = new Recollection(EPOCH, SIZE);

    private static Recall.Builder recall() {
        return Recall.newBuilder().setSize(SIZE);
    }

    private static Revoke.Builder revoke(int context, int rank) {
        return Revoke.newBuilder()
                .setEpoch(EPOCH)
                .setContext(context)
                .setRank(rank)
                .setReason(REASON);
    }

    private static Abort.Builder abort(int context, int rank) {
        return Abort.newBuilder()
                .setEpoch(EPOCH)
                .setContext(context)
                .setRank(rank)
                .setReason(REASON);
    }

    private static Agreed.Builder agreed(int leader, int number) {
        return Agreed.newBuilder()
                .setEpoch(EPOCH)
                .setContext(leader + 1)
                .setLeader(leader)
                .setNumber(number)
                .addMembers(leader);
    }

    private static Agree.Builder agree(int number) {
        return Agree.newBuilder().setEpoch(EPOCH).setNumber(number);
    }

    private void take(int rank, Recall.Builder recall) {
        Refusal refusal = recollection.take(rank, recall.build());
        assertNull(refusal, () -> "rank " + rank + ": " + refusal);
    }

    private void expectRefusal(ErrorCode code, int rank, Recall.Builder recall) {
        assertEquals(code, recollection.take(rank, recall.build()).code());
    }

    private static List<Revoke> revokes(Recollection of) {
        return of.told().stream()
                .filter(ToRank::hasRevoke)
                .map(ToRank::getRevoke)
                .toList();
    }

    @Test
    void shouldRefuseMoreEntriesThanARankRemembers() {
        Recall.Builder revoked = recall();
        Recall.Builder aborted = recall();
        Recall.Builder answers = recall();
        Recall.Builder questions = recall();
        Recall.Builder gone = recall();
        for (int index = 0; index <= Recollection.ENTRIES_MAX; index++) {
            revoked.addRevoked(revoke(index, 0));
            aborted.addAborted(abort(index, 0));
            answers.addAgreed(agreed(0, index + 1));
            questions.addAsked(agree(index + 1));
        }
        for (int index = 0; index <= SIZE; index++) {
            gone.addGone(MemberGone.newBuilder().setEpoch(EPOCH).setRank(1));
        }
        for (Recall.Builder tooMuch : List.of(revoked, aborted, answers, questions, gone)) {
            expectRefusal(ErrorCode.PROTOCOL, 0, tooMuch);
        }
        assertTrue(recollection.told().isEmpty());
        assertTrue(recollection.answered().isEmpty());
        assertTrue(recollection.asked().isEmpty());
        assertTrue(recollection.gone().isEmpty());
    }

    @Test
    void shouldCountOnceWhatAllRecall() {
        Recall.Builder same = recall();
        for (int index = 0; index < Recollection.ENTRIES_MAX; index++) {
            same.addRevoked(revoke(index, index));
            same.addAborted(abort(index, index));
            same.addAgreed(agreed(1, index + 1));
        }
        for (int rank = SIZE / 2; rank < SIZE; rank++) {
            same.addGone(MemberGone.newBuilder().setEpoch(EPOCH).setRank(rank).setDetail(REASON));
        }
        assertTrue(same.build().getSerializedSize() * (SIZE / 2L) > 2 * Recollection.BYTES_MAX);
        for (int rank = 0; rank < SIZE / 2; rank++) {
            take(rank, same);
        }
        assertEquals(2 * Recollection.NOTICES_MAX, recollection.told().size());
        assertEquals(Recollection.ENTRIES_MAX, recollection.answered().size());
    }

    @Test
    void shouldCountWhatARankSaysAgainInPlaceOfWhatItSaid() {
        Recall.Builder much = recall();
        for (int index = 0; index < Recollection.ENTRIES_MAX; index++) {
            Agree.Builder question = agree(index + 1).setContext(1);
            for (int rank = 0; rank < SIZE / 2; rank++) {
                question.addMembers(rank);
            }
            much.addAsked(question);
        }
        for (int time = 0; time < 200; time++) {
            take(3, much);
        }
        assertEquals(Recollection.ENTRIES_MAX, recollection.asked().size());
    }

    @Test
    void shouldRefuseMoreThanItKeeps() {
        int bytesOfOne = 0;
        int rank = 0;
        Refusal refusal = null;
        while (refusal == null && rank < SIZE) {
            Recall.Builder questions = recall();
            for (int index = 0; index < Recollection.ENTRIES_MAX; index++) {
                Agree.Builder question = agree(index + 1).setContext(1);
                for (int member = 0; member < SIZE / 2; member++) {
                    question.addMembers(member);
                }
                questions.addAsked(question);
            }
            bytesOfOne = questions.build().getSerializedSize();
            refusal = recollection.take(rank++, questions.build());
        }
        assertEquals(ErrorCode.LIMIT, refusal.code());
        assertTrue((long) rank * bytesOfOne <= Recollection.BYTES_MAX + bytesOfOne, rank + " ranks");
        // Who has little to say has room.
        take(rank, recall().addRevoked(revoke(0, 0)));
    }

    @Test
    void shouldKeepWhatOneAloneKnowsWhateverOthersKnow() {
        Recall.Builder duplicates = recall();
        for (int rank = 0; rank < Recollection.ENTRIES_MAX; rank++) {
            duplicates.addRevoked(revoke(5, rank)).addAborted(abort(5, rank));
        }
        take(0, recall().addRevoked(revoke(6, 3)).addAborted(abort(6, 3)));
        take(1, duplicates);
        take(2, recall().addRevoked(revoke(8, 4)).addAborted(abort(8, 4)));
        List<Integer> revoked =
                revokes(recollection).stream().map(Revoke::getContext).toList();
        assertTrue(revoked.containsAll(List.of(5, 6, 8)), revoked::toString);
        assertEquals(2 * Recollection.NOTICES_MAX, recollection.told().size());
        List<Integer> aborted = recollection.told().stream()
                .filter(ToRank::hasAbort)
                .map(one -> one.getAbort().getContext())
                .toList();
        assertTrue(aborted.containsAll(List.of(5, 6, 8)), aborted::toString);
    }

    @Test
    void shouldKeepTheLatestOfManyContextsAndThatTheWorldIsRevoked() {
        Recall.Builder first = recall();
        Recall.Builder later = recall();
        for (int index = 0; index < Recollection.NOTICES_MAX; index++) {
            first.addRevoked(revoke(index, 0));
            later.addRevoked(revoke(1000 + index, 0));
        }
        take(0, first.addRevoked(revoke(0, 1)));
        take(1, later);
        List<Integer> contexts =
                revokes(recollection).stream().map(Revoke::getContext).toList();
        assertEquals(Recollection.NOTICES_MAX, contexts.size());
        assertEquals(1, contexts.stream().filter(context -> context == 0).count());
        assertTrue(contexts.contains(1000 + Recollection.NOTICES_MAX - 1));
    }

    @Test
    void shouldKeepTheLatestAnswersOfEachCommunicator() {
        take(0, recall().addAgreed(agreed(900, 1)));
        for (int rank = 1; rank < 6; rank++) {
            Recall.Builder answers = recall();
            for (int index = 0; index < Recollection.ENTRIES_MAX; index++) {
                answers.addAgreed(agreed(rank, index + 1));
            }
            take(rank, answers);
        }
        List<Recollection.Answered> answered = recollection.answered();
        assertEquals(Agreements.AGREEMENTS_MAX, answered.size());
        assertTrue(answered.stream().anyMatch(one -> one.agreed().getLeader() == 900));
        for (int rank = 1; rank < 6; rank++) {
            int leader = rank;
            assertTrue(
                    answered.stream()
                            .anyMatch(one -> one.agreed().getLeader() == leader
                                    && one.agreed().getNumber() == Recollection.ENTRIES_MAX),
                    "the last answer of the communicator of rank " + rank);
        }
    }
}
