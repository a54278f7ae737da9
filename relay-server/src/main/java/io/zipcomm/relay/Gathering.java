package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.MemberGone.Cause;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Future;

/**
 * Ranks that find each other for the first epoch of a session. Event loop only.
 *
 * <p>A rank that is asked for is given at once. Who asks for none waits until as many have joined as the group has ranks; then
 * the free ones are given out from the lowest, in the order of joining. If somebody goes away after that, and another comes and asks
 * for a rank that was given out, who has it moves to the free one. So no assigned rank is ever in the way of somebody who asks for it.
 */
@SuppressWarnings("FutureReturnValueIgnored") // see the package's description
final class Gathering extends Waiting {

    private final JoinTimeout timeout;
    private final long beganNs;

    /** By rank; null where nobody has it. */
    private final Member[] places;

    /** Joined without asking for a rank, in order. */
    private final List<Member> unranked = new ArrayList<>();

    private Future<?> deadline;

    /** The deadline has passed, and who is here is given the time of a heartbeat to be ready. */
    private boolean closing;

    private int present;
    private int ready;

    /**
     * Nobody is in it yet.
     *
     * @param timeout of the first to join
     * @param leftNs  what is left of that
     */
    Gathering(Session session, JoinTimeout timeout, long leftNs) {
        super(session);
        this.timeout = timeout;
        places = new Member[session.terms().size()];
        beganNs = session.shard().nanoTime();
        deadline = session.shard().later(this::deadlinePassed, leftNs);
    }

    /** Whether there is a place for one more. */
    boolean isOpen() {
        return !closing && !isFull();
    }

    /** Whether the join timeout is over, and the group is about to begin without those who have not come. */
    boolean isClosing() {
        return closing;
    }

    private boolean isFull() {
        return present == places.length;
    }

    /** Those who are here. */
    int present() {
        return present;
    }

    /** Why a rank cannot have the number that it wants; null if it can. */
    Refusal refusal(Join join) {
        int rank = join.getRank();
        boolean taken = rank != Member.NO_RANK && places[rank] != null && places[rank].join.getRank() == rank;
        return taken
                ? new Refusal(
                        ErrorCode.RANK_TAKEN,
                        "rank " + rank + " of session " + session().name() + " is taken by "
                                + places[rank].control.remoteAddress())
                : null;
    }

    /** Takes in a rank. */
    void join(Member member) {
        int rank = member.join.getRank();
        present++;
        if (rank == Member.NO_RANK) {
            unranked.add(member);
        } else {
            take(rank, member);
            if (!member.join.getElsewhere()) {
                admit(member);
            }
            // Else it keeps the place, and is told when all are here.
        }
        if (isFull()) {
            assignRest();
        }
        completeIfReady();
    }

    /** Takes in ranks that waited for a place: they are admitted, and may be ready. */
    void adopt(List<Member> waited) {
        for (Member member : waited) {
            int rank = member.join.getRank();
            member.party = this;
            present++;
            if (rank == Member.NO_RANK || refusal(member.join) != null) {
                unranked.add(member);
            } else {
                take(rank, member);
            }
            if (member.isReady()) {
                ready++;
            }
        }
        if (isFull()) {
            assignRest();
        }
        completeIfReady();
    }

    private void assignRest() {
        int free = 0;
        for (Member member : unranked) {
            free = place(member, free);
        }
        unranked.clear();
        for (Member member : places) {
            if (member != null && !member.isAdmitted()) {
                admit(member);
            }
        }
    }

    /** Gives a member the place that it asks for; who has it has asked for none. */
    private void take(int rank, Member member) {
        if (places[rank] != null) {
            place(places[rank], 0);
        }
        places[rank] = member;
        member.rank = rank;
    }

    /** Gives a member the lowest free place from one on. There is one. */
    private int place(Member member, int from) {
        int free = from;
        while (places[free] != null) {
            free++;
        }
        places[free] = member;
        member.rank = free;
        return free;
    }

    private void admit(Member member) {
        session().admit(member, member.rank);
        if (member.isReady()) {
            ready++;
        }
    }

