package io.zipcomm.relay.route;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Enter;
import io.zipcomm.wire.FrameType;
import java.util.Arrays;
import java.util.BitSet;

/**
 * One operation of the hub: takes contributions in a window, copies or combines them, and sends each part of the result as
 * soon as it is final. A rank gets parts once it has entered, when its connection takes them; how far contributions may go
 * ahead follows from the slowest of those. Event loop only.
 */
final class HubOperation {

    /** Combined at a time, so that other sessions wait for some 100 us at most. */
    private static final long FOLD_BYTES_MAX = 256 << 10;

    private static final long NOT_DUE = -1;
    private static final int NOBODY = -1;

    /** What an operation, a place in it, and a rank that has entered cost beside their data: roughly, and not too little. */
    private static final int OPERATION_BYTES = 512;

    private static final int PLACE_BYTES = 8;
    private static final int SEAT_BYTES = 512;

    private final Hub hub;
    private final HubKey key;
    private final HubLimits limits;

    /** What the first rank said of the operation; the others must say the same. */
    private final HubEntry first;

    private final HubSeat[] seats;

    /** Null where data is only copied. */
    private final Fold fold;

    /** Parts that not all receivers have, each at its number modulo their count. */
    private final ByteBuf[] results;

    /** Memory that each of them holds beyond its bytes. */
    private final long[] excesses;

    private final long parts;
    private long resultParts;
    private long releasedParts;

    /** Receivers that have no more than {@link #releasedParts}, entered or not. */
    private int slowest;

    private int seated;

    /** Places before this are over: nobody waits for them. */
    private int firstOpen;

    /** Place of the root; that of any rank where there is none. */
    private final int rootPlace;

    /** Places of ranks that have said that they are through. They have no seat. */
    private final BitSet through = new BitSet();

    /** Places of ranks that were asked to enter again, on the connection that they have, and have not answered. */
    private final BitSet asked = new BitSet();

    /** Places of ranks that may have all, and have not said so. */
    private final BitSet doubted = new BitSet();

    /** Ranks may have been in it before: who is connected again is asked. */
    private boolean anew;

    /** So were all who had not come when one came again. */
    private boolean askedAll;

    /** The only one that contributes has given all, and then its connection ended. */
    private boolean given;

    /** Memory of the part that is forming which has no data yet, as it was counted last. */
    private long unfilledBytes;

    /** Combining goes on later from this place. */
    private long foldDue = NOT_DUE;

    private boolean ended;
    private long keptBytes;
    private final long begunNs;

    /** Of whom the ranks that wait were told last. */
    private int awaitedSaid = NOBODY;

    /** Of the operation itself. */
    private long costBytes;

    /**
     * One that nobody has entered.
     *
     * @param through places of those who are through with it
     */
    HubOperation(Hub hub, HubKey key, HubEntry first, BitSet through) {
        this.hub = hub;
        this.key = key;
        this.first = first;
        this.through.or(through);
        limits = hub.limits();
        begunNs = hub.exchange().nanoTime();
        rootPlace = first.kind() == Enter.ALL_REDUCE ? 0 : first.placeOf(first.root());
        seats = new HubSeat[first.members().length];
        parts = limits.parts(first.bytes());
        results = new ByteBuf[limits.windowParts()];
        excesses = new long[results.length];
        slowest = slowest();
        fold = first.kind() == Enter.MULTICAST
                ? null
                : new Fold(
                        hub.combiner(),
                        hub.exchange().allocator(),
                        limits,
                        seats,
                        first.type(),
                        first.reduction(),
                        first.bytes());
        cost(OPERATION_BYTES + (long) PLACE_BYTES * seats.length);
    }

    HubKey key() {
        return key;
    }

    HubEntry first() {
        return first;
    }

    long bytes() {
        return first.bytes();
    }

    /** Bytes of data, and of the operation itself. */
    long keptBytes() {
        return keptBytes + costBytes;
    }

    boolean hasEnded() {
        return ended;
    }

    private boolean contributes(int place) {
        return first.kind() != Enter.MULTICAST || first.members()[place] == first.root();
    }

