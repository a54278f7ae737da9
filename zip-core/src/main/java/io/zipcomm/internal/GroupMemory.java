package io.zipcomm.internal;

import com.google.protobuf.MessageLite;
import io.zipcomm.wire.proto.Abort;
import io.zipcomm.wire.proto.Agree;
import io.zipcomm.wire.proto.Agreed;
import io.zipcomm.wire.proto.GroupReady;
import io.zipcomm.wire.proto.MemberGone;
import io.zipcomm.wire.proto.Recall;
import io.zipcomm.wire.proto.Revoke;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a rank knows of its group that a relay which was started again does not: who is gone, and the latest that was said and heard.
 * Whoever calls it holds the lock of its owner.
 */
final class GroupMemory {

    /** Of each kind of message. */
    private static final int KEPT_MAX = 256;

    /** Longest Recall; a relay takes somewhat more. */
    private static final int RECALL_BYTES_MAX = 240 << 10;

    /** Of that, for answers: they name many ranks. */
    private static final int ANSWERS_BYTES_MAX = 100 << 10;

    /** Of that, for who is gone with the details; others are told of without. */
    private static final int DETAILED_BYTES_MAX = 60 << 10;

    /** What is told of a reason, after the relay was started again. */
    private static final int REASON_CHARACTERS_MAX = 200;

    /** What comes with a message in a Recall, at most. */
    private static final int ENTRY_BYTES = 8;

    /** A communicator, and who said something of it. */
    private record Said(int context, int rank) {}

    /** Communicators of different colours share a context, but not their lowest member. */
    private record Communicator(int context, int leader) {}

    /** What this rank has said its part of; the instant is on the caller's clock. */
    private record Asked(Agree agree, long deadlineNs) {}

    private final GroupReady group;
    private final Map<Integer, MemberGone> gone = new TreeMap<>();
    private final Map<Said, Revoke> revoked = new LinkedHashMap<>();
    private final Map<Said, Abort> aborted = new LinkedHashMap<>();
    private final Map<Communicator, Asked> asked = new LinkedHashMap<>();
    private final ArrayDeque<Agreed> agreed = new ArrayDeque<>();

    GroupMemory(GroupReady group) {
        this.group = group;
    }

    /** This rank says something. */
    void says(ToRelay message, long nowNs) {
        switch (message.getMessageCase()) {
            case ABORT -> keep(message.getAbort().toBuilder().setRank(group.getRank()));
            case REVOKE -> keep(message.getRevoke().toBuilder().setRank(group.getRank()));
            case AGREE -> {
                Agree agree = message.getAgree();
                keep(asked, of(agree), new Asked(agree, nowNs + agree.getTimeoutMs() * 1_000_000));
            }
            default -> {
                // Of no use once it is heard.
            }
        }
    }

    /** The relay says something. */
    void hears(ToRank message) {
        switch (message.getMessageCase()) {
            case MEMBER_GONE -> gone.put(message.getMemberGone().getRank(), message.getMemberGone());
            case ABORT -> keep(message.getAbort().toBuilder());
            case REVOKE -> keep(message.getRevoke().toBuilder());
            case AGREED -> {
                Agreed answer = message.getAgreed();
                Communicator of = new Communicator(answer.getContext(), answer.getLeader());
                Asked question = asked.get(of);
                if (question != null && question.agree.getNumber() <= answer.getNumber()) {
                    asked.remove(of);
                }
                if (agreed.size() == KEPT_MAX) {
                    agreed.remove();
                }
                agreed.add(answer);
            }
            default -> {
                // Of no use later.
            }
        }
    }

    private static Communicator of(Agree agree) {
        return new Communicator(agree.getContext(), agree.getMembersCount() == 0 ? 0 : agree.getMembers(0));
    }

    private void keep(Abort.Builder abort) {
        abort.setReason(cut(abort.getReason()));
        keep(aborted, new Said(abort.getContext(), abort.getRank()), abort.build());
    }

    private void keep(Revoke.Builder revoke) {
        revoke.setReason(cut(revoke.getReason()));
        keep(revoked, new Said(revoke.getContext(), revoke.getRank()), revoke.build());
    }

    private static <K, V> void keep(Map<K, V> kept, K key, V value) {
        if (kept.size() == KEPT_MAX && !kept.containsKey(key)) {
            kept.remove(kept.keySet().iterator().next());
        }
        // At the end: it is the latest.
        kept.remove(key);
        kept.put(key, value);
    }

