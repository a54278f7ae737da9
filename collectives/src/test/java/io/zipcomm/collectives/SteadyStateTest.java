package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.settings.ZipSettings.WaitChoice;
import io.zipcomm.testkit.SharedMemoryFolder;
import io.zipcomm.transport.rdma.ffi.FabricLibrary;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What a call costs the thread that makes it again and again: two ranks exchange messages over real sockets, or in
 * memory that they share.
 */
final class SteadyStateTest {

    private static final int SIZE = 2;

    /** Bytes that a call may leave behind, as {@link Collectives} says: a payload, a call, a shape. */
    private static final int GARBAGE_PER_CALL_MAX = 192;

    /**
     * The least of so many counts: where a socket is found readable and writable at once, Netty makes an event of 40 bytes,
     * and compiled code that is replaced in the middle of a count puts its objects on the heap.
     */
    private static final int MEASUREMENTS = 3;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @TempDir(factory = SharedMemoryFolder.class)
    private Path memory;

    @ParameterizedTest
    @CsvSource({
        "TCP, 8, 20000",
        "TCP, 1048576, 500",
        "AERON_IPC, 8, 20000",
        "AERON_IPC, 1048576, 500",
        "AERON_UDP, 8, 20000",
        "AERON_UDP, 1048576, 500",
        "RDMA, 8, 20000",
        "RDMA, 1048576, 500"
    })
    void shouldLeaveLittleGarbage(TransportChoice transport, int bytes, int calls) throws Exception {
        SharedMemory.assumeAvailable(transport.text().startsWith("aeron"));
        String absence = transport == TransportChoice.RDMA ? FabricLibrary.absence() : null;
        assumeTrue(absence == null, () -> "no RDMA: " + absence);
        ExecutorService ranks = Executors.newFixedThreadPool(SIZE);
        try (RelayServer relay = RelayServer.start(
                RelaySettings.builder().listen("127.0.0.1:0").insecure(true).build())) {
            List<Future<Long>> garbage = new ArrayList<>();
            for (int rank = 0; rank < SIZE; rank++) {
                ZipSettings settings = settings(relay, transport, rank);
                garbage.add(ranks.submit(() -> garbagePerCall(settings, bytes / Float.BYTES, calls)));
            }
            for (int rank = 0; rank < SIZE; rank++) {
                long perCall = garbage.get(rank).get(2, TimeUnit.MINUTES);
                assertTrue(perCall <= GARBAGE_PER_CALL_MAX, "rank " + rank + ": " + perCall + " bytes");
            }
        } finally {
            ranks.shutdownNow();
        }
    }

    private ZipSettings settings(RelayServer relay, TransportChoice transport, int rank) {
        return ZipSettings.builder()
                .relay("127.0.0.1:" + relay.address().getPort())
                .session("steady")
                .size(SIZE)
                .rank(rank)
                .transport(transport)
                .set(Setting.SHARED_MEMORY, memory.toString())
                .set(Setting.RDMA_PROVIDER, "shm")
                .waiting(WaitChoice.AUTO)
                .joinTimeout(Duration.ofSeconds(30))
                .operationTimeout(Duration.ofSeconds(30))
                .build();
    }

    /** Bytes that the calling thread allocates for each call, once as many calls have warmed it up. */
    private static long garbagePerCall(ZipSettings settings, int count, int calls) {
        try (Communicator world = Zip.join(settings)) {
            Collectives collectives = Collectives.of(world);
            float[] values = new float[count];
            long least = Long.MAX_VALUE;
            for (int i = 0; i <= MEASUREMENTS; i++) {
                long before = THREADS.getCurrentThreadAllocatedBytes();
                for (int call = 0; call < calls; call++) {
                    collectives.allReduce(values, ReduceOp.SUM);
                }
                if (i > 0) {
                    least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
                }
            }
            return least / calls;
        }
    }
}
