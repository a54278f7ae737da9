package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Communicator;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.testkit.Conditions;
import io.zipcomm.testkit.Seeds;
import io.zipcomm.testkit.SimulatedGroup;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Prepared operations on simulated groups: the same results in every run, and what happens when one goes wrong. */
@Tag("once")
final class PreparedTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @RegisterExtension
    final Seeds seeds = new Seeds();

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 8})
    void shouldMatchPlainLoopInEveryRun(int size) {
        SplittableRandom random = new SplittableRandom(seeds.seed());
        List<CollectiveCase> cases = new ArrayList<>();
        for (CollectiveOperation operation : CollectiveOperation.values()) {
            int root = CollectiveCase.isRooted(operation) ? random.nextInt(size) : 0;
            for (int count : new int[] {0, 1 + random.nextInt(50), 20_000 + random.nextInt(20_000)}) {
                cases.add(CollectiveMatrix.anyCase(operation, size, root, count, random));
            }
        }
        try (SimulatedGroup group = SimulatedGroup.of(size, seeds.seed(), Conditions.usual())) {
            group.run(world -> {
                Collectives collectives = Collectives.of(world);
                for (CollectiveCase one : cases) {
                    runSome(collectives, one);
                }
            });
            assertEquals(List.of(), group.leaks());
        }
    }

    private static void runSome(Collectives collectives, CollectiveCase one) {
        int rank = collectives.communicator().rank();
        Vector source = one.source(rank);
        Vector target = one.target(rank);
        try (Prepared prepared = one.prepare(collectives, source, target)) {
            for (int run = 0; run < 4; run++) {
                if (run % 2 == 0) {
                    prepared.run();
                } else {
                    prepared.start();
                    prepared.await();
                }
                assertTrue(prepared.isDone());
                one.check(rank, source, target);
                refill(target, one.target(rank));
            }
        }
    }

    private static void refill(Vector vector, Vector from) {
        long[] bits = from == null ? new long[0] : from.bits();
        for (int i = 0; i < bits.length; i++) {
            vector.setBits(i, bits[i]);
        }
    }

    @Test
    void shouldSeeWhatTheMemoryHoldsWhenARunStarts() {
        try (SimulatedGroup group = SimulatedGroup.of(3, seeds.seed())) {
            group.run(world -> {
                double[] values = new double[10];
                try (Prepared sum = Collectives.of(world).prepare().allReduce(values, ReduceOp.SUM)) {
                    for (int run = 0; run < 5; run++) {
                        Arrays.fill(values, world.rank() + run);
                        sum.run();
                        assertEquals(3 + 3 * run, values[9]);
                    }
                }
            });
        }
    }

    @Test
    void shouldRunSeveralAtTheSameTime() {
        seeds.each(30, seed -> {
            int size = 2 + Math.floorMod(seed, 4);
            SplittableRandom random = new SplittableRandom(seed);
            List<CollectiveCase> cases = new ArrayList<>();
            for (CollectiveOperation operation : CollectiveOperation.values()) {
                int root = CollectiveCase.isRooted(operation) ? random.nextInt(size) : 0;
                cases.add(CollectiveMatrix.anyCase(operation, size, root, random.nextInt(3000), random));
            }
            try (SimulatedGroup group = SimulatedGroup.of(size, seed)) {
                group.run(world -> runTogether(Collectives.of(world), cases, new SplittableRandom(seed)));
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    private static void runTogether(Collectives collectives, List<CollectiveCase> cases, SplittableRandom same) {
        int rank = collectives.communicator().rank();
        List<Vector> sources = new ArrayList<>();
        List<Vector> targets = new ArrayList<>();
        List<Prepared> prepared = new ArrayList<>();
        for (CollectiveCase one : cases) {
            sources.add(one.source(rank));
            targets.add(one.target(rank));
            prepared.add(one.prepare(collectives, sources.get(sources.size() - 1), targets.get(targets.size() - 1)));
        }
        for (int round = 0; round < 3; round++) {
            // In another order than they were prepared in, and an ordinary call among them.
            int first = same.nextInt(cases.size());
            for (int i = 0; i < cases.size(); i++) {
                prepared.get((first + i) % cases.size()).start();
            }
            collectives.barrier();
            for (int i = 0; i < cases.size(); i++) {
                prepared.get(i).await();
                cases.get(i).check(rank, sources.get(i), targets.get(i));
                refill(targets.get(i), cases.get(i).target(rank));
            }
        }
        prepared.forEach(Prepared::close);
    }

    @Test
    void shouldMeetOrdinaryCallsOfOtherRanks() {
        try (SimulatedGroup group = SimulatedGroup.of(4, seeds.seed())) {
            group.run(world -> {
                Collectives collectives = Collectives.of(world);
                float[] values = new float[40_000];
                for (int run = 0; run < 3; run++) {
                    Arrays.fill(values, 1);
                    if (world.rank() == 1) {
                        collectives.allReduce(values, ReduceOp.SUM);
                    } else {
                        try (Prepared sum = collectives.prepare().allReduce(values, ReduceOp.SUM)) {
                            sum.run();
                        }
                    }
                    assertEquals(4, values[39_999]);
                }
            });
        }
    }

    @Test
    void shouldPlanOnceForAllThatAreAlike() {
        try (SimulatedGroup group = SimulatedGroup.of(2, seeds.seed())) {
            group.run(world -> {
                Collectives collectives = Collectives.of(world);
                float[] one = {1};
                float[] other = {2};
                try (Prepared first = collectives.prepare().allReduce(one, ReduceOp.SUM);
                        Prepared second = collectives.prepare().allReduce(other, ReduceOp.SUM)) {
                    first.start();
                    second.start();
                    collectives.allReduce(new float[1], ReduceOp.SUM);
                    second.await();
                    first.await();
                }
                assertEquals(2, one[0]);
                assertEquals(4, other[0]);
            });
        }
    }

    // ---- misuse

    @Test
    void shouldRefuseASecondStartAndGoOn() {
        try (SimulatedGroup group = SimulatedGroup.of(2, seeds.seed())) {
            group.run(world -> {
                int[] values = {1};
                try (Prepared sum = Collectives.of(world).prepare().allReduce(Payload.of(values), ReduceOp.SUM)) {
                    sum.start();
                    for (Executable again : List.<Executable>of(sum::start, sum::run)) {
                        ZipException refusal = assertThrows(ZipException.class, again);
                        assertEquals(ErrorCode.BAD_ARGUMENT, refusal.code());
                        assertTrue(refusal.getMessage().contains("all-reduce"), refusal.getMessage());
                        assertTrue(refusal.getMessage().contains("awaited first"), refusal.getMessage());
                    }
                    sum.await();
                    sum.await();
                    assertEquals(2, values[0]);
                    sum.run();
                    assertEquals(4, values[0]);
                }
            });
        }
    }

    @Test
    void shouldWaitForARunThatIsUnderWayWhenItIsClosed() {
        seeds.each(20, seed -> {
            try (SimulatedGroup group = SimulatedGroup.of(3, seed)) {
                group.run(world -> {
                    float[] values = new float[50_000];
                    Arrays.fill(values, 1);
                    Prepared sum = Collectives.of(world).prepare().allReduce(values, ReduceOp.SUM);
                    sum.start();
                    sum.close();
                    sum.close();
                    assertTrue(sum.isDone());
                    assertEquals(3, values[49_999]);
                    ZipException refusal = assertThrows(ZipException.class, sum::run);
                    assertEquals(ErrorCode.CLOSED, refusal.code());
                    // The communicator goes on.
                    Collectives.of(world).barrier();
                });
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldTellOthersOfAWrongArgument() {
        try (SimulatedGroup group = SimulatedGroup.of(2, seeds.seed())) {
            Throwable[] outcomes = group.outcomes(
                    world -> {
                        Preparation prepare = Collectives.of(world).prepare();
                        prepare.allReduce(new float[4], world.rank() == 1 ? ReduceOp.BAND : ReduceOp.SUM)
                                .run();
                    },
                    PATIENCE);
            assertEquals(ErrorCode.BAD_ARGUMENT, code(outcomes[1]));
            assertEquals(ErrorCode.PEER_FAILED, code(outcomes[0]));
        }
    }

    private static ErrorCode code(Throwable outcome) {
        return assertInstanceOf(ZipException.class, outcome).code();
    }

    // ---- failures

    @Test
    void shouldNoticeRanksThatDisagreeInALaterRun() {
        seeds.each(20, seed -> {
            try (SimulatedGroup group = SimulatedGroup.of(2, seed)) {
                Throwable[] outcomes = group.outcomes(
                        world -> {
                            Preparation prepare = Collectives.of(world).prepare();
                            try (Prepared sum = prepare.allReduce(new float[100], ReduceOp.SUM);
                                    Prepared max = prepare.allReduce(new float[100], ReduceOp.MAX)) {
                                sum.run();
                                max.run();
                                (world.rank() == 0 ? sum : max).run();
                            }
                        },
                        PATIENCE);
                for (Throwable outcome : outcomes) {
                    assertEquals(ErrorCode.OPERATION_MISMATCH, code(outcome), String.valueOf(outcome));
                }
            }
        });
    }

    @Test
    void shouldCountTheTimeOfEachRunFromItsStart() {
        try (SimulatedGroup group = SimulatedGroup.of(2, seeds.seed())) {
            Throwable[] outcomes = group.outcomes(
                    world -> {
                        Collectives collectives = Collectives.of(world).withTimeout(Duration.ofSeconds(2));
                        Prepared sum = collectives.prepare().allReduce(new float[100], ReduceOp.SUM);
                        for (int run = 0; run < 3; run++) {
                            sum.run();
                            pass(world, Duration.ofMillis(1500));
                        }
                        if (world.rank() == 0) {
                            sum.start();
                            ZipException early =
                                    assertThrows(ZipException.class, () -> sum.await(Duration.ofMillis(100)));
                            assertTrue(early.getMessage().contains("goes on"), early.getMessage());
                            assertFalse(sum.isDone());
                            sum.await();
                        } else {
                            pass(world, Duration.ofSeconds(4));
                        }
                    },
                    PATIENCE);
            ZipException failure = assertInstanceOf(ZipException.class, outcomes[0]);
            assertEquals(ErrorCode.DEADLINE, failure.code());
            assertTrue(failure.getMessage().contains("2000 ms"), failure.getMessage());
            assertTrue(failure.getMessage().contains("all-reduce #4"), failure.getMessage());
        }
    }

    /** Lets time pass: receives what nobody sends. */
    private static void pass(Communicator world, Duration time) {
        int other = (world.rank() + 1) % world.size();
        assertThrows(ZipException.class, () -> world.withTimeout(time).receive(other, 1, Payload.of(new int[1])));
    }

    @Test
    void shouldRefuseRunsAfterAFailureAndStillClose() {
        try (SimulatedGroup group = SimulatedGroup.of(3, seeds.seed())) {
            Throwable[] outcomes = group.outcomes(
                    world -> {
                        Preparation prepare = Collectives.of(world)
                                .withTimeout(Duration.ofSeconds(3))
                                .prepare();
                        Prepared barrier = prepare.barrier();
                        try (Prepared sum = prepare.allReduce(new float[world.rank() == 2 ? 5 : 6], ReduceOp.SUM)) {
                            barrier.run();
                            // Who is through fails no rank that is still on its way through the barrier.
                            pass(world, Duration.ofMillis(500));
                            assertThrows(ZipException.class, sum::run);
                        }
                        try (barrier) {
                            barrier.start();
                        }
                    },
                    PATIENCE);
            for (Throwable outcome : outcomes) {
                assertEquals(ErrorCode.COMMUNICATOR_FAILED, code(outcome), String.valueOf(outcome));
            }
        }
    }

    @Test
    void shouldThrowOnCloseWhatNobodyAwaited() {
        try (SimulatedGroup group = SimulatedGroup.of(2, seeds.seed())) {
            Throwable[] outcomes = group.outcomes(
                    world -> {
                        Collectives collectives = Collectives.of(world).withTimeout(Duration.ofSeconds(3));
                        try (Prepared sum =
                                collectives.prepare().allReduce(new float[1 + world.rank()], ReduceOp.SUM)) {
                            sum.start();
                        }
                    },
                    PATIENCE);
            for (Throwable outcome : outcomes) {
                assertTrue(
                        Set.of(ErrorCode.OPERATION_MISMATCH, ErrorCode.LENGTH_MISMATCH)
                                .contains(code(outcome)),
                        String.valueOf(outcome));
            }
        }
    }

    @Test
    void shouldEndWithItsCommunicator() {
        seeds.each(20, seed -> {
            try (SimulatedGroup group = SimulatedGroup.of(2, seed)) {
                group.run(world -> {
                    Communicator part = world.duplicate();
                    float[] values = new float[60_000];
                    Arrays.fill(values, 1);
                    Prepared sum = Collectives.of(part).prepare().allReduce(values, ReduceOp.SUM);
                    sum.run();
                    sum.start();
                    // Waits for what was started.
                    part.close();
                    assertTrue(sum.isDone());
                    sum.await();
                    assertEquals(4, values[59_999]);
                    ZipException refusal = assertThrows(ZipException.class, sum::run);
                    assertEquals(ErrorCode.CLOSED, refusal.code());
                    sum.close();
                });
                assertEquals(List.of(), group.leaks());
            }
        });
    }
}
