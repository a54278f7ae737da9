package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.proto.Continues;
import io.zipcomm.wire.proto.MemberGone.Cause;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Members of an epoch that gather for the next one, from the first that asks for it until that begins, or nobody waits for it
 * any more. Each has a connection of its own for that, and stays a member of the current epoch. Event loop only.
 */
final class Succession extends Waiting {

    private static final Logger log = LoggerFactory.getLogger(Succession.class);

    private final Shard shard;
    private final Epoch epoch;
    private final Newcomers newcomers;
    private final int sizeWanted;
    private final Member first;
    private final long beganNs;

    /** At which the time of one who asks is over, or that of all to be ready; null before the first has asked. */
    private Future<?> deadline;

    /** Of the member whose time was over when there were enough to go on; null before. */
    private JoinTimeout passed;

    /** Members are being left out: what follows from that is looked at afterwards. */
    private boolean leavingOut;

    private boolean over;

    /** Members whose time was over. */
    private final BitSet gaveUp = new BitSet();

    /** Living members that had to go, since they were late. */
    private int leftOut;

    private int asked;
    private int ready;

    /** Begun by a member of the current epoch, who is still to {@link #join}. */
    Succession(Session session, Epoch epoch, Newcomers newcomers, Member first) {
        super(session);
        this.epoch = epoch;
        this.newcomers = newcomers;
        this.first = first;
        shard = session.shard();
        sizeWanted = first.join.getContinues().getSizeWanted();
        beganNs = shard.nanoTime();
        log.atInfo()
                .addKeyValue("session", session.name())
                .addKeyValue("rank", first.former.rank)
                .addKeyValue("epoch", epoch.number())
                .log(
                        "members gather for the next epoch, {} ms to join",
                        timeout(first).ms());
    }

    /** Why a member must not ask with these that have; null if it may. Its wish is that of all, or nobody's is fulfilled. */
    Refusal disagreement(int rank, Continues continues) {
        return continues.getSizeWanted() == sizeWanted
                ? null
                : new Refusal(
                        ErrorCode.OPERATION_MISMATCH,
                        "session " + session().name() + ", epoch after " + epoch.number() + ": rank "
                                + first.former.rank + " wants " + wish(sizeWanted) + ", rank " + rank + " wants "
                                + wish(continues.getSizeWanted()));
    }

    private static String wish(int size) {
        return size == 0 ? "the living members alone" : size + " ranks";
    }

    /** Takes in a member that asks on a connection of its own. */
    void join(Member member) {
        member.former.next = member;
        gaveUp.clear(member.former.rank);
        asked++;
        if (passed == null) {
            awaitNextDeadline();
        }
        epoch.active(shard.nanoTime());
        epoch.goesOn(member.former);
        if (member.isReady()) {
            ready(member);
        }
    }

    @Override
    public void ready(Member member) {
        ready++;
        if (passed != null) {
            leaveOutTheLate();
        }
        beginIfReady();
    }

    /** To be called when there may be less to wait for. */
    void beginIfReady() {
        if (over || leavingOut || ready == 0 || ready < epoch.livingCount()) {
            return;
        }
        int size = ready + admissible();
        if (size < session().terms().laterSizeMin()) {
            if (sizeWanted == 0) {
                fail(new Refusal(ErrorCode.JOIN_TIMEOUT, tooFew(ready)));
            }
            return;
        }
        if (sizeWanted == 0 || passed != null || size >= sizeWanted) {
            begin();
        }
    }

    private void begin() {
        List<Member> ranks = survivors();
        ranks.addAll(newcomers.ready(admissible()));
        Epoch successor = new Epoch(session(), ranks);
        Refusal refusal = successor.refusal();
        if (refusal == null) {
            end();
            session().begin(successor, ranks, beganNs);
        } else {
            fail(refusal);
        }
    }

    /** Newcomers that the next epoch would begin with. */
    private int admissible() {
        return sizeWanted == 0
                ? 0
                : Math.min(newcomers.readyCount(), session().terms().sizeMax() - ready);
    }

    private List<Member> survivors() {
        List<Member> survivors = new ArrayList<>();
        for (Member member : epoch.present()) {
            if (member.next != null) {
                survivors.add(member.next);
            }
        }
        return survivors;
    }

    /** Until the first of those who ask does not wait any longer. */
    private void awaitNextDeadline() {
        if (deadline != null) {
            deadline.cancel(false);
        }
        long leftNs = survivors().stream().mapToLong(this::leftNs).min().orElseThrow();
        deadline = shard.later(this::deadlinePassed, Math.max(1, leftNs));
    }

    private JoinTimeout timeout(Member member) {
        return JoinTimeout.of(member.join, shard.settings());
    }

    private long leftNs(Member member) {
        return TimeUnit.MILLISECONDS.toNanos(timeout(member).ms()) - (shard.nanoTime() - member.joinedNs);
    }

