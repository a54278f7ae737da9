package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.zipcomm.ZipFuture;
import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.testkit.Conditions;
import io.zipcomm.testkit.Seeds;
import io.zipcomm.testkit.SimulatedGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The public interface on simulated groups: engine, plans and kernels together. */
@Tag("once")
final class CollectivesTest {

    @RegisterExtension
    final Seeds seeds = new Seeds();

    /** Small ones, powers of two among them. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 8})
    void shouldMatchPlainLoopForEveryRootAndLength(int size) {
        matchPlainLoop(size);
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 6, 7, 9, 13, 16})
    @Tag("long")
    void shouldMatchPlainLoopForEveryRootAndLengthInOtherGroups(int size) {
        matchPlainLoop(size);
    }

    private void matchPlainLoop(int size) {
        List<CollectiveCase> cases = CollectiveMatrix.cases(size, Hosts.Spread.APART, seeds.seed());
        try (SimulatedGroup group = SimulatedGroup.of(size, seeds.seed(), Conditions.usual())) {
            run(group, cases);
        }
    }

    @Test
    void shouldMatchPlainLoopInAnyConditions() {
        seeds.each(60, seed -> {
            SplittableRandom random = new SplittableRandom(seed);
            int size = 1 + random.nextInt(9);
            List<CollectiveCase> cases = new ArrayList<>();
            for (CollectiveOperation operation : CollectiveOperation.values()) {
                int root = CollectiveCase.isRooted(operation) ? random.nextInt(size) : 0;
                cases.add(CollectiveMatrix.anyCase(operation, size, root, random.nextInt(300), random));
            }
            try (SimulatedGroup group = SimulatedGroup.of(size, seed)) {
                run(group, cases);
            }
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 7})
    void shouldMatchPlainLoopByEveryAlgorithm(int size) {
        SplittableRandom random = new SplittableRandom(seeds.seed());
        try (SimulatedGroup group = SimulatedGroup.of(size, seeds.seed(), Conditions.usual())) {
            for (CollectiveOperation operation : CollectiveOperation.values()) {
                int root = CollectiveCase.isRooted(operation) ? random.nextInt(size) : 0;
                for (String algorithm : Collectives.algorithms(operation)) {
                    for (int count : new int[] {0, 1, 1000, 70_001}) {
                        CollectiveCase one = CollectiveMatrix.floats(operation, size, root, count, random);
                        group.run(world ->
                                CollectiveMatrix.run(Collectives.of(world).withAlgorithm(algorithm), one));
                    }
                }
            }
            assertEquals(List.of(), group.leaks());
        }
    }

    @Test
    void shouldRunAsynchronousOperationsAtTheSameTime() {
        seeds.each(40, seed -> {
            SplittableRandom random = new SplittableRandom(seed);
            int size = 2 + random.nextInt(5);
            try (SimulatedGroup group = SimulatedGroup.of(size, seed)) {
                group.run(world -> {
                    // The same on all ranks: chance depends on the seed only.
                    SplittableRandom same = new SplittableRandom(seed);
                    Collectives first = Collectives.of(world);
                    Collectives second = Collectives.of(world.duplicate());
                    List<CollectiveCase> cases = new ArrayList<>();
                    List<Vector> sources = new ArrayList<>();
                    List<Vector> targets = new ArrayList<>();
                    List<ZipFuture<Void>> futures = new ArrayList<>();
                    for (int i = 0; i < 12; i++) {
                        CollectiveOperation operation = CollectiveMatrix.any(CollectiveOperation.values(), same);
                        int root = CollectiveCase.isRooted(operation) ? same.nextInt(size) : 0;
                        CollectiveCase one = CollectiveMatrix.anyCase(operation, size, root, same.nextInt(3000), same);
                        cases.add(one);
                        sources.add(one.source(world.rank()));
                        targets.add(one.target(world.rank()));
                        Collectives collectives = same.nextBoolean() ? first : second;
                        futures.add(one.start(collectives, sources.get(i), targets.get(i)));
                    }
                    for (int i = cases.size() - 1; i >= 0; i--) {
                        futures.get(i).await();
                        cases.get(i).check(world.rank(), sources.get(i), targets.get(i));
                    }
                    second.communicator().close();
                });
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldRunTheSameCallManyTimes() {
        int size = 4;
        SplittableRandom random = new SplittableRandom(seeds.seed());
        CollectiveCase one = CollectiveMatrix.floats(CollectiveOperation.ALL_REDUCE, size, 0, 100_000, random);
        try (SimulatedGroup group = SimulatedGroup.of(size, seeds.seed(), Conditions.usual())) {
            group.run(world -> {
                Collectives collectives = Collectives.of(world);
                for (int i = 0; i < 10; i++) {
                    Vector source = one.source(world.rank());
                    Vector target = one.target(world.rank());
                    if (i % 3 == 0) {
                        one.call(collectives, source, target);
                    } else {
                        CollectiveMatrix.run(collectives, one);
                        continue;
                    }
                    one.check(world.rank(), source, target);
                }
            });
            assertEquals(List.of(), group.leaks());
        }
    }

    @Test
    void shouldWorkOnCommunicatorsOfPartOfTheGroup() {
        SplittableRandom random = new SplittableRandom(seeds.seed());
        int size = 7;
        List<CollectiveCase> cases = new ArrayList<>();
        for (CollectiveOperation operation : CollectiveOperation.values()) {
            int root = CollectiveCase.isRooted(operation) ? random.nextInt(3) : 0;
            cases.add(CollectiveMatrix.anyCase(operation, 3, root, 50, random));
        }
        try (SimulatedGroup group = SimulatedGroup.of(size, seeds.seed())) {
            group.run(world -> {
                // Ranks 6, 4, 2 in this order; the others do something else in the meantime.
                boolean isIn = world.rank() > 0 && world.rank() % 2 == 0;
                var part = world.split(isIn ? 1 : 0, -world.rank());
                Collectives collectives = Collectives.of(part);
                if (isIn) {
                    for (CollectiveCase one : cases) {
                        CollectiveMatrix.run(collectives, one);
                    }
                } else {
                    collectives.barrier();
                }
                part.close();
            });
            assertEquals(List.of(), group.leaks());
        }
    }

    @Test
    void shouldOfferWholeArraysAndBuffers() {
        try (SimulatedGroup group = SimulatedGroup.of(3, seeds.seed())) {
            group.run(world -> {
                Collectives collectives = Collectives.of(world);
                TypedCalls.run(collectives, world.rank());
            });
        }
    }

    @Test
    void shouldReduceDoublesOfWhichOneIsNotANumber() {
        try (SimulatedGroup group = SimulatedGroup.of(5, seeds.seed())) {
            group.run(world -> {
                double[] values = {world.rank() == 3 ? Double.NaN : world.rank(), world.rank() == 2 ? -0.0 : 0.0};
                Collectives.of(world).allReduce(values, ReduceOp.MIN);
                assertEquals(Double.NaN, values[0]);
                assertEquals(-0.0, values[1]);
            });
        }
    }

    private static void run(SimulatedGroup group, List<CollectiveCase> cases) {
        group.run(world -> {
            Collectives collectives = Collectives.of(world);
            for (CollectiveCase one : cases) {
                CollectiveMatrix.run(collectives, one);
            }
        });
        assertEquals(List.of(), group.leaks());
    }

    @Test
    void shouldNameTheAlgorithmsOfEachOperation() {
        assertEquals(
                List.of("doubling", "ring", "rabenseifner", "hierarchical", "exchange"),
                Collectives.algorithms(CollectiveOperation.ALL_REDUCE));
    }
}
