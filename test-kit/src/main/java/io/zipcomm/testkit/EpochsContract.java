package io.zipcomm.testkit;

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
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * Groups go on over every kind of direct path: what one epoch had of memory, streams, queues and drivers is not in the way of the next,
 * and gone when it is over. A module tests its transport by extending this class; ranks are threads, and the relay is a real one.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
public abstract class EpochsContract {

    private static final int SIZE = 3;
    private static final int EPOCHS = 3;
    private static final int LONG_BYTES = 400_000;
    private static final int TAG = 5;

    /** From the first call of shrink, at a rank that leaves the others waiting, until all are in the next epoch. */
    private static final Duration NEXT = Duration.ofSeconds(8);

    private static final long PATIENCE_S = 60;

    /** Fails a test that leaves something behind. */
    @RegisterExtension
    protected final LeakCheck leaks = new LeakCheck();

    @TempDir(factory = SharedMemoryFolder.class)
    private Path directory;

    private Relay relay;
    private final ExecutorService threads = Executors.newFixedThreadPool(SIZE);

    /** For modules that test their transport. */
    protected EpochsContract() {}

    /**
     * A relay that admits everybody on this machine.
     *
     * @param port where it listens on loopback
     * @param stop ends it
     */
    protected record Relay(int port, Runnable stop) {

        /** For those who start one. */
        public Relay {}
    }

    /** Starts a relay, or skips the test where this transport is not here. */
    protected abstract Relay startRelay();

    /** Sets what makes a group use this transport. */
    protected abstract void choose(ZipSettings.Builder settings);

    /** Name of the path that all frames are to take. */
    protected abstract String path();

    @BeforeEach
    void open() {
        relay = startRelay();
    }

    @AfterEach
    void close() {
        threads.shutdownNow();
        if (relay != null) {
            relay.stop().run();
        }
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
            results.add(one.get(PATIENCE_S, TimeUnit.SECONDS));
        }
        return results;
    }

    private ZipSettings.Builder settings() {
        ZipSettings.Builder settings = ZipSettings.builder()
                .relay("127.0.0.1:" + relay.port())
                .session("s")
                .size(SIZE)
                .sizeMin(1)
                .joinTimeout(Duration.ofSeconds(30))
                .operationTimeout(Duration.ofSeconds(30))
                .set(Setting.CLOSE_TIMEOUT, "1000")
                .set(Setting.SHARED_MEMORY, directory.toString());
        choose(settings);
        return settings;
    }

    private List<Communicator> join() throws Exception {
        return new ArrayList<>(
                results(start(0, SIZE, rank -> Zip.join(settings().rank(rank).build()))));
    }

    private void exchange(List<Communicator> worlds) throws Exception {
        results(start(0, worlds.size(), rank -> exchange(worlds.get(rank))));
    }

    private void close(List<Communicator> worlds) throws Exception {
        results(start(0, worlds.size(), rank -> {
            worlds.get(rank).close();
            return null;
        }));
        assertEquals(List.of(), SharedMemoryFolder.leftIn(directory));
    }

    private Void exchange(Communicator world) {
        for (int bytes : new int[] {11, LONG_BYTES}) {
            List<ZipFuture<?>> under = new ArrayList<>();
            byte[][] theirs = new byte[world.size()][bytes];
            for (int peer = 0; peer < world.size(); peer++) {
                if (peer != world.rank()) {
                    under.add(world.receiveAsync(peer, TAG, Payload.of(theirs[peer])));
                    under.add(world.sendAsync(peer, TAG, Payload.of(pattern(world, world.rank(), bytes))));
                }
            }
            under.forEach(ZipFuture::await);
            for (int peer = 0; peer < world.size(); peer++) {
                if (peer != world.rank()) {
                    assertArrayEquals(pattern(world, peer, bytes), theirs[peer]);
                    assertEquals(path(), GroupCommunicator.of(world).progress().pathTo(peer));
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

    /** The first one runs the driver of the others, where there is one. */
    @Test
    void shouldGoOnAgainAndAgainWhereOneGoesFirst() throws Exception {
        List<Communicator> worlds = join();
        exchange(worlds);
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
            List<Communicator> others = results(waiting);
            for (int rank = 1; rank < SIZE; rank++) {
                worlds.set(rank, others.get(rank - 1));
            }
            Duration took = Duration.ofNanos(System.nanoTime() - beganNs);
            assertTrue(took.compareTo(NEXT) < 0, "took " + took);
            exchange(worlds);
        }
        close(worlds);
    }

    @Test
    void shouldShrinkWhenOneHasLeftAndGrowWhenAnotherComes() throws Exception {
        List<Communicator> worlds = join();
        exchange(worlds);
        worlds.remove(1).close();
        List<Communicator> left = results(start(0, worlds.size(), rank -> {
            Communicator world = worlds.get(rank);
            world.revoke();
            assertEquals(List.of(1), world.agree(true).failed());
            return world.shrink();
        }));
        left.forEach(
                world -> assertEquals(List.of(0, 2), world.view().ranksBefore(), "rank " + world.rank() + " was told"));
        exchange(left);
        Future<Communicator> newcomer = threads.submit(() -> Zip.join(settings().build()));
        List<Communicator> grown = new ArrayList<>(
                results(start(0, left.size(), rank -> left.get(rank).grow(SIZE))));
        grown.add(newcomer.get(PATIENCE_S, TimeUnit.SECONDS));
        grown.forEach(world ->
                assertEquals(List.of(0, 1, -1), world.view().ranksBefore(), "rank " + world.rank() + " was told"));
        exchange(grown);
        close(grown);
    }
}
