package io.zipcomm.simulation;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.internal.Engine;
import io.zipcomm.relay.RelayStats;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What must hold after every run, whatever struck. */
final class Checker {

    /** Deadlines are looked at every 20 ms, and what a caller sees of it takes a moment. */
    private static final long LATE_NS_MAX = 60_000_000;

    /** How operations end when a peer, or the relay, is gone. */
    private static final Set<ErrorCode> LOSSES = EnumSet.of(
            ErrorCode.PEER_LOST,
            ErrorCode.PEER_LEFT,
            ErrorCode.PEER_FAILED,
            ErrorCode.COMMUNICATOR_FAILED,
            ErrorCode.RELAY_LOST,
            ErrorCode.REVOKED,
            ErrorCode.DEADLINE);

    /** How joining ends then. */
    private static final Set<ErrorCode> NO_GROUPS =
            EnumSet.of(ErrorCode.JOIN_TIMEOUT, ErrorCode.RELAY_LOST, ErrorCode.RELAY_UNREACHABLE, ErrorCode.GROUP_FULL);

    private final Cluster cluster;
    private final List<String> problems = new ArrayList<>();

    private Checker(Cluster cluster) {
        this.cluster = cluster;
    }

    /** What is wrong; nothing if all is well. */
    static List<String> problems(Cluster cluster, boolean ended) {
        Checker checker = new Checker(cluster);
        if (!ended) {
            checker.problems.add("something hangs");
        }
        boolean harmless =
                !cluster.grows() && cluster.strikes().keySet().stream().allMatch(Fault::isHarmless);
        for (Rank rank : cluster.ranks()) {
            checker.check(rank, harmless);
        }
        checker.checkGroups();
        checker.checkAgreements();
        checker.checkRelay();
        return checker.problems;
    }

    private void check(Rank rank, boolean harmless) {
        Throwable thrown = rank.fiber().failure();
        if (thrown != null) {
            problems.add(rank.fiber().getName() + " threw " + thrown);
        }
        for (Rank.Outcome outcome : rank.outcomes()) {
            if (outcome.tookNs() > outcome.limitNs() + LATE_NS_MAX) {
                problems.add(rank.fiber().getName() + ": " + outcome.call() + " took " + outcome.tookNs() / 1000
                        + " us, its time is " + outcome.limitNs() / 1000);
            }
            if (outcome.failure() != null) {
                checkFailure(rank, outcome, harmless);
            }
        }
        boolean whole = rank.isWhole() && !rank.host().isDead();
        for (Engine engine : rank.engines()) {
            String leaks = engine.leaks();
            if (whole && leaks.matches(".*[1-9].*")) {
                problems.add(rank.fiber().getName() + " leaks " + leaks);
            }
        }
    }

    private void checkFailure(Rank rank, Rank.Outcome outcome, boolean harmless) {
        ErrorCode code = outcome.failure().code();
        String who = rank.fiber().getName() + ": " + outcome.call() + ": "
                + outcome.failure().getMessage();
        if (harmless) {
            problems.add("nothing that struck may make anything fail: " + who);
        } else if (!mayEnd(rank, outcome.call(), code)) {
            problems.add("not a way in which operations end: " + who);
        } else if (code == ErrorCode.PEER_LOST
                && !rank.isSuspect()
                && !isSuspect(outcome.epoch(), outcome.failure().peer())) {
            // Who was taken for dead itself sees its connections end.
            problems.add("nothing was done to that peer: " + who);
        }
    }

    private boolean mayEnd(Rank rank, String call, ErrorCode code) {
        // A rank that was taken for dead is told so, or has no place any more when it attaches.
        boolean lost = rank.isSuspect() || restarted();
        boolean expelled = code == ErrorCode.LIMIT || code == ErrorCode.UNAUTHORIZED || code == ErrorCode.EXPELLED;
        return switch (call) {
            case Rank.JOIN, "grow", "shrink" -> NO_GROUPS.contains(code) || (expelled && lost);
            default -> LOSSES.contains(code) || (code == ErrorCode.EXPELLED && lost);
        };
    }

