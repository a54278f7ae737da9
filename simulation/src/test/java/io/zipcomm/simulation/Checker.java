package io.zipcomm.simulation;

import io.zipcomm.error.ZipException;
import io.zipcomm.internal.CreditBalance;
import io.zipcomm.internal.Engine;
import io.zipcomm.relay.RelayStats;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What must hold after every run, whatever struck. */
final class Checker {

    /** Rank before of who was not there. */
    private static final int NOWHERE = -1;

    /** Deadlines are looked at every 20 ms, and what a caller sees of it takes a moment. */
    private static final long LATE_NS_MAX = 60_000_000;

    /** Word of the relay that an agreement came to nothing: all that have an answer have this one. */
    private static final String NOTHING_AGREED = "nothing was agreed in time";

    private final Cluster cluster;
    private final Causes causes;
    private final List<String> problems = new ArrayList<>();

    private Checker(Cluster cluster) {
        this.cluster = cluster;
        causes = new Causes(cluster);
    }

    /** What is wrong; nothing if all is well. */
    static List<String> problems(Cluster cluster, boolean ended) {
        Checker checker = new Checker(cluster);
        if (!ended) {
            checker.problems.add("something hangs");
        }
        for (Rank rank : cluster.ranks()) {
            checker.check(rank);
        }
        checker.checkCredit();
        checker.checkGroups();
        checker.checkAgreements();
        checker.checkRelay();
        return checker.problems;
    }

    private void check(Rank rank) {
        String name = rank.fiber().getName();
        Throwable thrown = rank.fiber().failure();
        if (thrown != null) {
            problems.add(name + " threw " + thrown);
        }
        for (Rank.Outcome outcome : rank.outcomes()) {
            if (outcome.tookNs() > outcome.limitNs() + LATE_NS_MAX) {
                problems.add(name + ": " + outcome.call() + " took " + outcome.tookNs() / 1000 + " us, its time is "
                        + outcome.limitNs() / 1000);
            }
            if (outcome.failure() != null && !causes.explain(rank, outcome)) {
                problems.add("nothing that struck explains it: " + name + ": " + outcome.call() + ": "
                        + outcome.failure().getMessage());
            }
        }
        if (rank.hasEnded()) {
            checkLeft(rank);
        }
    }

    /** What a process holds that has ended its program. */
    private void checkLeft(Rank rank) {
        String name = rank.fiber().getName();
        for (Engine engine : rank.engines()) {
            String leaks = engine.leaks();
            // Messages that nobody asked for lie there to the end where something failed.
            String checked = rank.isWhole() ? leaks : leaks.replaceAll("unexpected [0-9]+", "");
            if (checked.matches(".*[1-9].*")) {
                problems.add(name + " leaks " + leaks);
            }
        }
        // A link that a peer used for the first time when this rank had said goodbye to all may not be through.
        if (hasClosedWell(rank) && lastEngine(rank).leakedChunks() != 0) {
            problems.add(name + " holds " + lastEngine(rank).leakedChunks() + " chunks of what it sent");
        }
        if (!rank.host().ends().isEmpty()) {
            problems.add(name + " has not closed " + rank.host().ends());
        }
        if (!rank.host().fibers().isEmpty()) {
            problems.add(name + " has left threads " + rank.host().fibers());
        }
    }

    /** An engine of an epoch that went on was given up with all that it had. */
    private static Engine lastEngine(Rank rank) {
        List<Engine> engines = rank.engines();
        return engines.isEmpty() ? null : engines.get(engines.size() - 1);
    }

    /**
     * Whether nothing has failed there, and its links are through. One to a peer that is gone, or does not answer, is never through, which takes
     * all of the time for closing.
     */
    private static boolean hasClosedWell(Rank rank) {
        if (!rank.hasEnded() || !rank.isWhole() || lastEngine(rank) == null) {
            return false;
        }
        Rank.Outcome close = rank.outcomes().get(rank.outcomes().size() - 1);
        return close.endedNs() - close.beganNs() < rank.closeTimeoutNs();
    }

    // ---- credit

    private void checkCredit() {
        for (Rank one : cluster.ranks()) {
            for (Rank other : cluster.ranks()) {
                if (one != other && hasClosedWell(one) && hasClosedWell(other)) {
                    Rank.Seen here = one.seen().get(one.seen().size() - 1);
                    Rank.Seen there = other.seen().get(other.seen().size() - 1);
                    if (areOneGroup(here, there)) {
                        checkCredit(one, here, other, there);
                    }
                }
            }
        }
    }

    /** Groups that have parted, and one that begins when another was over, have epochs of the same number. */
    private static boolean areOneGroup(Rank.Seen here, Rank.Seen there) {
        return here.epoch() == there.epoch()
                && here.size() == there.size()
                && here.rank() != there.rank()
                && here.ranksBefore().equals(there.ranksBefore());
    }

    /**
     * What one has charged the other has kept and released, and what that has told of it has come. Where one is taken for dead
     * while all leave, nobody fails, but the last words do not come.
     */
    private void checkCredit(Rank one, Rank.Seen here, Rank other, Rank.Seen there) {
        CreditBalance sent = lastEngine(one).creditBalance(there.rank());
        CreditBalance taken = lastEngine(other).creditBalance(here.rank());
        if (sent == null || taken == null) {
            return;
        }
        boolean balanced =
                sent.charged() == taken.kept() && taken.kept() == taken.released() && taken.told() == sent.returned();
        if (!balanced) {
            problems.add("credit leaks from " + one.fiber().getName() + " to "
                    + other.fiber().getName() + ": " + sent + ", there " + taken);
        }
    }

