package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.zipcomm.buffer.DataType;
import io.zipcomm.collectives.CollectiveCase.Form;
import io.zipcomm.collectives.pattern.Hosts;
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
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every algorithm's plans against a plain loop, without engine or transport. */
@Tag("once")
final class AlgorithmsTest {

    private static final int SIZE_MAX = 16;

    /** Small, so that short messages have many segments. */
    private static final int SEGMENT_BYTES = 64;

    private static final int SEGMENT_FLOATS = SEGMENT_BYTES / Float.BYTES;

    @RegisterExtension
    final Seeds seeds = new Seeds();

    @ParameterizedTest
    @EnumSource(CollectiveOperation.class)
    void shouldMatchPlainLoopForEveryRootAndLength(CollectiveOperation operation) {
        matchPlainLoop(operation, 1, 2, 3, 4, 5, 7, 8, SIZE_MAX);
    }

    @ParameterizedTest
    @EnumSource(CollectiveOperation.class)
    @Tag("long")
    void shouldMatchPlainLoopForEveryRootAndLengthInOtherGroups(CollectiveOperation operation) {
        matchPlainLoop(operation, 6, 9, 10, 11, 12, 13, 14, 15);
    }

    private void matchPlainLoop(CollectiveOperation operation, int... sizes) {
        SplittableRandom random = new SplittableRandom(seeds.seed());
        ReduceOp op = CollectiveCase.isReduction(operation) ? ReduceOp.SUM : null;
        for (int size : sizes) {
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
        matchPlainLoopForEveryTypeReductionAndMemory(operation, 2, 5);
    }

    @ParameterizedTest
    @EnumSource(
            value = CollectiveOperation.class,
            names = {"REDUCE", "ALL_REDUCE", "REDUCE_SCATTER"})
    @Tag("long")
    void shouldMatchPlainLoopForEveryTypeReductionAndMemoryInOtherGroups(CollectiveOperation operation) {
        matchPlainLoopForEveryTypeReductionAndMemory(operation, 1, 3, 8);
    }

    private void matchPlainLoopForEveryTypeReductionAndMemory(CollectiveOperation operation, int... sizes) {
        SplittableRandom random = new SplittableRandom(seeds.seed());
        for (DataType type : DataType.values()) {
            for (ReduceOp op : CollectiveCase.reductions(type)) {
                for (Vector.Kind kind : Vector.Kind.values()) {
                    for (int size : sizes) {
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
        simulate(one, algorithm(one, name, one.size()), seed, sources, targets);
        return targets;
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
        return PlanBuilder.build(Algorithms.of(shape.operation(), name, Hosts.one(shape.size())), shape);
    }

    // ---- running

    private static void runAll(CollectiveCase one, long seed) {
        for (AlgorithmName name : Algorithms.of(one.operation())) {
            try {
                simulate(one, algorithm(one, name, seed), seed);
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError(one + " by " + name + ", seed " + seed + ": " + e.getMessage(), e);
            }
        }
    }

    /** With ranks on hosts as a seed will have it: on one, each on its own, or anything between. */
    private static Algorithm algorithm(CollectiveCase one, AlgorithmName name, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int hosts = 1 + random.nextInt(one.size());
        List<String> ids = new ArrayList<>();
        for (int rank = 0; rank < one.size(); rank++) {
            ids.add("host " + random.nextInt(hosts));
        }
        return Algorithms.of(one.operation(), name, Hosts.of(ids));
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
