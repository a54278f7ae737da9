package io.zipcomm.bench.chaos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.bench.cluster.EnvironmentMark;
import io.zipcomm.bench.cluster.ProcessGroup;
import io.zipcomm.bench.cluster.WorkerFailure;
import io.zipcomm.bench.worker.Message;
import io.zipcomm.testkit.SharedMemoryFolder;
import io.zipcomm.testkit.lab.NetworkLab;
import io.zipcomm.transport.rdma.ffi.FabricLibrary;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Groups of real processes that are killed, stopped and cut off, again and again: the survivors know in time, all the same, and
 * go on; nobody is taken for dead that is not; nothing hangs.
 *
 * <p>The long run takes {@code zip.chaos.rounds}, and {@code zip.seed} for its first group; each group has the next seed, which is printed
 * with what is done, and repeats it.
 */
@Tag("once")
@Timeout(120)
final class ChaosTest {

    private static final String ROUNDS = "zip.chaos.rounds";
    private static final String SEED = "zip.seed";

    /** Whether the relay is killed in the long run too, and started again. */
    private static final boolean RELAY_RESTART =
            Boolean.parseBoolean(System.getProperty("zip.chaos.relay-restart", "true"));

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int LONG_RANKS = 8;
    private static final int THREADS_PER_CORE = 4;
    private static final int PAUSE_MS = 3000;

    /** TCP doubles its waits: what was on its way at the start of three seconds without network would come after six. */
    private static final int SUSPEND_MS = 2500;

    private static final long LOAD_MS = TimeUnit.SECONDS.toMillis(60);

    /** In which a thread that was stopped for {@link #PAUSE_MS} cannot have stood still for less. */
    private static final int PAUSE_MS_MIN = PAUSE_MS - 100;

    @TempDir(factory = SharedMemoryFolder.class)
    private Path sharedMemory;

    private final ChaosFigures figures = new ChaosFigures();
    private ChaosRun run;

    @BeforeEach
    void open() {
        run = new ChaosRun(sharedMemory, figures);
    }

    @AfterEach
    void print() {
        System.out.println(figures);
    }

    private static ChaosStep kill(int... victims) {
        List<Integer> all = new ArrayList<>();
        for (int victim : victims) {
            all.add(victim);
        }
        return new ChaosStep(Fault.KILL, all, 50, 30, 0, 0);
    }

    private static ChaosStep killAndReplace(int victim) {
        return new ChaosStep(Fault.KILL, List.of(victim), 50, 0, 0, 1);
    }

    private static ChaosStep one(Fault fault, int victim, long holdMs) {
        return new ChaosStep(fault, List.of(victim), 50, 0, holdMs, 0);
    }

    private void carryOut(String transport, boolean networks, int size, ChaosStep... steps)
            throws IOException, InterruptedException, WorkerFailure {
        int before = figures.rounds();
        run.run(new ChaosPlan(0, transport, networks, size, List.of(steps)));
        assertEquals(steps.length, figures.rounds() - before);
        assertEquals(0, figures.falsePositives());
    }

    @ParameterizedTest
    @ValueSource(strings = {"tcp", "relay", "aeron-ipc", "aeron-udp", "rdma"})
    void shouldGoOnWithoutThoseThatWereKilled(String transport)
            throws IOException, InterruptedException, WorkerFailure {
        assumeAvailable(transport);
        carryOut(transport, false, 4, kill(2), kill(0));
    }

    @Test
    void shouldGoOnWithoutTwoAtATimeAndWithAReplacement() throws IOException, InterruptedException, WorkerFailure {
        carryOut("auto", false, 5, kill(1, 3), killAndReplace(0), one(Fault.PAUSE, 5, 2000));
    }

    private static void assumeAvailable(String transport) {
        String absence = transport.equals("rdma") ? FabricLibrary.absence() : null;
        assertTrue(absence == null || System.getenv("ZIP_TEST_NATIVE") == null, () -> "no RDMA: " + absence);
        assumeTrue(absence == null, () -> "no RDMA: " + absence);
    }

