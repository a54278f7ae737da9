package io.zipcomm.collectives.select;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.collectives.CollectiveOperation;
import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.settings.ZipSettings.RelayCollectives;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What is chosen when. */
final class SelectorTest {

    @Test
    void shouldChooseAnAlgorithmThatTheOperationHas() {
        for (Hosts.Spread spread : Hosts.Spread.values()) {
            for (CollectiveOperation operation : CollectiveOperation.values()) {
                for (int size = 1; size < 100; size++) {
                    Selector selector = new Selector(size, spread, TuningTable.builtIn());
                    for (long bytes = 0; bytes < 1L << 40; bytes = bytes * 3 + 1) {
                        AlgorithmName name = selector.algorithm(operation, bytes);
                        assertTrue(Algorithms.has(operation, name), operation + " by " + name);
                    }
                }
            }
        }
    }

    @Test
    void shouldCutLongMessagesIntoWholeElementsWithinBounds() {
        for (int size = 1; size < 20; size++) {
            Selector selector = new Selector(size, Hosts.Spread.APART, TuningTable.builtIn());
            for (CollectiveOperation operation : CollectiveOperation.values()) {
                for (AlgorithmName name : Algorithms.of(operation)) {
                    for (long bytes = 0; bytes < 1L << 40; bytes = bytes * 3 + 1) {
                        int segment = selector.segmentBytes(operation, name, bytes);
                        assertEquals(0, segment % Selector.SEGMENT_ALIGNMENT);
                        assertTrue(segment >= Selector.SEGMENT_MIN);
                        assertTrue(segment <= Selector.SEGMENT_MAX || size <= 2);
                    }
                }
            }
        }
    }

    @Test
    void shouldChangeAtItsThreshold() {
        Selector selector = new Selector(4, Hosts.Spread.APART, TuningTable.builtIn());
        assertEquals(AlgorithmName.BINOMIAL, selector.algorithm(CollectiveOperation.BROADCAST, 64 << 10));
        assertEquals(AlgorithmName.CHAIN, selector.algorithm(CollectiveOperation.BROADCAST, (64 << 10) + 1));
        // Where a limit is for each rank, what does not divide does not count.
        long limit = selector.rules(CollectiveOperation.ALL_GATHER).get(0).bytesMax(4);
        assertEquals(AlgorithmName.DOUBLING, selector.algorithm(CollectiveOperation.ALL_GATHER, limit));
        assertEquals(AlgorithmName.RING, selector.algorithm(CollectiveOperation.ALL_GATHER, limit + 1));
        assertEquals(4 * (64 << 10) + 3, limit);
    }

    @Test
    void shouldWorkByHostsWhereSomeShareOne() {
        Selector selector = new Selector(4, Hosts.Spread.SHARED, TuningTable.builtIn());
        for (CollectiveOperation operation : CollectiveOperation.values()) {
            boolean has = Algorithms.has(operation, AlgorithmName.HIERARCHICAL);
            for (long bytes : new long[] {0, 1000, 10 << 20}) {
                assertEquals(has, selector.algorithm(operation, bytes) == AlgorithmName.HIERARCHICAL);
            }
        }
    }

    @Test
    void shouldLookAtTheNumberOfRanks() {
        CollectiveOperation allReduce = CollectiveOperation.ALL_REDUCE;
        assertEquals(AlgorithmName.DOUBLING, oneHost(2).algorithm(allReduce, 64 << 10));
        assertEquals(AlgorithmName.RING, oneHost(2).algorithm(allReduce, 128 << 10));
        assertEquals(AlgorithmName.RABENSEIFNER, oneHost(8).algorithm(allReduce, 1 << 20));
        assertEquals(AlgorithmName.RING, oneHost(7).algorithm(allReduce, 1 << 20));
        assertEquals(AlgorithmName.RING, oneHost(4).algorithm(allReduce, 16 << 20));
        CollectiveOperation broadcast = CollectiveOperation.BROADCAST;
        assertEquals(AlgorithmName.BINOMIAL, oneHost(8).algorithm(broadcast, 1 << 20));
        assertEquals(AlgorithmName.CHAIN, oneHost(8).algorithm(broadcast, 2 << 20));
        assertEquals(AlgorithmName.SCATTER_ALLGATHER, oneHost(64).algorithm(broadcast, 1 << 20));
        assertEquals(AlgorithmName.CHAIN, oneHost(64).algorithm(broadcast, 64 << 20));
        assertEquals(AlgorithmName.LINEAR, oneHost(8).algorithm(CollectiveOperation.SCATTER, 64));
        assertEquals(AlgorithmName.BINOMIAL, oneHost(64).algorithm(CollectiveOperation.SCATTER, 64));
    }

