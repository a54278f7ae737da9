package io.zipcomm.collectives.select;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.collectives.CollectiveOperation;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What is chosen when. */
final class SelectorTest {

    @Test
    void shouldChooseAnAlgorithmThatTheOperationHas() {
        for (boolean isSameHost : new boolean[] {true, false}) {
            for (CollectiveOperation operation : CollectiveOperation.values()) {
                for (int size = 1; size < 100; size++) {
                    Selector selector = new Selector(size, isSameHost);
                    for (long bytes = 0; bytes < 1L << 40; bytes = bytes * 3 + 1) {
                        AlgorithmName name = selector.algorithm(operation, bytes);
                        assertNotNull(Algorithms.of(operation, name), operation + " by " + name);
                    }
                }
            }
        }
    }

    @Test
    void shouldCutLongMessagesIntoWholeElementsWithinBounds() {
        for (int size = 1; size < 20; size++) {
            Selector selector = new Selector(size, Thresholds.NETWORK);
            for (AlgorithmName name : AlgorithmName.values()) {
                for (long bytes = 0; bytes < 1L << 40; bytes = bytes * 3 + 1) {
                    int segment = selector.segmentBytes(name, bytes);
                    assertEquals(0, segment % Long.BYTES);
                    assertTrue(segment >= Thresholds.NETWORK.segmentMin());
                    assertTrue(segment <= Thresholds.NETWORK.segmentMax() || size <= 2);
                }
            }
        }
    }

    @Test
    void shouldChangeAtItsThreshold() {
        Selector selector = new Selector(4, Thresholds.NETWORK);
        long max = Thresholds.NETWORK.broadcastBinomialMax();
        assertEquals(AlgorithmName.BINOMIAL, selector.algorithm(CollectiveOperation.BROADCAST, max));
        assertEquals(AlgorithmName.CHAIN, selector.algorithm(CollectiveOperation.BROADCAST, max + 1));
    }

    @Test
    void shouldLookAtTheNumberOfRanks() {
        CollectiveOperation allReduce = CollectiveOperation.ALL_REDUCE;
        assertEquals(AlgorithmName.DOUBLING, new Selector(2, true).algorithm(allReduce, 1 << 20));
        assertEquals(AlgorithmName.RING, new Selector(2, true).algorithm(allReduce, 2 << 20));
        assertEquals(AlgorithmName.RABENSEIFNER, new Selector(8, true).algorithm(allReduce, 1 << 20));
        assertEquals(AlgorithmName.RING, new Selector(7, true).algorithm(allReduce, 1 << 20));
        assertEquals(AlgorithmName.RING, new Selector(4, true).algorithm(allReduce, 16 << 20));
        CollectiveOperation broadcast = CollectiveOperation.BROADCAST;
        assertEquals(AlgorithmName.CHAIN, new Selector(8, true).algorithm(broadcast, 1 << 20));
        assertEquals(AlgorithmName.SCATTER_ALLGATHER, new Selector(64, true).algorithm(broadcast, 1 << 20));
        assertEquals(AlgorithmName.CHAIN, new Selector(64, true).algorithm(broadcast, 64 << 20));
        assertEquals(AlgorithmName.LINEAR, new Selector(8, true).algorithm(CollectiveOperation.SCATTER, 64));
        assertEquals(AlgorithmName.BINOMIAL, new Selector(64, true).algorithm(CollectiveOperation.SCATTER, 64));
    }

    @Test
    void shouldKnowAlgorithmsByName() {
        Set<String> names = new HashSet<>();
        for (AlgorithmName name : AlgorithmName.values()) {
            assertEquals(name, AlgorithmName.of(name.toString()));
            assertTrue(names.add(name.toString()), name.toString());
            assertTrue(name.toString().matches("[a-z-]+"), name.toString());
        }
        assertNull(AlgorithmName.of("magic"));
        assertNull(AlgorithmName.of(null));
    }

    @Test
    void shouldHaveAShortAndALongAlgorithmWhereTheyDiffer() {
        for (CollectiveOperation operation : CollectiveOperation.values()) {
            boolean one = operation == CollectiveOperation.BARRIER
                    || (operation.toString().endsWith("v") && operation != CollectiveOperation.ALL_GATHER_V);
            assertTrue(Algorithms.of(operation).size() >= (one ? 1 : 2), operation.toString());
        }
    }
}
