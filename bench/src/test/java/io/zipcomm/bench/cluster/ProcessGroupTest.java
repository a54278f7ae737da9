package io.zipcomm.bench.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class ProcessGroupTest {

    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final EnvironmentMark mark =
            new EnvironmentMark("ZIP_SESSION", GroupEnvironment.randomSession("process-group-test"));
    private final ProcessGroup group = new ProcessGroup(
            (rank, error, line) -> lines.add(rank + (error ? "!" : ":") + new String(line, StandardCharsets.UTF_8)),
            mark);

    @AfterEach
    void leaveNothingBehind() {
        group.close();
        assertEquals(0, mark.bearers().count());
    }

    private void sh(String script) throws IOException {
        group.start(List.of("sh", "-c", script), Map.of("NUMBER", Integer.toString(group.size())));
    }

    @Test
    void shouldTellRanksAndStreamsApart() throws Exception {
        sh("echo out $NUMBER; echo err $NUMBER >&2");
        sh("printf 'no end'");
        group.nextExit(LIMIT);
        group.nextExit(LIMIT);
        group.drainOutput();
        assertEquals(
                List.of("0!err 0", "0:out 0", "1:no end"),
                lines.stream().sorted().toList());
    }

    @Test
    void shouldReportEachExitOnce() throws Exception {
        sh("exit 7");
        assertEquals(new ProcessGroup.Exit(0, 7), group.nextExit(LIMIT));
        assertNull(group.nextExit(Duration.ofMillis(10)));
    }

    @Test
    void shouldReportTheSignalThatKilled() throws Exception {
        sh("kill -9 $$");
        assertEquals(new ProcessGroup.Exit(0, 128 + 9), group.nextExit(LIMIT));
    }

    @Test
    void shouldAskProcessesToEnd() throws Exception {
        sh("trap 'echo asked; exit 0' TERM; echo ready; while :; do sleep 0.05; done");
        awaitLine("0:ready");
        group.end();
        group.drainOutput();
        assertTrue(lines.contains("0:asked"), lines.toString());
    }

    @Test
    void shouldKillProcessesThatDoNotListen() throws Exception {
        sh("trap '' TERM; echo ready; while :; do sleep 0.05; done");
        awaitLine("0:ready");
        group.end();
        assertEquals(new ProcessGroup.Exit(0, 128 + 9), group.nextExit(LIMIT));
    }

    @Test
    void shouldEndWhatAChildLeftBehind() throws Exception {
        assumeTrue(Files.isReadable(Path.of("/proc/self/environ")), "needs Linux");
        sh("sleep 1000 & exit 0");
        group.nextExit(LIMIT);
        assertEquals(1, mark.bearers().count());
        group.end();
        assertEquals(0, mark.bearers().count());
    }

    @Test
    void shouldNotTouchOtherProcesses() throws Exception {
        Process stranger = new ProcessBuilder("sleep", "1000").start();
        try {
            sh("sleep 1000");
            group.end();
            assertTrue(stranger.isAlive());
        } finally {
            stranger.destroyForcibly();
        }
    }

    @Test
    void shouldStartNothingOnceItHasEnded() {
        group.end();
        assertThrows(IOException.class, () -> sh("true"));
        assertFalse(mark.bearers().findAny().isPresent());
    }

    private void awaitLine(String line) throws InterruptedException {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (!lines.contains(line)) {
            assertTrue(System.nanoTime() < deadline, "no line " + line);
            Thread.sleep(5);
        }
    }
}
