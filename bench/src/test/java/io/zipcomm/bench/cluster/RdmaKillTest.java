package io.zipcomm.bench.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.worker.Message;
import io.zipcomm.bench.worker.SteadySums;
import io.zipcomm.bench.worker.Worker;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.relay.RelayOption;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.Setting;
import io.zipcomm.transport.rdma.ffi.FabricLibrary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Processes with paths over libfabric are killed, and told to end, amid all-reduces: how they and the others end. */
@Tag("once")
@Timeout(150)
final class RdmaKillTest {

    private static final int RANKS = 3;
    private static final String PATH = "rdma";
    private static final String TCP = "tcp;ofi_rxm";

    /** From the kill to an error. */
    private static final Duration ERROR_LIMIT = Duration.ofSeconds(5);

    private static final Duration LIMIT = Duration.ofSeconds(45);
    private static final Duration EXIT_LIMIT = Duration.ofSeconds(15);
    private static final Duration STOPPED_TIME = Duration.ofSeconds(4);
    private static final long LOOK_MS = 10;
    private static final double NS_PER_MS = 1e6;

    // Exit codes of processes that a signal ended.
    private static final int KILLED = 128 + 9;
    private static final int TERMINATED = 128 + 15;

    /** Where a virtual machine that crashes writes why. */
    @TempDir
    Path crashes;

    private EmbeddedRelay relay;

    @BeforeEach
    void open() throws IOException {
        String absence = FabricLibrary.absence();
        Assumptions.assumeTrue(absence == null, () -> "no RDMA: " + absence);
        // Who is stopped sends no heartbeats either.
        relay = EmbeddedRelay.start(
                RelaySettings.builder().set(RelayOption.HEARTBEAT_TIMEOUT, Long.toString(4 * STOPPED_TIME.toMillis())));
    }

    @AfterEach
    void close() throws IOException {
        if (relay != null) {
            relay.close();
        }
        try (Stream<Path> all = Files.list(crashes)) {
            assertEquals(List.of(), all.toList(), "crashes");
        }
    }

    private List<String> flags() {
        List<String> flags = new ArrayList<>(SharedMemoryKillTest.flags());
        flags.add("--enable-native-access=ALL-UNNAMED");
        flags.add("-XX:ErrorFile=" + crashes.resolve("crash-%p.log"));
        flags.add("-D" + FabricLibrary.PATH_PROPERTY + "=" + System.getProperty(FabricLibrary.PATH_PROPERTY, ""));
        return flags;
    }

    private WorkerGroup start(GroupEnvironment environment, String provider, long bytes)
            throws WorkerFailure, InterruptedException {
        Map<Setting, String> settings = Map.of(Setting.RDMA_PROVIDER, provider, Setting.OPERATION_TIMEOUT, "30000");
        WorkerGroup group = WorkerGroup.start(environment.with(settings), flags(), SteadySums.class);
        try {
            group.awaitAll(Worker.JOINED, LIMIT);
            group.tellAll(Message.of(SteadySums.BEGIN).with("bytes", bytes).with("path", PATH));
            group.awaitAll(SteadySums.RUNNING, LIMIT);
            return group;
        } catch (WorkerFailure | InterruptedException | RuntimeException e) {
            group.close();
            throw e;
        }
    }

    private static void awaitMoreRounds(WorkerGroup group) throws WorkerFailure, InterruptedException {
        long before = rounds(group);
        long deadlineNs = System.nanoTime() + LIMIT.toNanos();
        while (rounds(group) < before + 2) {
            assertTrue(System.nanoTime() - deadlineNs < 0, "no more rounds");
            TimeUnit.MILLISECONDS.sleep(LOOK_MS);
        }
    }

    private static long rounds(WorkerGroup group) throws WorkerFailure, InterruptedException {
        group.tell(0, Message.of(SteadySums.COUNT));
        return group.await(Set.of(0), SteadySums.COUNT, LIMIT).get(0).number("rounds");
    }

    private static Set<Integer> allBut(int victim) {
        return IntStream.range(0, RANKS)
                .filter(rank -> rank != victim)
                .boxed()
                .collect(Collectors.toCollection(HashSet::new));
    }

