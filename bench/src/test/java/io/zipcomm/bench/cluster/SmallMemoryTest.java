package io.zipcomm.bench.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.worker.Message;
import io.zipcomm.bench.worker.SteadySums;
import io.zipcomm.bench.worker.Worker;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.settings.Setting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Ranks whose shared memory is nearly full, or too small: a file system of some MiB, for which it takes root. */
@Timeout(120)
final class SmallMemoryTest {

    private static final Duration LIMIT = Duration.ofSeconds(45);
    private static final Duration EXIT_LIMIT = Duration.ofSeconds(15);
    private static final long BYTES = 1 << 20;
    private static final String TOO_LITTLE = "KiB are free, 2 ranks need 12944 KiB at least";

    @TempDir
    private Path directory;

    private boolean mounted;

    private void mount(int mib) throws IOException, InterruptedException {
        int exitCode = run("mount", "-t", "tmpfs", "-o", "size=" + mib + "m", "tmpfs", directory.toString());
        if (exitCode != 0) {
            System.out.println("skipped: a file system of " + mib + " MiB cannot be mounted here, which takes root");
        }
        Assumptions.assumeTrue(exitCode == 0, "a small file system cannot be mounted here, which takes root");
        mounted = true;
    }

    @AfterEach
    void unmount() throws IOException, InterruptedException {
        if (mounted) {
            assertEquals(0, run("umount", directory.toString()));
        }
    }

    private static int run(String... command) throws IOException, InterruptedException {
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    private WorkerGroup start(EmbeddedRelay relay, int ranks, String transport, String path)
            throws WorkerFailure, InterruptedException {
        GroupEnvironment environment = relay.newGroup("small", ranks, transport)
                .with(Map.of(Setting.SHARED_MEMORY, directory.toString(), Setting.OPERATION_TIMEOUT, "20000"));
        List<String> flags = SharedMemoryKillTest.flags();
        flags.add("-Dorg.slf4j.simpleLogger.defaultLogLevel=info");
        WorkerGroup group = WorkerGroup.start(environment, flags, SteadySums.class);
        try {
            group.awaitAll(Worker.JOINED, LIMIT);
            group.tellAll(Message.of(SteadySums.BEGIN).with("bytes", BYTES).with("path", path));
            return group;
        } catch (WorkerFailure | InterruptedException | RuntimeException e) {
            group.close();
            throw e;
        }
    }

    private static void end(WorkerGroup group, int ranks) throws WorkerFailure, InterruptedException {
        group.tell(0, Message.of(SteadySums.STOP));
        group.awaitAll(SteadySums.STOPPED, LIMIT);
        for (int rank = 0; rank < ranks; rank++) {
            assertEquals(0, group.awaitExit(rank, EXIT_LIMIT), group.lines(rank).toString());
        }
    }

    private static void assertThatItSaysWhy(WorkerGroup group, int rank) {
        assertTrue(
                group.lines(rank).stream()
                        .anyMatch(line -> line.contains("no shared memory: ") && line.contains(TOO_LITTLE)),
                group.lines(rank).toString());
    }

    @Test
    void shouldGoOnOverTcpAndSayWhyWhenThereIsTooLittleMemory()
            throws WorkerFailure, InterruptedException, IOException {
        mount(4);
        try (EmbeddedRelay relay = EmbeddedRelay.start();
                WorkerGroup group = start(relay, 2, "auto", "tcp")) {
            group.awaitAll(SteadySums.RUNNING, LIMIT);
            assertThatItSaysWhy(group, 0);
            assertThatItSaysWhy(group, 1);
            group.lines(0).stream()
                    .filter(line -> line.contains("no shared memory"))
                    .forEach(System.out::println);
            end(group, 2);
        }
    }

    @Test
    void shouldFailWithSizesWhenThereIsTooLittleMemoryAndNothingElseMayBeUsed()
            throws WorkerFailure, InterruptedException, IOException {
        mount(4);
        try (EmbeddedRelay relay = EmbeddedRelay.start();
                WorkerGroup group = start(relay, 2, "aeron-ipc", "aeron-ipc")) {
            int unreachable = 0;
            for (Message failure : group.awaitAll(Worker.FAILED, LIMIT).values()) {
                String message = failure.text("message");
                System.out.println(message);
                assertTrue(message.contains(TOO_LITTLE), message);
                // The other one is told by this one, perhaps before it has begun.
                unreachable += failure.text("code").equals(ErrorCode.UNREACHABLE.name()) ? 1 : 0;
            }
            assertTrue(unreachable > 0, "a rank says UNREACHABLE");
            assertEquals(1, group.awaitExit(0, EXIT_LIMIT));
            assertEquals(1, group.awaitExit(1, EXIT_LIMIT));
        }
    }

    /** Others have filled it but for a little. */
    @Test
    void shouldCountOnlyWhatIsFree() throws WorkerFailure, InterruptedException, IOException {
        mount(16);
        Files.write(directory.resolve("others"), new byte[8 << 20]);
        try (EmbeddedRelay relay = EmbeddedRelay.start();
                WorkerGroup group = start(relay, 2, "auto", "tcp")) {
            group.awaitAll(SteadySums.RUNNING, LIMIT);
            assertThatItSaysWhy(group, 0);
            end(group, 2);
        }
    }

    /** A page that is missing when it is touched would end the process by a signal. */
    @Test
    void shouldShareWhatIsJustEnough() throws WorkerFailure, InterruptedException, IOException {
        mount(17);
        try (EmbeddedRelay relay = EmbeddedRelay.start();
                WorkerGroup group = start(relay, 4, "aeron-ipc", "aeron-ipc")) {
            group.awaitAll(SteadySums.RUNNING, LIMIT);
            System.out.println("4 ranks share 17 MiB, of which "
                    + Files.getFileStore(directory).getUsableSpace() / 1024 + " KiB are left");
            end(group, 4);
        }
    }
}
