package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Communicator;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.Setting;
import io.zipcomm.testkit.Seeds;
import io.zipcomm.testkit.SimulatedGroup;
import io.zipcomm.testkit.SimulatedNetwork;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Ranks that disagree, functions that throw, ranks that die or never come: an error with a name, never a hang. */
@Tag("once")
final class FailuresTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /** What no operation here could put into its memory. */
    private static final float MARK = -77;

    private static final Set<ErrorCode> DISAGREEMENT =
            EnumSet.of(ErrorCode.OPERATION_MISMATCH, ErrorCode.LENGTH_MISMATCH);

    @RegisterExtension
    final Seeds seeds = new Seeds();

    private interface Program {
        void run(Collectives collectives, int rank);
    }

    /** Runs on some group sizes and seeds: every rank must fail, with one of the codes. */
    private void everyRankFails(Set<ErrorCode> codes, Program program) {
        seeds.each(20, seed -> {
            int size = 2 + Math.floorMod(seed, 4);
            try (SimulatedGroup group = SimulatedGroup.of(size, seed)) {
                Throwable[] outcomes = group.outcomes(
                        world -> program.run(Collectives.of(world).withTimeout(Duration.ofSeconds(10)), world.rank()),
                        PATIENCE);
                for (int rank = 0; rank < size; rank++) {
                    ZipException failure =
                            assertInstanceOf(ZipException.class, outcomes[rank], "rank " + rank + " of " + size);
                    assertTrue(codes.contains(cause(failure)), failure.toString());
                }
            }
        });
    }

    /** What is found out between two calls fails the second, which says why. */
    private static ErrorCode cause(ZipException failure) {
        return failure.code() == ErrorCode.COMMUNICATOR_FAILED
                        && failure.getMessage().contains("an earlier collective failed: OPERATION_MISMATCH")
                ? ErrorCode.OPERATION_MISMATCH
                : failure.code();
    }

    @Test
    void shouldNoticeAnotherReduction() {
        everyRankFails(DISAGREEMENT, (c, rank) -> c.allReduce(new float[100], rank == 1 ? ReduceOp.MAX : ReduceOp.SUM));
    }

    @Test
    void shouldNoticeAnotherLength() {
        everyRankFails(DISAGREEMENT, (c, rank) -> c.allReduce(new float[rank == 1 ? 99 : 100], ReduceOp.SUM));
    }

    @Test
    void shouldNoticeAnotherLengthOfALongMessage() {
        everyRankFails(DISAGREEMENT, (c, rank) -> c.allReduce(new float[rank == 1 ? 300_000 : 90_000], ReduceOp.SUM));
    }

    @Test
    void shouldNoticeAnotherOperation() {
        everyRankFails(DISAGREEMENT, (c, rank) -> {
            if (rank == 1) {
                c.barrier();
            } else {
                c.allGather(new int[c.communicator().size()]);
            }
        });
    }

    @Test
    void shouldNoticeAnotherAlgorithm() {
        everyRankFails(
                DISAGREEMENT,
                (c, rank) -> (rank == 1 ? c.withAlgorithm("ring") : c).allReduce(new float[100], ReduceOp.SUM));
    }

    @Test
    void shouldNoticeOtherSegments() {
        everyRankFails(
                DISAGREEMENT,
                (c, rank) -> (rank == 1 ? c.withSegments(8192) : c)
                        .withAlgorithm("ring")
                        .allReduce(new float[300_000], ReduceOp.SUM));
    }

    @Test
    void shouldAskForTheTuningTableWhenAlgorithmsDiffer(@TempDir Path folder) throws IOException {
        Path table = Files.writeString(folder.resolve("mine.tuning"), "all-reduce * * * ring 8192");
        SimulatedNetwork network = new SimulatedNetwork(3, seeds.seed());
        int[] made = {0};
        try (SimulatedGroup group = SimulatedGroup.of(
                network, options -> made[0]++ == 1 ? options.set(Setting.TUNING, table.toString()) : options)) {
            Throwable[] outcomes = group.outcomes(
                    world -> Collectives.of(world)
                            .withTimeout(Duration.ofSeconds(10))
                            .allReduce(new float[100], ReduceOp.SUM),
                    PATIENCE);
            for (Throwable outcome : outcomes) {
                ZipException failure = assertInstanceOf(ZipException.class, outcome);
                assertEquals(ErrorCode.OPERATION_MISMATCH, failure.code());
                assertTrue(failure.getMessage().contains("ZIP_TUNING"), failure.getMessage());
            }
        }
    }

    @Test
    void shouldNoticeAnotherRootThoughNobodyWaits() {
        everyRankFails(DISAGREEMENT, (c, rank) -> {
            c.broadcast(new float[100], rank == 1 ? 1 : 0);
            c.barrier();
        });
    }

    @Test
    void shouldNoticeAnotherOperationThoughNobodyWaits() {
        everyRankFails(DISAGREEMENT, (c, rank) -> {
            if (rank == 0) {
                c.broadcast(new float[100], 0);
            } else {
                c.gather(new float[100], null, 0);
            }
            c.barrier();
        });
    }

    @Test
    void shouldFailEverywhereWhenAUserFunctionThrows() {
        ReduceOp faulty = ReduceOp.ofFloats((a, b) -> {
            throw new ArithmeticException("on purpose");
        });
        everyRankFails(EnumSet.of(ErrorCode.USER_FUNCTION, ErrorCode.PEER_FAILED), (c, rank) -> {
            // Lengths on both sides of the eager limit.
            c.allReduce(new float[rank >= 0 ? 50_000 : 1], faulty);
        });
    }

    @Test
    void shouldNameTheUsersException() {
        seeds.each(10, seed -> {
            try (SimulatedGroup group = SimulatedGroup.of(2, seed)) {
                ReduceOp faulty = ReduceOp.ofInts(Math::floorDiv);
                Throwable[] outcomes =
                        group.outcomes(world -> Collectives.of(world).reduce(new int[10], faulty, 1), PATIENCE);
                ZipException failure = assertInstanceOf(ZipException.class, outcomes[1]);
                assertEquals(ErrorCode.USER_FUNCTION, failure.code());
                assertInstanceOf(ArithmeticException.class, failure.getCause());
                assertTrue(failure.getMessage().contains("reduce #1"), failure.getMessage());
                assertTrue(failure.getMessage().contains("/ by zero"), failure.getMessage());
            }
        });
    }

    @Test
    void shouldNoticeABlockOfAnotherLength() {
        seeds.each(20, seed -> {
            try (SimulatedGroup group = SimulatedGroup.of(3, seed)) {
                Throwable[] outcomes = group.outcomes(
                        world -> {
                            Collectives c = Collectives.of(world).withTimeout(Duration.ofSeconds(5));
                            int[] counts = {1, 2, 3};
                            c.scatterv(new int[6], counts, new int[world.rank() == 1 ? 3 : world.rank() + 1], 0);
                            c.barrier();
                        },
                        PATIENCE);
                ZipException failure = assertInstanceOf(ZipException.class, outcomes[1]);
                assertEquals(ErrorCode.LENGTH_MISMATCH, failure.code(), failure.toString());
                for (Throwable outcome : outcomes) {
                    assertNotNull(outcome);
                }
            }
        });
    }

    @Test
    void shouldNameWhomItWaitedForWhenTheTimeIsOver() {
        try (SimulatedGroup group = SimulatedGroup.of(3, seeds.seed())) {
            Throwable[] outcomes = group.outcomes(
                    world -> {
                        if (world.rank() != 1) {
                            Collectives.of(world)
                                    .withTimeout(Duration.ofSeconds(2))
                                    .withAlgorithm("ring")
                                    .allReduce(new float[30], ReduceOp.SUM);
                        }
                    },
                    PATIENCE);
            ZipException failure = assertInstanceOf(ZipException.class, outcomes[2]);
            assertTrue(Set.of(ErrorCode.DEADLINE, ErrorCode.PEER_FAILED).contains(failure.code()), failure.toString());
            assertTrue(failure.getMessage().contains("all-reduce #1"), failure.getMessage());
            assertTrue(failure.getMessage().contains("segment 1 of 4 from rank 1"), failure.getMessage());
            assertTrue(failure.getMessage().contains("step "), failure.getMessage());
        }
    }

    /** One rank has a platform that ends it; another does not come. */
    @Test
    void shouldEndCollectivesWhenThePlatformsTimeIsOver() {
        Map<String, Consumer<Collectives>> calls = Map.of(
                "all-reduce", c -> c.allReduce(new float[300], ReduceOp.SUM),
                "barrier", Collectives::barrier,
                "broadcast", c -> c.broadcast(new float[300], 1),
                "all-gather", c -> c.allGather(new int[2]),
                "gather",
                        c -> c.gatherAsync(Payload.of(new int[1]), Payload.of(new int[2]), 0)
                                .await(),
                "reduce",
                        c -> c.allReduceAsync(new float[300_000], ReduceOp.SUM).await());
        calls.forEach((name, call) -> endsWithThePlatformsTime(name, collectives -> {
            call.accept(collectives);
            return null;
        }));
    }

    @Test
    void shouldEndPreparedOperationsWhenThePlatformsTimeIsOver() {
        endsWithThePlatformsTime("all-reduce", collectives -> {
            try (Prepared sum = collectives.prepare().allReduce(new float[300], ReduceOp.SUM)) {
                sum.run();
            }
            return null;
        });
        endsWithThePlatformsTime("all-reduce", collectives -> {
            try (Prepared sum = collectives.prepare().allReduce(new float[300], ReduceOp.SUM)) {
                sum.start();
                sum.await();
            }
            return null;
        });
    }

    private void endsWithThePlatformsTime(String name, Function<Collectives, Void> call) {
        seeds.each(5, seed -> {
            for (boolean child : new boolean[] {false, true}) {
                try (SimulatedGroup group = SimulatedGroup.of(2, seed)) {
                    Throwable[] outcomes = group.outcomes(
                            world -> {
                                AtomicInteger leftMs = new AtomicInteger(60_000);
                                Communicator mine = world.withinRemaining(() -> Duration.ofMillis(leftMs.get()));
                                Communicator used = child ? mine.duplicate() : mine;
                                leftMs.set(700);
                                if (world.rank() == 0) {
                                    call.apply(Collectives.of(used));
                                }
                            },
                            PATIENCE);
                    ZipException late = assertInstanceOf(ZipException.class, outcomes[0]);
                    assertEquals(ErrorCode.DEADLINE, late.code(), late.getMessage());
                    assertTrue(late.operation().contains(name), late.getMessage());
                    assertEquals(0, late.rank(), late.getMessage());
                    assertTrue(late.elapsedMs() >= 700 && late.elapsedMs() < 1000, late.getMessage());
                    assertNull(outcomes[1]);
                }
            }
        });
    }

    /** What was prepared when there was time asks anew at each run. */
    @Test
    void shouldTellTheOthersOfAPreparedRunForWhichNoTimeIsLeft() {
        try (SimulatedGroup group = SimulatedGroup.of(2, seeds.seed())) {
            group.run(world -> {
                AtomicInteger leftMs = new AtomicInteger(60_000);
                Communicator mine = world.withinRemaining(() -> Duration.ofMillis(leftMs.get()));
                try (Prepared sum = Collectives.of(mine).prepare().allReduce(new float[300], ReduceOp.SUM)) {
                    sum.run();
                    leftMs.set(world.rank() == 0 ? 0 : 60_000);
                    ZipException failure = assertThrows(ZipException.class, sum::run);
                    assertEquals(
                            world.rank() == 0 ? ErrorCode.DEADLINE : ErrorCode.PEER_FAILED,
                            failure.code(),
                            failure.getMessage());
                    assertTrue(failure.getMessage().contains("no time left for it"), failure.getMessage());
                    leftMs.set(0);
                    Communicator same = Collectives.of(mine).communicator();
                    assertEquals(
                            ErrorCode.DEADLINE,
                            assertThrows(ZipException.class, () -> same.send(1 - world.rank(), 1, new byte[1]))
                                    .code());
                    leftMs.set(60_000);
                }
            });
        }
    }

    @Test
    void shouldNameTheRankThatDied() {
        seeds.each(20, seed -> {
            try (SimulatedGroup group = SimulatedGroup.of(5, seed)) {
                List<ZipFuture<Void>> futures = new ArrayList<>();
                for (int rank = 0; rank < 5; rank++) {
                    futures.add(
                            Collectives.of(group.communicator(rank)).allReduceAsync(new float[400_000], ReduceOp.SUM));
                }
                group.turns(200);
                group.network().kill(3);
                futures.remove(3);
                group.await(futures);
                for (ZipFuture<Void> future : futures) {
                    ZipException failure = assertThrows(ZipException.class, future::await);
                    assertEquals(3, failure.peer(), failure.toString());
                }
            }
        });
    }

    @Test
    void shouldNameTheRankThatDiedThoughOthersLeaveForIt() {
        seeds.each(20, seed -> {
            try (SimulatedGroup group = SimulatedGroup.of(4, seed)) {
                group.network().kill(2);
                Throwable[] outcomes = group.outcomes(
                        world -> {
                            try (world) {
                                Collectives.of(world).allReduce(new float[50_000], ReduceOp.SUM);
                            }
                        },
                        PATIENCE);
                for (int rank : new int[] {0, 1, 3}) {
                    ZipException failure = assertInstanceOf(ZipException.class, outcomes[rank]);
                    assertEquals(2, failure.peer(), failure.toString());
                }
            }
        });
    }

    @Test
    void shouldNameAPeerThatLeftInsteadOfTakingPart() {
        try (SimulatedGroup group = SimulatedGroup.of(2, seeds.seed())) {
            Throwable[] outcomes = group.outcomes(
                    world -> {
                        if (world.rank() == 0) {
                            world.close();
                        } else {
                            Collectives.of(world).barrier();
                        }
                    },
                    PATIENCE);
            ZipException failure = assertInstanceOf(ZipException.class, outcomes[1]);
            assertEquals(ErrorCode.PEER_LEFT, failure.code(), failure.toString());
            assertEquals(0, failure.peer());
        }
    }

    @Test
    void shouldRefuseFurtherCollectivesAfterAFailure() {
        try (SimulatedGroup group = SimulatedGroup.of(2, seeds.seed())) {
            Throwable[] outcomes = group.outcomes(
                    world -> {
                        Collectives c = Collectives.of(world).withTimeout(Duration.ofSeconds(1));
                        assertThrows(ZipException.class, () -> failing(c, world));
                        c.barrier();
                    },
                    PATIENCE);
            for (Throwable outcome : outcomes) {
                ZipException failure = assertInstanceOf(ZipException.class, outcome);
                assertEquals(ErrorCode.COMMUNICATOR_FAILED, failure.code(), failure.toString());
            }
        }
    }

    private static void failing(Collectives c, Communicator world) {
        c.allReduce(new int[world.rank() + 1], ReduceOp.SUM);
    }

    @Test
    void shouldFreeTheMemoryOfACancelledOperation() {
        seeds.each(20, seed -> {
            try (SimulatedGroup group = SimulatedGroup.of(2, seed)) {
                Communicator[] pair = new Communicator[2];
                group.run(world -> pair[world.rank()] = world.duplicate());
                float[] values = new float[100_000];
                float[] others = new float[100_000];
                Arrays.fill(values, 1);
                Arrays.fill(others, 2);
                ZipFuture<Void> future = Collectives.of(pair[0]).allReduceAsync(values, ReduceOp.SUM);
                ZipFuture<Void> other = Collectives.of(pair[1]).allReduceAsync(others, ReduceOp.SUM);
                group.turns(1 + group.random().nextInt(60));
                assertTrue(future.cancel(true));
                Arrays.fill(values, MARK);
                assertEquals(
                        ErrorCode.CANCELLED,
                        assertThrows(ZipException.class, future::await).code());
                group.await(other);
                if (other.isCompletedExceptionally()) {
                    ZipException told = assertThrows(ZipException.class, other::await);
                    assertEquals(ErrorCode.PEER_FAILED, told.code(), told.toString());
                    assertEquals(0, told.peer(), told.toString());
                    assertTrue(told.getMessage().contains("rank 0 failed: CANCELLED"), told.getMessage());
                } else {
                    // Rank 0 had sent all that rank 1 needs before it was cancelled.
                    for (int i = 0; i < others.length; i++) {
                        assertEquals(3f, others[i], "element " + i + " of rank 1");
                    }
                }
                group.turns(10_000);
                for (int i = 0; i < values.length; i++) {
                    assertEquals(MARK, values[i], "element " + i);
                }
                // Until then, what came for the communicator is kept.
                group.run(world -> pair[world.rank()].close());
                group.turns(10_000);
                assertEquals(List.of(), group.leaks());
            }
        });
    }
}
