package io.zipcomm.bench.chaos;

import io.zipcomm.bench.worker.Message;
import io.zipcomm.error.ErrorCode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Judges what the members of a group said after a fault. It knows what was done to whom and when, and nothing of how the group
 * found out.
 */
final class ChaosVerdict {

    /** What an exception may say of members that died. A revoke tells those that had not noticed yet. */
    private static final Set<ErrorCode> DEATHS =
            EnumSet.of(ErrorCode.PEER_LOST, ErrorCode.DRIVER_LOST, ErrorCode.REVOKED, ErrorCode.COMMUNICATOR_FAILED);

    /** What a process says that was cut off: either side may have given up first. */
    private static final Set<ErrorCode> CUT_OFF = EnumSet.of(
            ErrorCode.EXPELLED,
            ErrorCode.RELAY_LOST,
            ErrorCode.PEER_LOST,
            ErrorCode.DEADLINE,
            ErrorCode.RELAY_UNREACHABLE);

    private final Fault fault;
    private final Set<Integer> victims;
    private final Set<Integer> survivors;
    private final long faultNs;
    private final List<String> complaints = new ArrayList<>();

    private ChaosVerdict(Fault fault, Set<Integer> victims, Set<Integer> survivors, long faultNs) {
        this.fault = fault;
        this.victims = victims;
        this.survivors = survivors;
        this.faultNs = faultNs;
    }

    /**
     * Judges a fault that nobody may die of.
     *
     * @param reports all that was said since
     * @return what is wrong; empty if nothing is
     */
    static List<String> ofHarmless(Fault fault, Collection<Report> reports) {
        return reports.stream()
                .map(report -> "process " + report.process() + " saw a failure, agreed on " + sorted(report.failed())
                        + ", though nobody died of " + fault + ": " + report.message())
                .toList();
    }

    /**
     * Judges a fault that is deadly.
     *
     * @param victims   who is to be dead
     * @param survivors who was a member and lives on
     * @param faultNs   instant just before the first victim was hit
     * @param reports   all that was said since by survivors
     * @param lost      of each survivor, whom it found gone: by agreements, and by who did not come along into later epochs
     * @param joined    what survivors and newcomers said of the last epoch that they came into
     * @return what is wrong; empty if nothing is
     */
    static List<String> ofDeadly(
            Fault fault,
            Set<Integer> victims,
            Set<Integer> survivors,
            long faultNs,
            Collection<Report> reports,
            Map<Integer, Set<Integer>> lost,
            Collection<Membership> joined) {
        ChaosVerdict verdict = new ChaosVerdict(fault, victims, survivors, faultNs);
        verdict.judgeReports(reports);
        verdict.judgeSets(reports);
        verdict.judgeLost(lost);
        verdict.judgeMemberships(joined);
        return verdict.complaints;
    }

    /**
     * Judges how one ended that the others were to give up.
     *
     * @param end    what it said last
     * @param overNs instant just before it was let go
     * @return what is wrong; empty if nothing is
     */
    static List<String> ofVictim(Fault fault, int victim, Message end, long overNs) {
        List<String> complaints = new ArrayList<>();
        ErrorCode code = ErrorCode.valueOf(end.text("code"));
        boolean right = fault == Fault.CUT ? CUT_OFF.contains(code) : code == ErrorCode.EXPELLED;
        if (!end.kind().equals(ChaosRank.ENDED) || !right) {
            complaints.add("process " + victim + " was given up, and ended with " + end.text("message"));
        }
        Duration limit = fault == Fault.CUT ? Fault.Limits.CUT_OFF : Fault.Limits.EXPELLED;
        judgeTime(complaints, fault, victim, end.number("atNs") - overNs, limit);
        return complaints;
    }

    /**
     * Judges how all ended that lost the relay for good.
     *
     * @param ends   what each said last
     * @param lostNs instant just before the relay was killed, or one of them, if that was later
     * @param limit  from then until all have ended
     * @return what is wrong; empty if nothing is
     */
    static List<String> ofRelayLoss(Map<Integer, Message> ends, long lostNs, Duration limit) {
        List<String> complaints = new ArrayList<>();
        ends.forEach((process, end) -> {
            if (!end.kind().equals(ChaosRank.ENDED) || ErrorCode.valueOf(end.text("code")) != ErrorCode.RELAY_LOST) {
                complaints.add("process " + process + " lost the relay, and ended with " + end.text("message"));
            }
            judgeTime(complaints, Fault.RELAY_LOSS, process, end.number("atNs") - lostNs, limit);
        });
        return complaints;
    }

