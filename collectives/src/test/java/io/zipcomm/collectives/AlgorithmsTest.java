package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.zipcomm.buffer.DataType;
import io.zipcomm.collectives.CollectiveCase.Form;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Plan;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.PlanSimulator;
import io.zipcomm.collectives.plan.Shape;
import io.zipcomm.collectives.select.AlgorithmName;
import io.zipcomm.collectives.select.Algorithms;
import io.zipcomm.testkit.Seeds;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every algorithm's plans against a plain loop, without engine or transport. */
final class AlgorithmsTest {

    private static final int SIZE_MAX = 16;

    /** Small, so that short messages have many segments. */
    private static final int SEGMENT_BYTES = 64;

    private static final int SEGMENT_FLOATS = SEGMENT_BYTES / Float.BYTES;

    @RegisterExtension
    final Seeds seeds = new Seeds();

    @ParameterizedTest
    @EnumSource(CollectiveOperation.class)
    void shouldMatchPlainLoopForEverySizeRootAndLength(CollectiveOperation operation) {
        SplittableRandom random = new SplittableRandom(seeds.seed());
        ReduceOp op = CollectiveCase.isReduction(operation) ? ReduceOp.SUM : null;
        for (int size = 1; size <= SIZE_MAX; size++) {
            int roots = CollectiveCase.isRooted(operation) ? size : 1;
            for (int root = 0; root < roots; root++) {
                for (int count : lengths(size)) {
                    for (Form form : Form.values()) {
                        if (CollectiveCase.has(operation, form)) {
                            CollectiveCase one = new CollectiveCase(
                                    operation, size, root, DataType.FLOAT32, op, count, form, Vector.Kind.ARRAY);
                            runAll(one, random.nextLong());
                        }
                    }
                }
            }
        }
    }

    private static Set<Integer> lengths(int size) {
        TreeSet<Integer> lengths =
                new TreeSet<>(List.of(0, 1, 7, SEGMENT_FLOATS - 1, SEGMENT_FLOATS, SEGMENT_FLOATS + 1));
        lengths.add(size - 1);
        lengths.add(size + 1);
        lengths.add(11 * SEGMENT_FLOATS + 5);
        lengths.add(size * SEGMENT_FLOATS - 1);
        return lengths;
    }

