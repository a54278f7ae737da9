package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.wire.proto.Abort;
import io.zipcomm.wire.proto.Agree;
import io.zipcomm.wire.proto.Agreed;
import io.zipcomm.wire.proto.GroupReady;
import io.zipcomm.wire.proto.MemberGone;
import io.zipcomm.wire.proto.Recall;
import io.zipcomm.wire.proto.Revoke;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class GroupMemoryTest {

    private static final int RANK = 3;
    private static final int KEPT_MAX = 256;

    /** A relay takes somewhat more. */
    private static final int RECALL_BYTES_MAX = 240 << 10;

    private final GroupMemory memory =
            new GroupMemory(GroupReady.newBuilder().setRank(RANK).build());

    private static ToRelay abort(int context, String reason) {
        return ToRelay.newBuilder()
                .setAbort(Abort.newBuilder().setContext(context).setReason(reason))
                .build();
    }

    private static ToRelay revoke(int context) {
        return ToRelay.newBuilder()
                .setRevoke(Revoke.newBuilder().setContext(context))
                .build();
    }

    private static ToRelay agree(int context, int number, Iterable<Integer> members) {
        return ToRelay.newBuilder()
                .setAgree(Agree.newBuilder()
                        .setContext(context)
                        .setNumber(number)
                        .setTimeoutMs(1000)
                        .addAllMembers(members))
                .build();
    }

    private static ToRank agreed(int context, int number, Iterable<Integer> members) {
        return ToRank.newBuilder()
                .setAgreed(Agreed.newBuilder()
                        .setContext(context)
                        .setNumber(number)
                        .addAllMembers(members))
                .build();
    }

    private static ToRank gone(int rank, String detail) {
        return ToRank.newBuilder()
                .setMemberGone(MemberGone.newBuilder().setRank(rank).setDetail(detail))
                .build();
    }

    private static List<Integer> ranks(int count) {
        return IntStream.range(0, count).boxed().toList();
    }

    /** Characters of three bytes each. */
    private static final String LONG_REASON = "\u20ac".repeat(200);

    @Test
    void shouldRecallTheLatestWhereThereIsNoRoomForAll() {
        for (int context = 0; context < KEPT_MAX; context++) {
            memory.says(revoke(context), 0);
        }
        for (int context = 0; context < 2 * KEPT_MAX; context++) {
            memory.says(abort(context, LONG_REASON), 0);
            memory.hears(agreed(1, context, ranks(1000)));
        }
        Recall recall = memory.recall(0);
        assertTrue(recall.getSerializedSize() <= RECALL_BYTES_MAX, recall.getSerializedSize() + " bytes");
        assertEquals(KEPT_MAX, recall.getRevokedCount());
        List<Integer> contexts =
                recall.getAbortedList().stream().map(Abort::getContext).toList();
        assertTrue(contexts.size() < KEPT_MAX, "there is room for all");
        assertEquals(
                IntStream.range(2 * KEPT_MAX - contexts.size(), 2 * KEPT_MAX)
                        .boxed()
                        .toList(),
                contexts);
        assertEquals(
                2 * KEPT_MAX - 1, recall.getAgreed(recall.getAgreedCount() - 1).getNumber());
    }

    @Test
    void shouldTakeWhatIsSaidAgainForTheLatest() {
        for (int context = 0; context < KEPT_MAX; context++) {
            memory.says(abort(context, ""), 0);
        }
        memory.says(abort(0, ""), 0);
        memory.says(abort(KEPT_MAX, ""), 0);
        List<Integer> contexts = memory.recall(0).getAbortedList().stream()
                .map(Abort::getContext)
                .toList();
        assertTrue(contexts.contains(0), "it is the latest but one");
        assertFalse(contexts.contains(1), "it is the oldest");
    }

    @Test
    void shouldHaveRoomForAllWhoAreGone() {
        int goneRanks = 4000;
        for (int number = 1; number <= KEPT_MAX; number++) {
            memory.says(agree(number, 1, ranks(1000)), 0);
            memory.hears(agreed(-number, number, ranks(1000)));
        }
        for (int rank = 0; rank < goneRanks; rank++) {
            memory.hears(gone(rank, LONG_REASON));
        }
        Recall recall = memory.recall(0);
        assertTrue(recall.getSerializedSize() <= RECALL_BYTES_MAX, recall.getSerializedSize() + " bytes");
        assertEquals(
                ranks(goneRanks),
                recall.getGoneList().stream().map(MemberGone::getRank).toList());
        assertEquals(LONG_REASON, recall.getGone(0).getDetail());
    }

    @Test
    void shouldKnowWhatIsInARecall() {
        memory.says(revoke(1), 0);
        memory.says(abort(2, "a"), 0);
        memory.says(agree(3, 7, ranks(2)), 0);
        memory.hears(agreed(4, 8, ranks(2)));
        Recall recall = memory.recall(0);
        assertTrue(GroupMemory.isIn(recall, RANK, revoke(1)));
        assertTrue(GroupMemory.isIn(recall, RANK, abort(2, "a")));
        assertTrue(GroupMemory.isIn(recall, RANK, agree(3, 7, ranks(2))));
        assertTrue(GroupMemory.isIn(recall, RANK, agree(4, 8, ranks(2))), "it is answered");
        assertFalse(GroupMemory.isIn(recall, RANK, revoke(2)));
        assertFalse(GroupMemory.isIn(recall, RANK, abort(1, "a")));
        assertFalse(GroupMemory.isIn(recall, RANK, agree(3, 8, ranks(2))));
        assertFalse(GroupMemory.isIn(recall, RANK, agree(3, 7, List.of(1, 2))), "another colour");
        assertFalse(GroupMemory.isIn(recall, RANK + 1, abort(2, "a")), "another rank said it");
    }
}