    private static void judgeTime(List<String> complaints, Fault fault, int process, long tookNs, Duration limit) {
        if (tookNs > limit.toNanos()) {
            complaints.add("process " + process + " ended " + TimeUnit.NANOSECONDS.toMillis(tookNs) + " ms after "
                    + fault + ", and the limit is " + limit.toMillis() + " ms");
        }
    }

    private void judgeReports(Collection<Report> reports) {
        for (Report report : reports) {
            if (!DEATHS.contains(report.code())) {
                complain(report, "says " + report.code() + " of a death");
            } else if (report.code() == ErrorCode.PEER_LOST && !victims.contains(report.peer())) {
                complain(report, "names process " + report.peer() + ", and the victims are " + sorted(victims));
            }
            if (report.noticedNs() < faultNs) {
                complain(report, "noticed before it happened");
            }
            Set<Integer> alive = new TreeSet<>(report.failed());
            alive.removeAll(victims);
            if (!alive.isEmpty()) {
                complain(report, "takes processes for dead that live: " + alive);
            }
            long tookNs = report.agreedNs() - faultNs;
            if (tookNs > fault.limit().toNanos()) {
                complain(
                        report,
                        "knew after " + TimeUnit.NANOSECONDS.toMillis(tookNs) + " ms, and the limit of " + fault
                                + " is " + fault.limit().toMillis() + " ms");
            }
        }
    }

    /** The same set by all in each epoch. */
    private void judgeSets(Collection<Report> reports) {
        Map<Integer, List<Report>> byEpoch =
                reports.stream().collect(Collectors.groupingBy(Report::epoch, TreeMap::new, Collectors.toList()));
        for (List<Report> ofEpoch : byEpoch.values()) {
            Set<Set<Integer>> sets = ofEpoch.stream().map(Report::failed).collect(Collectors.toSet());
            if (sets.size() > 1) {
                complaints.add("in epoch " + ofEpoch.get(0).epoch() + " members agreed on different sets: "
                        + ofEpoch.stream()
                                .map(report -> report.process() + " on " + sorted(report.failed()))
                                .collect(Collectors.joining(", ")));
            }
            Set<Integer> silent = new TreeSet<>(survivors);
            ofEpoch.forEach(report -> silent.remove(report.process()));
            if (!silent.isEmpty()) {
                complaints.add("in epoch " + ofEpoch.get(0).epoch() + " survivors reported nothing: " + silent);
            }
        }
        if (reports.isEmpty()) {
            complaints.add("nobody reported anything of " + fault);
        }
    }

    /** All victims, and nobody else. Who dies behind an agreement is not in it, and is left behind by the next epoch. */
    private void judgeLost(Map<Integer, Set<Integer>> lost) {
        for (int survivor : sorted(survivors)) {
            Set<Integer> its = lost.getOrDefault(survivor, Set.of());
            if (!its.equals(victims)) {
                complaints.add("process " + survivor + " lost " + sorted(its) + ", and the victims of " + fault
                        + " are " + sorted(victims));
            }
        }
    }

    private void judgeMemberships(Collection<Membership> joined) {
        Set<Integer> epochs = joined.stream().map(Membership::epoch).collect(Collectors.toSet());
        if (epochs.size() != 1) {
            complaints.add("members are in epochs " + sorted(epochs));
        }
        Set<Integer> members = joined.stream().map(Membership::process).collect(Collectors.toSet());
        if (!members.containsAll(survivors)) {
            Set<Integer> outside = new TreeSet<>(survivors);
            outside.removeAll(members);
            complaints.add("survivors are outside: " + outside);
        }
        Set<Integer> ranks = joined.stream().map(Membership::rank).collect(Collectors.toSet());
        for (Membership one : joined) {
            if (victims.contains(one.process())) {
                complaints.add("process " + one.process() + " is a member, and a victim");
            }
            if (one.size() != joined.size() || ranks.size() != joined.size()) {
                complaints.add("process " + one.process() + " is rank " + one.rank() + " of " + one.size()
                        + ", and there are " + joined.size() + " members with ranks " + sorted(ranks));
            }
        }
        if (joined.stream().map(Membership::before).distinct().count() > 1) {
            complaints.add("members were told of different ranks before: "
                    + joined.stream()
                            .map(one -> one.process() + ": " + one.before())
                            .toList());
        }
    }

    private void complain(Report report, String what) {
        complaints.add(
                "process " + report.process() + ", epoch " + report.epoch() + ", " + what + ": " + report.message());
    }

    private static Set<Integer> sorted(Set<Integer> numbers) {
        return new TreeSet<>(numbers);
    }
}
