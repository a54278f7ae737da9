package io.zipcomm.bench.simulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.report.CostModel;
import io.zipcomm.collectives.CollectiveOperation;
import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.Shape;
import io.zipcomm.collectives.select.AlgorithmName;
import io.zipcomm.collectives.select.Algorithms;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The simulator against formulas and against itself; and by it, the plans of all algorithms. */
@Tag("once")
final class SimulationTest {

    private static final double ALPHA_US = 50;
    private static final double BETA_NS = 2;
    private static final NetworkModel PLAIN = NetworkModel.of(ALPHA_US, BETA_NS);

    /** Everything takes time, and messages of more than 100 bytes are long. */
    private static final NetworkModel FULL = PLAIN.withProcessor(0.5, 3).withEager(100);

    private static final double US_PER_SECOND = 1e6;
    private static final int STEPS_MAX = 10_000_000;

    // ---- plans

    @ParameterizedTest
    @EnumSource(CollectiveOperation.class)
    void shouldPlayThePlansOfAllRanksToTheirEnd(CollectiveOperation operation) {
        List<Integer> sizes =
                new ArrayList<>(IntStream.rangeClosed(1, 64).boxed().toList());
        sizes.addAll(List.of(100, 257));
        for (AlgorithmName name : Algorithms.of(operation)) {
            for (int size : sizes) {
                for (int root : rootsOf(operation, size)) {
                    // A root in the middle is combined with messages of several segments.
                    int bytes = root == size / 2 ? severalSegments(operation, size) : 4;
                    IntFunction<Shape> shapes = Shapes.of(operation, size, root, bytes, 64);
                    GroupPlans plans = GroupPlans.all(Algorithms.of(operation, name, Hosts.apart(size)), shapes, size);
                    Outcome outcome = new Simulation(plans, FULL).run(bytes);
                    assertTrue(size == 1 || outcome.seconds() > 0, operation + " by " + name + ", " + size + " ranks");
                }
            }
        }
    }

    private static int severalSegments(CollectiveOperation operation, int size) {
        return operation == CollectiveOperation.ALL_REDUCE || operation == CollectiveOperation.BROADCAST
                ? 100 * size
                : 132;
    }

    private static List<Integer> rootsOf(CollectiveOperation operation, int size) {
        return switch (operation) {
            case BROADCAST, REDUCE, SCATTER, GATHER, SCATTER_V, GATHER_V ->
                IntStream.of(0, size / 2, size - 1).distinct().boxed().toList();
            default ->
                size > 64
                        ? List.of(0)
                        : List.of(0, size / 2).stream().distinct().toList();
        };
    }

    private static final IntFunction<Shape> PAIR = Shapes.of(CollectiveOperation.BROADCAST, 2, 0, 8, 64);

    private static String failure(Algorithm algorithm) {
        GroupPlans plans = GroupPlans.all(algorithm, PAIR, 2);
        return assertThrows(IllegalStateException.class, () -> new Simulation(plans, PLAIN).run(8))
                .getMessage();
    }

    @Test
    void shouldNameASendThatNobodyReceives() {
        String failure = failure((shape, plan) -> {
            if (shape.rank() == 0) {
                plan.send(1, Extent.target(8));
            }
        });
        assertEquals("rank 0, step 0: message 0 of 8 bytes to rank 1: it receives only 0 from that rank", failure);
    }

    @Test
    void shouldNameAReceiveThatNobodySends() {
        String failure = failure((shape, plan) -> {
            if (shape.rank() == 1) {
                plan.receive(0, Extent.target(8));
                plan.send(0, Extent.target(8));
            } else {
                plan.receive(1, Extent.target(8));
            }
        });
        assertTrue(failure.startsWith("rank 0 is stuck after 0 of 1 steps; rank 0, step 0: message 0 "), failure);
        assertTrue(failure.endsWith("of 8 bytes from rank 1 waits"), failure);
    }

