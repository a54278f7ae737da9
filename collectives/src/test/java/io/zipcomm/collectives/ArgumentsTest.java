package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.testkit.SimulatedGroup;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Wrong arguments: what is wrong is said on the rank that is wrong, before anything is sent. */
final class ArgumentsTest {

    private static final Duration SHORT = Duration.ofSeconds(5);

    private final float[] three = new float[3];
    private final float[] six = new float[6];

    private record Wrong(String expected, Consumer<Collectives> call) {}

    private static final class Cases {
        final List<Wrong> all = new ArrayList<>();

        void add(String expected, Consumer<Collectives> call) {
            all.add(new Wrong(expected, call));
        }
    }

    @Test
    void shouldRefuseWrongArgumentsBeforeAnythingIsSent() {
        Cases wrong = new Cases();
        wrong.add("root 2: expected 0 to 1", c -> c.broadcast(three, 2));
        wrong.add("root -1: expected 0 to 1", c -> c.broadcast(three, -1));
        wrong.add("root 2: expected 0 to 1", c -> c.reduce(three, ReduceOp.SUM, 2));
        wrong.add("root 2: expected 0 to 1", c -> c.scatter(six, three, 2));
        wrong.add("root 2: expected 0 to 1", c -> c.gather(three, six, 2));
        wrong.add("the source is null", c -> c.broadcast((float[]) null, 1));
        wrong.add("the target is null", c -> c.broadcast((float[]) null, 0));
        wrong.add("the source is null", c -> c.allReduce(null, three, ReduceOp.SUM));
        wrong.add("the target is null", c -> c.allReduce(three, (float[]) null, ReduceOp.SUM));
        wrong.add("the reduction is null", c -> c.allReduce(three, null));
        wrong.add("source and target overlap", c -> c.allReduce(three, three, ReduceOp.SUM));
        wrong.add(
                "source and target overlap",
                c -> c.allReduce(Payload.of(six, 0, 3), Payload.of(six, 2, 3), ReduceOp.SUM));
        wrong.add(
                "the source has 3 elements, the target 6: expected equally many",
                c -> c.allReduce(three, six, ReduceOp.SUM));
        wrong.add(
                "the source has FLOAT32 elements, the target INT32",
                c -> c.allReduce(Payload.of(three), Payload.of(new int[3]), ReduceOp.SUM));
        wrong.add("BXOR of FLOAT32 elements is not defined", c -> c.allReduce(three, ReduceOp.BXOR));
        wrong.add(
                "BAND of FLOAT16 elements is not defined",
                c -> c.allReduce(Payload.ofFloat16(new short[3]), ReduceOp.BAND));
        wrong.add(
                "BOR of BFLOAT16 elements is not defined",
                c -> c.allReduce(Payload.ofBfloat16(new short[3]), ReduceOp.BOR));
        wrong.add(
                "user-defined INT32 of FLOAT16 elements is not defined",
                c -> c.allReduce(Payload.ofFloat16(new short[3]), ReduceOp.ofInts(Math::max)));
        wrong.add(
                "user-defined FLOAT32 of FLOAT64 elements is not defined",
                c -> c.allReduce(new double[1], ReduceOp.ofFloats(Math::max)));
        wrong.add(
                "the target is read-only",
                c -> c.allReduce(Payload.of(ByteBuffer.allocate(4).asReadOnlyBuffer()), ReduceOp.SUM));
        wrong.add(
                "the target is read-only",
                c -> c.broadcast(ByteBuffer.allocateDirect(4).asReadOnlyBuffer(), 0));
        wrong.add("the source has 3 elements: expected 3 for each of 2 ranks", c -> c.scatter(new float[3], three, 1));
        wrong.add("the target has 3 elements: expected 3 for each of 2 ranks", c -> c.gather(three, new float[3], 1));
        wrong.add("the target has 3 elements: expected 3 for each of 2 ranks", c -> c.allGather(three, new float[3]));
        wrong.add("3 elements: expected equally many for each of 2 ranks", c -> c.allGather(three));
        wrong.add(
                "the source has 3 elements: expected 3 for each of 2 ranks",
                c -> c.reduceScatter(three, new float[3], ReduceOp.SUM));
        wrong.add("3 elements: expected equally many for each of 2 ranks", c -> c.allToAll(three, new float[3]));
        wrong.add("no counts for the source: expected one for each of 2 ranks", c -> c.scatterv(six, null, three, 1));
        wrong.add(
                "3 counts for the source: expected one for each of 2 ranks",
                c -> c.scatterv(six, new int[] {1, 2, 3}, three, 1));
        wrong.add(
                "block 1 has 4 elements from 3: outside of a source of 6",
                c -> c.scatterv(six, new int[] {3, 4}, three, 1));
        wrong.add(
                "block 0 has -1 elements from 0: outside of a source of 6",
                c -> c.scatterv(six, new int[] {-1, 4}, three, 1));
        wrong.add(
                "the target has 3 elements, but this rank's count is 2",
                c -> c.scatterv(six, new int[] {3, 2}, three, 1));
        wrong.add(
                "block 0 has 3 elements from -1: outside of a target of 6",
                c -> c.gatherv(Payload.of(three), Payload.of(six), new int[] {3, 3}, new int[] {-1, 2}, 1));
        wrong.add(
                "blocks of the target overlap at element 2",
                c -> c.gatherv(Payload.of(three), Payload.of(six), new int[] {3, 3}, new int[] {0, 2}, 1));
        wrong.add(
                "1 displacements for 2 ranks",
                c -> c.allGatherv(Payload.of(three), Payload.of(six), new int[] {3, 3}, new int[] {0}));
        wrong.add(
                "this rank sends itself 1 elements, but receives 2",
                c -> c.allToAllv(six, new int[] {1, 1}, new float[6], new int[] {1, 2}));
        wrong.add(
                "no algorithm pairwise: this operation has [doubling, ring, rabenseifner, hierarchical, exchange]",
                c -> c.withAlgorithm("pairwise").allReduce(three, ReduceOp.SUM));
        for (Wrong one : wrong.all) {
            assertRefused(one);
        }
    }

