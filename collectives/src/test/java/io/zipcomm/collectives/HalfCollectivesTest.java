package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.zipcomm.buffer.Bfloat16;
import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Float16;
import io.zipcomm.buffer.Payload;
import io.zipcomm.collectives.CollectiveCase.Form;
import io.zipcomm.testkit.Seeds;
import io.zipcomm.testkit.SimulatedGroup;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** 16-bit floating-point numbers over the simulated network. */
final class HalfCollectivesTest {

    @RegisterExtension
    final Seeds seeds = new Seeds();

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT16", "BFLOAT16"})
    void shouldReduceByEveryAlgorithmFromAnyMemory(DataType type) {
        SplittableRandom random = new SplittableRandom(seeds.seed());
        for (int size : new int[] {1, 2, 3, 5, 8}) {
            try (SimulatedGroup group = SimulatedGroup.of(size, seeds.seed())) {
                for (String algorithm : Collectives.algorithms(CollectiveOperation.ALL_REDUCE)) {
                    for (ReduceOp op : CollectiveCase.reductions(type)) {
                        int count = random.nextInt(600);
                        CollectiveCase one = new CollectiveCase(
                                CollectiveOperation.ALL_REDUCE,
                                size,
                                0,
                                type,
                                op,
                                count,
                                random.nextBoolean() ? Form.IN_PLACE : Form.TWO_BUFFERS,
                                CollectiveMatrix.any(Vector.Kind.values(), random));
                        group.run(world ->
                                CollectiveMatrix.run(Collectives.of(world).withAlgorithm(algorithm), one));
                    }
                }
            }
        }
    }

    /** The chain ends at the root: 1 is lost when it is added to 2048, 2 is not. */
    @Test
    void shouldRoundAtEachStep() {
        float[] given = {2048, 1, 1};
        try (SimulatedGroup group = SimulatedGroup.of(3, seeds.seed())) {
            group.run(world -> {
                short[] sum = {Float16.fromFloat(given[world.rank()])};
                Collectives.of(world).withAlgorithm("chain").reduce(Payload.ofFloat16(sum), ReduceOp.SUM, 0);
                if (world.rank() == 0) {
                    assertEquals(2050, Float16.toFloat(sum[0]));
                }
                short[] others = {Float16.fromFloat(given[2 - world.rank()])};
                Collectives.of(world).withAlgorithm("chain").reduce(Payload.ofFloat16(others), ReduceOp.SUM, 0);
                if (world.rank() == 0) {
                    assertEquals(2048, Float16.toFloat(others[0]));
                }
            });
        }
    }

    /** Numbers that are rounded: every algorithm in its order, but the same bits on all ranks and in every run. */
    @Test
    void shouldGiveTheSameBitsOnAllRanksWhateverTheTiming() {
        int size = 5;
        int count = 333;
        for (String algorithm : Collectives.algorithms(CollectiveOperation.ALL_REDUCE)) {
            short[][] first = allReduce(algorithm, size, count, seeds.seed());
            for (short[] result : first) {
                assertArrayEquals(first[0], result, algorithm);
            }
            assertArrayEquals(first[0], allReduce(algorithm, size, count, seeds.seed() + 1)[0], algorithm);
        }
    }

    private short[][] allReduce(String algorithm, int size, int count, long timing) {
        short[][] results = new short[size][];
        try (SimulatedGroup group = SimulatedGroup.of(size, timing)) {
            group.run(world -> {
                SplittableRandom random = new SplittableRandom(seeds.seed() + world.rank());
                float[] values = new float[count];
                for (int i = 0; i < count; i++) {
                    values[i] = (float) (random.nextDouble() - 0.5);
                }
                short[] halves = Bfloat16.fromFloats(values);
                Collectives.of(world).withAlgorithm(algorithm).allReduce(Payload.ofBfloat16(halves), ReduceOp.SUM);
                results[world.rank()] = halves;
            });
        }
        return results;
    }
}