    @ParameterizedTest
    @EnumSource(
            value = CollectiveOperation.class,
            names = {"REDUCE", "ALL_REDUCE", "REDUCE_SCATTER"})
    void shouldMatchPlainLoopForEveryTypeReductionAndMemory(CollectiveOperation operation) {
        SplittableRandom random = new SplittableRandom(seeds.seed());
        for (DataType type : DataType.values()) {
            for (ReduceOp op : CollectiveCase.reductions(type)) {
                for (Vector.Kind kind : Vector.Kind.values()) {
                    for (int size : new int[] {1, 2, 3, 5, 8}) {
                        int root = random.nextInt(size);
                        Form form = random.nextBoolean() && CollectiveCase.has(operation, Form.IN_PLACE)
                                ? Form.IN_PLACE
                                : Form.TWO_BUFFERS;
                        int rootOrNone = CollectiveCase.isRooted(operation) ? root : 0;
                        runAll(
                                new CollectiveCase(operation, size, rootOrNone, type, op, 41, form, kind),
                                random.nextLong());
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(CollectiveOperation.class)
    void shouldMoveEveryKindOfMemory(CollectiveOperation operation) {
        SplittableRandom random = new SplittableRandom(seeds.seed());
        ReduceOp op = CollectiveCase.isReduction(operation) ? ReduceOp.SUM : null;
        for (DataType type : DataType.values()) {
            for (Vector.Kind kind : Vector.Kind.values()) {
                for (Form form : Form.values()) {
                    if (CollectiveCase.has(operation, form)) {
                        runAll(new CollectiveCase(operation, 6, 0, type, op, 13, form, kind), random.nextLong());
                    }
                }
            }
        }
    }

    @Test
    void shouldGiveSameBitsWhateverTheTimingAndOnAllRanks() {
        for (AlgorithmName name : Algorithms.of(CollectiveOperation.ALL_REDUCE)) {
            for (int size = 2; size <= SIZE_MAX; size++) {
                for (Form form : List.of(Form.TWO_BUFFERS, Form.IN_PLACE)) {
                    CollectiveCase one = new CollectiveCase(
                            CollectiveOperation.ALL_REDUCE,
                            size,
                            0,
                            DataType.FLOAT32,
                            ReduceOp.SUM,
                            3 * size + 1,
                            form,
                            Vector.Kind.ARRAY);
                    byte[] first = null;
                    for (int run = 0; run < 4; run++) {
                        for (Vector target : noisyTargets(one, name, seeds.seed() + run)) {
                            first = first == null ? target.bytes() : first;
                            assertArrayEquals(first, target.bytes(), name + ", " + one + ", seed " + seeds.seed());
                        }
                    }
                }
            }
        }
    }

    /** Runs a case on numbers whose sum depends on the order of additions. */
    private static List<Vector> noisyTargets(CollectiveCase one, AlgorithmName name, long seed) {
        List<Vector> sources = new ArrayList<>();
        List<Vector> targets = new ArrayList<>();
        SplittableRandom content = new SplittableRandom(one.size());
        for (int rank = 0; rank < one.size(); rank++) {
            Vector source = one.source(rank);
            Vector target = one.target(rank);
            Vector input = source == null ? target : source;
            for (int i = 0; i < input.count(); i++) {
                float value = (float) ((content.nextDouble() - 0.5) * Math.pow(10, content.nextInt(8)));
                input.setBits(i, Float.floatToIntBits(value));
            }
            sources.add(source);
            targets.add(target);
        }
        simulate(one, Algorithms.of(one.operation(), name), seed, sources, targets);
        return targets;
    }

    @ParameterizedTest
    @EnumSource(CollectiveOperation.class)
    void shouldSendWhatTheAlgorithmPromises(CollectiveOperation operation) {
        ReduceOp op = CollectiveCase.isReduction(operation) ? ReduceOp.SUM : null;
        for (AlgorithmName name : Algorithms.of(operation)) {
            for (int size : new int[] {2, 4, 8, 16}) {
                int count = operation == CollectiveOperation.ALL_REDUCE || operation == CollectiveOperation.BROADCAST
                        ? 6 * size * SEGMENT_FLOATS
                        : 6 * SEGMENT_FLOATS;
                CollectiveCase one = new CollectiveCase(
                        operation, size, 0, DataType.FLOAT32, op, count, Form.TWO_BUFFERS, Vector.Kind.ARRAY);
                PlanSimulator simulator = simulate(one, Algorithms.of(operation, name), 1);
                for (int rank = 0; rank < size; rank++) {
                    long promised = promisedBytes(operation, name, size, rank, (long) count * Float.BYTES);
                    if (promised >= 0) {
                        assertEquals(promised, simulator.bytesSent(rank), operation + " by " + name + ", rank " + rank);
                    }
                }
            }
        }
    }

    /** The formulas of the algorithms' documentation, for powers of two; m is the message or one block; -1: none given. */
    private static long promisedBytes(CollectiveOperation operation, AlgorithmName name, int size, int rank, long m) {
        long allButOne = (size - 1) * m;
        int log = Integer.numberOfTrailingZeros(size);
        boolean isRoot = rank == 0;
        return switch (operation) {
            case BARRIER -> 0;
            case BROADCAST ->
                switch (name) {
                    case BINOMIAL -> (isRoot ? log : Integer.numberOfTrailingZeros(rank)) * m;
                    case CHAIN -> rank == size - 1 ? 0 : m;
                    default -> isRoot ? 2 * allButOne / size : -1;
                };
            case REDUCE -> isRoot ? 0 : m;
            case ALL_REDUCE -> name == AlgorithmName.DOUBLING ? log * m : 2 * allButOne / size;
            case SCATTER ->
                isRoot ? allButOne : name == AlgorithmName.LINEAR ? 0 : (Integer.lowestOneBit(rank) - 1) * m;
            case GATHER -> isRoot ? 0 : name == AlgorithmName.LINEAR ? m : Integer.lowestOneBit(rank) * m;
            case ALL_GATHER, REDUCE_SCATTER -> allButOne;
            case ALL_TO_ALL -> name == AlgorithmName.BRUCK ? log * size / 2 * m : allButOne;
            case SCATTER_V, GATHER_V, ALL_GATHER_V, ALL_TO_ALL_V -> -1;
        };
    }

    @Test
    void shouldNeedScratchOnlyAsDocumented() {
        long m = 1 << 20;
        for (int size = 2; size <= SIZE_MAX; size++) {
            for (int rank = 0; rank < size; rank++) {
                Shape shape = new Shape(
                        CollectiveOperation.ALL_REDUCE, rank, size, 0, DataType.FLOAT32, m, null, null, 0, 4096);
                assertEquals(0, plan(shape, AlgorithmName.RING).scratchBytes());
                assertEquals(0, plan(shape, AlgorithmName.RABENSEIFNER).scratchBytes());
                long doubling = plan(shape, AlgorithmName.DOUBLING).scratchBytes();
                assertEquals(doubling > 0 ? m : 0, doubling);
            }
        }
    }

    private static Plan plan(Shape shape, AlgorithmName name) {
        return PlanBuilder.build(Algorithms.of(shape.operation(), name), shape);
    }

    // ---- running

    private static void runAll(CollectiveCase one, long seed) {
        for (AlgorithmName name : Algorithms.of(one.operation())) {
            try {
                simulate(one, Algorithms.of(one.operation(), name), seed);
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError(one + " by " + name + ", seed " + seed + ": " + e.getMessage(), e);
            }
        }
    }

    private static PlanSimulator simulate(CollectiveCase one, Algorithm algorithm, long seed) {
        List<Vector> sources = new ArrayList<>();
        List<Vector> targets = new ArrayList<>();
        for (int rank = 0; rank < one.size(); rank++) {
            sources.add(one.source(rank));
            targets.add(one.target(rank));
        }
        PlanSimulator simulator = simulate(one, algorithm, seed, sources, targets);
        for (int rank = 0; rank < one.size(); rank++) {
            one.check(rank, sources.get(rank), targets.get(rank));
        }
        return simulator;
    }

    private static PlanSimulator simulate(
            CollectiveCase one, Algorithm algorithm, long seed, List<Vector> sources, List<Vector> targets) {
        PlanSimulator simulator = new PlanSimulator(one.op(), seed);
        for (int rank = 0; rank < one.size(); rank++) {
            Call call = one.call(rank, sources.get(rank), targets.get(rank));
            Shape shape = call.shape(rank, one.size(), SEGMENT_BYTES);
            simulator.add(PlanBuilder.build(algorithm, shape), shape, call.source, call.target);
        }
        simulator.run();
        return simulator;
    }
}