    private boolean receives(int place) {
        return switch (first.kind()) {
            case Enter.MULTICAST -> first.members()[place] != first.root();
            case Enter.REDUCE -> first.members()[place] == first.root();
            default -> true;
        };
    }

    /** Whether a rank is a member that has not entered, or has not done its part. */
    boolean awaits(int rank) {
        int place = first.placeOf(rank);
        return place >= 0 && (seats[place] == null ? isMissing(place) : !isThrough(seats[place]));
    }

    /** Whether a place waits for its rank to enter. */
    private boolean isMissing(int place) {
        return seats[place] == null && !through.get(place) && !(given && contributes(place));
    }

    /** Whether a member has said that it is through. */
    boolean isThrough(int rank) {
        return through.get(first.placeOf(rank));
    }

    /** Whether nobody is left to ask when a rank enters again. */
    boolean hasAskedAll() {
        return askedAll;
    }

    /** The place of a rank that has not entered yet; -1 if there is none. */
    int freePlace(int rank) {
        int place = first.placeOf(rank);
        return place >= 0 && seats[place] == null && !through.get(place) ? place : -1;
    }

    /** A rank that has entered; -1 if none has. */
    int anyRank() {
        for (HubSeat seat : seats) {
            if (seat != null) {
                return seat.member.rank();
            }
        }
        return -1;
    }

    // ---- what ranks say

    void enter(HubMember member, int place, int transfer) {
        HubSeat seat = new HubSeat(
                this,
                member,
                place,
                transfer,
                contributes(place),
                receives(place),
                given && contributes(place),
                Math.min(first.bytes(), limits.windowBytes()),
                hub.exchange().allocator());
        seats[place] = seat;
        cost(SEAT_BYTES);
        member.seated(seat);
        asked.clear(place);
        doubted.clear(place);
        seated++;
        if (isForgotten() || isLetGo(seat)) {
            return;
        }
        if (first.bytes() == 0 && isEmptyDue()) {
            result(Unpooled.EMPTY_BUFFER, 0);
        } else if (seat.receives) {
            deliver(seat);
        }
        grant(seat);
        if (!ended && awaitedSaid != NOBODY && hearsOf(seat)) {
            member.awaits(seat, awaitedSaid);
        }
        finishIfOver();
    }

    /** The result of nothing is due when all who contribute have come. */
    private boolean isEmptyDue() {
        if (resultParts > 0) {
            return false;
        }
        if (first.kind() == Enter.MULTICAST) {
            return seats[rootPlace] != null || through.get(rootPlace);
        }
        return seated + through.cardinality() == seats.length;
    }

    /** What is wrong with the header of a part; null if nothing is. */
    String problem(HubSeat seat, long offset, int payloadBytes, long messageBytes) {
        long due = Math.min(limits.partBytes(), first.bytes() - seat.arrived);
        boolean fits = seat.contributes
                && messageBytes == first.bytes()
                && offset == seat.arrived
                && payloadBytes == due
                && payloadBytes > 0;
        if (!fits) {
            return "a part of " + payloadBytes + " bytes at " + offset + " of " + messageBytes + " where "
                    + (seat.contributes ? due : 0) + " at " + seat.arrived + " of " + first.bytes() + " were due";
        }
        return offset + payloadBytes <= seat.granted
                ? null
                : "a part up to " + (offset + payloadBytes) + ", granted are " + seat.granted;
    }

    /** What is wrong with the word of a rank that it has the whole result; null if nothing is. */
    String problemOfDone(HubSeat seat) {
        boolean canBe = first.isConfirmed() && seat.receives && seat.sentParts == parts;
        return canBe ? null : "a rank that says that it has " + first.bytes() + " bytes, of which it was not sent all";
    }

    /** A rank has the whole result: nothing of this is kept for it. */
    void done(HubSeat seat) {
        unseat(seat);
        through.set(seat.place);
        finishIfOver();
    }

