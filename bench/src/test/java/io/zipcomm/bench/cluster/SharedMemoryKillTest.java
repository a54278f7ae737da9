package io.zipcomm.bench.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aeron.CncFileDescriptor;
import io.aeron.driver.MediaDriver;
import io.zipcomm.bench.worker.Message;
import io.zipcomm.bench.worker.SteadySums;
import io.zipcomm.bench.worker.Worker;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.relay.RelayOption;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.Setting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Processes that share memory are killed and stopped amid all-reduces: how the others end, what stays behind in the memory, and
 * whether the next group can use it.
 */
@Timeout(120)
final class SharedMemoryKillTest {

    private static final Path MEMORY = Path.of("/dev/shm");
    private static final int RANKS = 4;
    private static final long BYTES = 4 << 20;
    private static final String PATH = "aeron-ipc";

    /** From the kill to an error. */
    private static final Duration ERROR_LIMIT = Duration.ofSeconds(5);

    private static final Duration LIMIT = Duration.ofSeconds(45);
    private static final Duration EXIT_LIMIT = Duration.ofSeconds(15);
    private static final Duration STOPPED_TIME = Duration.ofSeconds(6);

    /** From the signal that lets a process go on to the end of the round that it held up. */
    private static final Duration GO_ON_LIMIT = Duration.ofSeconds(2);

    private static final long LOOK_MS = 10;
    private static final double NS_PER_MS = 1e6;

    private Path memory;
    private EmbeddedRelay relay;
    private final Map<Setting, String> settings = new HashMap<>();

    @BeforeEach
    void open() throws IOException {
        Assumptions.assumeTrue(Files.isDirectory(MEMORY), "there is no " + MEMORY + " here");
        memory = Files.createTempDirectory(MEMORY, "zip-kill-test-");
        settings.put(Setting.SHARED_MEMORY, memory.toString());
        settings.put(Setting.OPERATION_TIMEOUT, "30000");
        // Who is stopped sends no heartbeats either.
        relay = EmbeddedRelay.start(
                RelaySettings.builder().set(RelayOption.HEARTBEAT_TIMEOUT, Long.toString(4 * STOPPED_TIME.toMillis())));
    }

    @AfterEach
    void close() throws IOException {
        if (relay != null) {
            relay.close();
        }
        if (memory != null) {
            for (Path one : contents(memory)) {
                Files.delete(one);
            }
            Files.delete(memory);
        }
    }

