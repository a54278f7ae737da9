package io.zipcomm.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Random programs of whole groups in virtual time, while everything strikes that can: docs/stack-simulation.md. The seeds are always
 * the same, so a run that fails fails again.
 */
@Tag("once")
final class SimulationTest {

    private static final String FROM = "zip.simulation.from";
    private static final String TO = "zip.simulation.to";
    private static final int THREADS = 2;

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
        expect(run(Set.of(), "shouldRunAnyProgramWhereNothingStrikes", 250), "outcome ok");
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
    }

    @Test
    void shouldRunAProgramTheSameWayEachTime() {
        for (long seed = 201; seed <= 225; seed++) {
            Runs runs = new Runs(Fault.all(), () -> Plant.NONE, "SimulationTest");
            String first = runs.one(seed, Runs.newAllocator());
            assertEquals(first, runs.one(seed, Runs.newAllocator()));
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