    /** How the survivors end: in time, with an error that names the victim, and without a crash. */
    private static void judge(WorkerGroup group, String what, int victim, long endedNs)
            throws WorkerFailure, InterruptedException {
        Set<Integer> survivors = allBut(victim);
        for (Map.Entry<Integer, Message> one :
                group.await(survivors, Worker.FAILED, LIMIT).entrySet()) {
            Message end = one.getValue();
            String message = end.text("message");
            long tookNs = end.number("atNs") - endedNs;
            System.out.println(String.format(
                    Locale.ROOT,
                    "%s: rank %d, %s, error after %.0f ms: %s",
                    what,
                    one.getKey(),
                    end.text("path"),
                    tookNs / NS_PER_MS,
                    message));
            assertTrue(tookNs <= ERROR_LIMIT.toNanos(), message);
            assertEquals(one.getKey().longValue(), end.number("rank"), message);
            assertTrue(message.contains("all-reduce #"), message);
            assertEquals(ErrorCode.PEER_LOST, ErrorCode.valueOf(end.text("code")), message);
            assertEquals(victim, end.number("peer"), message);
            assertTrue(message.contains("rank " + victim), message);
        }
        for (int rank : survivors) {
            assertEquals(
                    1, group.awaitExit(rank, EXIT_LIMIT), "rank " + rank + ": " + String.join("\n", group.lines(rank)));
        }
    }

    @ParameterizedTest
    @CsvSource({"0,4194304", "2,4194304", "1,64"})
    void shouldNameTheDeadRankWhenItsProcessIsKilled(int victim, long bytes)
            throws WorkerFailure, InterruptedException {
        GroupEnvironment environment = relay.newGroup("kill", RANKS, PATH);
        try (WorkerGroup group = start(environment, TCP, bytes)) {
            awaitMoreRounds(group);
            long killedNs = System.nanoTime();
            group.kill(victim);
            assertEquals(KILLED, group.awaitExit(victim, EXIT_LIMIT));
            judge(group, "rank " + victim + " killed, " + bytes + " bytes", victim, killedNs);
        }
        try (WorkerGroup next = start(environment, TCP, bytes)) {
            next.tell(0, Message.of(SteadySums.STOP));
            next.awaitAll(SteadySums.STOPPED, LIMIT);
            for (int rank = 0; rank < RANKS; rank++) {
                assertEquals(
                        0, next.awaitExit(rank, EXIT_LIMIT), next.lines(rank).toString());
            }
        }
    }

    /** The virtual machine ends in order, while its threads are in libfabric. */
    @ParameterizedTest
    @ValueSource(longs = {4 << 20, 64})
    void shouldEndAmidAnOperationWhenItIsToldTo(long bytes) throws WorkerFailure, InterruptedException, IOException {
        int victim = 1;
        try (WorkerGroup group = start(relay.newGroup("term", RANKS, PATH), TCP, bytes)) {
            awaitMoreRounds(group);
            long endedNs = System.nanoTime();
            group.signal(victim, "TERM");
            assertEquals(TERMINATED, group.awaitExit(victim, EXIT_LIMIT));
            judge(group, "rank " + victim + " terminated, " + bytes + " bytes", victim, endedNs);
        }
    }

    /** Over shared memory all at once: who dies there inside a call of libfabric's may keep the others in theirs for ever. */
    @ParameterizedTest
    @ValueSource(strings = {TCP, "shm"})
    void shouldEndWhenAllAreToldTo(String provider) throws WorkerFailure, InterruptedException, IOException {
        try (WorkerGroup group = start(relay.newGroup("term", RANKS, PATH), provider, 4 << 20)) {
            awaitMoreRounds(group);
            for (int rank = 0; rank < RANKS; rank++) {
                group.signal(rank, "TERM");
            }
            for (int rank = 0; rank < RANKS; rank++) {
                int code = group.awaitExit(rank, EXIT_LIMIT);
                // Who has heard of another's end before the signal ends with an error of its own.
                assertTrue(code == TERMINATED || code == 1, "rank " + rank + " ended with " + code);
            }
        }
    }

    /** Who waits is asleep, and everything goes on afterwards, also what was half read. */
    @ParameterizedTest
    @ValueSource(longs = {4 << 20, 64})
    void shouldSleepWhileAProcessIsStoppedAndGoOn(long bytes) throws WorkerFailure, InterruptedException, IOException {
        try (WorkerGroup group = start(relay.newGroup("stop", RANKS, PATH), TCP, bytes)) {
            awaitMoreRounds(group);
            group.signal(2, "STOP");
            TimeUnit.SECONDS.sleep(1);
            Duration before = group.processorTime(1);
            TimeUnit.NANOSECONDS.sleep(STOPPED_TIME.toNanos());
            long usedMs = group.processorTime(1).minus(before).toMillis();
            group.signal(2, "CONT");
            System.out.println("a rank that waits has used " + usedMs + " ms of " + STOPPED_TIME.toMillis() + " ms");
            assertTrue(usedMs < STOPPED_TIME.toMillis() / 20, usedMs + " ms of processor time");
            awaitMoreRounds(group);
            group.tell(0, Message.of(SteadySums.STOP));
            group.awaitAll(SteadySums.STOPPED, LIMIT);
        }
    }
}