    /** Whatever is in a directory, what is deepest first. */
    private static List<Path> contents(Path directory) throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            return all.filter(one -> !one.equals(directory))
                    .sorted(Comparator.reverseOrder())
                    .toList();
        }
    }

    private Path shared() {
        return memory.resolve("zip-" + System.getProperty("user.name"));
    }

    private void assertThatNothingOfAGroupIsLeft() throws IOException {
        assertEquals(
                Set.of("id", "lock"),
                contents(shared()).stream()
                        .map(one -> shared().relativize(one).toString())
                        .collect(Collectors.toSet()));
    }

    /** Of ranks that share memory. */
    static List<String> flags() {
        List<String> flags = new ArrayList<>(ChildJvm.flags());
        flags.add("-XX:+IgnoreUnrecognizedVMOptions");
        flags.add("--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED");
        flags.add("--sun-misc-unsafe-memory-access=allow");
        flags.add("-Xmx256m");
        return flags;
    }

    private WorkerGroup start(GroupEnvironment environment) throws WorkerFailure, InterruptedException {
        WorkerGroup group = WorkerGroup.start(environment.with(settings), flags(), SteadySums.class);
        try {
            group.awaitAll(Worker.JOINED, LIMIT);
            group.tellAll(Message.of(SteadySums.BEGIN).with("bytes", BYTES).with("path", PATH));
            group.awaitAll(SteadySums.RUNNING, LIMIT);
            return group;
        } catch (WorkerFailure | InterruptedException | RuntimeException e) {
            group.close();
            throw e;
        }
    }

    private static Set<Integer> allBut(int... ranks) {
        return IntStream.range(0, RANKS)
                .filter(rank -> IntStream.of(ranks).noneMatch(one -> one == rank))
                .boxed()
                .collect(Collectors.toSet());
    }

    private static double ms(long ns) {
        return ns / NS_PER_MS;
    }

    private static void print(String format, Object... args) {
        System.out.println(String.format(Locale.ROOT, format, args));
    }

    /** A group is told to end, and does: it has worked. */
    private static void end(WorkerGroup group) throws WorkerFailure, InterruptedException {
        group.tell(0, Message.of(SteadySums.STOP));
        group.awaitAll(SteadySums.STOPPED, LIMIT);
        for (int rank = 0; rank < RANKS; rank++) {
            assertEquals(0, group.awaitExit(rank, EXIT_LIMIT), group.lines(rank).toString());
        }
    }

    private static void awaitMoreRounds(WorkerGroup group) throws WorkerFailure, InterruptedException {
        long before = rounds(group, 0);
        long deadlineNs = System.nanoTime() + LIMIT.toNanos();
        while (rounds(group, 0) < before + 2) {
            assertTrue(System.nanoTime() - deadlineNs < 0, "no more rounds");
            TimeUnit.MILLISECONDS.sleep(LOOK_MS);
        }
    }

    private static long rounds(WorkerGroup group, int rank) throws WorkerFailure, InterruptedException {
        return count(group, rank).number("rounds");
    }

    private static Message count(WorkerGroup group, int rank) throws WorkerFailure, InterruptedException {
        group.tell(rank, Message.of(SteadySums.COUNT));
        return group.await(Set.of(rank), SteadySums.COUNT, LIMIT).get(rank);
    }

    /** How the survivors of a kill end: in time, with an error that says what has to be said, and without a crash. */
    private static void judge(WorkerGroup group, String what, Set<Integer> survivors, int culprit, long killedNs)
            throws WorkerFailure, InterruptedException {
        Map<Integer, Message> ends = group.await(survivors, Worker.FAILED, LIMIT);
        ends.forEach((rank, end) -> print(
                "%s: rank %d, %s, error after %.0f ms: %s",
                what, rank, end.text("path"), ms(end.number("atNs") - killedNs), end.text("message")));
        for (Map.Entry<Integer, Message> one : ends.entrySet()) {
            Message end = one.getValue();
            String message = end.text("message");
            ErrorCode code = ErrorCode.valueOf(end.text("code"));
            assertTrue(end.number("atNs") - killedNs <= ERROR_LIMIT.toNanos(), message);
            assertEquals(one.getKey().longValue(), end.number("rank"), message);
            assertTrue(message.contains("all-reduce #"), message);
            if (culprit >= 0) {
                assertTrue(code == ErrorCode.PEER_LOST || code == ErrorCode.DRIVER_LOST, message);
                assertEquals(culprit, end.number("peer"), message);
                assertTrue(message.contains("rank " + culprit), message);
            } else {
                assertEquals(ErrorCode.DRIVER_LOST, code, message);
                assertTrue(message.contains("the media driver ended"), message);
            }
        }
        for (int rank : survivors) {
            assertEquals(
                    1, group.awaitExit(rank, EXIT_LIMIT), "rank " + rank + ": " + String.join("\n", group.lines(rank)));
        }
        print("%s: all processes ended after %.0f ms", what, ms(System.nanoTime() - killedNs));
    }

    @ParameterizedTest
    @CsvSource({"aeron-ipc,2", "auto,0"})
    void shouldNameTheDeadRankWhenItsProcessIsKilled(String transport, int victim)
            throws WorkerFailure, InterruptedException, IOException {
        nameTheDeadRank(transport, victim);
    }

    @ParameterizedTest
    @CsvSource({"aeron-ipc,0", "auto,2"})
    @Tag("long")
    void shouldNameTheDeadRankWhicheverIsKilled(String transport, int victim)
            throws WorkerFailure, InterruptedException, IOException {
        nameTheDeadRank(transport, victim);
    }

    private void nameTheDeadRank(String transport, int victim) throws WorkerFailure, InterruptedException, IOException {
        GroupEnvironment environment = relay.newGroup("kill", RANKS, transport);
        try (WorkerGroup group = start(environment)) {
            awaitMoreRounds(group);
            long killedNs = System.nanoTime();
            group.kill(victim);
            judge(group, transport + ", rank " + victim + " killed", allBut(victim), victim, killedNs);
            assertThatNothingOfAGroupIsLeft();
        }
        long beganNs = System.nanoTime();
        try (WorkerGroup next = start(environment)) {
            print("%s: the next group of this session runs after %.0f ms", transport, ms(System.nanoTime() - beganNs));
            end(next);
        }
        assertThatNothingOfAGroupIsLeft();
    }

    @Test
    @Tag("once")
    void shouldNameTheLossWhenTheProcessOfAnotherMediaDriverIsKilled()
            throws WorkerFailure, InterruptedException, IOException {
        nameTheLossOfTheDriver("auto");
    }

    @Test
    @Tag("long")
    void shouldNameTheLossOfAnotherMediaDriverIfNothingElseMayBeUsed()
            throws WorkerFailure, InterruptedException, IOException {
        nameTheLossOfTheDriver("aeron-ipc");
    }

    private void nameTheLossOfTheDriver(String transport) throws WorkerFailure, InterruptedException, IOException {
        Path directory = memory.resolve("driver");
        settings.put(Setting.AERON_DRIVER, directory.toString());
        GroupEnvironment environment = relay.newGroup("kill", RANKS, transport);
        Process driver = startDriver(directory);
        try (WorkerGroup group = start(environment)) {
            awaitMoreRounds(group);
            long killedNs = System.nanoTime();
            driver.destroyForcibly();
            judge(group, transport + ", other driver killed", allBut(), -1, killedNs);
            assertThatNothingOfAGroupIsLeft();
        } finally {
            driver.destroyForcibly().waitFor();
        }
        Process again = startDriver(directory);
        try (WorkerGroup next = start(environment)) {
            end(next);
        } finally {
            again.destroyForcibly().waitFor();
        }
        assertThatNothingOfAGroupIsLeft();
    }

    private static Process startDriver(Path directory) throws IOException, InterruptedException {
        List<String> flags = new ArrayList<>(flags());
        flags.add("-Daeron.dir=" + directory);
        flags.add("-Daeron.dir.delete.on.start=true");
        flags.add("-Daeron.threading.mode=SHARED");
        Files.deleteIfExists(directory.resolve(CncFileDescriptor.CNC_FILE));
        Process driver = new ProcessBuilder(ChildJvm.command(flags, MediaDriver.class))
                .inheritIO()
                .start();
        long deadlineNs = System.nanoTime() + LIMIT.toNanos();
        while (!Files.exists(directory.resolve(CncFileDescriptor.CNC_FILE))) {
            assertTrue(driver.isAlive() && System.nanoTime() - deadlineNs < 0, "the driver runs");
            TimeUnit.MILLISECONDS.sleep(LOOK_MS);
        }
        return driver;
    }

    @Test
    void shouldRemoveWhatIsLeftWhenAllProcessesAreKilled() throws WorkerFailure, InterruptedException, IOException {
        try (WorkerGroup group = start(relay.newGroup("kill", RANKS, "aeron-ipc"))) {
            awaitMoreRounds(group);
            for (int rank = 0; rank < RANKS; rank++) {
                group.kill(rank);
            }
            for (int rank = 0; rank < RANKS; rank++) {
                assertNotEquals(0, group.awaitExit(rank, EXIT_LIMIT));
            }
            List<Path> left = contents(shared());
            print("all killed: %d files and directories are left", left.size());
            assertTrue(left.stream().anyMatch(one -> one.endsWith("rank-0.driver")), left.toString());
        }
        try (WorkerGroup next = start(relay.newGroup("kill", RANKS, "aeron-ipc"))) {
            try (Stream<Path> all = Files.list(shared())) {
                assertEquals(
                        1,
                        all.filter(one -> one.getFileName().toString().startsWith("group-"))
                                .count());
            }
            end(next);
        }
        assertThatNothingOfAGroupIsLeft();
    }

    @Test
    @Tag("once")
    void shouldGoOnWhenAProcessWasStoppedForSomeSeconds() throws WorkerFailure, InterruptedException, IOException {
        goOnAfterAStop("auto", 0);
    }

    @ParameterizedTest
    @CsvSource({"aeron-ipc,0", "aeron-ipc,2"})
    @Tag("long")
    void shouldGoOnWhicheverProcessWasStoppedIfNothingElseMayBeUsed(String transport, int who)
            throws WorkerFailure, InterruptedException, IOException {
        goOnAfterAStop(transport, who);
    }

    private void goOnAfterAStop(String transport, int who) throws WorkerFailure, InterruptedException, IOException {
        try (WorkerGroup group = start(relay.newGroup("stop", RANKS, transport))) {
            awaitMoreRounds(group);
            group.signal(who, "STOP");
            TimeUnit.NANOSECONDS.sleep(STOPPED_TIME.toNanos());
            long goesOnNs = System.nanoTime();
            group.signal(who, "CONT");
            awaitMoreRounds(group);
            long tookNs = System.nanoTime() - goesOnNs;
            double longestMs = ms(count(group, 1).number("longestNs"));
            print(
                    "%s, rank %d stopped for %d ms: two more rounds %.0f ms after it goes on, longest round %.0f ms",
                    transport, who, STOPPED_TIME.toMillis(), ms(tookNs), longestMs);
            assertTrue(tookNs < GO_ON_LIMIT.toNanos(), "in time");
            assertTrue(longestMs >= STOPPED_TIME.toMillis() - GO_ON_LIMIT.toMillis(), "it held up the others");
            end(group);
        }
        assertThatNothingOfAGroupIsLeft();
    }
}