    private void unseat(HubSeat seat) {
        seat.member.unseated(seat);
        seats[seat.place] = null;
        seated--;
        firstOpen = Math.min(firstOpen, seat.place);
        if (seat.kept != null) {
            // A part of which the rest will not come.
            seat.kept.clear();
        }
    }

    /** A piece of a part has come in. Takes it over. */
    void contributed(HubSeat seat, ByteBuf piece) {
        int count = piece.readableBytes();
        keep(count);
        seat.arrived += count;
        seat.kept.add(piece);
        cost(seat.kept.excessChange());
        if (fold != null) {
            foldFrom(seat.place);
        } else if (seat.arrived % limits.partBytes() == 0 || seat.arrived == first.bytes()) {
            result(seat.kept.takeAll(), seat.kept.takeExcess());
        }
        if (seat.arrived == first.bytes()) {
            freeIfThrough(seat);
            finishIfOver();
        }
    }

    /** A rank goes away before it has done its part. */
    void left(HubSeat seat, ErrorCode code, String reason) {
        int awaited = awaited();
        boolean isOther = awaited != NOBODY && awaited != seat.member.rank();
        String reasons = isOther ? reason + "; rank " + awaited + " was awaited" : reason;
        unseat(seat);
        fail(code, seat.member.rank(), 0, reasons);
    }

    // ---- connections that end

    /**
     * The connection of a rank ended.
     *
     * @param over whether it will not come back
     */
    void disconnected(int rank, boolean over) {
        int place = ended ? -1 : first.placeOf(rank);
        if (place < 0) {
            return;
        }
        asked.clear(place);
        HubSeat seat = seats[place];
        if (seat == null || (!first.repeats() && (over || isThrough(seat)))) {
            return;
        }
        if (!first.repeats()) {
            fail(
                    ErrorCode.PEER_FAILED,
                    rank,
                    0,
                    "rank " + rank + " lost its connection to the relay amid an operation that the relay combines");
        } else if (place == rootPlace && first.kind() == Enter.MULTICAST && isThrough(seat)) {
            given = true;
            unseat(seat);
        } else if (!over && isHadWithoutRoot(seat)) {
            doubted.set(place);
            anew = true;
            unseat(seat);
            slowest = slowest();
        } else if (!over) {
            hub.beginAnew(this);
        } else if (hub.hasLeft(rank) && (seat.receives ? seat.sentParts == parts : isThrough(seat))) {
            done(seat);
        } else {
            unseat(seat);
        }
    }

    /**
     * Whether this can go on though the one that contributes is gone, and a receiver lost its connection: the relay has all of it, or
     * sent it all to the receiver, which says when it is back whether that has come.
     */
    private boolean isHadWithoutRoot(HubSeat seat) {
        return given && hub.isGone(first.root()) && (seat.sentParts == parts || releasedParts == 0);
    }

    /** It is not known whether anybody had entered this: who only gets something may have it, and has if it left. */
    void mayBeOver() {
        for (int place = 0; place < seats.length; place++) {
            if (!contributes(place)) {
                doubted.set(place);
                int rank = first.members()[place];
                if (hub.isGone(rank) && hub.hasLeft(rank)) {
                    through.set(place);
                }
            }
        }
        slowest = slowest();
    }

    /** A rank is gone. If it left by itself, and may have all, it has. */
    void gone(int rank) {
        int place = first.placeOf(rank);
        if (place >= 0 && doubted.get(place) && hub.hasLeft(rank)) {
            through(rank);
        }
    }

    /** Ends this without a word to anybody. Answers the same anew, of which nothing has come. */
    HubOperation dropped() {
        end();
        HubOperation next = new HubOperation(hub, key, first, through);
        next.anew = true;
        next.asked.or(asked);
        next.doubted.or(doubted);
        for (HubSeat seat : seats) {
            if (seat != null) {
                seat.member.unseated(seat);
            }
        }
        return next;
    }

    /** Asks those to enter again who were in what this takes the place of, and are connected. */
    void asksThoseIn(HubOperation before) {
        for (HubSeat seat : before.seats) {
            if (seat != null) {
                asks(seat.member.rank());
            }
        }
    }

