package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.proto.MemberGone.Cause;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Ranks that are no members and wait at a session whose places are taken, or whose group goes on already: until members let
 * them in, or their own join timeout is over. Event loop only.
 */
final class Newcomers extends Waiting {

    /** In the order in which they came. */
    private final List<Member> waiting = new ArrayList<>();

    private int ready;

    Newcomers(Session session) {
        super(session);
    }

    /** Those who wait, in the order in which they came. */
    List<Member> members() {
        return List.copyOf(waiting);
    }

    int count() {
        return waiting.size();
    }

    /** Those who could be in a group that begins now. */
    int readyCount() {
        return ready;
    }

    /** Takes in a rank that is admitted. */
    void join(Member member) {
        member.party = this;
        member.rank = Member.NO_RANK;
        waiting.add(member);
        JoinTimeout timeout = JoinTimeout.of(member.join, session().shard().settings());
        member.losePatience();
        member.patience = session().shard().later(() -> timedOut(member, timeout), leftNs(member));
        if (member.isReady()) {
            ready(member);
        }
    }

    /** How long a rank that has joined may still wait. */
    long leftNs(Member member) {
        Shard shard = session().shard();
        long timeoutNs = TimeUnit.MILLISECONDS.toNanos(
                JoinTimeout.of(member.join, shard.settings()).ms());
        return Math.max(0, timeoutNs - (shard.nanoTime() - member.joinedNs));
    }

    private void timedOut(Member member, JoinTimeout timeout) {
        Refusal refusal = timeout.refusal(
                "session " + session().name() + " after " + timeout.ms() + " ms: its members have not let anybody in");
        if (!member.gone && member.party == this) {
            refuse(member, refusal);
        }
    }

    private void refuse(Member member, Refusal refusal) {
        session().shard().counters().refused(refusal);
        member.control.refuse(refusal);
        gone(member, Cause.EXPELLED, refusal.toString());
    }

    /** Nobody is left who could let them in. */
    void refuseAll(Refusal refusal) {
        members().forEach(member -> refuse(member, refusal));
    }

    @Override
    public void ready(Member member) {
        ready++;
        session().gathersOn();
    }

    /** Those who came first and are ready. */
    List<Member> ready(int most) {
        return waiting.stream().filter(Member::isReady).limit(most).toList();
    }

    /** They are part of something else from now on. */
    void release(List<Member> taken) {
        for (Member member : taken) {
            remove(member);
            member.losePatience();
        }
    }

    /** Those who came first, for a place in a group that gathers; they do not wait here any more. */
    List<Member> take(int most) {
        List<Member> taken = List.copyOf(waiting.subList(0, Math.min(most, waiting.size())));
        release(taken);
        return taken;
    }

    private void remove(Member member) {
        if (waiting.remove(member) && member.isReady()) {
            ready--;
        }
    }

    @Override
    public void gone(Member member, Cause cause, String detail) {
        remove(member);
        session().forget(member, detail);
    }

    /** Why one more may not wait here; null if it may. */
    Refusal refusal(int members) {
        Terms terms = session().terms();
        return members + waiting.size() < terms.sizeMax()
                ? null
                : new Refusal(
                        ErrorCode.GROUP_FULL,
                        "all " + terms.sizeMax() + " ranks of session "
                                + session().name() + " have joined");
    }
}