    private static String cut(String reason) {
        if (reason.length() <= REASON_CHARACTERS_MAX) {
            return reason;
        }
        boolean insidePair = Character.isHighSurrogate(reason.charAt(REASON_CHARACTERS_MAX - 1));
        return reason.substring(0, insidePair ? REASON_CHARACTERS_MAX - 1 : REASON_CHARACTERS_MAX);
    }

    /**
     * All of it, as far as it has room: who is gone first, then what others may wait for, and of each kind the latest before what was
     * earlier.
     */
    Recall recall(long nowNs) {
        Recall.Builder recall = Recall.newBuilder()
                .setSize(group.getMembersCount())
                .setFlowWindowBytes(group.getFlowWindowBytes())
                .setFragmentBytesMax(group.getFragmentBytesMax())
                .setHubWindowBytes(group.getHubWindowBytes())
                .setHubReduces(group.getHubReduces());
        Room room = new Room(RECALL_BYTES_MAX);
        for (MemberGone one : gone.values()) {
            MemberGone whole = one.toBuilder().setDetail(cut(one.getDetail())).build();
            MemberGone verdict = room.bytes > RECALL_BYTES_MAX - DETAILED_BYTES_MAX
                    ? whole
                    : one.toBuilder().clearDetail().build();
            if (room.takes(verdict)) {
                recall.addGone(verdict);
            }
        }
        List<Agree> questions = asked.values().stream()
                .map(one -> one.agree.toBuilder()
                        .setTimeoutMs(Math.max(1, (one.deadlineNs - nowNs) / 1_000_000))
                        .build())
                .toList();
        recall.addAllAsked(room.latest(questions));
        Room forAnswers = new Room(Math.min(room.bytes, ANSWERS_BYTES_MAX));
        int answersBytes = forAnswers.bytes;
        recall.addAllAgreed(forAnswers.latest(agreed));
        room.bytes -= answersBytes - forAnswers.bytes;
        recall.addAllRevoked(room.latest(revoked.values()));
        recall.addAllAborted(room.latest(aborted.values()));
        return recall.build();
    }

    /** Whether a relay that has heard a Recall of a rank knows what that rank has said, or the answer to it. */
    static boolean isIn(Recall recall, int rank, ToRelay message) {
        return switch (message.getMessageCase()) {
            case ABORT ->
                recall.getAbortedList().stream()
                        .anyMatch(one -> one.getRank() == rank
                                && one.getContext() == message.getAbort().getContext());
            case REVOKE ->
                recall.getRevokedList().stream()
                        .anyMatch(one -> one.getRank() == rank
                                && one.getContext() == message.getRevoke().getContext());
            case AGREE -> isIn(recall, message.getAgree());
            default -> false;
        };
    }

    /** Whether a message is this rank's part of an agreement, or of one before it of the same communicator. */
    static boolean isAnsweredBy(ToRelay message, Agreed answer) {
        return message.hasAgree()
                && message.getAgree().getNumber() <= answer.getNumber()
                && of(message.getAgree()).equals(new Communicator(answer.getContext(), answer.getLeader()));
    }

    private static boolean isIn(Recall recall, Agree agree) {
        Communicator of = of(agree);
        return recall.getAskedList().stream()
                        .anyMatch(one -> of.equals(of(one)) && one.getNumber() == agree.getNumber())
                || recall.getAgreedList().stream()
                        .anyMatch(one -> of.equals(new Communicator(one.getContext(), one.getLeader()))
                                && one.getNumber() == agree.getNumber());
    }

    /** What is left of the longest Recall. */
    private static final class Room {
        private int bytes;

        Room(int bytes) {
            this.bytes = bytes;
        }

        boolean takes(MessageLite message) {
            int messageBytes = message.getSerializedSize() + ENTRY_BYTES;
            if (messageBytes > bytes) {
                return false;
            }
            bytes -= messageBytes;
            return true;
        }

        /** Of messages in their order, those that it takes, the latest first of all. */
        <M extends MessageLite> Collection<M> latest(Collection<M> messages) {
            ArrayDeque<M> taken = new ArrayDeque<>();
            new ArrayDeque<>(messages).descendingIterator().forEachRemaining(message -> {
                if (takes(message)) {
                    taken.addFirst(message);
                }
            });
            return taken;
        }
    }
}
