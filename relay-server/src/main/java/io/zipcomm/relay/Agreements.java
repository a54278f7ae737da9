package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.proto.Agree;
import io.zipcomm.wire.proto.Agreed;
import io.zipcomm.wire.proto.ToRank;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/**
 * What members of one epoch agree on. Each agreement has one answer, the same for all its members, once every living one has
 * said its part or asked for the next epoch, or the time of one of those who have said it is over: it would take for failed what the
 * others agree on later. The answer is remembered for those who come later. Event loop only.
 */
final class Agreements {

    /** Agreements of one epoch that are open, or that somebody who lives has not asked for yet. */
    static final int AGREEMENTS_MAX = 1024;

    /** Answers of one epoch that are kept for those who were away. */
    static final int ANSWERS_MAX = AGREEMENTS_MAX;

    /** Times that differ by less than 292 years can be compared; nobody lives so long. */
    private static final long TIMEOUT_MS_MAX = TimeUnit.DAYS.toMillis(365);

    /** Where an agreement is: communicators of different colours share a context, but not their lowest member. */
    private record Communicator(int context, int leader) {}

    private record Question(Communicator of, int number) {}

    /** One question. */
    private static final class Agreement {
        final Communicator of;
        final int number;
        final BitSet members;

        /** Who has said its part, or come for the answer. */
        final BitSet said = new BitSet();

        boolean value = true;

        /** Null once there is an answer. */
        Future<?> deadline;

        /** When that is. */
        long deadlineNs;

        /** Null as long as there is none. */
        ToRank answer;

        Agreement(Communicator of, int number, BitSet members) {
            this.of = of;
            this.number = number;
            this.members = members;
        }

        BitSet withoutWord(BitSet living) {
            BitSet silent = (BitSet) members.clone();
            silent.and(living);
            silent.andNot(said);
            return silent;
        }
    }

    /** The questions of one communicator; there is one, at least. */
    private static final class Asked {
        final SortedMap<Integer, Agreement> byNumber = new TreeMap<>();

        /** Up to this number, what is not there has been answered, and whoever still asks for it was missing; 0 for none. */
        int forgottenTo;

        /** Forgets the answer to the first, of which members were missing that still live. Returns false if it has none. */
        boolean forgetFirst() {
            Agreement first = byNumber.get(byNumber.firstKey());
            if (first.answer == null) {
                return false;
            }
            forgottenTo = first.number;
            byNumber.remove(first.number);
            return true;
        }
    }

    private final Shard shard;
    private final Epoch epoch;
    private final Map<Communicator, Asked> agreements = new HashMap<>();
    private int count;

    /**
     * The latest answers, the oldest first. Who has said its part may be away when there is an answer, and may say it once more when it
     * comes back, since it cannot know whether it was heard.
     */
    private final Map<Question, Agreement> answered = new LinkedHashMap<>();

    Agreements(Shard shard, Epoch epoch) {
        this.shard = shard;
        this.epoch = epoch;
    }

    /** Open and remembered ones. */
    int count() {
        return count;
    }

    /** A member says its part. Answers what is wrong with it; null if it can be. */
    Refusal say(Member from, Agree agree) {
        BitSet members = members(from.rank, agree);
        if (members == null || agree.getNumber() < 1) {
            return new Refusal(
                    ErrorCode.PROTOCOL,
                    text(agree) + ": expected a number from 1, and members in ascending order, " + from
                            + " among them, of " + epoch.size());
        }
        Communicator of = new Communicator(agree.getContext(), members.nextSetBit(0));
        if (hasSaid(of, members, from, agree.getNumber())) {
            return null;
        }
        Refusal refusal = doneWithOthers(of, from, agree);
        return refusal == null ? say(of, members, from, agree) : refusal;
    }

