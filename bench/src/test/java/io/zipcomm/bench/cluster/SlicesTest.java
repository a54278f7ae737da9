package io.zipcomm.bench.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.report.Cost;
import io.zipcomm.bench.worker.CaseResult;
import io.zipcomm.bench.worker.Times;
import io.zipcomm.bench.worker.Usage;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

final class SlicesTest {

    private static final double THOUSANDTH = 1e-3;

    private static CaseResult result(int rank, String mismatch, Usage usage, long... timesNs) {
        return new CaseResult(rank, mismatch, "ring", new Times().add(timesNs, timesNs.length), usage);
    }

    private static long[] repeated(int count, long valueNs) {
        long[] timesNs = new long[count];
        Arrays.fill(timesNs, valueNs);
        return timesNs;
    }

    private static Slices slices(long[]... each) {
        Slices slices = new Slices();
        for (long[] timesNs : each) {
            slices.add(List.of(result(0, "", Usage.UNKNOWN, timesNs)));
        }
        return slices;
    }

    @Test
    void shouldTakePercentilesOverTheSamplesOfAllSlices() {
        Slices slices = slices(repeated(90, 1000), repeated(5, 2000), repeated(5, 9000));
        assertEquals(100, slices.iterations());
        assertEquals(1000, (double) slices.p50Ns(), 1000 * THOUSANDTH, "not the median of medians, which is 2000");
        assertEquals(9000, (double) slices.p99Ns(), 9000 * THOUSANDTH);
    }

    @Test
    void shouldSayHowFarTheSlicesLieApart() {
        Slices slices = slices(repeated(10, 1000), repeated(10, 1100), repeated(10, 900));
        assertEquals(0.2, slices.spread(), 2 * THOUSANDTH);
        assertEquals(0, slices(repeated(10, 1000)).spread());
    }

    @Test
    void shouldAddUpWhatAllRanksUsedForAnIteration() {
        Slices slices = new Slices();
        for (int slice = 0; slice < 2; slice++) {
            slices.add(List.of(
                    result(0, "", new Usage(4000, 2, 80, 100, 1 << 20), 10, 10),
                    result(1, "", new Usage(2000, 4, 40, 300, 1 << 21))));
        }
        Cost cost = slices.cost();
        assertEquals(3, cost.cpuUs(), 1e-9);
        assertEquals(3, cost.contextSwitches(), 1e-9);
        assertEquals(40, cost.allocatedBytes(), 1e-9);
        assertEquals(150, cost.sentBytes(), 1e-9);
        assertEquals(1 << 21, cost.peakMemoryBytes());
    }

    @Test
    void shouldNotKnowWhatOneRankDidNotCount() {
        Slices slices = new Slices();
        slices.add(List.of(result(0, "", new Usage(4000, 2, 80, 100, 1), 10), result(1, "", Usage.UNKNOWN)));
        Cost cost = slices.cost();
        assertTrue(Double.isNaN(cost.cpuUs()) && Double.isNaN(cost.contextSwitches()), cost.toString());
        assertTrue(Double.isNaN(cost.sentBytes()) && Double.isNaN(cost.peakMemoryBytes()), cost.toString());
    }

    @Test
    void shouldKeepWhatWasWrongInAnySliceOrRehearsal() {
        Slices slices = new Slices();
        slices.check(List.of(result(1, "byte 3", Usage.UNKNOWN)));
        slices.add(List.of(result(0, "", Usage.UNKNOWN, 10)));
        assertEquals(List.of("rank 1, byte 3"), slices.mismatches());
    }

    @Test
    void shouldInsistOnRankZero() {
        List<CaseResult> others = List.of(result(1, "", Usage.UNKNOWN, 10));
        assertThrows(IllegalArgumentException.class, () -> new Slices().add(others));
    }
}