    @Test
    void shouldNameAMessageOfAnotherLength() {
        String failure = failure((shape, plan) -> {
            if (shape.rank() == 0) {
                plan.send(1, Extent.target(4));
            } else {
                plan.receive(0, Extent.target(8));
            }
        });
        assertEquals("rank 0, step 0: message 0 of 4 bytes to rank 1: it expects 8 bytes", failure);
    }

    // ---- formulas

    private static double us(BenchOperation operation, AlgorithmName name, int ranks, long bytes, NetworkModel model) {
        return new Scenario(operation, name, ranks, 0, bytes)
                        .run(model, STEPS_MAX)
                        .seconds()
                * US_PER_SECOND;
    }

    /** Ports are busy for all of alpha: no rank sends or receives two messages at a time. */
    private static final NetworkModel STRICT = PLAIN.withProcessor(0, ALPHA_US);

    private static void assertUs(double expected, BenchOperation operation, AlgorithmName name, int ranks, long bytes) {
        assertEquals(
                expected,
                us(operation, name, ranks, bytes, STRICT),
                expected * 1e-6,
                operation + " by " + name + ", " + ranks + " ranks");
    }

    @Test
    void shouldTakeTheTimeThatTheoryKnows() {
        for (int ranks : new int[] {2, 3, 4, 8, 16, 31, 32, 64, 100, 1024, 4096}) {
            long block = 4096;
            long all = ranks * block;
            double message = ALPHA_US + block * BETA_NS * 1e-3;
            int rounds = BenchOperation.BARRIER.latencySteps(ranks);
            assertUs(rounds * ALPHA_US, BenchOperation.BARRIER, AlgorithmName.DISSEMINATION, ranks, 0);
            assertUs(rounds * message, BenchOperation.BROADCAST, AlgorithmName.BINOMIAL, ranks, block);
            assertUs(rounds * message, BenchOperation.REDUCE, AlgorithmName.BINOMIAL, ranks, block);
            assertUs(2 * (ranks - 1) * message, BenchOperation.ALLREDUCE, AlgorithmName.RING, ranks, all);
            assertUs((ranks - 1) * message, BenchOperation.ALLGATHER, AlgorithmName.RING, ranks, all);
            assertUs((ranks - 1) * message, BenchOperation.REDUCESCATTER, AlgorithmName.RING, ranks, all);
            assertUs((ranks - 1) * message, BenchOperation.BROADCAST, AlgorithmName.CHAIN, ranks, block);
            assertUs((ranks - 1) * message, BenchOperation.GATHER, AlgorithmName.LINEAR, ranks, all);
            if (Integer.bitCount(ranks) == 1) {
                double halves = (ranks - 1) * block * BETA_NS * 1e-3;
                assertUs(rounds * message, BenchOperation.ALLREDUCE, AlgorithmName.DOUBLING, ranks, block);
                assertUs(rounds * ALPHA_US + halves, BenchOperation.ALLGATHER, AlgorithmName.DOUBLING, ranks, all);
            }
        }
    }

    @Test
    void shouldPipelineSegments() {
        long bytes = 1 << 20;
        int segments = 8;
        double segmentUs = (double) bytes / segments * BETA_NS * 1e-3;
        double expected = 4 * (ALPHA_US + segmentUs) + (segments - 1) * segmentUs;
        assertEquals(expected, us(BenchOperation.BROADCAST, AlgorithmName.CHAIN, 5, bytes, PLAIN), 1e-6);
    }

    @Test
    void shouldNeverBeatTheBoundWhenPortsAreBusyForAllOfAlpha() {
        CostModel cost = new CostModel(ALPHA_US, BETA_NS * 1e-3);
        for (BenchOperation operation : BenchOperation.values()) {
            if (!operation.isCollective()) {
                continue;
            }
            for (AlgorithmName name : Algorithms.of(operation.collective())) {
                for (int ranks : new int[] {2, 5, 16, 33}) {
                    for (long bytes : new long[] {8, 1 << 20}) {
                        Outcome outcome = new Scenario(operation, name, ranks, 0, bytes).run(STRICT, STEPS_MAX);
                        double efficiency =
                                cost.efficiency(operation, ranks, outcome.bytes(), outcome.seconds() * US_PER_SECOND);
                        assertTrue(
                                efficiency < 1 + 1e-6,
                                operation + " by " + name + ", " + ranks + " ranks, " + bytes + ": " + efficiency);
                    }
                }
            }
        }
    }

