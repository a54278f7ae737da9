package io.zipcomm.bench.chaos;

import io.zipcomm.bench.cluster.ChildJvm;
import io.zipcomm.bench.cluster.WorkerFailure;
import io.zipcomm.bench.worker.Message;
import io.zipcomm.settings.Setting;
import io.zipcomm.transport.rdma.ffi.FabricLibrary;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** Carries out plans, one group after the other, and judges every step. */
final class ChaosRun {

    private static final Duration START_LIMIT = Duration.ofSeconds(60);

    /** Without a fault, or after one. */
    private static final Duration ROUNDS_LIMIT = Duration.ofSeconds(20);

    /** From a fault until all that live are at work in the next epoch, newcomers among them. More is a hang. */
    private static final Duration RECOVERY_LIMIT = Duration.ofSeconds(40);

    /** From the end of its silence, or of the relay, until a process has ended. More is a hang. */
    private static final Duration END_LIMIT = Duration.ofSeconds(40);

    private static final int ROUNDS_BETWEEN = 2;

    /** Members come back to a relay that was started again in less. */
    private static final long RETURN_NS = TimeUnit.SECONDS.toNanos(2);

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
        flags.add("--enable-native-access=ALL-UNNAMED");
        flags.add("-D" + FabricLibrary.PATH_PROPERTY + "=" + System.getProperty(FabricLibrary.PATH_PROPERTY, ""));
        return flags;
    }

    /** Settings of ranks. All hosts of a lab have one kernel and its files: there no memory is shared. */
    Map<Setting, String> settings(boolean networks, int size) {
        return Map.of(
                // Of those that are in software, the one in shared memory may keep the living in a call in which
                // another died.
                Setting.RDMA_PROVIDER,
                "tcp;ofi_rxm",
                Setting.SHARED_MEMORY,
                networks ? "none" : sharedMemory.toString(),
                Setting.OPERATION_TIMEOUT,
                Long.toString(Fault.Limits.OPERATION_TIMEOUT.toMillis()),
                Setting.SIZE_MIN,
                "1",
                // A newcomer may be there before the relay knows that the one is dead that it comes for.
                Setting.SIZE_MAX,
                Integer.toString(2 * size));
    }

    /** Does all that a plan says. */
    void run(ChaosPlan plan) throws IOException, InterruptedException, WorkerFailure {
        System.out.println("chaos: " + plan);
        restartedNs = null;
        try (Ground ground = plan.networks() ? LabGround.open() : LocalGround.open();
                ChaosGroup group = new ChaosGroup(
                        ground,
                        ground.newGroup(plan.size(), plan.transport()).with(settings(plan.networks(), plan.size())),
                        flags())) {
            Set<Integer> living = new TreeSet<>();
            for (int i = 0; i < plan.size(); i++) {
                living.add(group.start());
            }
            group.await("all have joined", living, START_LIMIT, () -> group.areAGroup(living));
            for (ChaosStep step : plan.steps()) {
                group.awaitRounds(living, ROUNDS_BETWEEN, ROUNDS_LIMIT);
                carryOut(plan, ground, group, step, living);
            }
            if (!living.isEmpty()) {
                group.awaitRounds(living, ROUNDS_BETWEEN, ROUNDS_LIMIT);
                group.end(living);
            }
        }
    }

    private void carryOut(ChaosPlan plan, Ground ground, ChaosGroup group, ChaosStep step, Set<Integer> living)
            throws IOException, InterruptedException, WorkerFailure {
        int wanted = step.newcomers() == 0 ? 0 : living.size() - step.victims().size() + step.newcomers();
        group.ask(living, Message.of(ChaosRank.NEXT).with("wanted", wanted), ROUNDS_LIMIT);
        TimeUnit.MILLISECONDS.sleep(step.delayMs());
        long faultNs = System.nanoTime();
        String where = plan.transport() + (plan.networks() ? ", own networks" : "");
        List<String> complaints = switch (step.fault().outcome()) {
            case NONE -> harmless(ground, group, step, living, faultNs, where);
            case VICTIMS_ARE_LOST -> deadly(ground, group, step, living, faultNs, where);
            case GROUP_ENDS -> relayLoss(ground, group, step, living, where);
        };
        if (!complaints.isEmpty()) {
            throw group.failureWithoutStacks(plan + ": " + step + ":\n" + String.join("\n", complaints));
        }
    }

    private List<String> harmless(
            Ground ground, ChaosGroup group, ChaosStep step, Set<Integer> living, long faultNs, String where)
            throws IOException, InterruptedException, WorkerFailure {
        if (step.fault() == Fault.RELAY_RESTART) {
            ground.restartRelay();
            restartedNs = System.nanoTime();
        } else {
            begin(ground, group, step.fault(), step.victims().get(0));
            TimeUnit.MILLISECONDS.sleep(step.holdMs());
            end(ground, group, step.fault(), step.victims().get(0));
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
            begin(ground, group, step.fault(), victim);
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
        complaints.addAll(endOfVictims(ground, group, step, faultNs));
        group.awaitRounds(living, ROUNDS_BETWEEN, ROUNDS_LIMIT);
        if (!group.memberships(living).equals(joined)) {
            complaints.add("the others had gone on as " + joined + ", and are " + group.memberships(living)
                    + " behind the end of " + step);
        }
        return complaints;
    }

    private static void begin(Ground ground, ChaosGroup group, Fault fault, int victim)
            throws IOException, InterruptedException {
        // Nothing that it still says may get out, and no reset when it is let go.
        if (fault.cuts()) {
            ground.cut(victim);
        }
        if (fault.stops()) {
            group.signal(victim, "STOP");
        }
        if (fault == Fault.KILL) {
            group.kill(victim);
        }
    }

    private static void end(Ground ground, ChaosGroup group, Fault fault, int victim)
            throws IOException, InterruptedException {
        if (fault.cuts()) {
            ground.heal(victim);
        }
        if (fault.stops()) {
            group.signal(victim, "CONT");
        }
    }

    /**
     * Where all goes through the relay all end; where nothing does all go on for longer than its time, until one dies and there is nobody
     * to say so.
     */
    private List<String> relayLoss(Ground ground, ChaosGroup group, ChaosStep step, Set<Integer> living, String where)
            throws InterruptedException {
        long lostNs = System.nanoTime();
        ground.killRelay();
        for (int victim : step.victims()) {
            TimeUnit.NANOSECONDS.sleep(Fault.Limits.RELAY.toNanos());
            group.awaitRounds(living, ROUNDS_BETWEEN, ROUNDS_LIMIT);
            lostNs = System.nanoTime();
            group.kill(victim);
            living.remove(victim);
        }
        Set<Integer> survivors = Set.copyOf(living);
        living.clear();
        group.await(
                "all see that there is no relay",
                List.of(),
                END_LIMIT,
                () -> survivors.stream().allMatch(process -> group.end(process) != null));
        Map<Integer, Message> ends =
                survivors.stream().collect(Collectors.toMap(process -> process, process -> group.end(process)));
        long sinceNs = lostNs;
        figures.addEnd(
                where,
                step.fault(),
                ends.values().stream().map(end -> end.number("atNs") - sinceNs).toList());
        System.out.println("  " + step + ": all ended after " + since(lostNs) + " ms: "
                + ends.values().iterator().next().text("message"));
        return ChaosVerdict.ofRelayLoss(
                ends, lostNs, step.victims().isEmpty() ? step.fault().limit() : Fault.Limits.DEATH_WITHOUT_RELAY);
    }

    /** Those that live on outside are let go, and must see that they are out. */
    private List<String> endOfVictims(Ground ground, ChaosGroup group, ChaosStep step, long faultNs)
            throws IOException, InterruptedException {
        List<String> complaints = new ArrayList<>();
        for (int victim : step.victims()) {
            if (step.fault() == Fault.KILL) {
                group.awaitKilled(victim);
                continue;
            }
            long leftNs = step.fault().lasts().toNanos() - (System.nanoTime() - faultNs);
            TimeUnit.NANOSECONDS.sleep(Math.max(leftNs, TimeUnit.MILLISECONDS.toNanos(step.holdMs())));
            long overNs = System.nanoTime();
            end(ground, group, step.fault(), victim);
            group.await(
                    "process " + victim + " sees that it is out",
                    List.of(),
                    END_LIMIT,
                    () -> group.end(victim) != null);
            Message end = group.end(victim);
            figures.addOut(step.fault(), end.number("atNs") - overNs);
            System.out.println("  process " + victim + " knew after "
                    + TimeUnit.NANOSECONDS.toMillis(end.number("atNs") - overNs) + " ms, " + end.text("message")
                    + ", behind " + end.text("noticed"));
            complaints.addAll(ChaosVerdict.ofVictim(step.fault(), victim, end, overNs));
        }
        return complaints;
    }

    private static long since(long ns) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - ns);
    }
}