    /** Who has entered has done so before: so others may have, and may be through. */
    void isMetAgain(int place) {
        if (!askedAll && !seats[place].surplus) {
            askedAll = true;
            anew = true;
            for (int rank : first.members()) {
                asks(rank);
            }
        }
    }

    /** Asks a rank to enter again, if it may have been in this, and has not been asked. */
    void asks(int rank) {
        int place = ended || !anew ? -1 : first.placeOf(rank);
        HubMember member = hub.member(rank);
        if (place >= 0 && member != null && isMissing(place) && !asked.get(place)) {
            asked.set(place);
            member.asks(key);
        }
    }

    /** A rank is through with this, and was not in it when it said so. */
    void through(int rank) {
        int place = first.placeOf(rank);
        if (ended || !anew || seats[place] != null || through.get(place)) {
            return;
        }
        asked.clear(place);
        through.set(place);
        if (isForgotten() || isLost(rank)) {
            return;
        }
        slowest = slowest();
        if (first.bytes() == 0 && isEmptyDue()) {
            result(Unpooled.EMPTY_BUFFER, 0);
        } else {
            release();
        }
        finishIfOver();
    }

    /** The one that contributes is through, and another is not: that cannot be, or the first has broken its word. Fails this then. */
    private boolean isForgotten() {
        if (ended || !first.isConfirmed() || !through.get(rootPlace) || seated == 0) {
            return false;
        }
        fail(
                ErrorCode.PEER_FAILED,
                first.root(),
                0,
                "rank " + first.root() + " keeps no more what it contributed, and others have not got it");
        return true;
    }

    /** What a rank gave to be combined is lost, and it does not give that again. Fails this then. */
    private boolean isLost(int rank) {
        if (first.repeats()) {
            return false;
        }
        fail(
                ErrorCode.RELAY_LOST,
                rank,
                0,
                "rank " + rank + " is through with its part, which the relay does not have: since then the rank"
                        + " lost its connection to the relay, or the relay was started again");
        return true;
    }

    /** A receiver has not all, after all, and the first parts are here no more. Fails this then. */
    private boolean isLetGo(HubSeat seat) {
        if (!seat.receives || releasedParts == 0) {
            return false;
        }
        fail(ErrorCode.PEER_LEFT, first.root(), 0, "rank " + first.root() + " is gone");
        return true;
    }

    // ---- who is late

    /** Tells the ranks that wait for whom they do, if that has taken a while, and asks those who may be through. */
    void look(long nowNs) {
        int awaited = ended || nowNs - begunNs < Hub.LATE_NS ? NOBODY : awaited();
        if (awaited == NOBODY) {
            return;
        }
        for (int place = 0; place < seats.length; place++) {
            if (mayBeThrough(place)) {
                anew = true;
                asks(first.members()[place]);
            }
        }
        if (awaited == awaitedSaid) {
            return;
        }
        awaitedSaid = awaited;
        for (HubSeat seat : seats) {
            if (seat != null && hearsOf(seat)) {
                seat.member.awaits(seat, awaited);
            }
        }
    }

    /**
     * Whether a rank that has not come may have done its part on a connection before this one, and says so only if it is asked: one that
     * only gives, and keeps nothing of that. Where data is combined it is asked when the root waits for it.
     */
    private boolean mayBeThrough(int place) {
        HubMember member = hub.member(first.members()[place]);
        boolean keepsNothing = contributes(place) && !receives(place) && !first.isConfirmed();
        return keepsNothing
                && !asked.get(place)
                && isMissing(place)
                && member != null
                && member.cameBack()
                && (first.repeats() || seats[rootPlace] != null);
    }

    /** Whether a rank waits: also one that may have to give once more. */
    private boolean hearsOf(HubSeat seat) {
        return !isThrough(seat) || (first.isConfirmed() && seat.contributes);
    }