    /** On the rank that is wrong at the call; on the other, which waits for it, at once. */
    private static void assertRefused(Wrong wrong) {
        try (SimulatedGroup group = SimulatedGroup.of(2, 1)) {
            group.run(world -> {
                Collectives collectives = Collectives.of(world);
                if (world.rank() == 1) {
                    ZipException refusal =
                            assertThrows(ZipException.class, () -> wrong.call.accept(collectives), wrong.expected);
                    assertEquals(ErrorCode.BAD_ARGUMENT, refusal.code());
                    assertTrue(refusal.getMessage().contains(wrong.expected), refusal.getMessage());
                } else {
                    ZipException failure = assertThrows(
                            ZipException.class,
                            () -> collectives.withTimeout(SHORT).barrier(),
                            wrong.expected);
                    assertEquals(ErrorCode.PEER_FAILED, failure.code(), failure.getMessage());
                    assertEquals(1, failure.peer());
                    assertTrue(failure.getMessage().contains(wrong.expected), failure.getMessage());
                }
                ZipException later = assertThrows(ZipException.class, collectives::barrier);
                assertEquals(ErrorCode.COMMUNICATOR_FAILED, later.code(), later.getMessage());
                assertTrue(later.getMessage().contains(wrong.expected), later.getMessage());
            });
        }
    }

    @Test
    void shouldGoOnAfterAWrongChoiceOfOptions() {
        try (SimulatedGroup group = SimulatedGroup.of(2, 1)) {
            group.run(world -> {
                Collectives collectives = Collectives.of(world);
                if (world.rank() == 1) {
                    assertBadOption(
                            "timeout PT0S: expected a positive time", () -> collectives.withTimeout(Duration.ZERO));
                    assertBadOption(
                            "no algorithm 'magic': there are [dissemination, ",
                            () -> collectives.withAlgorithm("magic"));
                }
                int[] sum = {1};
                collectives.allReduce(sum, ReduceOp.SUM);
                assertEquals(2, sum[0]);
            });
        }
    }

    private static void assertBadOption(String expected, Executable call) {
        ZipException refusal = assertThrows(ZipException.class, call);
        assertEquals(ErrorCode.BAD_ARGUMENT, refusal.code());
        assertTrue(refusal.getMessage().contains(expected), refusal.getMessage());
    }

    @Test
    void shouldNameRankAndOperation() {
        try (SimulatedGroup group = SimulatedGroup.of(3, 1)) {
            ZipException refusal = assertThrows(
                    ZipException.class,
                    () -> Collectives.of(group.communicator(2)).allReduceAsync(three, ReduceOp.BAND));
            assertEquals(
                    "BAD_ARGUMENT: rank 2 of 3, epoch 7, all-reduce: BAND of FLOAT32 elements is not defined",
                    refusal.getMessage());
        }
    }

    @Test
    void shouldSupportWhatIsDocumented() {
        for (DataType type : DataType.values()) {
            boolean floating = type.isFloating();
            assertEquals(floating ? 6 : 9, CollectiveCase.reductions(type).size(), type.toString());
        }
    }
}
