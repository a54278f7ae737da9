package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.buffer.Payload;
import io.zipcomm.settings.Setting;
import io.zipcomm.testkit.Seeds;
import io.zipcomm.testkit.SimulatedGroup;
import io.zipcomm.testkit.SimulatedNetwork;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Collectives while direct paths between the ranks are lost, in the middle of what is added up as it comes. */
@Tag("once")
final class LostPathTest {

    private static final int EAGER = 1024;
    private static final long NOTICE_NS_MAX = 3_000_000;
    private static final long NEVER_NS = 3_600_000_000_000L;

    /** Faults come until so much virtual time has passed. */
    private static final long TROUBLE_NS = 40_000_000;

    @RegisterExtension
    final Seeds seeds = new Seeds();

    private static void trouble(SimulatedGroup group) {
        RandomGenerator random = group.random();
        SimulatedNetwork network = group.network();
        for (int i = 0; i < 20; i++) {
            network.after(random.nextLong(TROUBLE_NS), () -> {
                int a = random.nextInt(group.size());
                int b = (a + 1 + random.nextInt(group.size() - 1)) % group.size();
                if (random.nextBoolean()) {
                    network.cut(a, b, SimulatedNetwork.DIRECT);
                } else {
                    network.forget(a, b, random.nextLong(NOTICE_NS_MAX), random.nextBoolean() ? NEVER_NS : 0);
                }
            });
        }
    }

    @Test
    void shouldAddEveryElementOnceThoughItsFrameIsCut() {
        long[] rests = {0};
        long[] resumed = {0};
        seeds.each(60, seed -> {
            int size = 2 + (int) Math.floorMod(seed, 4L);
            SimulatedNetwork network = new SimulatedNetwork(size, seed);
            network.forgettable(true);
            try (SimulatedGroup group = SimulatedGroup.of(
                    network,
                    options -> options.eagerBytes(EAGER)
                            .windowBytes(16 * EAGER)
                            .set(Setting.CHECKSUM, (seed & 1) == 0 ? "on" : "off"))) {
                trouble(group);
                int count = 1 + group.random().nextInt(6000);
                int rounds = 8;
                group.run(world -> {
                    Collectives collectives = Collectives.of(world);
                    long[] sum = new long[count];
                    for (int round = 0; round < rounds; round++) {
                        for (int i = 0; i < count; i++) {
                            sum[i] = (long) (world.rank() + 1) * (i + round);
                        }
                        collectives.allReduce(sum, ReduceOp.SUM);
                        for (int i = 0; i < count; i++) {
                            assertEquals((long) size * (size + 1) / 2 * (i + round), sum[i], "element " + i);
                        }
                        broadcast(collectives, world.rank(), round % size, count);
                    }
                });
                rests[0] += network.restCount();
                for (int rank = 1; rank < size; rank++) {
                    resumed[0] += group.resumptions(0, rank);
                }
                assertEquals(List.of(), group.leaks());
            }
        });
        if (System.getProperty(Seeds.PROPERTY) == null) {
            assertTrue(resumed[0] > 25, resumed[0] + " resumptions");
            assertTrue(rests[0] > 5, rests[0] + " frames were cut");
        }
    }

    /** Into direct memory, which a socket may fill up to the middle of an element. */
    private static void broadcast(Collectives collectives, int rank, int root, int count) {
        ByteBuffer memory = ByteBuffer.allocateDirect(4 * count).order(ByteOrder.LITTLE_ENDIAN);
        byte[] expected = new byte[4 * count];
        for (int i = 0; i < expected.length; i++) {
            expected[i] = (byte) (31 * i + root);
        }
        if (rank == root) {
            memory.put(0, expected);
        }
        collectives.broadcast(Payload.of(memory), root);
        byte[] actual = new byte[expected.length];
        memory.get(0, actual);
        assertArrayEquals(expected, actual);
    }
}