    /**
     * Rank that holds up the others: one that has not come, or else the one that has given least of what it may, or else one
     * that does not take the result; {@link #NOBODY} if all goes on.
     */
    private int awaited() {
        HubSeat late = null;
        for (int place = 0; place < seats.length; place++) {
            HubSeat seat = seats[place];
            if (isMissing(place)) {
                return first.members()[place];
            }
            boolean owes = seat != null && seat.contributes && !seat.surplus && seat.arrived < seat.granted;
            if (owes && (late == null || seat.arrived < late.arrived)) {
                late = seat;
            }
        }
        for (int place = 0; late == null && place < seats.length; place++) {
            HubSeat seat = seats[place];
            late = seat != null && seat.receives && isFull(seat) ? seat : null;
        }
        return late == null ? NOBODY : late.member.rank();
    }

    /** Whether a rank takes no more, or does not say that it has all. */
    private boolean isFull(HubSeat seat) {
        return seat.sentParts == parts
                ? !isThrough(seat)
                : seat.sentParts <= releasedParts && seat.sentParts < resultParts;
    }

    // ---- combining

    private void foldFrom(int place) {
        if (foldDue != NOT_DUE) {
            foldDue = Math.min(foldDue, place);
            return;
        }
        long left = FOLD_BYTES_MAX;
        for (int i = place; i < seats.length; i++) {
            long moved = fold.fold(i, left);
            if (moved == 0) {
                break;
            }
            left = folded(i, moved, left);
            if (left <= 0) {
                foldLater(i);
                break;
            }
        }
        resultsOfFold();
    }

    private long folded(int place, long moved, long left) {
        if (place > 0) {
            keep(-moved);
        }
        if (moved > 0) {
            long unfilled = fold.unfilledBytes();
            cost(seats[place].kept.excessChange() + unfilled - unfilledBytes);
            unfilledBytes = unfilled;
        }
        return left - moved;
    }

    private void foldLater(int place) {
        foldDue = place;
        hub.later(this, this::foldOn);
    }

    /** Goes on where combining was interrupted; any place behind may have something. */
    private void foldOn() {
        if (ended || foldDue == NOT_DUE) {
            return;
        }
        int from = (int) foldDue;
        foldDue = NOT_DUE;
        long left = FOLD_BYTES_MAX;
        for (int i = from; i < seats.length; i++) {
            left = folded(i, fold.fold(i, left), left);
            if (left <= 0) {
                foldLater(i);
                break;
            }
        }
        resultsOfFold();
        finishIfOver();
    }

    private void resultsOfFold() {
        long finished = fold.finished();
        while (!ended
                && resultParts < parts
                && Math.min((resultParts + 1) * limits.partBytes(), first.bytes()) <= finished) {
            result(fold.take(resultParts), 0);
        }
    }

    // ---- results

    /**
     * The next part of the result, which this takes over.
     *
     * @param excess memory that it holds beyond its bytes, which is counted
     */
    private void result(ByteBuf part, long excess) {
        results[slot(resultParts)] = part;
        excesses[slot(resultParts)] = excess;
        resultParts++;
        for (HubSeat seat : seats) {
            if (ended) {
                return;
            }
            if (seat != null && seat.receives) {
                deliver(seat);
            }
        }
        release();
    }

    private int slot(long part) {
        return (int) (part % results.length);
    }

    /** Sends a rank what its connection takes of what it has not got. */
    void deliver(HubSeat seat) {
        boolean sent = false;
        while (!ended && seat.sentParts < resultParts && seat.member.takes(seat)) {
            long offset = seat.sentParts * limits.partBytes();
            seat.member.send(seat, offset, results[slot(seat.sentParts)]);
            if (seat.sentParts == releasedParts) {
                slowest--;
            }
            seat.sentParts++;
            sent = true;
        }
        if (sent) {
            freeIfThrough(seat);
            release();
        }
    }

    /** A rank that gets a result knows that it is through, and may begin others. */
    private void freeIfThrough(HubSeat seat) {
        if (seat.receives && isThrough(seat)) {
            seat.member.unseated(seat);
        }
    }