    @Test
    void shouldExpelWhoStandsStillForTooLongAndNobodyElse() throws IOException, InterruptedException, WorkerFailure {
        carryOut("auto", false, 4, one(Fault.PAUSE, 0, 3000), one(Fault.FREEZE, 1, 300));
    }

    @Test
    void shouldExpelWhoIsBackFromASnapshotAndNobodyElse() throws IOException, InterruptedException, WorkerFailure {
        assumeTrue(NetworkLab.unavailabilityReason() == null, NetworkLab.unavailabilityReason());
        carryOut("auto", true, 4, one(Fault.SUSPEND, 2, SUSPEND_MS), one(Fault.SNAPSHOT, 1, 300));
    }

    /** The same as of {@code auto}, on the transports that the plans draw, too. */
    @Test
    @Tag("long")
    @Timeout(300)
    void shouldExpelWhoStandsStillOrIsCutOffOnOtherPaths() throws IOException, InterruptedException, WorkerFailure {
        assumeAvailable("rdma");
        assumeTrue(NetworkLab.unavailabilityReason() == null, NetworkLab.unavailabilityReason());
        carryOut("rdma", false, 4, one(Fault.PAUSE, 0, 3000), one(Fault.FREEZE, 1, 300));
        carryOut("relay", true, 4, one(Fault.SUSPEND, 2, SUSPEND_MS), one(Fault.SNAPSHOT, 1, 300));
        carryOut("aeron-udp", true, 4, one(Fault.BLIP, 2, 1500), one(Fault.CUT, 1, 300));
    }

    @Test
    @Tag("long")
    @Timeout(300)
    void shouldExpelWhoStandsStillForAMinute() throws IOException, InterruptedException, WorkerFailure {
        carryOut("auto", false, 4, one(Fault.FREEZE_MINUTE, 1, 0));
    }

    @ParameterizedTest
    @ValueSource(strings = {"tcp", "relay", "aeron-udp"})
    @Tag("long")
    @Timeout(300)
    void shouldExpelWhoIsBackFromASnapshotAfterAMinute(String transport)
            throws IOException, InterruptedException, WorkerFailure {
        assumeTrue(NetworkLab.unavailabilityReason() == null, NetworkLab.unavailabilityReason());
        carryOut(transport, true, 4, one(Fault.SNAPSHOT_MINUTE, 1, 0));
    }

    @Test
    void shouldEndInTimeWithoutARelayThatAllNeed() throws IOException, InterruptedException, WorkerFailure {
        carryOut("relay", false, 4, new ChaosStep(Fault.RELAY_LOSS, List.of(), 50, 0, 0, 0));
    }

    @Test
    void shouldGoOnWithoutARelayUntilOneDies() throws IOException, InterruptedException, WorkerFailure {
        carryOut("tcp", false, 4, new ChaosStep(Fault.RELAY_LOSS, List.of(2), 50, 0, 0, 0));
    }

    /** Nothing else tells of a death there, so the deadline does. */
    @ParameterizedTest
    @ValueSource(strings = {"aeron-ipc", "aeron-udp", "rdma"})
    @Tag("long")
    void shouldGoOnWithoutARelayUntilOneDiesOnOtherPaths(String transport)
            throws IOException, InterruptedException, WorkerFailure {
        assumeAvailable(transport);
        carryOut(transport, false, 4, new ChaosStep(Fault.RELAY_LOSS, List.of(2), 50, 0, 0, 0));
    }

    @Test
    void shouldGoOnWithoutAHostThatIsCutOff() throws IOException, InterruptedException, WorkerFailure {
        assumeTrue(NetworkLab.unavailabilityReason() == null, NetworkLab.unavailabilityReason());
        carryOut("auto", true, 4, one(Fault.BLIP, 2, 1500), one(Fault.CUT, 1, 300));
    }

