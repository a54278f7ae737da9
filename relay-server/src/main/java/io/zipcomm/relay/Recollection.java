package io.zipcomm.relay;

import com.google.protobuf.Message;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.proto.Abort;
import io.zipcomm.wire.proto.Agree;
import io.zipcomm.wire.proto.Agreed;
import io.zipcomm.wire.proto.MemberGone;
import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.Recall;
import io.zipcomm.wire.proto.Revoke;
import io.zipcomm.wire.proto.ToRank;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What the members of a group know of it that the relay they come back to does not: who is gone, and what was said last. Whatever one
 * of them knows holds for all. Event loop only.
 */
final class Recollection {

    /** Of what is kept of all that members have said, above which the relay takes no more. */
    static final long BYTES_MAX = 16 << 20;

    /** What a rank may recall of each kind; ranks remember no more. */
    static final int ENTRIES_MAX = 256;

    /** Aborts, and as many revocations, that are kept of all members together: an epoch keeps no more. */
    static final int NOTICES_MAX = Epoch.TOLD_MAX / 2;

    /** What is kept of an entry, beside what was said. */
    private static final int ENTRY_BYTES = 128;

    /** A member's part of an agreement. */
    record Asked(int rank, Agree agree) {}

    /** Of an answer: who has heard it. */
    record Answered(Agreed agreed, BitSet heardBy) {}

    /** Communicators of different colours share a context, but not their lowest member. */
    private record Communicator(int context, int leader) {}

    private final int epoch;
    private final int size;
    private final MemberGone[] verdicts;
    private final BitSet gone = new BitSet();
    private final Notices revoked = new Notices(NOTICES_MAX);
    private final Notices aborted = new Notices(NOTICES_MAX);

    /** By number; none of these is empty. */
    private final Map<Communicator, SortedMap<Integer, Answered>> answered = new LinkedHashMap<>();

    private int answers;
    private final List<Asked> asked = new ArrayList<>();

    /** Of verdicts, answers and questions; there are never many revocations and aborts. */
    private long bytes;

    /**
     * Nobody has said anything yet.
     *
     * @param size ranks with which the epoch began
     */
    Recollection(int epoch, int size) {
        this.epoch = epoch;
        this.size = size;
        verdicts = new MemberGone[size];
    }

    int size() {
        return size;
    }

    /** Ranks of which a member knows that they are gone; to be left unchanged. */
    BitSet gone() {
        return gone;
    }

    /** The verdict on a rank that is gone. */
    MemberGone verdict(int rank) {
        return verdicts[rank];
    }

    /** Revocations and aborts, for all members. */
    List<ToRank> told() {
        List<ToRank> told = new ArrayList<>(revoked.all());
        told.addAll(aborted.all());
        return told;
    }

    /** Those of one communicator in the order of their numbers. */
    List<Answered> answered() {
        return answered.values().stream()
                .flatMap(byNumber -> byNumber.values().stream())
                .toList();
    }

    List<Asked> asked() {
        return asked;
    }

    /** Takes in what a member says, or answers what is wrong with it. What it says once more counts instead of what it said before. */
    Refusal take(int rank, Recall recall) {
        Refusal wrong = refusal(rank, recall);
        if (wrong != null) {
            return wrong;
        }
        recall.getGoneList().forEach(this::isGone);
        recall.getRevokedList()
                .forEach(one -> revoked.add(one.getContext(), one.getRank(), ControlWriter.message(clean(one))));
        recall.getAbortedList()
                .forEach(one -> aborted.add(one.getContext(), one.getRank(), ControlWriter.message(clean(one))));
        recall.getAgreedList().forEach(one -> heard(rank, one));
        bytes -= askedBytes(rank);
        asked.removeIf(before -> before.rank() == rank);
        recall.getAskedList().forEach(one -> asked.add(new Asked(rank, clean(one))));
        bytes += askedBytes(rank);
        return null;
    }

    /** A member has heard an answer. Of those to one communicator the latest count most: nobody asks for the others any more. */
    private void heard(int rank, Agreed agreed) {
        Communicator of = new Communicator(agreed.getContext(), agreed.getLeader());
        SortedMap<Integer, Answered> byNumber = answered.computeIfAbsent(of, any -> new TreeMap<>());
        Answered known = byNumber.get(agreed.getNumber());
        if (known == null) {
            known = new Answered(clean(agreed), new BitSet());
            byNumber.put(agreed.getNumber(), known);
            bytes += kept(known.agreed());
            answers++;
        }
        known.heardBy().set(rank);
        if (answers > Agreements.AGREEMENTS_MAX) {
            forgetAnswer(of);
        }
    }

    /** The first of this communicator, or that of another if it has no other. */
    private void forgetAnswer(Communicator added) {
        Communicator fullest = added;
        if (answered.get(added).size() == 1) {
            fullest = answered.keySet().stream()
                    .max(Comparator.comparingInt(
                            of -> of.equals(added) ? 0 : answered.get(of).size()))
                    .orElseThrow();
        }
        SortedMap<Integer, Answered> byNumber = answered.get(fullest);
        bytes -= kept(byNumber.remove(byNumber.firstKey()).agreed());
        answers--;
        if (byNumber.isEmpty()) {
            answered.remove(fullest);
        }
    }

    private long askedBytes(int rank) {
        return asked.stream()
                .filter(one -> one.rank() == rank)
                .mapToLong(one -> kept(one.agree()))
                .sum();
    }

    private static long kept(Message message) {
        return (long) ENTRY_BYTES + message.getSerializedSize();
    }

