package io.zipcomm.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random programs of whole groups in virtual time, while everything strikes that can: docs/stack-simulation.md. The seeds are always
 * the same, so a run that fails fails again.
 */
@Tag("once")
final class SimulationTest {

    private static final String FROM = "zip.simulation.from";
    private static final String TO = "zip.simulation.to";

    /** More than cores: the threads of a program take turns, and a processor sleeps meanwhile that has no other program. */
    private static final int THREADS = 6;

    private static final int PROCESS_SECONDS_MAX = 120;
    private static final int LOG_CHARS_MAX = 4000;

    private static Runs run(Set<Fault> faults, String method, int count) {
        Runs runs = new Runs(faults, () -> Plant.NONE, "SimulationTest#" + method);
        runs.each(Long.getLong(FROM, 1), Long.getLong(TO, count), THREADS, false);
        System.out.println(runs);
        return runs;
    }

    private static void expect(Runs runs, String... seen) {
        if (System.getProperty(FROM) == null) {
            for (String what : seen) {
                assertTrue(runs.seen(what) > 0, () -> "never seen: " + what + "; " + runs);
            }
        }
    }

    private static void expect(Runs runs, Set<Fault> faults) {
        faults.forEach(fault -> expect(runs, "fault " + fault));
    }

    @Test
    void shouldRunAnyProgramWhereNothingStrikes() {
        Runs runs = run(Set.of(), "shouldRunAnyProgramWhereNothingStrikes", 250);
        expect(runs, "outcome ok", "overtakings", "step CANCEL_MESSAGE", "step CANCEL_ON_TWIN");
    }

    @Test
    void shouldNotFailWhereWhatStrikesIsHarmless() {
        Runs runs = run(Fault.harmless(), "shouldNotFailWhereWhatStrikesIsHarmless", 650);
        expect(runs, Fault.harmless());
        expect(runs, "outcome ok", "resumptions");
    }

    @Test
    void shouldComeBackToTheRelayWhereNothingHindersThat() {
        Runs runs = run(Fault.resets(), "shouldComeBackToTheRelayWhereNothingHindersThat", 600);
        expect(runs, Fault.resets());
        expect(runs, "outcome ok", "resumptions", "agreements");
    }

    @Test
    void shouldGoOnWithThoseThatLiveWhateverStrikes() {
        Runs runs = run(Fault.all(), "shouldGoOnWithThoseThatLiveWhateverStrikes", 1_500);
        expect(runs, Fault.all());
        expect(runs, "outcome ok", "outcome PEER_LOST", "outcome REVOKED", "outcome EXPELLED", "agreements");
        expect(runs, "outcome CANCELLED", "overtakings");
    }

    @Test
    void shouldRunAProgramTheSameWayEachTime() {
        for (long seed = 201; seed <= 225; seed++) {
            Runs runs = new Runs(Fault.all(), () -> Plant.NONE, "SimulationTest");
            String first = runs.one(seed, Runs.newAllocator());
            assertEquals(first, runs.one(seed, Runs.newAllocator()));
        }
    }

    /** What comes of a program in this process comes of it in any other. */
    @Test
    void shouldRunAProgramTheSameWayInAnotherProcess(@TempDir Path folder) throws IOException, InterruptedException {
        Path told = folder.resolve("told");
        Path log = folder.resolve("log");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> argument.startsWith("--add-"))
                .forEach(command::add);
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path")));
        command.addAll(List.of(OneProcess.class.getName(), "226", "240", told.toString()));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            assertTrue(process.waitFor(PROCESS_SECONDS_MAX, TimeUnit.SECONDS), "the other process does not end");
        } finally {
            process.destroyForcibly();
        }
        assertEquals(0, process.exitValue(), () -> end(log));
        assertEquals(OneProcess.tell(226, 240), Files.readString(told));
    }

    /** The last of what a process said. */
    private static String end(Path log) {
        try {
            String text = Files.readString(log);
            return text.substring(Math.max(0, text.length() - LOG_CHARS_MAX));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Some 100,000 programs, or those of the seeds that are given. */
    @Test
    @Tag("long")
    @org.junit.jupiter.api.Timeout(36_000)
    void shouldRunManyPrograms() {
        int threads = Integer.getInteger("zip.simulation.threads", THREADS);
        Runs runs = new Runs(
                Fault.all(), () -> Plant.NONE, "SimulationTest#shouldRunManyPrograms -Dgroups=long -DexcludedGroups=");
        runs.each(Long.getLong(FROM, 1), Long.getLong(TO, 100_000), threads, true);
        System.out.println(runs);
        expect(runs, Fault.all());
    }
}