    // ---- what survivors see alike

    /** A relay that was started again knows no group, and who comes when the others are through begins one of his own. */
    private List<Object> groupOf(Rank.Seen seen) {
        if (!cluster.mayPart()) {
            return List.of(seen.epoch());
        }
        return List.of(seen.epoch(), seen.ranksBefore(), seen.ranksBefore().isEmpty() ? seen.size() : 0);
    }

    private void checkGroups() {
        Map<List<Object>, Rank.Seen> groups = new HashMap<>();
        Map<List<Object>, BitSet> places = new HashMap<>();
        for (Rank rank : cluster.ranks()) {
            for (Rank.Seen seen : rank.seen()) {
                List<Object> which = groupOf(seen);
                Rank.Seen other = groups.putIfAbsent(which, seen);
                if (other != null
                        && (other.size() != seen.size() || !other.ranksBefore().equals(seen.ranksBefore()))) {
                    problems.add("members see epoch " + seen.epoch() + " differently: " + other + ", " + seen);
                }
                BitSet taken = places.computeIfAbsent(which, any -> new BitSet());
                if (taken.get(seen.rank()) || seen.rank() >= seen.size()) {
                    problems.add("two have rank " + seen.rank() + " of epoch " + seen.epoch());
                }
                taken.set(seen.rank());
            }
        }
        cluster.ranks().forEach(this::checkWay);
        checkNoTwoWays();
    }

    /** From each epoch a rank comes to a later one, by the place that it had. */
    private void checkWay(Rank rank) {
        Rank.Seen last = null;
        for (Rank.Seen seen : rank.seen()) {
            int before =
                    seen.ranksBefore().isEmpty() ? NOWHERE : seen.ranksBefore().get(seen.rank());
            boolean right = last == null ? before == NOWHERE : seen.epoch() > last.epoch() && before == last.rank();
            if (!right) {
                problems.add(rank.fiber().getName() + " came from " + last + " to " + seen);
            }
            last = seen;
        }
    }

    /** All who go on from an epoch go to the same one, in their order and behind nobody who is new. */
    private void checkNoTwoWays() {
        Map<Integer, Rank.Seen> next = new HashMap<>();
        for (Rank rank : cluster.ranks()) {
            List<Rank.Seen> seen = rank.seen();
            for (int i = 1; i < seen.size(); i++) {
                Rank.Seen from = seen.get(i - 1);
                Rank.Seen to = seen.get(i);
                Rank.Seen other = next.putIfAbsent(from.epoch(), to);
                boolean parted = cluster.mayPart()
                        && other != null
                        && !other.ranksBefore().contains(from.rank());
                if (other != null && other.epoch() != to.epoch() && !parted) {
                    problems.add("from epoch " + from.epoch() + " some went to " + other.epoch() + ", some to "
                            + to.epoch());
                }
            }
            for (Rank.Seen one : seen) {
                int highest = NOWHERE;
                boolean news = false;
                for (int before : one.ranksBefore()) {
                    if (before == NOWHERE) {
                        news = true;
                    } else if (news || before <= highest) {
                        problems.add("not in the order of the epoch before: " + one);
                    } else {
                        highest = before;
                    }
                }
            }
        }
    }

    private void checkAgreements() {
        Map<List<Integer>, Rank.Part> answers = new HashMap<>();
        Map<List<Integer>, Rank.Part> refusals = new HashMap<>();
        for (Rank rank : cluster.ranks()) {
            for (Rank.Part part : rank.parts()) {
                List<Integer> which = List.of(part.epoch(), part.number());
                if (part.answer() != null) {
                    Rank.Part other = answers.putIfAbsent(which, part);
                    if (other != null && !other.answer().equals(part.answer()) && !areApart(other, part)) {
                        problems.add("members do not agree: " + other + ", " + part);
                    }
                } else if (isRefusal(part.failure())) {
                    Rank.Part other = refusals.putIfAbsent(which, part);
                    if (other != null
                            && !other.failure().reason().equals(part.failure().reason())) {
                        problems.add("members are told of others that did not come: " + other + ", " + part);
                    }
                }
            }
        }
        refusals.forEach((which, refusal) -> {
            if (answers.containsKey(which)) {
                problems.add("some have an answer, and others are told that nothing was agreed: " + answers.get(which)
                        + ", " + refusal);
            }
        });
        answers.values().forEach(this::checkAnswer);
    }

    /** Whether each takes the other for dead, where that may be. */
    private boolean areApart(Rank.Part one, Rank.Part other) {
        return cluster.mayPart()
                && one.answer().failed().contains(other.rank())
                && other.answer().failed().contains(one.rank());
    }

    private static boolean isRefusal(ZipException failure) {
        return failure != null && failure.reason().startsWith(NOTHING_AGREED);
    }

    private void checkAnswer(Rank.Part answer) {
        boolean no = false;
        boolean yes = true;
        for (Rank rank : cluster.ranks()) {
            for (Rank.Part part : rank.parts()) {
                boolean apart = part.answer() != null && areApart(answer, part);
                if (part.epoch() == answer.epoch() && part.number() == answer.number() && !apart) {
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
            long byNs = cluster.time().nowNs();
            boolean wasGivenUp = cluster.mayPart() && causes.mayBeGone(answer.epoch(), answer.rank(), byNs);
            if (!wasGivenUp
                    && !causes.mayBeGone(answer.epoch(), failed, byNs)
                    && !causes.hasLeft(answer.epoch(), failed, byNs)) {
                problems.add("rank " + failed + " is not gone: " + answer);
            }
        }
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
