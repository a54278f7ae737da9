package io.zipcomm.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.ZipFuture;
import io.zipcomm.bench.cluster.ChildJvm;
import io.zipcomm.bench.cluster.EmbeddedRelay;
import io.zipcomm.bench.cluster.GroupEnvironment;
import io.zipcomm.bench.cluster.ProcessGroup;
import io.zipcomm.buffer.Payload;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.collectives.ReduceOp;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs the code of {@code docs/failures.md}: what fails is made to fail, then snippets do what the page says, and real messages are
 * what it quotes, but for numbers. Ranks that are killed, frozen or restored are processes; the others are threads of this one.
 */
@Tag("once")
@Timeout(120)
final class FailureExamplesTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int RANKS = 3;
    private static final int VICTIM = 2;
    private static final String LEFT_OUT = "...";
    private static final int KILLED = 128 + 9;

    /** Some seconds of work: enough to be killed amid it, twice. */
    private static final int ROUNDS = 40000;

    /** So that a rank that stands still is soon dead. */
    private static final Duration HEARTBEAT_INTERVAL = Duration.ofMillis(500);

    private static final Duration HEARTBEAT_TIMEOUT = Duration.ofSeconds(3);

    @TempDir
    private static Path folder;

    private static URLClassLoader examples;
    private static final Set<String> EXAMPLES_RUN = new TreeSet<>();
    private static int testsRun;

    private final Printed printed = new Printed();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<Communicator> worlds = new ArrayList<>();
    private EmbeddedRelay relay;
    private GroupEnvironment environment;
    private ProcessGroup processes;

    @BeforeAll
    static void compile() throws IOException {
        FailuresDocument.compile(folder);
        examples = new URLClassLoader(new URL[] {folder.toUri().toURL()});
    }

    /** When all tests have run, and not only some that were asked for. */
    @AfterAll
    static void shouldHaveRunAllCode() throws IOException {
        examples.close();
        long tests = List.of(FailureExamplesTest.class.getDeclaredMethods()).stream()
                .filter(method -> method.isAnnotationPresent(Test.class))
                .count();
        if (testsRun == tests) {
            assertEquals(new TreeSet<>(FailuresDocument.sources().keySet()), EXAMPLES_RUN);
        }
    }

    @AfterEach
    void end() {
        testsRun++;
        threads.shutdownNow();
        worlds.forEach(Communicator::close);
        if (processes != null) {
            processes.close();
        }
        if (relay != null) {
            relay.close();
        }
    }

    private void begin(int size, Map<Setting, String> settings) {
        relay = EmbeddedRelay.start(RelaySettings.builder().heartbeat(HEARTBEAT_INTERVAL, HEARTBEAT_TIMEOUT));
        Map<Setting, String> all = new EnumMap<>(Setting.class);
        all.put(Setting.SHARED_MEMORY, "none");
        all.putAll(settings);
        environment = relay.newGroup("failures", size, "auto").with(all);
        processes = new ProcessGroup(printed::add, environment.mark());
    }

    /** All ranks are threads. */
    private List<Communicator> threads(Map<Setting, String> settings) throws Exception {
        begin(RANKS, settings);
        return joined(List.of(thread(0), thread(1), thread(2)));
    }

    /** The last rank is a process. */
    private List<Communicator> threadsAndProcess(Map<Setting, String> settings) throws Exception {
        begin(RANKS, settings);
        process(VICTIM);
        List<Communicator> joined = joined(List.of(thread(0), thread(1)));
        printed.await(ExampleRank.WORLD + RANKS, 1);
        return joined;
    }

    private Future<Communicator> thread(int rank) {
        ZipSettings.Builder settings = ZipSettings.builder();
        for (Setting setting : Setting.values()) {
            String value = environment.forRank(rank).get(setting.variable());
            if (value != null) {
                settings.set(setting, value);
            }
        }
        return threads.submit(() -> Zip.join(settings.build()));
    }

    private List<Communicator> joined(List<Future<Communicator>> joining) throws Exception {
        List<Communicator> joined = get(joining);
        worlds.addAll(joined);
        return joined;
    }

    private void process(int rank) throws IOException {
        processes.start(
                ChildJvm.command(ChildJvm.flagsWithoutArchive(), ExampleRank.class).stream()
                        .map(word -> word.equals(ChildJvm.classPath()) ? classPath() : word)
                        .toList(),
                new HashMap<>(environment.forRank(rank)));
    }

    private static String classPath() {
        return ChildJvm.classPath() + File.pathSeparator + folder;
    }

    private void tell(int process, String order) throws IOException {
        processes.child(process).getOutputStream().write((order + "\n").getBytes(StandardCharsets.UTF_8));
        processes.child(process).getOutputStream().flush();
    }

    private void signal(int process, String name) throws IOException, InterruptedException {
        String pid = Long.toString(processes.child(process).pid());
        Process kill = new ProcessBuilder("kill", "-" + name, pid).inheritIO().start();
        assertTrue(kill.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS));
        assertEquals(0, kill.exitValue());
    }

    private static <T> List<T> get(List<Future<T>> futures) throws Exception {
        List<T> results = new ArrayList<>();
        for (Future<T> future : futures) {
            results.add(get(future));
        }
        return results;
    }

    private static <T> T get(Future<T> future) throws InterruptedException, TimeoutException {
        try {
            return future.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ZipException failure) {
                throw failure;
            }
            throw new AssertionError(e.getCause());
        }
    }

    private static Communicator run(String name, Communicator world, ZipException failure, float... numbers)
            throws ReflectiveOperationException {
        return run(name, world, failure, Instant.MAX, numbers);
    }

    private static Communicator run(
            String name, Communicator world, ZipException failure, Instant endOfFunction, float... numbers)
            throws ReflectiveOperationException {
        synchronized (EXAMPLES_RUN) {
            EXAMPLES_RUN.add(name);
        }
        return FailuresDocument.run(examples, name, world, numbers, failure, endOfFunction);
    }

    /** On all ranks at once. The worlds that it leaves behind, in order of rank. */
    private List<Communicator> runOnAll(String name, List<Communicator> worlds) throws Exception {
        List<Future<Communicator>> running = new ArrayList<>();
        for (Communicator world : worlds) {
            running.add(threads.submit(() -> run(name, world, null, 1)));
        }
        return joined(running);
    }

    private static float[] ones() {
        return new float[] {1};
    }

    private static void sum(Communicator world, float[] numbers) {
        Collectives.of(world).allReduce(numbers, ReduceOp.SUM);
    }

    private static ZipFuture<Void> sumAsync(Communicator world) {
        return Collectives.of(world).allReduceAsync(Payload.of(ones()), ReduceOp.SUM);
    }

    private static ZipException failure(ErrorCode expected, Callable<?> call) {
        ZipException failure = assertThrows(ZipException.class, call::call);
        assertEquals(expected, failure.code(), failure.getMessage());
        return failure;
    }

    private static ZipException failure(ErrorCode expected, ZipFuture<?> operation) {
        return failure(expected, (Callable<?>) operation::await);
    }

    /** They can work together. */
    private void assertWorld(int size, List<Communicator> worlds) throws Exception {
        List<Future<float[]>> sums = new ArrayList<>();
        for (Communicator world : worlds) {
            assertEquals(size, world.size());
            sums.add(threads.submit(() -> {
                float[] numbers = ones();
                sum(world, numbers);
                return numbers;
            }));
        }
        for (float[] numbers : get(sums)) {
            assertArrayEquals(new float[] {size}, numbers);
        }
    }

    /** A section quotes a message as it is, but for numbers, and for what three dots stand for. */
    private void assertQuoted(String section, int number, String message) throws IOException {
        String expected = withoutNumbers(FailuresDocument.quotes(section).get(number));
        String actual = withoutNumbers(message.replace(environment.session(), "job"));
        Pattern pattern = Pattern.compile(Pattern.quote(expected).replace(LEFT_OUT, "\\E.*\\Q"));
        assertTrue(pattern.matcher(actual).matches(), () -> message + ", and the page: " + expected);
    }

    private static String withoutNumbers(String message) {
        return message.replaceAll("[0-9]+", "#");
    }

    private ZipException failureOfKilled(List<Communicator> worlds) throws IOException {
        List<ZipFuture<Void>> sums =
                worlds.stream().map(FailureExamplesTest::sumAsync).toList();
        processes.child(0).destroyForcibly();
        assertEquals(VICTIM, failure(ErrorCode.PEER_LOST, sums.get(0)).peer());
        ZipException failure = failure(ErrorCode.PEER_LOST, sums.get(1));
        assertEquals(VICTIM, failure.peer());
        return failure;
    }

    @Test
    void shouldGoOnWhenRanksAreKilledTheRootAmongThem() throws Exception {
        begin(4, Map.of());
        List<String> command =
                new ArrayList<>(ChildJvm.command(ChildJvm.flagsWithoutArchive(), getClass(), Integer.toString(ROUNDS)));
        command.set(command.indexOf(getClass().getName()), FailuresDocument.PROGRAM);
        command.set(command.indexOf("-cp") + 1, classPath());
        EXAMPLES_RUN.add(FailuresDocument.PROGRAM);
        for (int rank = 0; rank < 4; rank++) {
            processes.start(command, new HashMap<>(environment.forRank(rank)));
        }
        printed.await("epoch of 4 ranks", 4);
        processes.child(0).destroyForcibly();
        printed.await("epoch of 3 ranks", 3);
        processes.child(2).destroyForcibly();
        Map<Integer, Integer> exitCodes = new HashMap<>();
        while (exitCodes.size() < 4) {
            ProcessGroup.Exit exit = processes.nextExit(LIMIT);
            assertNotNull(exit, "all end: " + printed);
            exitCodes.put(exit.rank(), exit.exitCode());
        }
        processes.drainOutput();
        assertEquals(Map.of(0, KILLED, 1, 0, 2, KILLED, 3, 0), exitCodes, printed.toString());
        List<String> done = printed.lines("done: ");
        assertEquals(2, done.size(), printed.toString());
        for (String line : done) {
            String[] words = line.substring(line.indexOf("done: ")).split("[ ,]+", -1);
            assertEquals(Integer.toString(ROUNDS), words[1], line);
            assertEquals(ROUNDS, Double.parseDouble(words[3]), 1e-3, line);
            assertEquals("2", words[4], line);
        }
    }

    @Test
    void shouldShrinkWhenARankIsKilled() throws Exception {
        // Through the relay, so that nobody sees a connection break before the relay has said what happened.
        List<Communicator> worlds = threadsAndProcess(Map.of(Setting.TRANSPORT, "relay"));
        assertQuoted("Killed", 0, failureOfKilled(worlds).getMessage());
        List<Communicator> next = runOnAll("Killed0", worlds);
        assertEquals(List.of(0, 1), next.get(0).view().ranksBefore());
        assertWorld(2, next);
    }

    @Test
    void shouldGrowWhenAnotherIsStartedInPlaceOfTheKilled() throws Exception {
        List<Communicator> worlds = threadsAndProcess(Map.of(Setting.SIZE_MAX, "4"));
        failureOfKilled(worlds);
        process(VICTIM);
        List<Communicator> next = runOnAll("Killed1", worlds);
        printed.await(ExampleRank.WORLD + RANKS, 2);
        assertEquals(List.of(0, 1, -1), next.get(0).view().ranksBefore());
        tell(1, ExampleRank.SUM);
        assertWorld(RANKS, next);
        printed.await(ExampleRank.SUMMED + RANKS, 1);
    }

    @Test
    void shouldTellTheOthersOfADeathThatOnlyOneLooksFor() throws Exception {
        List<Communicator> worlds = threadsAndProcess(Map.of());
        Communicator world = run("Killed2", worlds.get(0), null);
        float[] numbers = {0};
        ZipFuture<?> receive = worlds.get(1).receiveAsync(0, 1, Payload.of(numbers));
        assertFalse(receive.isDone());
        processes.child(0).destroyForcibly();
        long deadlineNs = System.nanoTime() + LIMIT.toNanos();
        while (world.failed().isEmpty()) {
            assertTrue(System.nanoTime() - deadlineNs < 0);
            Thread.sleep(5);
        }
        run("Killed2", world, null);
        assertQuoted("Revoked", 0, failure(ErrorCode.REVOKED, receive).getMessage());
    }

    @Test
    void shouldGoOnWithoutAFrozenRankWhichComesBackAsANewcomer() throws Exception {
        List<Communicator> worlds = threadsAndProcess(Map.of(Setting.SIZE_MAX, "4"));
        List<ZipFuture<Void>> sums =
                worlds.stream().map(FailureExamplesTest::sumAsync).toList();
        signal(0, "STOP");
        failure(ErrorCode.PEER_LOST, sums.get(0));
        ZipException failure = failure(ErrorCode.PEER_LOST, sums.get(1));
        assertEquals(VICTIM, failure.peer());
        assertQuoted("Frozen", 0, failure.getMessage());
        List<Communicator> two = runOnAll("Killed0", worlds);
        assertWorld(2, two);

        signal(0, "CONT");
        tell(0, ExampleRank.SUM);
        String said = printed.await(ExampleRank.FAILED, 1).get(0);
        assertQuoted("Expelled", 0, said.substring(said.indexOf(ExampleRank.FAILED) + ExampleRank.FAILED.length()));
        EXAMPLES_RUN.add("Expelled0");
        tell(0, "Expelled0");
        List<Communicator> three = runOnAll("Latestart0", two);
        printed.await(ExampleRank.WORLD + RANKS, 2);
        tell(0, ExampleRank.SUM);
        assertWorld(RANKS, three);
        printed.await(ExampleRank.SUMMED + RANKS, 1);
    }

    @Test
    void shouldSayThatTheRelayIsGone() throws Exception {
        List<Communicator> worlds = threads(
                Map.of(Setting.TRANSPORT, "relay", Setting.RELAY_TIMEOUT, "1000", Setting.OPERATION_TIMEOUT, "5000"));
        ZipFuture<Void> sum = sumAsync(worlds.get(0));
        relay.close();
        assertQuoted("Relay", 0, failure(ErrorCode.RELAY_LOST, sum).getMessage());
        ZipException failure = assertThrows(ZipException.class, () -> run("Relay0", worlds.get(0), null));
        assertTrue(
                Set.of(ErrorCode.RELAY_LOST, ErrorCode.RELAY_UNREACHABLE).contains(failure.code()),
                failure.getMessage());
    }

    @Test
    void shouldTellWhoIsLate() throws Exception {
        begin(RANKS, Map.of(Setting.JOIN_TIMEOUT, "1000"));
        Future<Communicator> first = thread(0);
        Future<Communicator> second = thread(1);
        ZipException failure = failure(ErrorCode.JOIN_TIMEOUT, () -> get(first));
        failure(ErrorCode.JOIN_TIMEOUT, () -> get(second));
        assertQuoted("Late start", 0, failure.getMessage());
    }

    @Test
    void shouldBeginWithoutWhoIsLateAndGrow() throws Exception {
        begin(RANKS, Map.of(Setting.JOIN_TIMEOUT, "5000", Setting.SIZE_MIN, "2"));
        List<Communicator> worlds = joined(List.of(thread(0), thread(1)));
        assertEquals(2, worlds.get(0).size());
        Future<Communicator> late = thread(2);
        List<Communicator> next = new ArrayList<>(runOnAll("Latestart0", worlds));
        next.addAll(joined(List.of(late)));
        assertWorld(RANKS, next);
    }

    @Test
    void shouldEndByTheDeadline() throws Exception {
        List<Communicator> worlds = threads(Map.of());
        ZipException failure = failure(ErrorCode.DEADLINE, () -> {
            sum(worlds.get(0).withTimeout(Duration.ofMillis(300)), ones());
            return null;
        });
        assertQuoted("Time limit", 0, failure.getMessage());
        assertTrue(Set.of(1, 2).contains(failure.peer()), failure.getMessage());
    }

    @Test
    void shouldWaitForLongIfToldTo() throws Exception {
        List<Communicator> worlds = threads(Map.of());
        assertWorld(RANKS, runOnAll("Timelimit0", worlds));
    }

    @Test
    void shouldEndBeforeThePlatformEndsTheFunction() throws Exception {
        List<Communicator> worlds = threads(Map.of());
        long beginNs = System.nanoTime();
        // Two seconds of it are kept back.
        Instant endOfFunction = Instant.now().plusSeconds(3);
        ZipException failure =
                failure(ErrorCode.DEADLINE, () -> run("Timelimit1", worlds.get(0), null, endOfFunction, 1));
        long tookMs = (System.nanoTime() - beginNs) / 1_000_000;
        assertTrue(failure.elapsedMs() > 0 && failure.elapsedMs() <= tookMs, failure.getMessage());
        assertTrue(Instant.now().isBefore(endOfFunction), failure.getMessage());
    }

    @Test
    void shouldGoOnWithAnOperationThatWasNotWaitedForToItsEnd() throws Exception {
        List<Communicator> worlds = threads(Map.of());
        float[] numbers = {1};
        Future<Communicator> patient = threads.submit(() -> run("Timelimit2", worlds.get(0), null, numbers));
        Thread.sleep(300);
        assertFalse(patient.isDone());
        ZipFuture<Void> second = sumAsync(worlds.get(1));
        sum(worlds.get(2), ones());
        second.await();
        get(patient);
        assertArrayEquals(new float[] {RANKS}, numbers);
    }

    @Test
    void shouldLeaveForASnapshotAndComeBackAsANewcomer() throws Exception {
        List<Communicator> worlds = threadsAndProcess(Map.of(Setting.SIZE_MAX, "4"));
        List<ZipFuture<Void>> sums =
                worlds.stream().map(FailureExamplesTest::sumAsync).toList();
        tell(0, ExampleRank.SNAPSHOT);
        failure(ErrorCode.PEER_LEFT, sums.get(0));
        ZipException failure = failure(ErrorCode.PEER_LEFT, sums.get(1));
        assertEquals(VICTIM, failure.peer());
        assertQuoted("Snapshot", 1, failure.getMessage());
        tell(0, ExampleRank.SUM);
        String said = printed.await(ExampleRank.FAILED, 1).get(0);
        assertQuoted("Snapshot", 0, said.substring(said.indexOf(ExampleRank.FAILED) + ExampleRank.FAILED.length()));
        EXAMPLES_RUN.add("Snapshot0");
        tell(0, "Snapshot0");
        List<Communicator> next = runOnAll("Killed1", worlds);
        printed.await(ExampleRank.WORLD + RANKS, 2);
        tell(0, ExampleRank.SUM);
        assertWorld(RANKS, next);
    }

    @Test
    void shouldRevokeACommunicatorByItself() throws Exception {
        List<Communicator> worlds = threads(Map.of());
        List<Future<Communicator>> running = new ArrayList<>();
        // Ranks 0 and 2 are a half, and do not fit.
        for (int rank = 0; rank < RANKS; rank++) {
            float[] numbers = new float[1 + rank];
            Communicator world = worlds.get(rank);
            running.add(threads.submit(() -> run("Revoked0", world, null, numbers)));
        }
        assertWorld(RANKS, get(running));
    }

    @Test
    void shouldCancelForAll() throws Exception {
        List<Communicator> worlds = threads(Map.of());
        ZipFuture<Void> second = sumAsync(worlds.get(1));
        run("Cancelled0", worlds.get(0), null, 1);
        ZipException failure = failure(ErrorCode.PEER_FAILED, second);
        assertQuoted("Cancelled", 0, failure.getMessage());
        failure(ErrorCode.COMMUNICATOR_FAILED, () -> sumAsync(worlds.get(1)).await());
        ZipFuture<?> receive = worlds.get(0).receiveAsync(1, 1, Payload.of(ones()));
        assertTrue(receive.cancel(true));
        assertThrows(CancellationException.class, receive::join);
        assertThrows(CancellationException.class, receive::get);
        List<Communicator> next = runOnAll("Killed0", worlds);
        assertWorld(RANKS, next);
    }

    @Test
    void shouldAgreeOnWrongBytes() throws Exception {
        List<Communicator> worlds = threads(Map.of());
        List<Future<Communicator>> running = new ArrayList<>();
        for (Communicator world : worlds) {
            ErrorCode code = world.rank() == 1 ? ErrorCode.CORRUPT : ErrorCode.PEER_FAILED;
            running.add(threads.submit(() -> run("Corrupt0", world, new ZipException(code, "a test"), 1)));
        }
        assertWorld(RANKS, joined(running));
    }

    @Test
    void shouldEndOnWrongUse() throws Exception {
        List<Communicator> worlds = threads(Map.of());
        ZipFuture<Void> first = sumAsync(worlds.get(0));
        ZipFuture<Void> third = sumAsync(worlds.get(2));
        ZipFuture<Void> second = Collectives.of(worlds.get(1)).allReduceAsync(Payload.of(ones()), ReduceOp.MAX);
        failure(ErrorCode.OPERATION_MISMATCH, first);
        failure(ErrorCode.OPERATION_MISMATCH, third);
        ZipException failure = failure(ErrorCode.OPERATION_MISMATCH, second);
        assertQuoted("Wrong use", 0, failure.getMessage());
        assertEquals(failure, assertThrows(ZipException.class, () -> run("Wronguse0", worlds.get(0), failure)));
        ZipFuture<?> receive = worlds.get(2).receiveAsync(1, 1, Payload.of(ones()));
        run("Wronguse0", worlds.get(1), new ZipException(ErrorCode.PEER_LOST, "a test"));
        failure(ErrorCode.REVOKED, receive);
    }

    /** What processes have printed. Any thread. */
    private static final class Printed {
        private final List<String> lines = new ArrayList<>();

        private synchronized void add(int rank, boolean error, byte[] line) {
            lines.add((error ? "error " : "") + rank + ": " + new String(line, StandardCharsets.UTF_8));
            notifyAll();
        }

        /** Returns the lines that contain the text, once there are so many. */
        private synchronized List<String> await(String text, int times) throws InterruptedException {
            long deadlineNs = System.nanoTime() + LIMIT.toNanos();
            while (lines(text).size() < times) {
                long leftMs = (deadlineNs - System.nanoTime()) / 1_000_000;
                assertTrue(leftMs > 0, "not " + times + " times '" + text + "': " + lines);
                wait(leftMs);
            }
            return lines(text);
        }

        private synchronized List<String> lines(String text) {
            return lines.stream().filter(line -> line.contains(text)).toList();
        }

        @Override
        public synchronized String toString() {
            return lines.toString();
        }
    }
}
