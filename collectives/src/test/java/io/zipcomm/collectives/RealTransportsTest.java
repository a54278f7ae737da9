package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.collectives.select.Selector;
import io.zipcomm.collectives.select.TuningTable;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.Engine;
import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.RelayCollectives;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.Seeds;
import io.zipcomm.testkit.SharedMemoryFolder;
import io.zipcomm.transport.rdma.ffi.FabricLibrary;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every operation against a plain loop, over real sockets, datagrams and shared memory: directly, through a real relay, and while links
 * move.
 */
final class RealTransportsTest {

    private static final int SIZE_MAX = 8;

    private static final int[] OTHER_SIZES = {3, 4, 6, 7, SIZE_MAX};

    /** For links that are to move, on a machine where all ranks load classes at once. */
    private static final long MOVE_NS_MAX = TimeUnit.SECONDS.toNanos(20);

    private static RelayServer relay;

    @TempDir(factory = SharedMemoryFolder.class)
    private Path memory;

    @RegisterExtension
    final Seeds seeds = new Seeds();

    /** Which paths links may take, and which one they take in the end. */
    private enum Way {
        TCP(TransportChoice.TCP, true, "tcp"),
        RELAY(TransportChoice.RELAY, true, "relay"),
        MEMORY(TransportChoice.AERON_IPC, true, "aeron-ipc"),
        FROM_RELAY_TO_MEMORY(TransportChoice.AUTO, true, "aeron-ipc"),
        FROM_RELAY_TO_TCP(TransportChoice.AUTO, false, "tcp"),
        UDP(TransportChoice.AERON_UDP, true, "aeron-udp"),
        FROM_RELAY_TO_UDP(TransportChoice.AUTO, false, "aeron-udp"),
        RDMA_IN_MEMORY("shm", TransportChoice.RDMA),
        RDMA_OVER_TCP("tcp;ofi_rxm", TransportChoice.RDMA),
        FROM_RELAY_TO_RDMA("tcp;ofi_rxm", TransportChoice.AUTO);

        private final TransportChoice choice;
        private final boolean sharesMemory;
        private final String path;

        /** Provider of libfabric. */
        private final String provider;

        Way(TransportChoice choice, boolean sharesMemory, String path) {
            this(choice, sharesMemory, path, "auto");
        }

        Way(String provider, TransportChoice choice) {
            this(choice, false, "rdma", provider);
        }

        Way(TransportChoice choice, boolean sharesMemory, String path, String provider) {
            this.choice = choice;
            this.sharesMemory = sharesMemory;
            this.path = path;
            this.provider = provider;
        }

        /** Skips a test where this way cannot be gone. */
        void assumeAvailable() {
            SharedMemory.assumeAvailable(path.startsWith("aeron"));
            if (path.equals("rdma")) {
                String absence = FabricLibrary.absence();
                assumeTrue(absence == null, () -> "no RDMA: " + absence);
            }
        }
    }

    @BeforeAll
    static void startRelay() {
        relay = RelayServer.start(
                RelaySettings.builder().listen("127.0.0.1:0").insecure(true).build());
    }

    @AfterAll
    static void stopRelay() {
        relay.close();
    }

    private static Stream<Arguments> groups(int... sizes) {
        return Stream.of(Way.values()).flatMap(way -> IntStream.of(sizes).mapToObj(size -> Arguments.of(way, size)));
    }

    static Stream<Arguments> pairs() {
        return groups(2);
    }

    /** One rank has nobody to send to, five are odd, and eight take the most rounds. */
    static Stream<Arguments> someGroups() {
        return Stream.concat(
                groups(1, 5),
                Stream.of(Way.TCP, Way.FROM_RELAY_TO_MEMORY, Way.RDMA_IN_MEMORY, Way.RDMA_OVER_TCP)
                        .map(way -> Arguments.of(way, SIZE_MAX)));
    }