    // ---- parts of the model

    @Test
    void shouldWaitForTheWordThatALongMessageMayCome() {
        double oneWay = us(BenchOperation.BROADCAST, AlgorithmName.BINOMIAL, 2, 1000, PLAIN);
        assertEquals(ALPHA_US + 2, oneWay, 1e-6);
        double cleared = us(BenchOperation.BROADCAST, AlgorithmName.BINOMIAL, 2, 1000, PLAIN.withEager(999));
        assertEquals(2 * ALPHA_US + 2, cleared, 1e-6);
    }

    @Test
    void shouldCountWhatArrivesBeforeItsReceive() {
        // The receive waits for a copy that takes longer than the message, which is then taken out of where it waited.
        Algorithm late = (shape, plan) -> {
            if (shape.rank() == 0) {
                plan.send(1, Extent.target(8));
            } else {
                plan.copy(Extent.source(8), Extent.target(8));
                plan.receive(0, Extent.target(8));
            }
        };
        double copyUs = 8 * 100;
        Outcome outcome = new Simulation(GroupPlans.all(late, PAIR, 2), PLAIN.withProcessor(100_000, 0)).run(8);
        assertEquals(2 * copyUs, outcome.seconds() * US_PER_SECOND, 1e-6);
        assertEquals(8, outcome.unexpectedBytesMax());
        assertEquals(8, outcome.memoryBytesMax());
        // The root of a linear gather asks for a few blocks at a time: long ones wait for it at their ranks.
        Outcome paced = new Scenario(BenchOperation.GATHER, AlgorithmName.LINEAR, 64, 0, 64 * 16)
                .run(NetworkModel.of(ALPHA_US, 0).withEager(0), STEPS_MAX);
        assertEquals(0, paced.unexpectedBytesMax());
        assertTrue(paced.seconds() > 7 * 2 * ALPHA_US / US_PER_SECOND, paced.toString());
    }

    @Test
    void shouldCountScratchMemoryOfTheRankThatNeedsMost() {
        // Inner ranks of the tree keep the sum of their subtree; the root has the target, leaves need nothing.
        Outcome reduce = new Scenario(BenchOperation.REDUCE, AlgorithmName.BINOMIAL, 8, 0, 1000).run(PLAIN, STEPS_MAX);
        assertEquals(1024, reduce.scratchBytesMax()); // in units of 64
        assertTrue(reduce.memoryBytesMax() >= reduce.scratchBytesMax(), reduce.toString());
    }

    @Test
    void shouldKeepTheProcessorBusyWithSums() {
        NetworkModel slow = PLAIN.withProcessor(5, 0);
        double expected = 3 * (ALPHA_US + 4 * BETA_NS * 1e-3 + 4 * 5 * 1e-3);
        assertEquals(expected, us(BenchOperation.ALLREDUCE, AlgorithmName.DOUBLING, 8, 4, slow), 1e-6);
    }

    @Test
    void shouldShareTheRelay() {
        NetworkModel relayed = PLAIN.withRelay(new NetworkModel.Relay(1, 7));
        assertEquals(3 * (ALPHA_US + 7), us(BenchOperation.BARRIER, AlgorithmName.DISSEMINATION, 8, 0, relayed), 1e-6);
        long bytes = 1 << 20;
        Scenario ring = new Scenario(BenchOperation.ALLREDUCE, AlgorithmName.RING, 16, 0, bytes);
        double leastUs = 2 * 15 * (double) bytes * 1e-3;
        double oneForAll = ring.run(relayed, STEPS_MAX).seconds() * US_PER_SECOND;
        double each = each(ring, relayed).seconds() * US_PER_SECOND;
        assertTrue(each >= leastUs, each + " us");
        assertEquals(each, oneForAll, 0.02 * each);
    }