    /** What it says twice counts once. It has heard the answer, if there is one, or heard it when it came back. */
    private boolean hasSaid(Communicator of, BitSet members, Member from, int number) {
        Asked asked = agreements.get(of);
        Agreement open = asked == null ? null : asked.byNumber.get(number);
        Agreement known = open == null ? answered.get(new Question(of, number)) : open;
        return known != null && known.members.equals(members) && known.said.get(from.rank);
    }

    /** One at a time: a member does not ask for earlier ones any more that have been answered; others are in its way. */
    private Refusal doneWithOthers(Communicator of, Member from, Agree agree) {
        Asked asked = agreements.get(of);
        if (asked == null) {
            return null;
        }
        for (Agreement other : List.copyOf(asked.byNumber.values())) {
            if (other.number == agree.getNumber() || !other.members.get(from.rank)) {
                continue;
            }
            if (other.answer == null && other.said.get(from.rank)) {
                return new Refusal(
                        ErrorCode.PROTOCOL, text(agree) + " while number " + other.number + " has no answer");
            }
            if (other.answer != null && other.number < agree.getNumber()) {
                other.said.set(from.rank);
                forgetIfKnown(other);
            }
        }
        return null;
    }

    private Refusal say(Communicator of, BitSet members, Member from, Agree agree) {
        Asked asked = agreements.get(of);
        Agreement agreement = asked == null ? null : asked.byNumber.get(agree.getNumber());
        if (agreement != null && !agreement.members.equals(members)) {
            return new Refusal(ErrorCode.PROTOCOL, text(agree) + ": other members than who said it first");
        }
        if (agreement == null && asked != null && agree.getNumber() <= asked.forgottenTo) {
            BitSet late = new BitSet();
            late.set(from.rank);
            from.control.send(answer(of, agree.getNumber(), members, false, late));
            return null;
        }
        if (agreement == null) {
            if (count >= AGREEMENTS_MAX && asked != null && asked.forgetFirst()) {
                count--;
            }
            if (count >= AGREEMENTS_MAX) {
                return new Refusal(
                        ErrorCode.LIMIT,
                        text(agree) + ": there are " + AGREEMENTS_MAX
                                + " that not all living members have asked for, and no more are allowed");
            }
            agreement = open(of, agree.getNumber(), members);
        }
        take(agreement, from, agree);
        return null;
    }

    private static String text(Agree agree) {
        return "Agree number " + agree.getNumber() + " in context " + agree.getContext();
    }

    /** Null if they cannot be. */
    private BitSet members(int from, Agree agree) {
        BitSet members = RankList.of(agree.getMembersList(), epoch.size());
        if (members == null) {
            return null;
        }
        boolean world = agree.getContext() != 0 || members.cardinality() == epoch.size();
        return world && members.get(from) ? members : null;
    }

    private Agreement open(Communicator of, int number, BitSet members) {
        Agreement agreement = new Agreement(of, number, members);
        agreements.computeIfAbsent(of, any -> new Asked()).byNumber.put(number, agreement);
        count++;
        return agreement;
    }

    /** For the first time, see {@link #hasSaid}. */
    private void take(Agreement agreement, Member from, Agree agree) {
        agreement.said.set(from.rank);
        if (agreement.answer == null) {
            agreement.value &= agree.getValue();
            answerWithin(agreement, agree.getTimeoutMs());
            answerIfAllSaid(agreement);
        } else {
            from.control.send(agreement.answer);
            forgetIfKnown(agreement);
        }
    }

    /** One of those who wait for it waits no longer than that. */
    private void answerWithin(Agreement agreement, long timeoutMs) {
        long timeoutNs = TimeUnit.MILLISECONDS.toNanos(Math.min(TIMEOUT_MS_MAX, Math.max(1, timeoutMs)));
        long atNs = shard.nanoTime() + timeoutNs;
        if (agreement.deadline != null && atNs - agreement.deadlineNs >= 0) {
            return;
        }
        if (agreement.deadline != null) {
            agreement.deadline.cancel(false);
        }
        agreement.deadlineNs = atNs;
        agreement.deadline = shard.later(() -> answer(agreement), timeoutNs);
    }

