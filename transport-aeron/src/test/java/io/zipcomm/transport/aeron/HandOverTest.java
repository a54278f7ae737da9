package io.zipcomm.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.LeakCheck;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The rank that runs the media driver of its host leaves, and the others go on. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
final class HandOverTest {

    private static final int SIZE = 4;
    private static final int LONG_BYTES = 300_000;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @TempDir
    private Path directory;

    private final ExecutorService ranks = Executors.newCachedThreadPool();
    private RelayServer relay;
    private final List<Communicator> worlds = new ArrayList<>();

    @BeforeEach
    void join() throws Exception {
        relay = RelayServer.start(
                RelaySettings.builder().listen("127.0.0.1:0").insecure(true).build());
        List<Future<Communicator>> joining = new ArrayList<>();
        for (int rank = 0; rank < SIZE; rank++) {
            ZipSettings settings = ZipSettings.builder()
                    .relay("127.0.0.1:" + relay.address().getPort())
                    .session("hand-over")
                    .size(SIZE)
                    .rank(rank)
                    .transport(TransportChoice.AERON_IPC)
                    .operationTimeout(Duration.ofSeconds(20))
                    .set(Setting.SHARED_MEMORY, directory.toString())
                    .build();
            joining.add(ranks.submit(() -> Zip.join(settings)));
        }
        for (Future<Communicator> one : joining) {
            worlds.add(one.get(30, TimeUnit.SECONDS));
        }
    }

    @AfterEach
    void leave() throws Exception {
        List<Future<?>> leaving = new ArrayList<>();
        for (Communicator world : worlds) {
            leaving.add(ranks.submit(world::close));
        }
        for (Future<?> one : leaving) {
            one.get(20, TimeUnit.SECONDS);
        }
        ranks.shutdownNow();
        relay.close();
        assertEquals(List.of(), drivers());
    }

    @Test
    void shouldGoOnWhenTheRankWithTheDriverLeaves() throws Exception {
        exchange(List.of(0, 1, 2, 3), 0, 200);
        assertEquals(List.of("rank-0.driver"), drivers());
        List<Future<?>> talks = talks(List.of(1, 2, 3), 200, 2_000);
        closeQuickly(0);
        assertEquals(List.of("rank-1.driver"), drivers());
        finish(talks);
        exchange(List.of(1, 2, 3), 10_000, 200);
        talks = talks(List.of(2, 3), 20_000, 2_000);
        closeQuickly(1);
        assertEquals(List.of("rank-2.driver"), drivers());
        finish(talks);
        exchange(List.of(2, 3), 30_000, 200);
    }

    @Test
    void shouldOpenPathsAtTheNewDriver() throws Exception {
        exchange(List.of(0, 1), 0, 10);
        closeQuickly(0);
        exchange(List.of(1, 2, 3), 0, 200);
        assertEquals(List.of("rank-1.driver"), drivers());
    }

    @Test
    void shouldNotStartADriverWhenAllLeaveTogether() throws Exception {
        exchange(List.of(0, 1, 2, 3), 0, 10);
        List<Future<?>> leaving = new ArrayList<>();
        for (Communicator world : worlds) {
            leaving.add(ranks.submit(world::close));
        }
        while (leaving.stream().anyMatch(one -> !one.isDone())) {
            assertFalse(drivers().contains("rank-1.driver"), "a driver that nobody needs");
            TimeUnit.MILLISECONDS.sleep(1);
        }
    }

    private void closeQuickly(int rank) throws InterruptedException, ExecutionException {
        long beginNs = System.nanoTime();
        ranks.submit(() -> worlds.get(rank).close()).get();
        long tookMs = (System.nanoTime() - beginNs) / 1_000_000;
        System.out.println("rank " + rank + " left after " + tookMs + " ms");
        assertTrue(tookMs < 4_000, "it took " + tookMs + " ms to leave");
    }

    private void exchange(List<Integer> who, int from, int count) throws Exception {
        finish(talks(who, from, count));
    }

    private static void finish(List<Future<?>> talks) throws Exception {
        for (Future<?> one : talks) {
            one.get(30, TimeUnit.SECONDS);
        }
    }

    /** Each of some ranks sends to the next, and receives from the one before. */
    private List<Future<?>> talks(List<Integer> who, int from, int count) {
        List<Future<?>> talks = new ArrayList<>();
        for (int i = 0; i < who.size(); i++) {
            Communicator world = worlds.get(who.get(i));
            int to = who.get((i + 1) % who.size());
            int source = who.get((i + who.size() - 1) % who.size());
            talks.add(ranks.submit(() -> talk(world, to, source, from, count)));
        }
        return talks;
    }

    private static void talk(Communicator world, int to, int source, int from, int count) {
        for (int i = from; i < from + count; i++) {
            int bytes = i % 10 == 0 ? LONG_BYTES : 8 + i % 3000;
            ByteBuffer out = ByteBuffer.allocateDirect(bytes);
            ByteBuffer in = ByteBuffer.allocateDirect(bytes);
            out.putInt(0, world.rank()).putInt(bytes - Integer.BYTES, i);
            ZipFuture<Void> sending = world.sendAsync(to, i, Payload.of(out));
            world.receive(source, i, in);
            sending.await();
            assertEquals(i, in.getInt(bytes - Integer.BYTES));
            assertTrue(bytes < 2 * Integer.BYTES || in.getInt(0) == source);
        }
    }

    /** Directories of media drivers, and whatever of a group is left when all have left. */
    private List<String> drivers() throws IOException {
        while (true) {
            try (Stream<Path> all = Files.walk(directory)) {
                return all.map(one -> one.getFileName().toString())
                        .filter(name -> name.endsWith(".driver"))
                        .sorted()
                        .toList();
            } catch (UncheckedIOException e) {
                // Ranks that leave remove their files meanwhile.
            }
        }
    }
}
