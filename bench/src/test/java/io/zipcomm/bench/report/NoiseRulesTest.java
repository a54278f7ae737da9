package io.zipcomm.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.Means;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class NoiseRulesTest {

    private static Row row(double spread) {
        Cost cost = new Cost(spread, Double.NaN, Double.NaN, Double.NaN, Double.NaN, Double.NaN);
        return new Row(BenchOperation.ALLREDUCE, "tcp", "ring", 4, 8, 10, 1, 1, 1, true, cost);
    }

    private static List<Row> rows(int steady, int unsteady) {
        List<Row> rows = new ArrayList<>();
        for (int i = 0; i < steady; i++) {
            rows.add(row(0.05));
        }
        for (int i = 0; i < unsteady; i++) {
            rows.add(row(0.5));
        }
        return rows;
    }

    @Test
    void shouldWarnOfOthersThatWantTheProcessors() {
        assertEquals(Optional.empty(), NoiseRules.load(0.2));
        assertTrue(NoiseRules.load(0.3).orElseThrow().startsWith("at the start 0.30 processes"));
    }

    @Test
    void shouldWarnOfStolenTime() {
        assertEquals(Optional.empty(), NoiseRules.steal(0.005));
        assertTrue(NoiseRules.steal(0.034).orElseThrow().startsWith("3.4 % of"));
    }

    @Test
    void shouldWarnWhenTheSlicesOfManyRowsLieFarApart() {
        assertEquals(Optional.empty(), NoiseRules.spread(rows(90, 10)));
        assertTrue(NoiseRules.spread(rows(89, 11)).orElseThrow().startsWith("11 of 100 rows"));
    }

    @Test
    void shouldNotJudgeRowsOfOneSliceOrNone() {
        assertEquals(Optional.empty(), NoiseRules.spread(List.of()));
        List<Row> rows = new ArrayList<>(List.of(row(0), row(0), row(Double.NaN), row(0.1)));
        assertEquals(Optional.empty(), NoiseRules.spread(rows));
        rows.add(row(0.5));
        assertTrue(NoiseRules.spread(rows).orElseThrow().startsWith("1 of 2 rows"));
    }

    @Test
    void shouldWarnWhenTheFloorDriftsEitherWay() {
        assertEquals(Optional.empty(), NoiseRules.drift(Means.SOCKETS, 10, 11));
        assertEquals(Optional.empty(), NoiseRules.drift(Means.SOCKETS, 11, 10));
        assertTrue(NoiseRules.drift(Means.SOCKETS, 10, 12).isPresent());
        assertTrue(NoiseRules.drift(Means.SOCKETS, 12, 10).isPresent());
        String memory = NoiseRules.drift(Means.SHARED_MEMORY, 0.2, 0.3).orElseThrow();
        assertTrue(
                memory.startsWith("ping-pong of 8 B over shared memory took 0.20 us at the beginning, 0.30 us"),
                memory);
    }

    @Test
    void shouldNotJudgeWhatIsNotKnown() {
        assertEquals(Optional.empty(), NoiseRules.load(Double.NaN));
        assertEquals(Optional.empty(), NoiseRules.steal(Double.NaN));
        assertEquals(Optional.empty(), NoiseRules.drift(Means.SOCKETS, 10, Double.NaN));
    }
}
