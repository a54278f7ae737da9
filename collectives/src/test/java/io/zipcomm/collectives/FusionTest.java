package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.testkit.Conditions;
import io.zipcomm.testkit.Seeds;
import io.zipcomm.testkit.SimulatedGroup;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Many tensors all-reduced in buckets, on simulated groups. */
@Tag("once")
final class FusionTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @RegisterExtension
    final Seeds seeds = new Seeds();

    private static List<Vector> tensors(int[] counts, DataType type, SplittableRandom same) {
        List<Vector> tensors = new ArrayList<>();
        for (int count : counts) {
            tensors.add(Vector.of(CollectiveMatrix.any(Vector.Kind.values(), same), type, count));
        }
        return tensors;
    }

    private static List<Payload> payloads(List<Vector> vectors) {
        return vectors.stream().map(Vector::payload).toList();
    }

    /** Whole numbers of which all sums are exact. */
    private static long element(int rank, int round, int tensor, int index) {
        return (rank + 3L * round + 5L * tensor + index) % 40;
    }

    private static long sum(int size, int round, int tensor, int index) {
        return IntStream.range(0, size)
                .mapToLong(rank -> element(rank, round, tensor, index))
                .sum();
    }

    private static void fill(Vector vector, int rank, int round, int tensor) {
        for (int i = 0; i < vector.count(); i++) {
            vector.set(i, element(rank, round, tensor, i));
        }
    }

    private static void check(Vector vector, int size, int round, int tensor) {
        long[] values = vector.values();
        for (int i = 0; i < values.length; i++) {
            assertEquals(
                    sum(size, round, tensor, i), values[i], "round " + round + ", tensor " + tensor + "[" + i + "]");
        }
        assertTrue(vector.isIntact(), "tensor " + tensor);
    }

    @Test
    void shouldAddUpTensorsThatBecomeReadyInAnyOrder() {
        seeds.each(60, seed -> {
            SplittableRandom random = new SplittableRandom(seed);
            int size = 1 + random.nextInt(6);
            int[] counts = random.ints(1 + random.nextInt(12), 0, 4000)
                    .map(n -> n < 400 ? 0 : n)
                    .toArray();
            DataType type = CollectiveMatrix.any(
                    new DataType[] {DataType.FLOAT32, DataType.FLOAT64, DataType.INT32, DataType.INT64}, random);
            long bucketBytes = 1L + random.nextInt(60_000);
            try (SimulatedGroup group = SimulatedGroup.of(size, seed)) {
                group.run(world -> {
                    List<Vector> tensors = tensors(counts, type, new SplittableRandom(seed));
                    Random mine = new Random(seed + world.rank());
                    try (Fusion fusion = Collectives.of(world)
                            .prepare()
                            .fusedAllReduce(payloads(tensors), ReduceOp.SUM, bucketBytes)) {
                        for (int round = 0; round < 3; round++) {
                            oneRound(fusion, tensors, world.rank(), size, round, mine);
                        }
                    }
                });
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    private static void oneRound(Fusion fusion, List<Vector> tensors, int rank, int size, int round, Random mine) {
        List<Integer> order =
                new ArrayList<>(IntStream.range(0, tensors.size()).boxed().toList());
        Collections.shuffle(order, mine);
        for (int tensor : order) {
            fill(tensors.get(tensor), rank, round, tensor);
            fusion.ready(tensor);
        }
        fusion.await();
        for (int tensor = 0; tensor < tensors.size(); tensor++) {
            check(tensors.get(tensor), size, round, tensor);
        }
    }

    @Test
    void shouldFillBucketsInTheOrderOfTheTensors() {
        try (SimulatedGroup group = SimulatedGroup.of(1, seeds.seed())) {
            group.run(world -> {
                float[][] lengths = {
                    new float[10], new float[15], new float[1], new float[100], new float[0], new float[25]
                };
                List<Payload> tensors = Arrays.stream(lengths).map(Payload::of).toList();
                try (Fusion fusion = Collectives.of(world).prepare().fusedAllReduce(tensors, ReduceOp.SUM, 100)) {
                    // Up to 25 elements each; one that is longer goes alone, but for what has no length.
                    assertArrayEquals(
                            new int[] {0, 0, 1, 2, 3, 3},
                            IntStream.range(0, 6).map(fusion::bucketOf).toArray());
                    assertEquals(4, fusion.buckets());
                }
            });
        }
    }

    @Test
    void shouldDivideByTheNumberOfRanks() {
        try (SimulatedGroup group = SimulatedGroup.of(4, seeds.seed())) {
            group.run(world -> {
                float[][] tensors = {new float[300], new float[5]};
                for (float[] tensor : tensors) {
                    Arrays.fill(tensor, world.rank());
                }
                try (Fusion fusion = Collectives.of(world).prepare().fusedAllReduce(tensors, ReduceOp.AVG)) {
                    assertEquals(1, fusion.buckets());
                    fusion.ready(1);
                    fusion.ready(0);
                    fusion.await();
                }
                assertEquals(1.5f, tensors[0][299]);
                assertEquals(1.5f, tensors[1][4]);
            });
        }
    }

    // ---- bits

    private static float[][] fractions(int rank, int... counts) {
        SplittableRandom random = new SplittableRandom(rank);
        float[][] tensors = new float[counts.length][];
        for (int i = 0; i < counts.length; i++) {
            tensors[i] = new float[counts[i]];
            for (int j = 0; j < counts[i]; j++) {
                tensors[i][j] = (float) Math.scalb(random.nextDouble() - 0.5, random.nextInt(20));
            }
        }
        return tensors;
    }

    private static void fuse(Collectives collectives, float[][] tensors, ReduceOp op) {
        try (Fusion fusion = collectives.prepare().fusedAllReduce(tensors, op)) {
            for (int i = 0; i < tensors.length; i++) {
                fusion.ready(i);
            }
            fusion.await();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"doubling", "ring", "rabenseifner"})
    void shouldGiveTheBitsOfEachBucketAsOneMessage(String algorithm) {
        try (SimulatedGroup group = SimulatedGroup.of(5, seeds.seed(), Conditions.usual())) {
            group.run(world -> {
                Collectives collectives = Collectives.of(world).withAlgorithm(algorithm);
                float[][] tensors = fractions(world.rank(), 7, 10_000, 1, 30_000, 999);
                float[] whole = concatenated(tensors);
                collectives.allReduce(whole, ReduceOp.SUM);
                fuse(collectives, tensors, ReduceOp.SUM);
                assertArrayEquals(whole, concatenated(tensors));
            });
        }
    }

    private static float[] concatenated(float[][] tensors) {
        int length = Arrays.stream(tensors).mapToInt(one -> one.length).sum();
        float[] all = new float[length];
        int at = 0;
        for (float[] tensor : tensors) {
            System.arraycopy(tensor, 0, all, at, tensor.length);
            at += tensor.length;
        }
        return all;
    }

    @Test
    void shouldGiveTheBitsOfSingleTensorsWhereThatIsPromised() {
        for (int size : new int[] {1, 2, 3, 6}) {
            try (SimulatedGroup group = SimulatedGroup.of(size, seeds.seed(), Conditions.usual())) {
                group.run(world -> {
                    Collectives any = Collectives.of(world);
                    assertSameAsSingle(any.withAlgorithm("doubling"), ReduceOp.SUM);
                    assertSameAsSingle(any, ReduceOp.MAX);
                    if (size <= 2) {
                        assertSameAsSingle(any, ReduceOp.AVG);
                        assertSameAsSingle(any.withAlgorithm("ring"), ReduceOp.SUM);
                    }
                });
            }
        }
    }

    private static void assertSameAsSingle(Collectives collectives, ReduceOp op) {
        int rank = collectives.communicator().rank();
        int[] counts = {50_000, 3, 700};
        float[][] single = fractions(rank, counts);
        for (float[] tensor : single) {
            collectives.allReduce(tensor, op);
        }
        float[][] fused = fractions(rank, counts);
        fuse(collectives, fused, op);
        for (int i = 0; i < counts.length; i++) {
            assertArrayEquals(single[i], fused[i]);
        }
    }

    // ---- misuse and failures

    private static void assertRefused(String text, Executable call) {
        ZipException refusal = assertThrows(ZipException.class, call);
        assertEquals(ErrorCode.BAD_ARGUMENT, refusal.code(), refusal.toString());
        assertTrue(refusal.getMessage().contains(text), refusal.getMessage());
    }

    @Test
    void shouldNameMistakesAndGoOn() {
        try (SimulatedGroup group = SimulatedGroup.of(2, seeds.seed())) {
            group.run(world -> {
                float[][] tensors = {{1}, {2}, {3}};
                List<Payload> payloads = Arrays.stream(tensors).map(Payload::of).toList();
                try (Fusion fusion = Collectives.of(world).prepare().fusedAllReduce(payloads, ReduceOp.SUM, 4)) {
                    assertRefused("tensor 3", () -> fusion.ready(3));
                    fusion.ready(0);
                    fusion.ready(2);
                    assertRefused("tensor 2 was ready before", () -> fusion.ready(2));
                    assertRefused("tensor 1 is not ready: bucket 1 of 3", fusion::await);
                    fusion.ready(1);
                    fusion.await();
                    assertRefused("tensor 0 is not ready", fusion::await);
                }
                assertArrayEquals(new float[][] {{2}, {4}, {6}}, tensors);
            });
            assertEquals(List.of(), group.leaks());
        }
    }

    @Test
    void shouldRefuseTensorsThatCannotGoTogether() {
        float[] array = new float[10];
        Payload readOnly = Payload.of(ByteBuffer.allocate(4).asReadOnlyBuffer(), DataType.FLOAT32);
        refused("tensors 0 and 1 overlap", Payload.of(array, 0, 5), Payload.of(array, 4, 2));
        refused("tensor 1 has INT32 elements, tensor 0 FLOAT32", Payload.of(array), Payload.of(new int[1]));
        refused("tensor 1 is read-only", Payload.of(array), readOnly);
        refused("no tensors");
    }

    private void refused(String text, Payload... tensors) {
        try (SimulatedGroup group = SimulatedGroup.of(1, seeds.seed())) {
            group.run(world -> {
                Preparation prepare = Collectives.of(world).prepare();
                assertRefused(text, () -> prepare.fusedAllReduce(List.of(tensors), ReduceOp.SUM, 1000));
            });
        }
    }

    @Test
    void shouldWaitForBucketsUnderWayWhenItIsClosed() {
        seeds.each(20, seed -> {
            try (SimulatedGroup group = SimulatedGroup.of(3, seed)) {
                group.run(world -> {
                    List<Vector> tensors =
                            tensors(new int[] {9000, 1, 9000}, DataType.FLOAT32, new SplittableRandom(seed));
                    Fusion fusion =
                            Collectives.of(world).prepare().fusedAllReduce(payloads(tensors), ReduceOp.SUM, 36_004);
                    for (int tensor = 0; tensor < 2; tensor++) {
                        fill(tensors.get(tensor), world.rank(), 0, tensor);
                        fusion.ready(tensor);
                    }
                    fusion.close();
                    check(tensors.get(0), 3, 0, 0);
                    check(tensors.get(1), 3, 0, 1);
                });
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldFailOnAllRanksWhenBucketsDisagree() {
        seeds.each(20, seed -> {
            try (SimulatedGroup group = SimulatedGroup.of(3, seed)) {
                Throwable[] outcomes = group.outcomes(
                        world -> {
                            Collectives collectives = Collectives.of(world).withTimeout(Duration.ofSeconds(5));
                            fuse(collectives, new float[][] {{1}, new float[world.rank() + 5000]}, ReduceOp.SUM);
                        },
                        PATIENCE);
                for (Throwable outcome : outcomes) {
                    ErrorCode code =
                            assertInstanceOf(ZipException.class, outcome).code();
                    assertTrue(
                            code == ErrorCode.OPERATION_MISMATCH || code == ErrorCode.LENGTH_MISMATCH,
                            String.valueOf(outcome));
                }
            }
        });
    }
}
