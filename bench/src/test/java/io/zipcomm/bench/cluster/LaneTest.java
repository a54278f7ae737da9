package io.zipcomm.bench.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.plan.BenchCase;
import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.report.CostModel;
import io.zipcomm.bench.report.Row;
import io.zipcomm.bench.worker.CaseOrder;
import io.zipcomm.bench.worker.CaseResult;
import io.zipcomm.bench.worker.Times;
import io.zipcomm.bench.worker.Usage;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import org.junit.jupiter.api.Test;

/** On a machine that is slower by a factor, now and then. */
final class LaneTest {

    private static final int RANKS = 2;
    private static final double ALPHA_US = 10;
    private static final double BARRIER_US = 20;
    private static final double HUNDREDTH = 1e-2;
    private static final long SECOND_NS = 1_000_000_000;
    private static final BenchCase BARRIER = new BenchCase(BenchOperation.BARRIER, "tcp", RANKS, 0);

    private final RecordingListener listener = new RecordingListener();
    private long nowNs = 7;
    private double slowness = 1;
    private int probes;
    private boolean probesFail;

    private final class Machine implements Contestant {
        private final boolean hasProbe;

        private Machine(boolean hasProbe) {
            this.hasProbe = hasProbe;
        }

        @Override
        public String name() {
            return "tcp";
        }

        @Override
        public List<String> algorithms(BenchOperation operation) {
            return List.of(CaseOrder.AUTO);
        }

        @Override
        public void start() {}

        @Override
        public boolean hasProbe() {
            return hasProbe;
        }

        @Override
        public CostModel probe() throws WorkerFailure {
            if (!hasProbe) {
                return CostModel.UNKNOWN;
            }
            if (probesFail) {
                throw new WorkerFailure("rank 1: gone");
            }
            probes++;
            return new CostModel(slowness * ALPHA_US, 0);
        }

        @Override
        public Collection<CaseResult> measure(CaseOrder order) {
            long[] timesNs = new long[10];
            Arrays.fill(timesNs, (long) (1000 * slowness * BARRIER_US));
            return List.of(new CaseResult(0, "", "ring", new Times().add(timesNs, timesNs.length), Usage.UNKNOWN));
        }

        @Override
        public void close() {}
    }

    private Entry entry(boolean hasProbe) {
        return new Entry(ranks -> new Machine(hasProbe), RANKS, listener, () -> nowNs);
    }

    private static Lane lane(Entry entry, Entry rater) {
        return new Lane(entry, rater, BARRIER, 1, new CaseOrder("barrier", 0, CaseOrder.AUTO, 0, SECOND_NS, false));
    }

    private Row measured(Lane lane, double... slownesses) throws InterruptedException {
        for (int slice = 0; slice < slownesses.length; slice++) {
            nowNs += 2 * Entry.PROBE_AGE_NS;
            slowness = slownesses[slice];
            lane.measure(slice, slownesses.length);
        }
        return lane.row(listener);
    }

    @Test
    void shouldRateEachSliceByThePathsOfItsOwnSeconds() throws InterruptedException {
        Entry entry = entry(true);
        entry.start();
        Row row = measured(lane(entry, entry), 3, 3, 1);
        assertEquals(3 * BARRIER_US, row.p50Us(), 1, "most samples are of the slow machine, and the start was not");
        assertEquals(ALPHA_US / BARRIER_US, row.efficiency(), HUNDREDTH);
    }

    @Test
    void shouldNotBelieveTheOneSliceThatFellIntoAChangeOfSpeed() throws InterruptedException {
        Entry entry = entry(true);
        Lane lane = lane(entry, entry);
        measured(lane, 1, 1);
        slowness = 5;
        lane.measure(0, 1);
        assertEquals(ALPHA_US / BARRIER_US, lane.row(listener).efficiency(), HUNDREDTH);
    }

    @Test
    void shouldNotMeasureThePathsAgainWithinASecond() throws InterruptedException {
        Entry entry = entry(true);
        Lane lane = lane(entry, entry);
        lane.measure(0, 3);
        assertEquals(1, probes);
        nowNs += Entry.PROBE_AGE_NS;
        lane.measure(1, 3);
        assertEquals(1, probes);
        nowNs += 1;
        lane.measure(2, 3);
        assertEquals(2, probes);
    }

    @Test
    void shouldCostTheRowWhenItsOwnGroupFailsInAProbe() throws InterruptedException {
        Entry entry = entry(true);
        entry.start();
        Lane lane = lane(entry, entry);
        probesFail = true;
        assertFalse(measured(lane, 1).isMeasured());
        assertTrue(listener.problems.get(0).contains("barrier"), listener.problems.toString());
    }

    @Test
    void shouldCostOnlyTheRatingWhenAnotherGroupFailsInAProbe() throws InterruptedException {
        Entry rater = entry(true);
        rater.start();
        Lane lane = lane(entry(false), rater);
        probesFail = true;
        Row row = measured(lane, 1);
        assertTrue(row.isMeasured() && Double.isNaN(row.efficiency()), row.toString());
        assertFalse(listener.problems.isEmpty());
    }

    @Test
    void shouldRateABaselineByTheLibrarysPaths() throws InterruptedException {
        Row row = measured(lane(entry(false), entry(true)), 1, 3, 3);
        assertEquals(ALPHA_US / BARRIER_US, row.efficiency(), HUNDREDTH);
    }

    @Test
    void shouldNotRateWhatNobodyRates() throws InterruptedException {
        assertTrue(Double.isNaN(measured(lane(entry(false), null), 1).efficiency()));
    }
}
