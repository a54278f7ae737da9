package io.zipcomm.bench.chaos;

import io.zipcomm.bench.cluster.ChildJvm;
import io.zipcomm.bench.cluster.WorkerFailure;
import io.zipcomm.bench.worker.Message;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.settings.Setting;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/** Carries out plans, one group after the other, and judges every step. */
final class ChaosRun {

    private static final Duration START_LIMIT = Duration.ofSeconds(60);

    /** Without a fault, or after one. */
    private static final Duration ROUNDS_LIMIT = Duration.ofSeconds(20);

    /** From a fault until all that live are at work in the next epoch, newcomers among them. More is a hang. */
    private static final Duration RECOVERY_LIMIT = Duration.ofSeconds(40);

    /** From the end of its silence until a process knows that it was given up. */
    private static final Duration EXPELLED_LIMIT = Duration.ofSeconds(15);

    private static final int ROUNDS_BETWEEN = 2;

    /** Members come back to a relay that was started again in less. */
    private static final long RETURN_NS = TimeUnit.SECONDS.toNanos(2);

    /** What a process says that was cut off: either side may have given up first. */
    private static final Set<ErrorCode> CUT_OFF = EnumSet.of(
            ErrorCode.EXPELLED,
            ErrorCode.RELAY_LOST,
            ErrorCode.PEER_LOST,
            ErrorCode.DEADLINE,
            ErrorCode.RELAY_UNREACHABLE);

    private final Path sharedMemory;
    private final ChaosFigures figures;

    /** When the relay of the group was started again; null if it was not. */
    private Long restartedNs;

    ChaosRun(Path sharedMemory, ChaosFigures figures) {
        this.sharedMemory = sharedMemory;
        this.figures = figures;
    }

    /** Flags of ranks: many start, on few cores. */
    static List<String> flags() {
        List<String> flags = new ArrayList<>(ChildJvm.flags());
        flags.add("-XX:+IgnoreUnrecognizedVMOptions");
        flags.add("--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED");
        flags.add("--sun-misc-unsafe-memory-access=allow");
        flags.add("-Xmx256m");
        return flags;
    }

    /** Settings of ranks. All hosts of a lab have one kernel and its files: there no memory is shared. */
    Map<Setting, String> settings(boolean networks, int size) {
        return Map.of(
                Setting.SHARED_MEMORY,
                networks ? "none" : sharedMemory.toString(),
                Setting.OPERATION_TIMEOUT,
                "30000",
                Setting.SIZE_MIN,
                "1",
                // A newcomer may be there before the relay knows that the one is dead that it comes for.
                Setting.SIZE_MAX,
                Integer.toString(2 * size));
    }

    /** Operations of the relay's hub that are under way end with it, which is no false alarm; so there are none. */
    private Map<Setting, String> settings(ChaosPlan plan) {
        Map<Setting, String> settings = new EnumMap<>(settings(plan.networks(), plan.size()));
        if (plan.steps().stream().anyMatch(step -> step.fault() == Fault.RELAY_RESTART)) {
            settings.put(Setting.RELAY_COLLECTIVES, "off");
        }
        return settings;
    }

    /** Does all that a plan says. */
    void run(ChaosPlan plan) throws IOException, InterruptedException, WorkerFailure {
        System.out.println("chaos: " + plan);
        restartedNs = null;
        try (Ground ground = plan.networks() ? LabGround.open() : LocalGround.open();
                ChaosGroup group = new ChaosGroup(
                        ground, ground.newGroup(plan.size(), plan.transport()).with(settings(plan)), flags())) {
            Set<Integer> living = new TreeSet<>();
            for (int i = 0; i < plan.size(); i++) {
                living.add(group.start());
            }
            group.await("all have joined", living, START_LIMIT, () -> group.areAGroup(living));
            for (ChaosStep step : plan.steps()) {
                group.awaitRounds(living, ROUNDS_BETWEEN, ROUNDS_LIMIT);
                carryOut(plan, ground, group, step, living);
            }
            group.awaitRounds(living, ROUNDS_BETWEEN, ROUNDS_LIMIT);
            group.end(living);
        }
    }