    /** Whether there is a reason to take the rank of an epoch for dead. */
    private boolean isSuspect(int epoch, int rank) {
        if (restarted()) {
            return true;
        }
        for (Rank one : cluster.ranks()) {
            for (Rank.Seen seen : one.seen()) {
                if (seen.epoch() == epoch && seen.rank() == rank) {
                    return one.isSuspect();
                }
            }
        }
        // It was gone before it saw the group.
        return cluster.ranks().stream().anyMatch(Rank::isSuspect);
    }

    // ---- what survivors see alike

    private void checkGroups() {
        Map<Integer, Rank.Seen> groups = new HashMap<>();
        Map<Integer, BitSet> places = new HashMap<>();
        for (Rank rank : cluster.ranks()) {
            for (Rank.Seen seen : rank.seen()) {
                Rank.Seen other = groups.putIfAbsent(seen.epoch(), seen);
                if (other != null
                        && (other.size() != seen.size() || !other.ranksBefore().equals(seen.ranksBefore()))) {
                    problems.add("members see epoch " + seen.epoch() + " differently: " + other + ", " + seen);
                }
                BitSet taken = places.computeIfAbsent(seen.epoch(), any -> new BitSet());
                if (taken.get(seen.rank()) || seen.rank() >= seen.size()) {
                    problems.add("two have rank " + seen.rank() + " of epoch " + seen.epoch());
                }
                taken.set(seen.rank());
            }
        }
    }

    private void checkAgreements() {
        Map<List<Integer>, Rank.Part> answers = new HashMap<>();
        for (Rank rank : cluster.ranks()) {
            for (Rank.Part part : rank.parts()) {
                if (part.answer() != null) {
                    Rank.Part other = answers.putIfAbsent(List.of(part.epoch(), part.number()), part);
                    if (other != null && !other.answer().equals(part.answer())) {
                        problems.add("members do not agree: " + other + ", " + part);
                    }
                }
            }
        }
        answers.values().forEach(this::checkAnswer);
    }

    private void checkAnswer(Rank.Part answer) {
        boolean no = false;
        boolean yes = true;
        for (Rank rank : cluster.ranks()) {
            for (Rank.Part part : rank.parts()) {
                if (part.epoch() == answer.epoch() && part.number() == answer.number()) {
                    no |= !part.said();
                    // Who died may have died before it was heard.
                    yes &= part.said() || part.answer() == null;
                }
            }
        }
        if (answer.answer().value() ? !yes : !no) {
            problems.add("not what members said: " + answer);
        }
        for (int failed : answer.answer().failed()) {
            if (!isSuspect(answer.epoch(), failed) && !hasLeft(answer.epoch(), failed)) {
                problems.add("rank " + failed + " is not gone: " + answer);
            }
        }
    }

    /** Whether the rank's last epoch was this one. */
    private boolean hasLeft(int epoch, int number) {
        for (Rank rank : cluster.ranks()) {
            List<Rank.Seen> seen = rank.seen();
            if (!seen.isEmpty()) {
                Rank.Seen last = seen.get(seen.size() - 1);
                if (last.epoch() == epoch && last.rank() == number) {
                    return true;
                }
            }
        }
        return false;
    }

    private boolean restarted() {
        return cluster.strikes().containsKey(Fault.RESTART_RELAY);
    }

    private void checkRelay() {
        RelayStats stats = cluster.relayStats();
        if (stats.connections() + stats.sessions() + stats.ranks() + stats.handshakes() != 0
                || stats.bytesWaiting() + stats.waitingMemory() + stats.bytesUnderWay() + stats.controlBytesWaiting()
                        != 0
                || stats.hubOperationsOpen() != 0) {
            problems.add("the relay still holds something");
        }
        if (stats.defects() != 0) {
            problems.add(stats.defects() + " defects of the relay");
        }
        long buffers = buffers();
        if (buffers != 0) {
            problems.add(buffers + " buffers of the relay were not released");
        }
    }

    private long buffers() {
        return cluster.allocator().metric().directArenas().stream()
                        .mapToLong(arena -> arena.numActiveAllocations())
                        .sum()
                + cluster.allocator().metric().heapArenas().stream()
                        .mapToLong(arena -> arena.numActiveAllocations())
                        .sum();
    }
}