    /** A chain of P ranks waits for P latencies, which is long on a network. */
    @Test
    void shouldMakeAChainOnANetworkOnlyWhereTheMessageIsLongForItsRanks() {
        for (int size = 8; size <= 4096; size *= 2) {
            Selector selector = new Selector(size, Hosts.Spread.APART, TuningTable.builtIn());
            long whole = (256L << 10) * size;
            assertEquals(AlgorithmName.BINOMIAL, selector.algorithm(CollectiveOperation.BROADCAST, 64 << 10));
            assertEquals(AlgorithmName.SCATTER_ALLGATHER, selector.algorithm(CollectiveOperation.BROADCAST, whole));
            assertEquals(AlgorithmName.CHAIN, selector.algorithm(CollectiveOperation.BROADCAST, 2 * whole));
            assertEquals(AlgorithmName.BINOMIAL, selector.algorithm(CollectiveOperation.REDUCE, 64 << 10));
            assertEquals(AlgorithmName.RABENSEIFNER, selector.algorithm(CollectiveOperation.REDUCE, whole));
            assertEquals(AlgorithmName.CHAIN, selector.algorithm(CollectiveOperation.REDUCE, 2 * whole));
        }
        Selector uneven = new Selector(100, Hosts.Spread.APART, TuningTable.builtIn());
        assertEquals(AlgorithmName.RABENSEIFNER, uneven.algorithm(CollectiveOperation.REDUCE, 12 << 20));
        assertEquals(AlgorithmName.CHAIN, uneven.algorithm(CollectiveOperation.REDUCE, 16 << 20));
        assertEquals(AlgorithmName.CHAIN, oneHost(64).algorithm(CollectiveOperation.REDUCE, 1 << 20));
    }

    @Test
    void shouldLetTheRelayDoWhatItMay() {
        CollectiveOperation allReduce = CollectiveOperation.ALL_REDUCE;
        Selector off = relayed(RelayCollectives.OFF);
        Selector multicast = relayed(RelayCollectives.MULTICAST);
        Selector reduce = relayed(RelayCollectives.REDUCE);
        for (long bytes : new long[] {0, 8, 64 << 10, 1 << 20, 1L << 30}) {
            for (CollectiveOperation operation : CollectiveOperation.values()) {
                assertEquals(
                        RelayCollectives.OFF, off.algorithm(operation, bytes).needs());
                assertNotEquals(
                        RelayCollectives.REDUCE,
                        multicast.algorithm(operation, bytes).needs());
            }
            assertEquals(AlgorithmName.RELAY_MULTICAST, multicast.algorithm(CollectiveOperation.BROADCAST, bytes));
            assertEquals(AlgorithmName.RELAY_MULTICAST, reduce.algorithm(CollectiveOperation.BROADCAST, bytes));
            assertEquals(AlgorithmName.RELAY_REDUCE, reduce.algorithm(allReduce, bytes));
            assertEquals(
                    multicast.algorithm(allReduce, bytes),
                    reduce.rule(allReduce, bytes, false).algorithm(),
                    "a function of the user's is not known to the relay");
        }
        assertEquals(AlgorithmName.DOUBLING, multicast.algorithm(allReduce, 8));
        assertEquals(AlgorithmName.RELAY_MULTICAST, multicast.algorithm(allReduce, 1 << 20));
        Selector two = new Selector(2, Hosts.Spread.ONE, TuningTable.builtIn(), RelayCollectives.REDUCE);
        assertEquals(RelayCollectives.OFF, two.algorithm(allReduce, 1 << 20).needs());
    }

    private static Selector relayed(RelayCollectives relay) {
        return new Selector(8, Hosts.Spread.APART, TuningTable.builtIn(), relay);
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
            boolean one = operation.toString().endsWith("v") && operation != CollectiveOperation.ALL_GATHER_V;
            assertTrue(Algorithms.of(operation).size() >= (one ? 1 : 2), operation.toString());
        }
    }

    private static Selector oneHost(int size) {
        return new Selector(size, Hosts.Spread.ONE, TuningTable.builtIn());
    }
}
