package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.SharedMemoryFolder;
import java.lang.management.ManagementFactory;
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
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Over UDP a rank casts what all others get alike, if the settings do not forbid it. */
final class CastTest {

    private static final int CALLS = 100;

    /** As for calls over other transports. */
    private static final int GARBAGE_PER_CALL_MAX = 192;

    /** Background threads compile and resize on the way: the least counts. */
    private static final int MEASUREMENTS = 4;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

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
    @CsvSource({"on, 3, 1000003, true", "on, 4, 60000, true", "off, 3, 60000, true", "unicast, 3, 1000003, false"})
    void shouldCastIfThatIsWanted(String setting, int size, int bytes, boolean casts) throws Exception {
        SharedMemory.assumeAvailable(true);
        List<Long> cast = onAll(setting, size, world -> {
            Collectives collectives = Collectives.of(world);
            for (int call = 0; call < CALLS; call++) {
                checkBroadcast(collectives.withAlgorithm("linear"), bytes, call);
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

    @ParameterizedTest
    @CsvSource({"65536, 2000", "1048576, 300"})
    void shouldLeaveLittleGarbage(int bytes, int calls) throws Exception {
        SharedMemory.assumeAvailable(true);
        List<Long> garbage = onAll("on", 3, world -> {
            Collectives collectives = Collectives.of(world).withAlgorithm("linear");
            byte[] data = new byte[bytes];
            long least = Long.MAX_VALUE;
            for (int i = 0; i <= MEASUREMENTS; i++) {
                long before = THREADS.getCurrentThreadAllocatedBytes();
                for (int call = 0; call < calls; call++) {
                    collectives.broadcast(data, call % 3);
                }
                if (i > 0) {
                    least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
                }
            }
            assertTrue(world.counters().framesCast > 0);
            return least / calls;
        });
        assertTrue(garbage.stream().allMatch(one -> one <= GARBAGE_PER_CALL_MAX), () -> "bytes per call: " + garbage);
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