    private void answerIfAllSaid(Agreement agreement) {
        if (agreement.withoutWord(epoch.attending()).isEmpty()) {
            answer(agreement);
        }
    }

    /** Decides, whoever is missing. */
    private void answer(Agreement agreement) {
        agreement.deadline.cancel(false);
        agreement.deadline = null;
        BitSet missing = agreement.withoutWord(epoch.living());
        agreement.answer = answer(agreement.of, agreement.number, agreement.members, agreement.value, missing);
        keep(agreement);
        epoch.tell(agreement.answer, agreement.said);
        forgetIfKnown(agreement);
    }

    private void keep(Agreement agreement) {
        if (answered.size() == ANSWERS_MAX) {
            answered.remove(answered.keySet().iterator().next());
        }
        answered.put(new Question(agreement.of, agreement.number), agreement);
    }

    /** The latest answers, each with the ranks that have said their part or come for it; those are to be left unchanged. */
    void forEachAnswer(BiConsumer<ToRank, BitSet> action) {
        answered.values().forEach(agreement -> action.accept(agreement.answer, agreement.said));
    }

    /** Takes over an answer that was given before the relay was started again; those before it are forgotten. */
    void restore(Recollection.Answered answered) {
        Agreed agreed = answered.agreed();
        Communicator of = new Communicator(agreed.getContext(), agreed.getLeader());
        Asked before = agreements.get(of);
        if (count >= AGREEMENTS_MAX && before != null && before.forgetFirst()) {
            count--;
        }
        if (count >= AGREEMENTS_MAX) {
            return;
        }
        BitSet members = RankList.of(agreed.getMembersList(), epoch.size());
        Agreement known = open(of, agreed.getNumber(), members);
        known.said.or(answered.heardBy());
        known.answer = ControlWriter.message(agreed);
        Asked asked = agreements.get(of);
        asked.forgottenTo = Math.max(asked.forgottenTo, asked.byNumber.firstKey() - 1);
        keep(known);
        forgetIfKnown(known);
    }

    private ToRank answer(Communicator of, int number, BitSet members, boolean value, BitSet missing) {
        BitSet failed = (BitSet) members.clone();
        failed.andNot(epoch.living());
        return ControlWriter.message(Agreed.newBuilder()
                .setEpoch(epoch.number())
                .setContext(of.context())
                .setLeader(of.leader())
                .setNumber(number)
                .setValue(value && missing.isEmpty())
                .addAllFailed(() -> failed.stream().iterator())
                .addAllMissing(() -> missing.stream().iterator())
                .addAllMembers(() -> members.stream()
                        .filter(rank -> members.cardinality() < epoch.size())
                        .iterator())
                .build());
    }

    private void forgetIfKnown(Agreement agreement) {
        if (agreement.withoutWord(epoch.living()).isEmpty()) {
            Asked asked = agreements.get(agreement.of);
            asked.byNumber.remove(agreement.number);
            if (asked.byNumber.isEmpty()) {
                agreements.remove(agreement.of);
            }
            count--;
        }
    }

    /** A member says nothing any more, since it is gone or has asked for the next epoch. */
    void waitNoMoreFor(int rank) {
        List<Agreement> concerned = agreements.values().stream()
                .flatMap(asked -> asked.byNumber.values().stream())
                .filter(agreement -> agreement.members.get(rank))
                .toList();
        for (Agreement agreement : concerned) {
            if (agreement.answer == null) {
                answerIfAllSaid(agreement);
            } else {
                forgetIfKnown(agreement);
            }
        }
    }

    /** The epoch is over. */
    void close() {
        for (Asked asked : agreements.values()) {
            for (Agreement agreement : asked.byNumber.values()) {
                if (agreement.deadline != null) {
                    agreement.deadline.cancel(false);
                }
            }
        }
        agreements.clear();
        answered.clear();
        count = 0;
    }
}