    /** Lets go of parts that all receivers have, and lets that many more come. */
    private void release() {
        boolean released = false;
        while (!ended && slowest == 0 && releasedParts < resultParts) {
            int slot = slot(releasedParts);
            keep(-results[slot].readableBytes());
            cost(-excesses[slot]);
            results[slot].release();
            results[slot] = null;
            releasedParts++;
            slowest = slowest();
            released = true;
        }
        if (released && !ended) {
            for (HubSeat seat : seats) {
                if (seat != null) {
                    grant(seat);
                }
            }
            finishIfOver();
        }
    }

    /** Receivers that have none of the parts that are left. A message's last part has been released if all have it. */
    private int slowest() {
        int count = 0;
        for (int place = 0; place < seats.length; place++) {
            if (receives(place)) {
                HubSeat seat = seats[place];
                count += seat == null ? (through.get(place) ? 0 : 1) : seat.sentParts <= releasedParts ? 1 : 0;
            }
        }
        return count;
    }

    private void grant(HubSeat seat) {
        if (!seat.contributes || seat.surplus || seat.granted == first.bytes()) {
            return;
        }
        long granted = Math.min(first.bytes(), releasedParts * limits.partBytes() + limits.windowBytes());
        boolean isAll = granted == first.bytes() && granted > seat.granted;
        if (isAll || granted - seat.granted >= limits.windowBytes() / 2) {
            seat.granted = granted;
            seat.member.grant(seat, granted);
        }
    }

    // ---- the end

    /** Whether a rank that has entered has no more to give and to get; in what is confirmed who gets something has left its seat then. */
    private boolean isThrough(HubSeat seat) {
        boolean gave = !seat.contributes || seat.surplus || seat.arrived == first.bytes();
        return gave && (!seat.receives || (!first.isConfirmed() && seat.sentParts == parts));
    }

    /** Whether the operation is not over before something happens at a place. */
    private boolean isOpen(int place) {
        // What was to be given is given if all who get it have it.
        boolean matters = receives(place) || first.kind() != Enter.MULTICAST;
        return matters && (seats[place] == null ? isMissing(place) : !isThrough(seats[place]));
    }

    private void finishIfOver() {
        if (ended) {
            return;
        }
        while (firstOpen < seats.length && !isOpen(firstOpen)) {
            firstOpen++;
        }
        if (firstOpen < seats.length) {
            return;
        }
        if (!first.isConfirmed() && (resultParts < parts || releasedParts < parts)) {
            return;
        }
        end();
        for (HubSeat seat : seats) {
            if (seat != null) {
                seat.member.unseated(seat);
                if (!seat.receives) {
                    seat.member.finished(seat);
                }
            }
        }
    }

    /**
     * Ends the operation in failure: all who have entered are told, and nothing is kept.
     *
     * @param culprit   rank, or {@link Hub#NO_RANK}
     * @param signature what the culprit said, if that is what is wrong; otherwise 0
     */
    void fail(ErrorCode code, int culprit, int signature, String reason) {
        if (ended) {
            return;
        }
        end();
        for (HubSeat seat : seats) {
            if (seat != null) {
                seat.member.unseated(seat);
                // Who contributed all there was and gets nothing is still to hear how it ended.
                if (!isThrough(seat) || !seat.receives) {
                    seat.member.verdict(seat.transfer, code, culprit, signature, reason);
                }
            }
        }
    }

    private void end() {
        ended = true;
        hub.ended(this);
        for (HubSeat seat : seats) {
            if (seat != null && seat.kept != null) {
                seat.kept.clear();
            }
        }
        for (int i = 0; i < results.length; i++) {
            if (results[i] != null) {
                results[i].release();
            }
        }
        Arrays.fill(results, null);
        if (fold != null) {
            fold.clear();
        }
        keep(-keptBytes);
        cost(-costBytes);
    }

    private void cost(long bytes) {
        costBytes += bytes;
        hub.costs(bytes);
    }

    private void keep(long bytes) {
        keptBytes += bytes;
        hub.kept(bytes);
    }

    /** For tests and errors. */
    @Override
    public String toString() {
        return FrameType.ENTER + " of " + key + ", " + seated + " of " + seats.length + " ranks";
    }
}
