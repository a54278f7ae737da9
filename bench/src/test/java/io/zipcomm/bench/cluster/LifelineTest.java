package io.zipcomm.bench.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Real processes. */
final class LifelineTest {

    private static final Duration LOOK = Duration.ofMillis(50);
    private static final int MANY = 1200;
    private static final int LIMIT_S = 30;

    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

    private int await(Process process, int looks) throws InterruptedException {
        try (PrintStream out = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
            return new Lifeline(process, out).await(LOOK, looks);
        }
    }

    private static Process shell(String script) throws IOException {
        return new ProcessBuilder("sh", "-c", script).start();
    }

    @Test
    void shouldPassOnWhatIsPrintedAndTheExitCode() throws Exception {
        assertEquals(3, await(shell("echo one; echo '@zip alive'; echo '@zip joined rank=2'; echo two; exit 3"), MANY));
        assertEquals(
                List.of("one", "@zip joined rank=2", "two"),
                printed.toString(StandardCharsets.UTF_8).lines().toList());
    }

    @Test
    void shouldNotGiveUpWhoShowsSignsOfLife() throws Exception {
        // Twice as long as the silence that would be too long.
        assertEquals(0, await(shell("for i in $(seq 40); do echo '@zip alive'; sleep 0.1; done"), 40));
    }

    @Test
    void shouldKillWhoIsSilentAndAllThatItStarted() throws Exception {
        Process process = shell("sleep 1000 & echo $!; wait");
        assertEquals(1, await(process, 20));
        assertTrue(process.waitFor(LIMIT_S, TimeUnit.SECONDS), "it lives on");
        List<String> lines = printed.toString(StandardCharsets.UTF_8).lines().toList();
        assertTrue(lines.get(1).contains("no sign of life for 1 s"), lines.toString());
        ProcessHandle started = ProcessHandle.of(Long.parseLong(lines.get(0))).orElse(null);
        if (started != null) {
            assertEnds(started);
        }
    }

    @Test
    void shouldEndTheOneThatWorksWhenTheOtherIsKilled() throws Exception {
        Process outer = new ProcessBuilder(ChildJvm.command(ChildJvm.flags(), Outer.class)).start();
        try (BufferedReader out = outer.inputReader(StandardCharsets.UTF_8)) {
            ProcessHandle inner =
                    ProcessHandle.of(Long.parseLong(out.readLine())).orElseThrow();
            assertTrue(inner.isAlive() && outer.isAlive());
            outer.destroyForcibly();
            assertEnds(inner);
        } finally {
            outer.descendants().forEach(ProcessHandle::destroyForcibly);
            outer.destroyForcibly();
        }
    }

    /** A process whose parent is gone may stay a zombie in a container: it is asked about, not waited for. */
    private static void assertEnds(ProcessHandle process) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_S);
        while (ProcessGroup.isRunning(process)) {
            assertFalse(System.nanoTime() - deadline > 0, "process " + process.pid() + " lives on");
            Thread.sleep(10);
        }
    }

    /** The one that waits; it is killed. */
    public static final class Outer {

        private Outer() {}

        /**
         * Waits for an {@link Inner}.
         *
         * @param args none
         */
        public static void main(String[] args) throws IOException, InterruptedException {
            Process inner = new ProcessBuilder(ChildJvm.command(ChildJvm.flags(), Inner.class)).start();
            System.exit(new Lifeline(inner, System.out).await(LOOK, MANY));
        }
    }

    /** The one that works: for ever. */
    public static final class Inner {

        private Inner() {}

        /**
         * Holds the line.
         *
         * @param args none
         */
        public static void main(String[] args) throws InterruptedException {
            System.out.println(ProcessHandle.current().pid());
            Lifeline.hold();
            Thread.sleep(TimeUnit.HOURS.toMillis(1));
        }
    }
}
