package io.zipcomm.bench.tuning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.collectives.CollectiveOperation;
import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.collectives.select.AlgorithmName;
import io.zipcomm.collectives.select.Selector;
import io.zipcomm.collectives.select.TuningTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From times to a table that the library reads. */
final class TuningLinesTest {

    private static final List<Long> BYTES = List.of(1L << 10, 16L << 10, 256L << 10, 4L << 20);

    @TempDir
    private Path folder;

    private static List<TuningCase> cases(BenchOperation operation, int ranks) {
        return TuningCase.of(List.of(operation), List.of(ranks), BYTES);
    }

    private static void time(TuningCase one, AlgorithmName fast, long... fastNs) {
        for (Variant variant : one.variants()) {
            for (long ns : fastNs) {
                one.add(variant, variant.algorithm() == fast ? ns + variant.segments() / 4096 : 1000);
            }
        }
    }

    private Selector tuned(List<TuningCase> cases, int ranks) throws IOException {
        Path file = Files.write(folder.resolve("t.tuning"), TuningLines.of(cases));
        return new Selector(ranks, Hosts.Spread.ONE, TuningTable.of(file.toString()));
    }

    @Test
    void shouldWriteNothingWhereTheBuiltInChoiceWins() {
        List<TuningCase> cases = cases(BenchOperation.ALLREDUCE, 4);
        cases.forEach(one -> time(one, one.builtIn().algorithm(), 100, 100, 100));
        for (TuningCase one : cases) {
            assertEquals(one.builtIn().algorithm(), one.winner().algorithm());
        }
        assertTrue(TuningLines.of(cases.subList(0, 2)).isEmpty());
    }

    @Test
    void shouldChangeInTheMiddleBetweenTwoLengths() throws IOException {
        List<TuningCase> cases = cases(BenchOperation.ALLREDUCE, 4);
        time(cases.get(0), AlgorithmName.DOUBLING, 100, 100, 100);
        time(cases.get(1), AlgorithmName.RING, 100, 100, 100);
        time(cases.get(2), AlgorithmName.RABENSEIFNER, 100, 100, 100);
        time(cases.get(3), AlgorithmName.DOUBLING, 100, 100, 100);
        Selector selector = tuned(cases, 4);
        CollectiveOperation allReduce = CollectiveOperation.ALL_REDUCE;
        assertEquals(AlgorithmName.DOUBLING, selector.algorithm(allReduce, 4 << 10));
        assertEquals(AlgorithmName.RING, selector.algorithm(allReduce, (4 << 10) + 1));
        assertEquals(AlgorithmName.RING, selector.algorithm(allReduce, 64 << 10));
        assertEquals(AlgorithmName.RABENSEIFNER, selector.algorithm(allReduce, (64 << 10) + 1));
        assertEquals(AlgorithmName.DOUBLING, selector.algorithm(allReduce, 1L << 40));
        assertEquals(
                AlgorithmName.RING,
                new Selector(8, Hosts.Spread.ONE, TuningTable.builtIn()).algorithm(allReduce, 64 << 20));
    }

    @Test
    void shouldWriteTheSegmentsThatWon() throws IOException {
        List<TuningCase> cases = cases(BenchOperation.BROADCAST, 4);
        cases.subList(0, 3).forEach(one -> time(one, one.builtIn().algorithm(), 100, 100, 100));
        TuningCase large = cases.get(3);
        assertTrue(large.variants().stream()
                        .filter(variant -> variant.algorithm() == AlgorithmName.CHAIN)
                        .count()
                == 3);
        time(large, AlgorithmName.CHAIN, 100, 100, 100); // the shorter its segments, the faster
        Selector selector = tuned(cases, 4);
        CollectiveOperation broadcast = CollectiveOperation.BROADCAST;
        int usual = new Selector(4, Hosts.Spread.ONE, TuningTable.builtIn())
                .segmentBytes(broadcast, AlgorithmName.CHAIN, 4 << 20);
        assertEquals(usual / 2, selector.segmentBytes(broadcast, AlgorithmName.CHAIN, 4 << 20));
        // Where the built-in table changes over, not in the middle between the two lengths.
        assertEquals(AlgorithmName.BINOMIAL, selector.algorithm(broadcast, 1 << 20));
        assertEquals(AlgorithmName.CHAIN, selector.algorithm(broadcast, (1 << 20) + 1));
    }

    @Test
    void shouldNotBelieveInOneLuckyRound() {
        TuningCase one = cases(BenchOperation.ALLREDUCE, 4).get(0);
        time(one, AlgorithmName.RING, 100, 100, 1001);
        assertEquals(one.builtIn(), one.winner());
        assertEquals(1, one.gain());
        assertFalse(one.line().contains("faster"), one.line());
    }

    @Test
    void shouldNotChangeForLessThanTheMargin() {
        TuningCase one = cases(BenchOperation.ALLREDUCE, 4).get(0);
        time(one, AlgorithmName.RING, 960, 960, 960);
        assertEquals(one.builtIn(), one.winner());
        TuningCase other = cases(BenchOperation.ALLREDUCE, 4).get(0);
        time(other, AlgorithmName.RING, 900, 900, 900);
        assertEquals(AlgorithmName.RING, other.winner().algorithm());
        assertTrue(other.line().contains("1.11 times faster than doubling"), other.line());
    }

    @Test
    void shouldLeaveOutWhatGivesNoChoice() {
        assertEquals(List.of(), cases(BenchOperation.BARRIER, 4));
        assertEquals(BYTES.size(), cases(BenchOperation.SCATTER, 4).size());
    }

    @Test
    void shouldMeasureWholeBlocks() {
        for (TuningCase one : TuningCase.of(List.of(BenchOperation.ALLTOALL), List.of(3, 5), List.of(100L))) {
            assertEquals(0, one.bytes() % one.ranks(), one.toString());
            assertEquals(0, one.bytes() / one.ranks() % Long.BYTES, one.toString());
            assertTrue(one.bytes() >= 100);
        }
    }
}
