package io.zipcomm.relay.route;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Enter;
import io.zipcomm.wire.FrameType;
import java.util.Arrays;

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

    private int entered;
    private int seated;

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

    HubOperation(Hub hub, HubKey key, HubEntry first) {
        this.hub = hub;
        this.key = key;
        this.first = first;
        limits = hub.limits();
        begunNs = hub.exchange().nanoTime();
        seats = new HubSeat[first.members().length];
        parts = limits.parts(first.bytes());
        results = new ByteBuf[limits.windowParts()];
        excesses = new long[results.length];
        slowest = receivers();
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

    private int receivers() {
        return switch (first.kind()) {
            case Enter.MULTICAST -> seats.length - 1;
            case Enter.REDUCE -> 1;
            default -> seats.length;
        };
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
        return place >= 0 && (seats[place] == null || !isThrough(seats[place]));
    }

    /** The place of a rank that has not entered yet; -1 if there is none. */
    int freePlace(int rank) {
        int place = first.placeOf(rank);
        return place >= 0 && seats[place] == null ? place : -1;
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
                Math.min(first.bytes(), limits.windowBytes()),
                hub.exchange().allocator());
        seats[place] = seat;
        cost(SEAT_BYTES);
        member.seated(seat);
        entered++;
        seated++;
        if (first.bytes() == 0 && isEmptyDue()) {
            result(Unpooled.EMPTY_BUFFER, 0);
        } else if (seat.receives) {
            deliver(seat);
        }
        grant(seat);
        if (!ended && awaitedSaid != NOBODY && !isThrough(seat)) {
            member.awaits(seat, awaitedSaid);
        }
        finishIfOver();
    }

    /** The result of nothing is due when all who contribute have come. */
    private boolean isEmptyDue() {
        if (resultParts > 0) {
            return false;
        }
        return first.kind() == Enter.MULTICAST ? seats[first.placeOf(first.root())] != null : entered == seats.length;
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
        seat.member.unseated(seat);
        seats[seat.place] = null;
        seated--;
        if (seat.kept != null) {
            seat.kept.clear();
        }
        fail(code, seat.member.rank(), 0, reasons);
    }

    // ---- who is late

    /** Tells the ranks that wait for whom they do, if that has taken a while. */
    void look(long nowNs) {
        int awaited = ended || nowNs - begunNs < Hub.LATE_NS ? NOBODY : awaited();
        if (awaited == NOBODY || awaited == awaitedSaid) {
            return;
        }
        awaitedSaid = awaited;
        for (HubSeat seat : seats) {
            if (seat != null && !isThrough(seat)) {
                seat.member.awaits(seat, awaited);
            }
        }
    }

    /**
     * Rank that holds up the others: one that has not come, or else the one that has given least of what it may, or else one
     * that does not take the result; {@link #NOBODY} if all goes on.
     */
    private int awaited() {
        HubSeat late = null;
        for (int place = 0; place < seats.length; place++) {
            HubSeat seat = seats[place];
            if (seat == null) {
                return first.members()[place];
            }
            boolean owes = seat.contributes && seat.arrived < seat.granted;
            if (owes && (late == null || seat.arrived < late.arrived)) {
                late = seat;
            }
        }
        for (int place = 0; late == null && place < seats.length; place++) {
            HubSeat seat = seats[place];
            boolean isFull = seat.receives && seat.sentParts <= releasedParts && seat.sentParts < resultParts;
            late = isFull ? seat : null;
        }
        return late == null ? NOBODY : late.member.rank();
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
                count += seat == null || seat.sentParts <= releasedParts ? 1 : 0;
            }
        }
        return count;
    }

    private void grant(HubSeat seat) {
        if (!seat.contributes || seat.granted == first.bytes()) {
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

    private boolean isThrough(HubSeat seat) {
        return (!seat.contributes || seat.arrived == first.bytes()) && (!seat.receives || seat.sentParts == parts);
    }

    private void finishIfOver() {
        if (ended || entered < seats.length || resultParts < parts || releasedParts < parts) {
            return;
        }
        for (HubSeat seat : seats) {
            if (!isThrough(seat)) {
                return;
            }
        }
        end();
        for (HubSeat seat : seats) {
            if (!seat.receives) {
                seat.member.finished(seat);
            }
            seat.member.unseated(seat);
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