    private void carryOut(ChaosPlan plan, Ground ground, ChaosGroup group, ChaosStep step, Set<Integer> living)
            throws IOException, InterruptedException, WorkerFailure {
        int wanted = step.newcomers() == 0 ? 0 : living.size() - step.victims().size() + step.newcomers();
        group.ask(living, Message.of(ChaosRank.NEXT).with("wanted", wanted), ROUNDS_LIMIT);
        TimeUnit.MILLISECONDS.sleep(step.delayMs());
        long faultNs = System.nanoTime();
        String where = plan.transport() + (plan.networks() ? ", own networks" : "");
        List<String> complaints;
        if (step.fault().deadly()) {
            complaints = deadly(ground, group, step, living, faultNs, where);
        } else {
            complaints = harmless(ground, group, step, living, faultNs, where);
        }
        if (!complaints.isEmpty()) {
            throw group.failureWithoutStacks(plan + ": " + step + ":\n" + String.join("\n", complaints));
        }
    }

    private List<String> harmless(
            Ground ground, ChaosGroup group, ChaosStep step, Set<Integer> living, long faultNs, String where)
            throws IOException, InterruptedException, WorkerFailure {
        switch (step.fault()) {
            case PAUSE -> {
                group.signal(step.victims().get(0), "STOP");
                TimeUnit.MILLISECONDS.sleep(step.holdMs());
                group.signal(step.victims().get(0), "CONT");
            }
            case BLIP -> {
                ground.cut(step.victims().get(0));
                TimeUnit.MILLISECONDS.sleep(step.holdMs());
                ground.heal(step.victims().get(0));
            }
            default -> {
                ground.restartRelay();
                restartedNs = System.nanoTime();
            }
        }
        group.awaitRounds(living, ROUNDS_BETWEEN, ROUNDS_LIMIT);
        List<Report> reports = group.reports(living, faultNs);
        figures.addHarmless(where, step.fault(), reports.size());
        System.out.println("  " + step + ": gone on after " + since(faultNs) + " ms");
        return ChaosVerdict.ofHarmless(step.fault(), reports);
    }

    private List<String> deadly(
            Ground ground, ChaosGroup group, ChaosStep step, Set<Integer> living, long faultNs, String where)
            throws IOException, InterruptedException {
        boolean behindRestart = restartedNs != null && faultNs - restartedNs < RETURN_NS;
        Fault fault = step.fault() == Fault.KILL && behindRestart ? Fault.KILL_BEHIND_RESTART : step.fault();
        for (int victim : step.victims()) {
            switch (step.fault()) {
                case KILL -> group.kill(victim);
                case FREEZE -> group.signal(victim, "STOP");
                default -> ground.cut(victim);
            }
            TimeUnit.MILLISECONDS.sleep(step.spreadMs());
        }
        living.removeAll(step.victims());
        Set<Integer> survivors = Set.copyOf(living);
        for (int i = 0; i < step.newcomers(); i++) {
            living.add(group.start());
        }
        group.await(step + ": the others have gone on", living, RECOVERY_LIMIT, () -> group.areAGroup(living));
        List<Report> reports = group.reports(survivors, faultNs);
        List<Membership> joined = group.memberships(living);
        figures.addDeadly(where, fault, faultNs, reports, joined);
        System.out.println("  " + step + ": gone on after " + since(faultNs) + " ms");
        List<String> complaints = new ArrayList<>(ChaosVerdict.ofDeadly(
                fault,
                Set.copyOf(step.victims()),
                survivors,
                faultNs,
                reports,
                group.lost(survivors, faultNs),
                joined));
        complaints.addAll(endOfVictims(ground, group, step));
        return complaints;
    }

    /** Those that live on outside are let go, and must see that they are out. */
    private static List<String> endOfVictims(Ground ground, ChaosGroup group, ChaosStep step)
            throws IOException, InterruptedException {
        List<String> complaints = new ArrayList<>();
        for (int victim : step.victims()) {
            if (step.fault() == Fault.KILL) {
                group.awaitKilled(victim);
                continue;
            }
            TimeUnit.MILLISECONDS.sleep(step.holdMs());
            if (step.fault() == Fault.FREEZE) {
                group.signal(victim, "CONT");
            } else {
                ground.heal(victim);
            }
            group.await(
                    "process " + victim + " sees that it is out",
                    List.of(),
                    EXPELLED_LIMIT,
                    () -> group.end(victim) != null);
            Message end = group.end(victim);
            ErrorCode code = ErrorCode.valueOf(end.text("code"));
            boolean right = step.fault() == Fault.FREEZE ? code == ErrorCode.EXPELLED : CUT_OFF.contains(code);
            if (!end.kind().equals(ChaosRank.ENDED) || !right) {
                complaints.add("process " + victim + " was given up, and ended with " + end.text("message"));
            }
        }
        return complaints;
    }

    private static long since(long ns) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - ns);
    }
}
