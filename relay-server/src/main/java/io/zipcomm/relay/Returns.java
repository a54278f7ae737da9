package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.proto.Continues;
import io.zipcomm.wire.proto.Join;
import java.security.MessageDigest;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Who comes back to a session: to the epoch that lives, to one that is over, or to one that began at a relay that is no more. Event
 * loop only.
 */
final class Returns {

    /** Epochs are numbered below this: there are numbers left for those that follow. */
    private static final int EPOCH_MAX = 1 << 30;

    /** Epochs of one session to which members come back at once: that of its group, one before it, and such as others may name. */
    private static final int RESTORATIONS_MAX = 4;

    private final Session session;
    private final Shard shard;

    /** Of the last epoch that is over: its number, and what its ranks were admitted with. */
    private int overEpoch;

    private byte[][] overTickets = {};

    /** Of epochs that this relay does not know, to which members come back: the first that goes on ends those before it. */
    private final SortedMap<Integer, Restoration> restorations = new TreeMap<>();

    Returns(Session session) {
        this.session = session;
        shard = session.shard();
    }

    /** Whether members of an epoch that this relay does not know come back. */
    boolean underWay() {
        return !restorations.isEmpty();
    }

    /** Those who have come back to epochs that do not go on yet. */
    List<Member> members() {
        return restorations.values().stream()
                .flatMap(one -> one.members().stream())
                .toList();
    }

    /** Places of the largest of these epochs. */
    int size() {
        return restorations.values().stream().mapToInt(Restoration::size).max().orElse(0);
    }

    /** Nobody is left in it. */
    void ended(Restoration restoration) {
        restorations.remove(restoration.number());
    }

    /**
     * An epoch goes on. Those before it are over; if all its members are there, those that are said to come after it are none of its
     * group.
     */
    void goesOn(int number, boolean complete) {
        restorations.remove(number);
        for (Restoration one : List.copyOf(restorations.values())) {
            if (one.number() < number) {
                end(one, stale(one.number()));
            } else if (complete) {
                end(one, another());
            }
        }
    }

    /** An epoch begins here: all that members come back to are none of its group. */
    void begins() {
        List.copyOf(restorations.values()).forEach(one -> end(one, another()));
    }

    private void end(Restoration one, Refusal refusal) {
        restorations.remove(one.number());
        one.endWith(refusal);
    }

    int overEpoch() {
        return overEpoch;
    }

    /**
     * The number of another epoch: above those of the session so far. What members say of theirs counts for no other session, so nobody
     * can use numbers up for all.
     */
    int nextEpoch() {
        int last = session.epoch() == null
                ? overEpoch
                : Math.max(overEpoch, session.epoch().number());
        return Math.max(shard.nextEpoch(), last + 1);
    }

    /** An epoch is over. */
    void remember(Epoch last) {
        overEpoch = last.number();
        overTickets = last.tickets();
    }

    /** What is wrong with the form of what a member says by which it comes back; null if nothing is. */
    static Refusal formRefusal(Join join) {
        Continues continues = join.getContinues();
        boolean sound = continues.getEpoch() > 0
                && continues.getEpoch() < EPOCH_MAX
                && continues.getRank() >= 0
                && continues.getRank() < Terms.sizeMax(join)
                && continues.getTicket().size() == Tickets.BYTES
                && !continues.getGroup().isEmpty();
        return sound
                ? null
                : new Refusal(
                        ErrorCode.PROTOCOL,
                        "Join that comes back to rank " + continues.getRank() + " of epoch " + continues.getEpoch()
                                + ": expected its ticket, and what members of the group know");
    }

    /** Takes in a member on another control connection, or answers why not. Who has no ticket and no token learns nothing. */
    Refusal comeBack(ControlConnection control, Join join) {
        Continues continues = join.getContinues();
        byte[] ticket = continues.getTicket().toByteArray();
        Epoch epoch = session.epoch();
        if (epoch != null
                && continues.getEpoch() == epoch.number()
                && epoch.holderOf(continues.getRank(), ticket) != null) {
            return epoch.comeBack(control, continues);
        }
        Refusal over = overRefusal(continues, ticket);
        if (over != null) {
            return over;
        }
        RelayTokens.Verdict verdict = shard.admission().checkReturn(join);
        return verdict.refusal() == null ? restore(control, join, verdict.grant()) : verdict.refusal();
    }

    /** Of a member of the epoch that ended last; null if the ticket is none of that. */
    Refusal overRefusal(Continues continues, byte[] ticket) {
        int rank = continues.getRank();
        boolean known = continues.getEpoch() == overEpoch
                && rank >= 0
                && rank < overTickets.length
                && MessageDigest.isEqual(overTickets[rank], ticket);
        return known ? stale(overEpoch) : null;
    }

    private Refusal stale(int number) {
        Epoch epoch = session.epoch();
        return new Refusal(
                ErrorCode.STALE_EPOCH,
                "epoch " + number + " of session " + session.name() + " is over"
                        + (epoch == null ? "" : ": epoch " + epoch.number() + " has begun"));
    }

    /** For who has no ticket that this relay knows, and whose token admits. */
    Refusal restore(ControlConnection control, Join join, Grant grant) {
        Continues continues = join.getContinues();
        if (formRefusal(join) != null) {
            return Shard.NO_SUCH_PLACE;
        }
        Refusal refusal = session.epoch() == null ? null : livingRefusal(session.epoch(), continues);
        if (refusal == null && overEpoch >= continues.getEpoch()) {
            refusal = stale(continues.getEpoch());
        }
        if (refusal != null) {
            return refusal;
        }
        Restoration known = restorations.get(continues.getEpoch());
        if (known != null) {
            return known.join(control, join, grant);
        }
        Refusal past = shard.pastRefusal(session.name(), continues);
        if (past != null) {
            return past;
        }
        Refusal disagreement = session.terms().disagreement(session.name(), join);
        if (disagreement != null) {
            return disagreement;
        }
        if (restorations.size() >= RESTORATIONS_MAX) {
            return new Refusal(
                    ErrorCode.LIMIT,
                    "members of " + RESTORATIONS_MAX + " epochs of session " + session.name()
                            + " come back to the relay, and no more are allowed");
        }
        Restoration first = new Restoration(session, continues);
        restorations.put(first.number(), first);
        Refusal late = first.join(control, join, grant);
        session.makeWay();
        return late;
    }

    /** Null if the epoch is one that went on here while the group had gone on to a later one. */
    private Refusal livingRefusal(Epoch epoch, Continues continues) {
        int number = continues.getEpoch();
        boolean ofGroup =
                MessageDigest.isEqual(epoch.group(), continues.getGroup().toByteArray());
        if (number == epoch.number() && ofGroup) {
            return epoch.givenUp(continues.getRank());
        }
        if (number < epoch.number() && epoch.wasRestored()) {
            return stale(number);
        }
        return number > epoch.number() && epoch.mayBeSuperseded() ? null : another();
    }

    private Refusal another() {
        return new Refusal(
                ErrorCode.EXPELLED,
                "another group of session " + session.name() + " has begun at the relay: epoch "
                        + session.epoch().number());
    }

    /** The session has ended. */
    void close() {
        restorations.values().forEach(Restoration::close);
    }
}