    @Test
    void shouldNotNoticeThatTheRelayWasKilled() throws IOException, InterruptedException, WorkerFailure {
        carryOut("relay", false, 4, new ChaosStep(Fault.RELAY_RESTART, List.of(), 50, 0, 0, 0), kill(1));
    }

    @Test
    @Tag("long")
    @Timeout(value = 2, unit = TimeUnit.HOURS)
    void shouldSurviveRandomFaults() throws IOException, InterruptedException, WorkerFailure {
        int rounds = Integer.getInteger(ROUNDS, 50);
        long seed = Long.getLong(SEED, 1);
        boolean lab = NetworkLab.unavailabilityReason() == null;
        boolean rdma = FabricLibrary.absence() == null;
        System.out.println("chaos: " + rounds + " rounds from seed " + seed
                + (lab ? "" : ", no networks of their own: " + NetworkLab.unavailabilityReason())
                + (rdma ? "" : ", no RDMA: " + FabricLibrary.absence()));
        for (long next = seed; figures.rounds() < rounds; next++) {
            // A seed alone says what its group goes through.
            run.run(ChaosPlan.random(next, lab, rdma, RELAY_RESTART));
        }
        assertEquals(0, figures.falsePositives());
    }

    @Test
    @Tag("long")
    @Timeout(300)
    void shouldTakeNobodyForDeadOnABusyMachine() throws IOException, InterruptedException, WorkerFailure {
        List<String> flags = new ArrayList<>(ChaosRun.flags());
        flags.remove("-XX:TieredStopAtLevel=1");
        flags.addAll(List.of(Stall.FLAGS));
        int burners = THREADS_PER_CORE * Runtime.getRuntime().availableProcessors();
        try (Ground ground = LocalGround.open();
                ProcessGroup load = new ProcessGroup(
                        (rank, error, line) -> {},
                        new EnvironmentMark("ZIP_CHAOS_LOAD", UUID.randomUUID().toString()));
                ChaosGroup group = new ChaosGroup(
                        ground, ground.newGroup(LONG_RANKS, "auto").with(run.settings(false, LONG_RANKS)), flags)) {
            Set<Integer> living = new TreeSet<>();
            for (int i = 0; i < LONG_RANKS; i++) {
                living.add(group.start());
            }
            group.await("all have joined", living, LIMIT, () -> group.areAGroup(living));
            for (int i = 0; i < burners; i++) {
                load.start(List.of("sh", "-c", "while :; do :; done"), Map.of());
            }
            long beganNs = System.nanoTime();
            Message pause = Message.of(ChaosRank.STALL).with("ms", PAUSE_MS);
            for (int victim = 0; TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - beganNs) < LOAD_MS; victim++) {
                group.awaitRounds(living, 1, LIMIT);
                Set<Integer> whom = Set.of(victim % LONG_RANKS);
                if (victim % 2 == 0) {
                    Message stood =
                            group.ask(whom, pause, LIMIT).values().iterator().next();
                    System.out.println("process " + whom + ": no Java thread ran for " + stood.text("stoodMs") + " ms");
                    assertTrue(stood.number("stoodMs") >= PAUSE_MS_MIN, "its threads stood still: " + stood);
                } else {
                    group.signal(victim % LONG_RANKS, "STOP");
                    TimeUnit.MILLISECONDS.sleep(PAUSE_MS);
                    group.signal(victim % LONG_RANKS, "CONT");
                }
                group.awaitRounds(living, 1, LIMIT);
                figures.addHarmless(
                        "auto, " + burners + " busy processes",
                        Fault.PAUSE,
                        group.reports(living, beganNs).size());
            }
            assertEquals(List.of(), ChaosVerdict.ofHarmless(Fault.PAUSE, group.reports(living, beganNs)));
            load.end();
            group.end(living);
        }
    }
}
