package io.zipcomm.bench.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

final class SoakCommandTest {

    @Test
    @Tag("once")
    @Timeout(120)
    void shouldRunSampleReplaceAndJudge() {
        CapturedCli.Result result = CapturedCli.run("soak", "--time", "15s", "--ranks", "3");
        System.out.println(result.out());
        assertEquals(0, result.exitCode(), result.out() + result.err());
        assertEquals(
                2,
                result.out().lines().filter(line -> line.contains(" killed, ")).count(),
                result.out());
        assertEquals(
                15,
                result.out().lines().filter(line -> line.matches(" +\\d+ s .*")).count(),
                result.out());
        assertTrue(result.out().contains("\nsteady, after "), result.out());
        assertTrue(result.out().contains("relay        descriptors"), result.out());
    }

    @Test
    void shouldSayWhatIsWrongWithACall() {
        assertEquals(
                "zip soak: --time is 15s at least, to have enough samples\nSee 'zip soak --help'.\n",
                CapturedCli.run("soak", "--time", "10s").err());
        assertEquals(2, CapturedCli.run("soak", "--time", "20s", "--ranks", "1").exitCode());
        assertEquals(2, CapturedCli.run("soak").exitCode());
    }

    @Test
    void shouldTellWhatItDoes() {
        CapturedCli.Result help = CapturedCli.run("soak", "--help");
        assertEquals(0, help.exitCode());
        assertTrue(help.out().contains("zip soak --time 1h --ranks 4"), help.out());
    }
}