    /**
     * The time of a member that asks may be over. If those who ask are enough to go on, they do: who has asked is given the time of a
     * heartbeat to be ready, and who has not is left out, but not before those who are ready are enough without it: if they never
     * are, it shall not have had to go in vain. If they are not enough, who has no time left is refused, and the others wait on.
     */
    private void deadlinePassed() {
        List<Member> late =
                survivors().stream().filter(member -> leftNs(member) <= 0).toList();
        if (late.isEmpty()) {
            // Of one that does not ask any more.
            awaitNextDeadline();
        } else if (areEnough(asked)) {
            passed = timeout(late.get(0));
            long graceMs = shard.settings().heartbeatTimeout().toMillis();
            deadline = shard.later(() -> graceOver(graceMs), TimeUnit.MILLISECONDS.toNanos(graceMs));
            leaveOutTheLate();
            beginIfReady();
        } else {
            String tooFew = tooFew(asked);
            late.forEach(member -> refuseLate(member, timeout(member).refusal(tooFew)));
            if (asked > 0) {
                awaitNextDeadline();
            }
        }
    }

    private void refuseLate(Member member, Refusal refusal) {
        gaveUp.set(member.former.rank);
        shard.counters().refused(refusal);
        refuse(member, refusal);
    }

    /** Whether so many members may go on without the others. */
    private boolean areEnough(int members) {
        return session().terms().maySecede(members, epoch.livingCount() + leftOut)
                && members + admissible() >= session().terms().laterSizeMin();
    }

    private void leaveOutTheLate() {
        if (areEnough(ready)) {
            leaveOut(member -> member.next == null, "did not ask for the next epoch within " + passed.ms() + " ms");
        }
    }

    private void graceOver(long graceMs) {
        leaveOutTheLate();
        if (areEnough(ready)) {
            leaveOut(
                    member -> member.next != null && !member.next.isReady(),
                    "asked for the next epoch, and did not attach within " + graceMs + " ms more");
            beginIfReady();
        } else {
            fail(passed.refusal(tooFew(ready)));
        }
    }

    /** Members that are late are gone from now on. */
    private void leaveOut(Predicate<Member> late, String reason) {
        leavingOut = true;
        for (Member member : epoch.present()) {
            if (late.test(member) && !member.gone && !member.leaving) {
                leftOut++;
                session().expel(member, new Refusal(ErrorCode.EXPELLED, member + " " + reason));
            }
        }
        leavingOut = false;
    }

    private String tooFew(int members) {
        BitSet notAsked = new BitSet();
        BitSet notReady = new BitSet();
        BitSet waitNoLonger = new BitSet();
        for (Member member : epoch.present()) {
            if (member.leaving) {
                continue;
            }
            if (member.next == null) {
                (gaveUp.get(member.rank) ? waitNoLonger : notAsked).set(member.rank);
            } else if (!member.next.isReady()) {
                notReady.set(member.rank);
            }
        }
        long afterMs = TimeUnit.NANOSECONDS.toMillis(shard.nanoTime() - beganNs);
        int living = epoch.livingCount();
        String text = "session " + session().name() + ", epoch after " + epoch.number() + ", after " + afterMs + " ms: "
                + (members + admissible()) + " ranks, and it takes "
                + (session().terms().maySecede(members, living + leftOut)
                        ? session().terms().laterSizeMin()
                        : "more than half of the living members to leave others out");
        text += notAsked.isEmpty() ? "" : "; " + RankList.text(notAsked) + " did not ask for it";
        text += waitNoLonger.isEmpty() ? "" : "; " + RankList.text(waitNoLonger) + " asked and gave up";
        text += notReady.isEmpty() ? "" : "; " + RankList.text(notReady) + " did not attach a data connection";
        return text + "; " + living + " members live";
    }

    /** All who ask are refused, and stay what they are in the current epoch. */
    void fail(Refusal refusal) {
        end();
        log.atInfo()
                .addKeyValue("session", session().name())
                .addKeyValue("epoch", epoch.number())
                .addKeyValue("code", refusal.code())
                .log("there is no next epoch: {}", refusal.reason());
        for (Member member : survivors()) {
            shard.counters().refused(refusal);
            member.control.refuse(refusal);
            drop(member);
        }
    }

    /** A connection on which a member asked has ended: it may ask again. */
    @Override
    public void gone(Member member, Cause cause, String detail) {
        log.atInfo()
                .addKeyValue("session", session().name())
                .addKeyValue("rank", member.former.rank)
                .addKeyValue("epoch", epoch.number())
                .addKeyValue("remote", member.control.remoteAddress())
                .log("rank does not ask for the next epoch any more: {}", detail);
        drop(member);
        if (asked == 0 && !leavingOut) {
            end();
        }
    }

    /** The rank asks once more, or is no member any more. */
    void refuse(Member member, Refusal refusal) {
        member.control.refuse(refusal);
        gone(member, Cause.EXPELLED, refusal.reason());
    }

    private void drop(Member member) {
        asked--;
        if (member.isReady()) {
            ready--;
        }
        member.former.next = null;
        session().depart(member);
    }

    private void end() {
        close();
        session().succeeded(this);
    }

    /** The session has ended. */
    void close() {
        over = true;
        if (deadline != null) {
            deadline.cancel(false);
        }
    }

    /** Those who ask. */
    List<Member> members() {
        return survivors();
    }
}