    @Override
    public void ready(Member member) {
        ready++;
        completeIfReady();
    }

    private void completeIfReady() {
        boolean allInTime = closing && ready == present && isEnough(ready);
        if (ready != places.length && !allInTime) {
            return;
        }
        long heldNs = heldNs();
        if (heldNs > 0) {
            // By then the session may have ended, or members of its group may have come back.
            session().shard().later(this::completeIfHere, heldNs);
        } else {
            begin();
        }
    }

    private void completeIfHere() {
        if (session().isGathering(this)) {
            completeIfReady();
        }
    }

    /**
     * For how long this group may not begin, in ns: who waited as a newcomer when the relay before this one died is faster here than
     * members that come back, and must not take their session.
     */
    private long heldNs() {
        boolean hasNewcomers = session().terms().sizeMax() > places.length;
        return hasNewcomers ? session().shard().returningNs() : 0;
    }

    private boolean isEnough(int ranks) {
        return ranks >= session().terms().firstSizeMin();
    }

    /** Without those who are not ready: they have come too late. */
    private void begin() {
        deadline.cancel(false);
        List<Member> ranks = new ArrayList<>();
        List<Member> stragglers = new ArrayList<>();
        members().forEach(member -> (member.isReady() ? ranks : stragglers).add(member));
        Epoch first = new Epoch(session(), ranks);
        Refusal refusal = first.refusal();
        if (refusal != null) {
            session().endAll(refusal);
            return;
        }
        session().begin(first, ranks, beganNs);
        stragglers.forEach(session()::waitsOn);
    }

    private void deadlinePassed() {
        if (ready == places.length) {
            begin();
            return;
        }
        if (session().terms().firstSizeMin() == places.length || !isEnough(present)) {
            giveUp();
            return;
        }
        closing = true;
        long graceNs = session().shard().settings().heartbeatTimeout().toNanos();
        deadline = session().shard().later(this::graceOver, graceNs);
        assignRest();
        completeIfReady();
    }

    private void graceOver() {
        if (isEnough(ready)) {
            begin();
        } else {
            giveUp();
        }
    }

    private void giveUp() {
        session()
                .endAll(timeout.refusal(
                        "session " + session().name() + " after " + timeout.ms() + " ms: " + whoIsMissing()));
    }

    private String whoIsMissing() {
        String joined = present + " of " + places.length + " ranks joined";
        BitSet missing = ranksWhere(false);
        if (present < places.length && unranked.isEmpty()) {
            return joined + "; missing " + RankList.text(missing);
        }
        if (present < places.length) {
            return joined + ", " + unranked.size() + " of them without asking for a rank; missing "
                    + (places.length - present) + " of " + RankList.text(missing);
        }
        BitSet unattached = ranksWhere(true);
        return joined + ", but " + RankList.text(unattached) + " did not attach a data connection";
    }

    /** Ranks that nobody has or, if {@code taken}, whose holders are not ready. */
    private BitSet ranksWhere(boolean taken) {
        BitSet ranks = new BitSet(places.length);
        for (int rank = 0; rank < places.length; rank++) {
            Member member = places[rank];
            if (taken ? member != null && !member.isReady() : member == null) {
                ranks.set(rank);
            }
        }
        return ranks;
    }

    /** Its place is free again. */
    @Override
    public void gone(Member member, Cause cause, String detail) {
        present--;
        if (member.isReady()) {
            ready--;
        }
        if (member.rank == Member.NO_RANK) {
            unranked.remove(member);
        } else {
            places[member.rank] = null;
        }
        session().forget(member, detail);
        session().placeIsFree();
        if (closing) {
            completeIfReady();
        }
    }

    /** Those who are here; first those without rank. */
    List<Member> members() {
        List<Member> members = new ArrayList<>(unranked);
        Arrays.stream(places).filter(Objects::nonNull).forEach(members::add);
        return members;
    }

    /** The session has ended. */
    void close() {
        deadline.cancel(false);
    }
}
