package io.zipcomm.relay.route;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.internal.Combiner;
import java.util.ArrayList;
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
            operation = new HubOperation(this, key, entry);
            operations.put(key, operation);
            places += entry.members().length;
            exchange.counters().hubOperations.add(1);
            exchange.counters().hubOperationsBegun.increment();
            lookLater();
            if (isForlorn(member, entry, operation)) {
                return null;
            }
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

    /** Whether a member will never come: then the operation ends before it begins. */
    private boolean isForlorn(HubMember member, HubEntry entry, HubOperation operation) {
        for (int rank : entry.members()) {
            boolean gone = board.outlet(rank) == null;
            if (gone || failed.contains(new Failed(entry.context(), rank))) {
                ErrorCode code = gone ? ErrorCode.PEER_LEFT : ErrorCode.PEER_FAILED;
                String reason = "rank " + rank + (gone ? " is gone" : " has failed");
                operation.fail(code, rank, 0, reason);
                member.verdict(entry.transfer(), code, rank, 0, reason);
                return true;
            }
        }
        return false;
    }

    private static void disagree(HubMember member, HubEntry entry, HubOperation operation, ErrorCode code) {
        HubEntry first = operation.first();
        int other = operation.anyRank();
        String lengths =
                "rank " + member.rank() + " has " + entry.bytes() + " bytes, rank " + other + " " + first.bytes();
        member.verdict(entry.transfer(), code, other, first.signature(), lengths);
        operation.fail(code, member.rank(), entry.signature(), lengths);
    }

    /** A rank is gone: what waits for it fails. */
    void gone(int rank) {
        fail(one -> one.awaits(rank), ErrorCode.PEER_LEFT, rank, "rank " + rank + " is gone");
    }

    /** A rank said that a collective of a communicator has failed. */
    void failed(int context, int rank) {
        if (failed.size() >= FAILED_MAX) {
            failed.remove(failed.iterator().next());
        }
        failed.add(new Failed(context, rank));
        fail(
                one -> one.first().context() == context && one.awaits(rank),
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
