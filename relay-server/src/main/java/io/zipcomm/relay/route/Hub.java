package io.zipcomm.relay.route;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.internal.Combiner;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.function.Predicate;

/**
 * The operations of one group of which the relay does a part: it multicasts, and combines. It is not built on links: ranks
 * give to it and get from it. Event loop only.
 */
final class Hub {

    /** Time after which ranks that wait are told for whom, and between looks at that. */
    static final long LATE_NS = 100_000_000;

    /** Is to blame where no rank is. */
    static final int NO_RANK = -1;

    /** Communicators of which is remembered that they failed: the latest few. */
    private static final int FAILED_MAX = 1024;

    /** The part of what is kept that goes where there is too little memory. */
    private static final int RELIEF = 8;

    /** A rank whose collectives on a communicator are over. */
    private record Failed(int context, int rank) {}

    private final Exchange exchange;
    private final Switchboard board;
    private final HubLimits limits;
    private final int[] world;
    private final Map<HubKey, HubOperation> operations = new HashMap<>();
    private final Set<Failed> failed = new LinkedHashSet<>();

    /** By rank; null for those that are not connected. */
    private final HubMember[] members;

    private long keptBytes;

    /** Operations will be looked at; null if there are none. */
    private Future<?> nextLook;

    /** Of all operations under way, whether anybody has taken them or not. */
    private long places;

    /** For one group. */
    Hub(Exchange exchange, Switchboard board, HubLimits limits) {
        this.exchange = exchange;
        this.board = board;
        this.limits = limits;
        world = new int[board.size()];
        members = new HubMember[world.length];
        for (int rank = 0; rank < world.length; rank++) {
            world[rank] = rank;
        }
    }

    Exchange exchange() {
        return exchange;
    }

    HubLimits limits() {
        return limits;
    }

    int epoch() {
        return board.epoch();
    }

    int size() {
        return world.length;
    }

    /** All ranks in their order; to be left unchanged. */
    int[] world() {
        return world;
    }

    Combiner combiner() {
        return exchange.combiner();
    }

    /** Bytes that all operations keep, and cost themselves. */
    long keptBytes() {
        return keptBytes;
    }

    /** Operations under way. */
    int operations() {
        return operations.size();
    }

    void kept(long bytes) {
        keptBytes += bytes;
        exchange.waiting(bytes, bytes);
    }

    /** Counts bytes that operations themselves take or, if negative, give back. */
    void costs(long bytes) {
        keptBytes += bytes;
        exchange.costs(bytes);
    }

    /** Does something for an operation after what is ready now of other connections. */
    void later(HubOperation operation, Runnable task) {
        exchange.later(() -> attempt(operation, task));
    }