    /** Even and odd, powers of two and not, up to eight. */
    static Stream<Arguments> otherGroups() {
        return groups(OTHER_SIZES);
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void shouldMatchPlainLoop(Way way, int size) throws Exception {
        matchPlainLoop(way, size);
    }

    @ParameterizedTest
    @MethodSource("someGroups")
    @Tag("once")
    void shouldMatchPlainLoopInSomeGroups(Way way, int size) throws Exception {
        matchPlainLoop(way, size);
    }

    @ParameterizedTest
    @MethodSource("otherGroups")
    @Tag("long")
    void shouldMatchPlainLoopInGroupsOfAnySize(Way way, int size) throws Exception {
        matchPlainLoop(way, size);
    }

    private void matchPlainLoop(Way way, int size) throws Exception {
        way.assumeAvailable();
        Hosts hosts = way.path.equals("rdma") ? Hosts.one(size).onFabric() : Hosts.one(size);
        Selector selector = new Selector(hosts, TuningTable.builtIn(), RelayCollectives.OFF);
        List<CollectiveCase> cases = CollectiveMatrix.cases(size, selector, seeds.seed());
        ExecutorService ranks = Executors.newFixedThreadPool(size);
        try {
            List<Future<?>> outcomes = new ArrayList<>();
            for (int rank = 0; rank < size; rank++) {
                ZipSettings settings = settings(way, size, rank);
                outcomes.add(ranks.submit(() -> run(way, settings, cases)));
            }
            for (Future<?> outcome : outcomes) {
                outcome.get(2, TimeUnit.MINUTES);
            }
        } finally {
            ranks.shutdownNow();
        }
        assertEquals(List.of(), SharedMemoryFolder.leftIn(memory), "left in shared memory");
    }

    /** One rank cancels, one is in the collective, and one has not come: each gets what it is to get, and all go on together. */
    @ParameterizedTest
    @EnumSource(Way.class)
    @Tag("once")
    void shouldTellAllOfACancelledCollectiveAndGoOnInTheNextEpoch(Way way) throws Exception {
        way.assumeAvailable();
        int size = 3;
        CountDownLatch isInIt = new CountDownLatch(2);
        ExecutorService ranks = Executors.newFixedThreadPool(size);
        try {
            List<Future<?>> outcomes = new ArrayList<>();
            for (int rank = 0; rank < size; rank++) {
                ZipSettings settings = settings(way, size, rank);
                outcomes.add(ranks.submit(() -> {
                    Communicator world = Zip.join(settings);
                    cancelInTheFirst(world, isInIt);
                    try (Communicator next = world.shrink()) {
                        world.close();
                        assertEquals(List.of(0, 1, 2), next.view().ranksBefore());
                        int[] sum = {next.rank() + 1};
                        Collectives.of(next).allReduce(sum, ReduceOp.SUM);
                        assertEquals(6, sum[0]);
                    }
                    return null;
                }));
            }
            for (Future<?> outcome : outcomes) {
                outcome.get(1, TimeUnit.MINUTES);
            }
        } finally {
            ranks.shutdownNow();
        }
        // An epoch may be over before the thread is that makes its place in memory, and removes it then.
        long lateNs = System.nanoTime() + MOVE_NS_MAX;
        while (!SharedMemoryFolder.leftIn(memory).isEmpty() && System.nanoTime() - lateNs < 0) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
        assertEquals(List.of(), SharedMemoryFolder.leftIn(memory), "left in shared memory");
    }

    private static void cancelInTheFirst(Communicator world, CountDownLatch isInIt) throws InterruptedException {
        Collectives collectives = Collectives.of(world);
        if (world.rank() < 2) {
            ZipFuture<Void> sum = collectives.allReduceAsync(Payload.of(new float[60_000]), ReduceOp.SUM);
            isInIt.countDown();
            assertTrue(isInIt.await(30, TimeUnit.SECONDS), "both are in it");
            if (world.rank() == 0) {
                assertTrue(sum.cancel(true));
            }
            ZipException failure = assertThrows(ZipException.class, sum::await);
            assertEquals(
                    world.rank() == 0 ? ErrorCode.CANCELLED : ErrorCode.PEER_FAILED,
                    failure.code(),
                    failure.toString());
            assertEquals(world.rank() == 0 ? ZipException.NONE : 0, failure.peer(), failure.toString());
        }
        // Who has an answer has heard before all that others said before.
        assertEquals(List.of(), world.agree(true).failed());
        ZipException refusal = assertThrows(ZipException.class, collectives::barrier);
        assertEquals(ErrorCode.COMMUNICATOR_FAILED, refusal.code(), refusal.toString());
        assertTrue(refusal.getMessage().contains("CANCELLED"), refusal.getMessage());
        world.agree(true);
        world.revoke();
        ZipException revoked = assertThrows(ZipException.class, collectives::barrier);
        assertEquals(ErrorCode.REVOKED, revoked.code(), revoked.toString());
    }

    private ZipSettings settings(Way way, int size, int rank) {
        return ZipSettings.builder()
                .relay("127.0.0.1:" + relay.address().getPort())
                .session(way + "-" + size)
                .size(size)
                .rank(rank)
                .transport(way.choice)
                .set(Setting.SHARED_MEMORY, way.sharesMemory ? memory.toString() : "none")
                .set(Setting.RDMA_PROVIDER, way.provider)
                // Checked in groups of even size, and not in others.
                .set(Setting.CHECKSUM, size % 2 == 0 ? "on" : "off")
                .set(Setting.AERON_UDP, way.path.equals("aeron-udp") ? "on" : "off")
                .joinTimeout(Duration.ofSeconds(30))
                .operationTimeout(Duration.ofSeconds(30))
                .build();
    }

    private static void run(Way way, ZipSettings settings, List<CollectiveCase> cases) {
        try (Communicator world = Zip.join(settings)) {
            Collectives collectives = Collectives.of(world);
            for (CollectiveCase one : cases) {
                CollectiveMatrix.run(collectives, one);
            }
            moveAll(way, collectives);
            assertPaths(way, world);
        }
    }

    /** Uses every link until all have moved on every rank, or it is late on one. */
    private static void moveAll(Way way, Collectives collectives) {
        Communicator world = collectives.communicator();
        long lateNs = System.nanoTime() + MOVE_NS_MAX;
        int[] out = new int[world.size()];
        int[] in = new int[world.size()];
        do {
            boolean isOver = paths(world).allMatch(way.path::equals) || System.nanoTime() - lateNs > 0;
            Arrays.fill(out, isOver ? 1 : 0);
            collectives.allToAll(Payload.of(out), Payload.of(in));
        } while (Arrays.stream(in).anyMatch(word -> word == 0));
    }

    private static Stream<String> paths(Communicator world) {
        Engine engine = GroupCommunicator.of(world).progress();
        return IntStream.range(0, world.size())
                .filter(peer -> peer != world.rank())
                .mapToObj(peer -> String.valueOf(engine.pathTo(peer)));
    }

    private static void assertPaths(Way way, Communicator world) {
        assertEquals(
                Collections.nCopies(world.size() - 1, way.path),
                paths(world).toList(),
                way.choice + ", rank " + world.rank());
        long direct = world.counters().directBytesSent;
        long relayed = world.counters().relayBytesSent;
        switch (way.choice) {
            case TCP, AERON_IPC, AERON_UDP, RDMA -> assertEquals(0, relayed);
            case RELAY -> assertEquals(0, direct);
            case AUTO -> assertTrue(world.size() == 1 || direct > 0, "no link became direct");
        }
    }
}
