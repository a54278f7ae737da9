package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.proto.Agree;
import io.zipcomm.wire.proto.Agreed;
import io.zipcomm.wire.proto.ToRank;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * What members of one epoch agree on. Each agreement has one answer, the same for all its members, once every living one has
 * said its part or asked for the next epoch, or the time of the first is over. It is remembered for those who come later. Event loop
 * only.
 */
final class Agreements {

    /** Agreements of one epoch that are open, or that somebody who lives has not asked for yet. */
    static final int AGREEMENTS_MAX = 1024;

    /** Where an agreement is: communicators of different colours share a context, but not their lowest member. */
    private record Communicator(int context, int leader) {}

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

    private final Shard shard;
    private final Epoch epoch;
    private final Map<Communicator, Map<Integer, Agreement>> agreements = new HashMap<>();
    private int count;

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
        Map<Integer, Agreement> ofCommunicator = agreements.getOrDefault(of, Map.of());
        for (Agreement other : List.copyOf(ofCommunicator.values())) {
            if (other.number == agree.getNumber() || !other.members.get(from.rank)) {
                continue;
            }
            if (other.answer == null && other.said.get(from.rank)) {
                return new Refusal(
                        ErrorCode.PROTOCOL, text(agree) + " while number " + other.number + " has no answer");
            }
            if (other.answer != null && other.number < agree.getNumber()) {
                // One at a time: it does not ask for that any more.
                other.said.set(from.rank);
                forgetIfKnown(other);
            }
        }
        Agreement agreement = ofCommunicator.get(agree.getNumber());
        if (agreement == null) {
            if (count >= AGREEMENTS_MAX) {
                return new Refusal(
                        ErrorCode.LIMIT,
                        text(agree) + ": there are " + AGREEMENTS_MAX
                                + " that not all living members have asked for, and no more are allowed");
            }
            agreement = open(of, agree, members);
        } else if (!agreement.members.equals(members)) {
            return new Refusal(ErrorCode.PROTOCOL, text(agree) + ": other members than who said it first");
        }
        take(agreement, from, agree.getValue());
        return null;
    }

    private static String text(Agree agree) {
        return "Agree number " + agree.getNumber() + " in context " + agree.getContext();
    }

    /** Null if they cannot be. */
    private BitSet members(int from, Agree agree) {
        BitSet members = new BitSet(epoch.size());
        if (agree.getMembersCount() == 0) {
            members.set(0, epoch.size());
        }
        int last = -1;
        for (int rank : agree.getMembersList()) {
            if (rank <= last || rank >= epoch.size()) {
                return null;
            }
            members.set(rank);
            last = rank;
        }
        boolean world = agree.getContext() != 0 || members.cardinality() == epoch.size();
        return world && members.get(from) ? members : null;
    }

    private Agreement open(Communicator of, Agree first, BitSet members) {
        Agreement agreement = new Agreement(of, first.getNumber(), members);
        agreements.computeIfAbsent(of, any -> new HashMap<>()).put(agreement.number, agreement);
        count++;
        long timeoutNs = TimeUnit.MILLISECONDS.toNanos(Math.max(1, first.getTimeoutMs()));
        agreement.deadline = shard.later(() -> answer(agreement), timeoutNs);
        return agreement;
    }

    /** What it says twice counts once. */
    private void take(Agreement agreement, Member from, boolean value) {
        boolean first = !agreement.said.get(from.rank);
        agreement.said.set(from.rank);
        if (agreement.answer == null) {
            agreement.value &= value || !first;
            answerIfAllSaid(agreement);
        } else if (first) {
            from.control.send(agreement.answer);
            forgetIfKnown(agreement);
        }
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
        BitSet failed = (BitSet) agreement.members.clone();
        failed.andNot(epoch.living());
        agreement.answer = ControlWriter.message(Agreed.newBuilder()
                .setEpoch(epoch.number())
                .setContext(agreement.of.context())
                .setLeader(agreement.of.leader())
                .setNumber(agreement.number)
                .setValue(agreement.value && missing.isEmpty())
                .addAllFailed(() -> failed.stream().iterator())
                .addAllMissing(() -> missing.stream().iterator())
                .build());
        epoch.tell(agreement.answer, agreement.said);
        forgetIfKnown(agreement);
    }

    private void forgetIfKnown(Agreement agreement) {
        if (agreement.withoutWord(epoch.living()).isEmpty()) {
            Map<Integer, Agreement> ofCommunicator = agreements.get(agreement.of);
            ofCommunicator.remove(agreement.number);
            if (ofCommunicator.isEmpty()) {
                agreements.remove(agreement.of);
            }
            count--;
        }
    }

    /** A member says nothing any more, since it is gone or has asked for the next epoch. */
    void waitNoMoreFor(int rank) {
        List<Agreement> concerned = agreements.values().stream()
                .flatMap(all -> all.values().stream())
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
        for (Map<Integer, Agreement> ofCommunicator : agreements.values()) {
            for (Agreement agreement : ofCommunicator.values()) {
                if (agreement.deadline != null) {
                    agreement.deadline.cancel(false);
                }
            }
        }
        agreements.clear();
        count = 0;
    }
}
