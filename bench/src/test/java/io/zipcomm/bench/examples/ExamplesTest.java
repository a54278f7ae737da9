package io.zipcomm.bench.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.cli.ZipCli;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The examples as a newcomer runs them: what several ranks find is what one finds. */
@Tag("once")
final class ExamplesTest {

    private static final String JAVA =
            Path.of(System.getProperty("java.home"), "bin", "java").toString();

    private static final String STEPS = "30000";
    private static final long KILL_LIMIT_NS = TimeUnit.SECONDS.toNanos(60);
    private static final long LOOK_NS = TimeUnit.MILLISECONDS.toNanos(5);

    private static String run(int ranks, Class<?> example, String... args) {
        return run(new ByteArrayOutputStream(), List.of("--ranks", Integer.toString(ranks)), example, args);
    }

    /** What is printed can be looked at meanwhile. */
    private static String run(ByteArrayOutputStream bytes, List<String> options, Class<?> example, String... args) {
        List<String> command = new ArrayList<>(List.of("run"));
        command.addAll(options);
        command.addAll(List.of("--", JAVA, example.getName()));
        command.addAll(Arrays.asList(args));
        PrintStream systemOut = System.out;
        try (PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
            System.setOut(out);
            assertEquals(0, new ZipCli(out, System.err).run(command.toArray(String[]::new)));
        } finally {
            System.setOut(systemOut);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void shouldTrainTheSameModelOnAnyNumberOfRanks() {
        String alone = run(1, LogisticRegression.class);
        assertTrue(alone.startsWith("[0] virginica against versicolor: accuracy 9"), alone);
        assertEquals(alone, run(4, LogisticRegression.class));
        assertEquals(alone, run(3, LogisticRegression.class));
    }

    @Test
    @Timeout(120)
    void shouldTrainTheSameModelWhenRanksAreKilledAndReplaced() throws InterruptedException, ExecutionException {
        List<String> undisturbed = model(run(1, ElasticRegression.class, STEPS));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CompletableFuture<Void> killer = CompletableFuture.runAsync(() -> {
            killWhen(bytes, "epoch 1 of the run: 8 ranks, step 4000\n", 3);
            killWhen(bytes, "epoch 2 of the run: 8 ranks, step ", 6);
        });
        String out;
        try {
            out = run(bytes, List.of("--ranks", "8", "--respawn", "2"), ElasticRegression.class, STEPS);
        } finally {
            killer.cancel(true);
        }
        assertTrue(out.contains("epoch 3 of the run: 8 ranks, step "), out);
        assertEquals(undisturbed, model(out), out);
        assertTrue(undisturbed.get(0).contains("accuracy 9"), undisturbed.get(0));
        killer.get();
    }

    private static List<String> model(String out) {
        return out.lines().filter(line -> !line.contains("of the run")).toList();
    }

    /** Waits until a line is there, and kills the process that was started as a rank, without warning. */
    private static void killWhen(ByteArrayOutputStream out, String text, int rank) {
        long deadlineNs = System.nanoTime() + KILL_LIMIT_NS;
        while (!out.toString(StandardCharsets.UTF_8).contains(text)) {
            if (System.nanoTime() - deadlineNs > 0) {
                throw new IllegalStateException("not seen: " + text);
            }
            LockSupport.parkNanos(LOOK_NS);
        }
        ProcessHandle victim = ProcessHandle.current()
                .descendants()
                .filter(process -> isRank(process, rank))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("no process of rank " + rank));
        victim.destroyForcibly();
    }

    private static boolean isRank(ProcessHandle process, int rank) {
        try {
            Path proc = Path.of("/proc", Long.toString(process.pid()));
            // Between its start and the change of its program it is a copy of what started it.
            return Files.readString(proc.resolve("cmdline"), StandardCharsets.ISO_8859_1)
                            .contains(ElasticRegression.class.getName())
                    && Arrays.asList(Files.readString(proc.resolve("environ"), StandardCharsets.ISO_8859_1)
                                    .split("\0", -1))
                            .contains("ZIP_RANK=" + rank);
        } catch (IOException e) {
            // It has ended since.
            return false;
        }
    }

    @Test
    void shouldCountTheSameWordsOnAnyNumberOfRanks(@TempDir Path folder) throws IOException {
        Path below = Files.createDirectory(folder.resolve("below"));
        Files.writeString(folder.resolve("a.txt"), "The cat, the dog and THE bird don't sing.\n".repeat(50));
        Files.writeString(folder.resolve("b.txt"), "the end\n");
        Files.writeString(below.resolve("c.txt"), "Ein Männlein steht im Walde\n");
        Files.writeString(below.resolve("empty.txt"), "");
        String alone = run(1, WordCount.class, folder.toString());
        assertTrue(alone.startsWith("[0] 457 words, 13 different, in 4 files; checksum "), alone);
        assertTrue(alone.contains("[0]      151 the\n"), alone);
        assertEquals(alone, run(4, WordCount.class, folder.toString()));
    }

    @Test
    void shouldCutTextIntoWords() {
        Map<String, Long> counts = new HashMap<>();
        WordCount.countWords("Don't stop-1st; l’été 42 ÄÖ äö".getBytes(StandardCharsets.UTF_8), counts);
        assertEquals(Map.of("don't", 1L, "stop", 1L, "st", 1L, "l’été", 1L, "äö", 2L), counts);
    }
}
