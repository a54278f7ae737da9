package io.zipcomm.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.LeakCheck;
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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Directories, streams and drivers of one epoch are not in the way of those of the next. */
@Timeout(120)
final class EpochsTest {

    private static final int SIZE = 3;
    private static final int EPOCHS = 3;
    private static final int LONG_BYTES = 400_000;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @TempDir(factory = SharedMemoryFolder.class)
    private Path directory;

    private RelayServer relay;
    private final ExecutorService threads = Executors.newFixedThreadPool(SIZE);

    @BeforeEach
    void startRelay() {
        relay = RelayServer.start(
                RelaySettings.builder().listen("127.0.0.1:0").insecure(true).build());
    }

    @AfterEach
    void stopRelay() {
        threads.shutdownNow();
        relay.close();
    }

    private interface Body<T> {
        T run(int rank) throws Exception;
    }

    private <T> List<Future<T>> start(int from, int to, Body<T> body) {
        List<Future<T>> futures = new ArrayList<>();
        for (int rank = from; rank < to; rank++) {
            int one = rank;
            futures.add(threads.submit(() -> body.run(one)));
        }
        return futures;
    }

    private static <T> List<T> results(List<Future<T>> futures) throws Exception {
        List<T> results = new ArrayList<>();
        for (Future<T> one : futures) {
            results.add(one.get(60, TimeUnit.SECONDS));
        }
        return results;
    }

    private ZipSettings settings(int rank, TransportChoice choice) {
        return ZipSettings.builder()
                .relay("127.0.0.1:" + relay.address().getPort())
                .session("s")
                .size(SIZE)
                .sizeMin(1)
                .rank(rank)
                .transport(choice)
                .joinTimeout(Duration.ofSeconds(30))
                .operationTimeout(Duration.ofSeconds(30))
                .set(Setting.CLOSE_TIMEOUT, "1000")
                .set(Setting.SHARED_MEMORY, directory.toString())
                .build();
    }

    private static Void exchange(Communicator world, String path) {
        for (int bytes : new int[] {11, LONG_BYTES}) {
            List<ZipFuture<?>> under = new ArrayList<>();
            byte[][] theirs = new byte[world.size()][bytes];
            for (int peer = 0; peer < world.size(); peer++) {
                if (peer != world.rank()) {
                    under.add(world.receiveAsync(peer, 5, Payload.of(theirs[peer])));
                    under.add(world.sendAsync(peer, 5, Payload.of(pattern(world, world.rank(), bytes))));
                }
            }
            under.forEach(ZipFuture::await);
            for (int peer = 0; peer < world.size(); peer++) {
                if (peer != world.rank()) {
                    assertArrayEquals(pattern(world, peer, bytes), theirs[peer]);
                    assertEquals(path, ((GroupCommunicator) world).progress().pathTo(peer));
                }
            }
        }
        return null;
    }

    private static byte[] pattern(Communicator world, int rank, int bytes) {
        byte[] pattern = new byte[bytes];
        Arrays.fill(pattern, (byte) (rank * 7 + world.view().epoch() * 13));
        return pattern;
    }

    @ParameterizedTest
    @EnumSource(
            value = TransportChoice.class,
            names = {"AERON_IPC", "AERON_UDP"})
    void shouldGoOnWhereTheFirstToGoRunsTheDriverOfTheOthers(TransportChoice choice) throws Exception {
        List<Communicator> worlds = results(start(0, SIZE, rank -> Zip.join(settings(rank, choice))));
        results(start(0, SIZE, rank -> exchange(worlds.get(rank), choice.text())));
        for (int i = 0; i < EPOCHS; i++) {
            // The others find out while they wait for it.
            List<Future<Communicator>> waiting = start(1, SIZE, rank -> {
                ZipException revoked =
                        assertThrows(ZipException.class, () -> worlds.get(rank).receive(0, 77, new byte[9]));
                assertEquals(ErrorCode.REVOKED, revoked.code(), revoked.getMessage());
                return worlds.get(rank).shrink();
            });
            long beganNs = System.nanoTime();
            worlds.set(0, worlds.get(0).shrink());
            for (int rank = 1; rank < SIZE; rank++) {
                worlds.set(rank, waiting.get(rank - 1).get(60, TimeUnit.SECONDS));
            }
            long tookMs = (System.nanoTime() - beganNs) / 1_000_000;
            assertTrue(tookMs < 8000, "took " + tookMs + " ms");
            results(start(0, SIZE, rank -> exchange(worlds.get(rank), choice.text())));
        }
        results(start(0, SIZE, rank -> {
            worlds.get(rank).close();
            return null;
        }));
        assertEquals(List.of(), SharedMemoryFolder.leftIn(directory));
    }
}