    /** What there is more to keep, at most, if a member says this. */
    private long moreBytes(int rank, Recall recall) {
        long agreedBytes = recall.getAgreedList().stream()
                .filter(one -> !isKnown(one))
                .mapToLong(Recollection::kept)
                .sum();
        long goneBytes = recall.getGoneList().stream()
                .filter(this::isNews)
                .mapToLong(Recollection::kept)
                .sum();
        return agreedBytes
                + goneBytes
                + recall.getAskedList().stream().mapToLong(Recollection::kept).sum()
                - askedBytes(rank);
    }

    private boolean isKnown(Agreed agreed) {
        SortedMap<Integer, Answered> byNumber = answered.get(new Communicator(agreed.getContext(), agreed.getLeader()));
        return byNumber != null && byNumber.containsKey(agreed.getNumber());
    }

    private Refusal refusal(int rank, Recall recall) {
        int entries = Math.max(
                Math.max(recall.getRevokedCount(), recall.getAbortedCount()),
                Math.max(recall.getAgreedCount(), recall.getAskedCount()));
        if (entries > ENTRIES_MAX || recall.getGoneCount() > size) {
            return new Refusal(
                    ErrorCode.PROTOCOL,
                    "Recall of rank " + rank + " with " + entries + " entries of a kind and " + recall.getGoneCount()
                            + " verdicts: expected up to " + ENTRIES_MAX + " and " + size);
        }
        boolean sound = recall.getSize() == size
                && isRank(rank)
                && recall.getGoneList().stream()
                        .allMatch(one -> one.getEpoch() == epoch && isRank(one.getRank()) && one.getRank() != rank)
                && recall.getRevokedList().stream().allMatch(one -> one.getEpoch() == epoch && isRank(one.getRank()))
                && recall.getAbortedList().stream().allMatch(one -> one.getEpoch() == epoch && isRank(one.getRank()))
                && recall.getAgreedList().stream().allMatch(this::isSound)
                && recall.getAskedList().stream().allMatch(one -> one.getEpoch() == epoch);
        if (!sound) {
            return new Refusal(
                    ErrorCode.PROTOCOL,
                    "Recall of rank " + rank + ": expected what is of epoch " + epoch + " and of " + size + " ranks");
        }
        return bytes + moreBytes(rank, recall) <= BYTES_MAX
                ? null
                : new Refusal(
                        ErrorCode.LIMIT,
                        "members of epoch " + epoch + " recall more than " + BYTES_MAX
                                + " bytes, and no more are allowed");
    }

    private boolean isSound(Agreed agreed) {
        return agreed.getEpoch() == epoch
                && agreed.getNumber() > 0
                && RankList.of(agreed.getMembersList(), size) != null
                && RankList.of(agreed.getFailedList(), size) != null
                && RankList.of(agreed.getMissingList(), size) != null
                && agreed.getMembersList().stream()
                                .mapToInt(Integer::intValue)
                                .findFirst()
                                .orElse(0)
                        == agreed.getLeader();
    }

    private boolean isRank(int rank) {
        return rank >= 0 && rank < size;
    }

    /** One that says why is better than one that does not. */
    private boolean isNews(MemberGone verdict) {
        MemberGone known = verdicts[verdict.getRank()];
        return known == null
                || (known.getDetail().isEmpty() && !verdict.getDetail().isEmpty());
    }

    private void isGone(MemberGone verdict) {
        int rank = verdict.getRank();
        if (isNews(verdict)) {
            bytes -= verdicts[rank] == null ? 0 : kept(verdicts[rank]);
            Cause cause = verdict.getCause() == Cause.UNRECOGNIZED ? Cause.UNKNOWN : verdict.getCause();
            verdicts[rank] = MemberGone.newBuilder()
                    .setEpoch(epoch)
                    .setRank(rank)
                    .setCause(cause)
                    .setDetail(Epoch.cut(verdict.getDetail()))
                    .build();
            bytes += kept(verdicts[rank]);
        }
        gone.set(rank);
    }

    /** Field by field: what else may be in it would go to everybody. */
    private Revoke clean(Revoke revoke) {
        return Revoke.newBuilder()
                .setEpoch(epoch)
                .setContext(revoke.getContext())
                .setRank(revoke.getRank())
                .setReason(Epoch.cut(revoke.getReason()))
                .build();
    }

    private Abort clean(Abort abort) {
        return Abort.newBuilder()
                .setEpoch(epoch)
                .setContext(abort.getContext())
                .setRank(abort.getRank())
                .setCode(abort.getCode())
                .setReason(Epoch.cut(abort.getReason()))
                .setCulprit(abort.getCulprit())
                .build();
    }

    private Agreed clean(Agreed agreed) {
        return Agreed.newBuilder()
                .setEpoch(epoch)
                .setContext(agreed.getContext())
                .setLeader(agreed.getLeader())
                .setNumber(agreed.getNumber())
                .setValue(agreed.getValue())
                .addAllFailed(agreed.getFailedList())
                .addAllMissing(agreed.getMissingList())
                .addAllMembers(agreed.getMembersList())
                .build();
    }

    private Agree clean(Agree agree) {
        return Agree.newBuilder()
                .setEpoch(epoch)
                .setContext(agree.getContext())
                .setNumber(agree.getNumber())
                .setValue(agree.getValue())
                .setTimeoutMs(agree.getTimeoutMs())
                .addAllMembers(agree.getMembersList())
                .build();
    }
}
