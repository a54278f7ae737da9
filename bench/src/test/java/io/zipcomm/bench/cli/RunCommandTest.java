package io.zipcomm.bench.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RunCommandTest {

    private static CapturedCli.Result run(int ranks, String script) {
        return CapturedCli.run("run", "--ranks", Integer.toString(ranks), "--", "sh", "-c", script);
    }

    private static List<String> sorted(String text) {
        return text.lines().sorted().toList();
    }

    @Test
    void shouldTellEachRankItsPlace() {
        CapturedCli.Result result = run(
                3,
                "echo rank $ZIP_RANK of $ZIP_SIZE by $ZIP_TRANSPORT;"
                        + " test -n \"$ZIP_RELAY\" && test -n \"$ZIP_SESSION\" && test -n \"$ZIP_TOKEN\"");
        assertEquals(0, result.exitCode(), result.err());
        assertEquals(
                List.of("[0] rank 0 of 3 by auto", "[1] rank 1 of 3 by auto", "[2] rank 2 of 3 by auto"),
                sorted(result.out()));
        assertEquals("", result.err());
    }

    @Test
    void shouldGiveAllRanksOneSession() {
        CapturedCli.Result result = run(3, "echo $ZIP_SESSION $ZIP_RELAY");
        assertEquals(
                1,
                result.out().lines().map(line -> line.substring(4)).distinct().count(),
                result.out());
    }

    @Test
    void shouldKeepTheStreamsApart() {
        CapturedCli.Result result = run(2, "echo to out; echo to err >&2");
        assertEquals(List.of("[0] to out", "[1] to out"), sorted(result.out()));
        assertEquals(List.of("[0] to err", "[1] to err"), sorted(result.err()));
    }

    @Test
    void shouldEndWithTheFirstExitCodeThatIsNotZero() {
        CapturedCli.Result result = run(3, "case $ZIP_RANK in 0) exit 0;; 1) exit 7;; 2) sleep 0.5; exit 3;; esac");
        assertEquals(7, result.exitCode());
        assertTrue(result.err().contains("zip run: rank 1 ended with exit code 7"), result.err());
        assertFalse(result.err().contains("still running"), result.err());
    }

    @Test
    void shouldStartARankAgainThatFailed(@TempDir Path folder) {
        CapturedCli.Result result =
                CapturedCli.run("run", "--ranks", "3", "--respawn", "2", "--", "sh", "-c", """
                echo rank $ZIP_RANK
                if [ $ZIP_RANK = 1 ] && mkdir %s/once 2>/dev/null; then exit 7; fi
                """.formatted(folder));
        assertEquals(0, result.exitCode(), result.err());
        assertEquals(List.of("[0] rank 0", "[1] rank 1", "[2] rank 2", "[3] rank 1"), sorted(result.out()));
        assertEquals("zip run: [1] ended with exit code 7, and is started again as [3]\n", result.err());
    }

    @Test
    void shouldEndWithTheFirstExitCodeOfARankThatIsNotStartedAgain() {
        CapturedCli.Result result = CapturedCli.run(
                "run",
                "--ranks",
                "2",
                "--respawn",
                "2",
                "--",
                "sh",
                "-c",
                "if [ $ZIP_RANK = 0 ]; then sleep 1000 & wait; fi; exit 6");
        assertEquals(6, result.exitCode(), result.err());
        assertEquals(
                2,
                result.err()
                        .lines()
                        .filter(line -> line.contains("is started again"))
                        .count(),
                result.err());
        assertTrue(result.err().contains("zip run: rank 1 ended with exit code 6"), result.err());
        assertTrue(result.err().contains("ending the 1 ranks that are still running"), result.err());
    }

    @Test
    void shouldNotStartARankAgainThatSucceeded() {
        CapturedCli.Result result =
                CapturedCli.run("run", "--ranks", "2", "--respawn", "5", "--", "sh", "-c", "echo once");
        assertEquals(0, result.exitCode());
        assertEquals(List.of("[0] once", "[1] once"), sorted(result.out()));
        assertEquals("", result.err());
    }

    @Test
    void shouldEndTheOthersAfterAWhile() {
        CapturedCli.Result result =
                run(2, "if [ $ZIP_RANK = 0 ]; then exit 5; fi; trap 'echo told to; exit 0' TERM; sleep 1000 & wait");
        assertEquals(5, result.exitCode());
        assertTrue(result.out().contains("[1] told to"), result.out());
        assertTrue(result.err().contains("ending the 1 ranks that are still running"), result.err());
    }

    @Test
    void shouldSayWhenThereIsNoSuchCommand() {
        CapturedCli.Result result = CapturedCli.run("run", "--ranks", "2", "--", "no-such-command-here");
        assertEquals(127, result.exitCode());
        assertTrue(result.err().contains("no-such-command-here"), result.err());
    }

    @Test
    void shouldPassOptionsBehindTheCommandOn() {
        CapturedCli.Result result = CapturedCli.run("run", "--ranks", "1", "echo", "--ranks", "--help");
        assertEquals("[0] --ranks --help\n", result.out());
    }

    @Test
    void shouldGiveJavaTheClassPath() {
        CapturedCli.Result result = run(1, "echo \"$CLASSPATH|$ZIP_CLASSPATH\"");
        assertFalse(result.out().endsWith("|\n"), result.out());
        CapturedCli.Result java =
                CapturedCli.run("run", "--ranks", "1", "--", "java", "-XshowSettings:properties", "-version");
        assertTrue(java.err().contains("java.class.path"), java.err());
    }
}
