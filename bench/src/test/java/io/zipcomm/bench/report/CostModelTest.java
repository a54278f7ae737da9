package io.zipcomm.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.plan.BenchOperation;
import org.junit.jupiter.api.Test;

final class CostModelTest {

    private static final CostModel MODEL = new CostModel(10, 0.001);

    @Test
    void shouldAddLatencyAndBytes() {
        assertEquals(2 * 10 + 1.5 * 1_000_000 * 0.001, MODEL.boundUs(BenchOperation.ALLREDUCE, 4, 1_000_000), 1e-9);
        assertEquals(2 * 10 + 1_000_000 * 0.001, MODEL.boundUs(BenchOperation.BROADCAST, 4, 1_000_000), 1e-9);
        assertEquals(3 * 10, MODEL.boundUs(BenchOperation.BARRIER, 8, 0), 1e-9);
        assertEquals(2 * (10 + 8 * 0.001), MODEL.boundUs(BenchOperation.PINGPONG, 2, 8), 1e-9);
    }

    @Test
    void shouldTakeTheCostOfBothWaysWhereAllSendAndReceiveAtOnce() {
        CostModel shared = new CostModel(10, 0.001, 0.003);
        assertEquals(20 + 1.5 * 1_000_000 * 0.003, shared.boundUs(BenchOperation.ALLREDUCE, 4, 1_000_000), 1e-9);
        assertEquals(20 + 0.75 * 1_000_000 * 0.003, shared.boundUs(BenchOperation.ALLTOALL, 4, 1_000_000), 1e-9);
        assertEquals(20 + 0.75 * 1_000_000 * 0.001, shared.boundUs(BenchOperation.GATHER, 4, 1_000_000), 1e-9);
        assertEquals(1, shared.streamGBps(), 1e-9);
        assertEquals(1 / 3.0, shared.duplexGBps(), 1e-9);
    }

    @Test
    void shouldRateByTheBound() {
        assertEquals(0.5, MODEL.efficiency(BenchOperation.BARRIER, 4, 0, 40), 1e-9);
        assertEquals(1, MODEL.streamGBps(), 1e-9);
    }

    @Test
    void shouldNotRateWhatWasNotMeasured() {
        assertTrue(Double.isNaN(CostModel.UNKNOWN.efficiency(BenchOperation.BARRIER, 4, 0, 40)));
        assertTrue(Double.isNaN(MODEL.efficiency(BenchOperation.BARRIER, 1, 0, 40)));
    }
}