    @Test
    void shouldLetRanksOfAHostShareItsPorts() {
        NetworkModel.Hosts pairs = new NetworkModel.Hosts(2, 5, 0.1);
        // Rank 0 to rank 1 inside a host.
        assertEquals(
                5 + 0.1, us(BenchOperation.BROADCAST, AlgorithmName.BINOMIAL, 2, 1000, PLAIN.withHosts(pairs)), 1e-6);
        // Distance 2: both ranks of a host send through one port, to both of the other.
        Algorithm across = (shape, plan) -> {
            int peer = (shape.rank() + 2) % 4;
            plan.send(peer, Extent.source(1000));
            plan.receive(peer, Extent.target(1000));
        };
        GroupPlans plans = GroupPlans.all(across, Shapes.of(CollectiveOperation.ALL_GATHER, 4, 0, 1000, 64), 4);
        assertEquals(ALPHA_US + 2, new Simulation(plans, PLAIN).run(0).seconds() * US_PER_SECOND, 1e-6);
        NetworkModel shared = PLAIN.withHosts(pairs);
        assertEquals(ALPHA_US + 4, new Simulation(plans, shared).run(0).seconds() * US_PER_SECOND, 1e-6);
    }

    // ---- fewer plans than ranks

    private static Outcome each(Scenario scenario, NetworkModel model) {
        Scenario whole = scenario.rounded();
        GroupPlans plans = GroupPlans.all(whole.newAlgorithm(null), whole::shape, whole.ranks());
        return new Simulation(plans, model).run(whole.bytes());
    }

    @Test
    void shouldGiveTheSameWithOneRankForAllAndWithAPlanForAClass() {
        int oneForAll = 0;
        int classes = 0;
        for (BenchOperation operation : BenchOperation.values()) {
            if (!operation.isCollective()) {
                continue;
            }
            for (AlgorithmName name : Algorithms.of(operation.collective())) {
                for (int ranks = 2; ranks <= 33; ranks++) {
                    for (long bytes : new long[] {8, 4L * ranks, 3000L * 4 * ranks, 1 << 20}) {
                        Scenario scenario = new Scenario(operation, name, ranks, 0, bytes).rounded();
                        Outcome expected = each(scenario, FULL);
                        GroupPlans few = plans(scenario, true);
                        GroupPlans byClass = plans(scenario, false);
                        if (few != null && few.isOneForAll) {
                            oneForAll++;
                            assertSame(expected, new Simulation(few, FULL).run(scenario.bytes()), scenario);
                        }
                        if (byClass != null) {
                            classes++;
                            assertSame(expected, new Simulation(byClass, FULL).run(scenario.bytes()), scenario);
                        }
                    }
                }
            }
        }
        assertTrue(oneForAll > 200, oneForAll + " by one rank for all");
        assertTrue(classes > 200, classes + " by classes");
    }

    /** Without building what need not be built. */
    private static GroupPlans plans(Scenario scenario, boolean mayStandForAll) {
        return GroupPlans.few(
                scenario.newAlgorithm(null), scenario::shape, scenario.ranks(), mayStandForAll, 0, STEPS_MAX);
    }

    private static void assertSame(Outcome expected, Outcome actual, Scenario scenario) {
        Outcome asEach = new Outcome(
                actual.bytes(),
                actual.seconds(),
                actual.sentBytesMax(),
                actual.messages(),
                actual.scratchBytesMax(),
                actual.unexpectedBytesMax(),
                actual.memoryBytesMax(),
                actual.planBytesMax(),
                expected.isOneForAll());
        assertEquals(expected, asEach, scenario::toString);
    }

    @Test
    void shouldNotLetOneRankStandForRanksThatDiffer() {
        GroupPlans tree = plans(new Scenario(BenchOperation.BROADCAST, AlgorithmName.BINOMIAL, 16, 0, 8), true);
        assertFalse(tree.isOneForAll);
        // Eight bytes are two numbers: most of the chunks that go round are empty.
        GroupPlans uneven = plans(new Scenario(BenchOperation.ALLREDUCE, AlgorithmName.RING, 16, 0, 8), true);
        assertTrue(uneven == null || !uneven.isOneForAll);
    }
}
