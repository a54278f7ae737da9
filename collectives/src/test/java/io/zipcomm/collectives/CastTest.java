package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.SharedMemoryFolder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Over UDP a rank casts what all others get alike, if the settings say so. */
@Tag("once")
final class CastTest {

    private static final int CALLS = 60;

    /** The stream is made while the first calls go on without it. */
    private static final int ROUNDS_MAX = 40;

    private static RelayServer relay;

    @TempDir(factory = SharedMemoryFolder.class)
    private Path memory;

    @BeforeAll
    static void startRelay() {
        relay = RelayServer.start(
                RelaySettings.builder().listen("127.0.0.1:0").insecure(true).build());
    }

    @AfterAll
    static void stopRelay() {
        relay.close();
    }

    @ParameterizedTest
    @CsvSource({"on, 3, 1000003, true", "on, 4, 60000, true", "off, 3, 60000, false", "unicast, 3, 1000003, false"})
    void shouldCastIfThatIsWanted(String setting, int size, int bytes, boolean casts) throws Exception {
        SharedMemory.assumeAvailable(true);
        List<Long> cast = onAll(setting, size, world -> {
            Collectives collectives = Collectives.of(world);
            long[] least = new long[1];
            for (int round = 0; round < ROUNDS_MAX && least[0] == 0; round++) {
                for (int call = 0; call < CALLS; call++) {
                    checkBroadcast(collectives.withAlgorithm("linear"), bytes, call);
                }
                least[0] = casts ? world.counters().framesCast : 1;
                collectives.allReduce(least, ReduceOp.MIN);
            }
            checkAllGather(collectives.withAlgorithm("pairwise"), bytes);
            return world.counters().framesCast;
        });
        // Each is the root now and then.
        assertTrue(cast.stream().allMatch(one -> casts == one > 0), () -> "cast " + cast);
    }

    private static void checkBroadcast(Collectives collectives, int bytes, int call) {
        int root = call % collectives.communicator().size();
        byte[] expected = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            expected[i] = (byte) (i * 13 + i / 1000 + call);
        }
        boolean isRoot = collectives.communicator().rank() == root;
        byte[] data = isRoot ? expected.clone() : new byte[bytes];
        collectives.broadcast(data, root);
        assertArrayEquals(expected, data);
    }

    private static void checkAllGather(Collectives collectives, int bytes) {
        Communicator world = collectives.communicator();
        byte[] own = new byte[bytes];
        Arrays.fill(own, (byte) (world.rank() + 1));
        byte[] all = new byte[bytes * world.size()];
        collectives.allGather(own, all);
        for (int i = 0; i < all.length; i++) {
            assertEquals(i / bytes + 1, all[i]);
        }
    }

    private List<Long> onAll(String setting, int size, Function<Communicator, Long> program) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(size);
        try {
            List<Future<Long>> outcomes = new ArrayList<>();
            for (int rank = 0; rank < size; rank++) {
                ZipSettings settings = settings(setting, size, rank);
                outcomes.add(threads.submit(() -> {
                    try (Communicator world = Zip.join(settings)) {
                        return program.apply(world);
                    }
                }));
            }
            List<Long> results = new ArrayList<>();
            for (Future<Long> outcome : outcomes) {
                results.add(outcome.get(2, TimeUnit.MINUTES));
            }
            return results;
        } finally {
            threads.shutdownNow();
        }
    }

    private ZipSettings settings(String setting, int size, int rank) {
        return ZipSettings.builder()
                .relay("127.0.0.1:" + relay.address().getPort())
                .session("cast")
                .size(size)
                .rank(rank)
                .transport(TransportChoice.AERON_UDP)
                .set(Setting.AERON_UDP, setting)
                .set(Setting.SHARED_MEMORY, memory.toString())
                .joinTimeout(Duration.ofSeconds(30))
                .operationTimeout(Duration.ofSeconds(30))
                .build();
    }
}