    private void attempt(HubOperation operation, Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error e) {
            defect(operation, e);
        }
    }

    /** Something for an operation failed that must not: so does the operation, and nothing else. */
    void defect(HubOperation operation, Throwable cause) {
        exchange.defect(operation.toString(), cause);
        operation.fail(ErrorCode.INTERNAL, NO_RANK, 0, "a defect in the relay, whose log says more");
    }

    private void begun(HubOperation operation) {
        operations.put(operation.key(), operation);
        places += operation.first().members().length;
        exchange.counters().hubOperations.add(1);
        lookLater();
    }

    void ended(HubOperation operation) {
        operations.remove(operation.key());
        places -= operation.first().members().length;
        exchange.counters().hubOperations.add(-1);
    }

    /** A rank takes part in an operation. Answers what is wrong with that, or null. */
    String enter(HubMember member, HubEntry entry) {
        if (entry.placeOf(member.rank()) < 0) {
            return "rank " + member.rank() + " takes part in an operation of others";
        }
        if (member.operations() >= limits.operationsMax()) {
            member.refuse(
                    entry.transfer(), "this rank has " + member.operations() + " collectives under way in the relay");
            return null;
        }
        String refusal = entry.combines() && entry.bytes() > 0 ? cannotCombine(entry) : null;
        if (refusal != null) {
            member.verdict(entry.transfer(), ErrorCode.BAD_SETTING, member.rank(), 0, refusal);
            return null;
        }
        HubKey key = entry.key();
        HubOperation operation = operations.get(key);
        if (operation == null) {
            if (places + entry.members().length > placesMax()) {
                member.refuse(
                        entry.transfer(),
                        "the collectives of this group that are under way in the relay have " + places + " places of "
                                + placesMax() + " that they may have");
                return null;
            }
            if (entry.isAgain() && !member.takeAgain()) {
                refuseAgain(member, entry);
                return null;
            }
            operation = new HubOperation(this, key, entry, new BitSet());
            begun(operation);
            if (entry.isAgain()) {
                operation.mayBeOver();
            }
            exchange.counters().hubOperationsBegun.increment();
            int forlorn = forlorn(operation);
            if (forlorn != NO_RANK) {
                operation.fail(codeOf(forlorn), forlorn, 0, reasonOf(forlorn));
                member.verdict(entry.transfer(), codeOf(forlorn), forlorn, 0, reasonOf(forlorn));
                return null;
            }
        } else if (entry.isAgain() && !operation.hasAskedAll() && !member.takeAgain()) {
            refuseAgain(member, entry);
            return null;
        }
        ErrorCode difference = operation.first().differenceTo(entry);
        if (difference != null) {
            disagree(member, entry, operation, difference);
            return null;
        }
        int place = operation.freePlace(member.rank());
        if (place < 0) {
            return "rank " + member.rank() + " takes part in an operation twice";
        }
        try {
            operation.enter(member, place, entry.transfer());
            if (entry.isAgain() && !operation.hasEnded()) {
                operation.isMetAgain(place);
            }
        } catch (RuntimeException | Error e) {
            defect(operation, e);
        }
        return null;
    }

    private void lookLater() {
        if (nextLook == null) {
            nextLook = exchange.later(LATE_NS, this::look);
        }
    }

    /** Tells ranks that have waited for a while whom they wait for. */
    private void look() {
        nextLook = null;
        long nowNs = exchange.nanoTime();
        for (HubOperation one : List.copyOf(operations.values())) {
            attempt(one, () -> one.look(nowNs));
        }
        if (!operations.isEmpty()) {
            lookLater();
        }
    }

    /**
     * Ranks that keep together fill no more places than each may have operations. Twice that leaves room for some that are ahead
     * of others; without it, each rank could begin operations of all that nobody else comes to.
     */
    private long placesMax() {
        return 2L * size() * limits.operationsMax();
    }

    private String cannotCombine(HubEntry entry) {
        if (!limits.reduces()) {
            return "the relay does not combine: its option hub-reduction is false; set ZIP_RELAY_COLLECTIVES=multicast";
        }
        if (combiner() == null) {
            return "the relay cannot combine: it runs without zip-collectives; set ZIP_RELAY_COLLECTIVES=multicast";
        }
        return entry.type() != null && combiner().supports(entry.type(), entry.reduction())
                ? null
                : "the relay cannot combine " + entry.type() + " by reduction " + entry.reduction();
    }

    private static void refuseAgain(HubMember member, HubEntry entry) {
        member.refuse(entry.transfer(), "this rank has entered more collectives again than it may have under way");
    }

    /** A member that will never do its part: then the operation cannot begin. {@link #NO_RANK} if there is none. */
    private int forlorn(HubOperation operation) {
        for (int rank : operation.first().members()) {
            // Where one has failed the others do, and come to nothing any more.
            boolean never = (board.isAbsent(rank) && !operation.isThrough(rank))
                    || failed.contains(new Failed(operation.first().context(), rank));
            if (never) {
                return rank;
            }
        }
        return NO_RANK;
    }

    private ErrorCode codeOf(int forlorn) {
        return board.isAbsent(forlorn) ? ErrorCode.PEER_LEFT : ErrorCode.PEER_FAILED;
    }

    private String reasonOf(int forlorn) {
        return "rank " + forlorn + (board.isAbsent(forlorn) ? " is gone" : " has failed");
    }

    private static void disagree(HubMember member, HubEntry entry, HubOperation operation, ErrorCode code) {
        HubEntry first = operation.first();
        int other = operation.anyRank();
        String lengths =
                "rank " + member.rank() + " has " + entry.bytes() + " bytes, rank " + other + " " + first.bytes();
        member.verdict(entry.transfer(), code, other, first.signature(), lengths);
        operation.fail(code, member.rank(), entry.signature(), lengths);
    }

    // ---- connections that end, and come back

    /** Null if the rank is not connected. */
    HubMember member(int rank) {
        return members[rank];
    }

    void connected(HubMember member) {
        members[member.rank()] = member;
    }

    /** Whether a rank has said that it leaves. */
    boolean hasLeft(int rank) {
        return board.isLeaving(rank);
    }

    /** Whether a rank has no connection, and will have none. */
    boolean isGone(int rank) {
        return board.isAbsent(rank);
    }

    /** A rank has another connection: it may have been in what began anew meanwhile, or at a relay before this one. */
    void asks(HubMember member) {
        for (HubOperation one : List.copyOf(operations.values())) {
            attempt(one, () -> one.asks(member.rank()));
        }
    }

    /** A connection ended. The rank may come back, but for what it did not finish. */
    void ended(HubMember member) {
        int rank = member.rank();
        if (members[rank] == member) {
            members[rank] = null;
        }
        boolean over = board.isLeaving(rank) || board.isAbsent(rank);
        for (HubOperation one : List.copyOf(operations.values())) {
            attempt(one, () -> one.disconnected(rank, over));
        }
    }

    /** Drops what has come for an operation, and asks those who were in it to enter it again. */
    void beginAnew(HubOperation operation) {
        int forlorn = forlorn(operation);
        if (forlorn != NO_RANK) {
            operation.fail(codeOf(forlorn), forlorn, 0, reasonOf(forlorn));
            return;
        }
        HubOperation next = operation.dropped();
        begun(next);
        next.asksThoseIn(operation);
    }

    /** A rank is through with what it was asked for. Answers what is wrong with that, or null. */
    String through(HubMember member, HubEntry entry) {
        HubOperation operation = operations.get(entry.key());
        if (operation == null) {
            return null;
        }
        if (operation.first().placeOf(member.rank()) < 0) {
            return "rank " + member.rank() + " is through with an operation of others";
        }
        attempt(operation, () -> operation.through(member.rank()));
        return null;
    }

    /** A rank has no connection, and will have none: what waits for it fails. */
    void absent(int rank) {
        if (members[rank] != null) {
            ended(members[rank]);
        }
        for (HubOperation one : List.copyOf(operations.values())) {
            attempt(one, () -> one.gone(rank));
        }
        fail(one -> one.awaits(rank), ErrorCode.PEER_LEFT, rank, "rank " + rank + " is gone");
    }

    /** A rank said that a collective of a communicator has failed. All its members hear that, and nobody goes on. */
    void failed(int context, int rank) {
        if (failed.size() >= FAILED_MAX) {
            failed.remove(failed.iterator().next());
        }
        failed.add(new Failed(context, rank));
        fail(
                one -> one.first().context() == context && one.first().placeOf(rank) >= 0,
                ErrorCode.PEER_FAILED,
                rank,
                "rank " + rank + " has failed");
    }

    private void fail(Predicate<HubOperation> which, ErrorCode code, int culprit, String reason) {
        for (HubOperation one : List.copyOf(operations.values())) {
            if (which.test(one)) {
                one.fail(code, culprit, 0, reason);
            }
        }
    }

    /**
     * There is too little memory: the operation that keeps most fails, and more of them if that is little, so that it is not
     * searched for again at once.
     */
    void giveUp(String reason) {
        long left = keptBytes - keptBytes / RELIEF;
        List<HubOperation> largestFirst = new ArrayList<>(operations.values());
        largestFirst.sort(Comparator.comparingLong(HubOperation::keptBytes).reversed());
        for (HubOperation one : largestFirst) {
            if (keptBytes <= left) {
                return;
            }
            Outlet outlet = board.outlet(one.anyRank());
            if (outlet != null) {
                outlet.limitReached(ForwardLimit.MEMORY);
            }
            one.fail(ErrorCode.LIMIT, NO_RANK, 0, reason);
        }
    }

    /** The group is no more. */
    void close() {
        for (HubOperation one : new ArrayList<>(operations.values())) {
            one.fail(ErrorCode.RELAY_LOST, NO_RANK, 0, "the session ends");
        }
        if (nextLook != null) {
            nextLook.cancel(false);
        }
    }
}
