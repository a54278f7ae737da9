package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.buffer.Payload;
import io.zipcomm.collectives.CuttableWay.End;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.RelayCollectives;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.Seeds;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Ranks lose their connections to the relay amid collectives of which it does a part, and the relay itself is started again: every
 * result is right, nothing fails, and nothing is left in the relay. All over the relay only, which does what it does by default.
 */
@Timeout(120)
@Tag("once")
final class RelayReturnTest {

    private static final int CUTS = 25;
    private static final int RESTARTS = 3;
    private static final long LIMIT_S = 60;
    private static final long LOOK_NS = 1_000_000;
    private static final int[] BROADCASTS = {8, 100, 64 << 10, (64 << 10) + 4, 4 << 20};
    private static final int ALL_REDUCE_COUNT = (1 << 20) / Float.BYTES;

    @RegisterExtension
    final Seeds seeds = new Seeds();

    private RelayServer relay;
    private final List<CuttableWay> ways = new ArrayList<>();
    private final AtomicBoolean over = new AtomicBoolean();
    private final AtomicInteger rounds = new AtomicInteger();

    @BeforeEach
    void startRelay() {
        relay = start("127.0.0.1:0");
    }

    private static RelayServer start(String address) {
        return RelayServer.start(
                RelaySettings.builder().listen(address).insecure(true).build());
    }

    @AfterEach
    void stop() throws Exception {
        for (CuttableWay way : ways) {
            way.close();
        }
        relay.close();
    }

    private interface Trouble {
        void make() throws Exception;
    }

    private interface Body {
        void run(Communicator world) throws Exception;
    }

    @ParameterizedTest(name = "{0} ranks")
    @ValueSource(ints = {2, 3, 4, 5})
    void shouldGoOnWhenConnectionsAreCut(int size) throws Exception {
        SplittableRandom random = new SplittableRandom(seeds.seed());
        run(size, () -> {
            for (int cut = 0; cut < CUTS; cut++) {
                awaitRounds(1);
                TimeUnit.MILLISECONDS.sleep(random.nextInt(30));
                int ranks = random.nextInt(3) == 0 ? 2 : 1;
                int first = random.nextInt(size);
                for (int i = 0; i < ranks; i++) {
                    CuttableWay way = ways.get((first + i) % size);
                    End end = CollectiveMatrix.any(End.values(), random);
                    way.cut(true, end);
                    if (random.nextInt(3) == 0) {
                        // Of the end of this one nobody tells the rank.
                        way.cut(false, end == End.RELAY ? End.BOTH : end);
                    }
                }
                awaitThat(() -> ways.stream().allMatch(CuttableWay::isWhole), "all are back after cut " + cut);
            }
        });
    }

    @ParameterizedTest(name = "{0} ranks")
    @ValueSource(ints = {2, 5})
    void shouldGoOnWhenTheRelayIsStartedAgain(int size) throws Exception {
        SplittableRandom random = new SplittableRandom(seeds.seed());
        run(size, () -> {
            for (int restart = 0; restart < RESTARTS; restart++) {
                awaitRounds(2);
                TimeUnit.MILLISECONDS.sleep(random.nextInt(60));
                String address = "127.0.0.1:" + relay.address().getPort();
                relay.close();
                TimeUnit.MILLISECONDS.sleep(random.nextInt(200));
                relay = start(address);
            }
            awaitRounds(5);
        });
    }

    /** What the relay combines does not begin anew: the one that lost its connection says so, and the others name it. */
    @Test
    void shouldSayWhoLostItsConnectionAmidAReduction() throws Exception {
        int size = 3;
        int count = 1000;
        CountDownLatch failed = new CountDownLatch(2);
        ZipException[] failures = new ZipException[size];
        run(
                size,
                RelayCollectives.REDUCE,
                world -> {
                    if (world.rank() == 2) {
                        // It does not come.
                        assertTrue(failed.await(LIMIT_S / 2, TimeUnit.SECONDS));
                        return;
                    }
                    failures[world.rank()] = assertThrows(
                            ZipException.class,
                            () -> Collectives.of(world).allReduce(Payload.of(new float[count]), ReduceOp.SUM));
                    failed.countDown();
                    assertTrue(failed.await(LIMIT_S / 2, TimeUnit.SECONDS));
                },
                () -> {
                    awaitThat(
                            () -> relay.stats().hubBytesIn() == 2L * count * Float.BYTES,
                            "two have given what they have");
                    ways.get(1).cut(true, End.BOTH);
                    assertTrue(failed.await(LIMIT_S / 2, TimeUnit.SECONDS));
                });
        assertEquals(ErrorCode.RELAY_LOST, failures[1].code(), failures[1]::getMessage);
        assertEquals(ErrorCode.PEER_FAILED, failures[0].code(), failures[0]::getMessage);
        assertEquals(1, failures[0].peer());
    }

    /** A rank was through with what it gave, which went down with the relay: the root hears that, long before its time is over. */
    @Test
    void shouldSayWhosePartWentDownWithTheRelay() throws Exception {
        int size = 3;
        int giver = 2;
        int count = 1000;
        CountDownLatch restarted = new CountDownLatch(1);
        ZipException[] failures = new ZipException[size];
        run(
                size,
                RelayCollectives.REDUCE,
                world -> {
                    Communicator other = world.duplicate();
                    Collectives all = Collectives.of(world);
                    if (world.rank() == giver) {
                        all.reduce(Payload.of(new float[count]), ReduceOp.SUM, 0);
                    }
                    assertTrue(restarted.await(LIMIT_S / 2, TimeUnit.SECONDS));
                    // Then all are back.
                    Collectives.of(other).barrier();
                    if (world.rank() == 0) {
                        failures[0] = assertThrows(
                                ZipException.class, () -> all.reduce(Payload.of(new float[count]), ReduceOp.SUM, 0));
                    }
                    Collectives.of(other).barrier();
                },
                () -> {
                    awaitThat(
                            () -> relay.stats().hubBytesIn() == (long) count * Float.BYTES,
                            "one has given what it has");
                    String address = "127.0.0.1:" + relay.address().getPort();
                    relay.close();
                    relay = start(address);
                    restarted.countDown();
                    awaitThat(() -> failures[0] != null, "the root has heard");
                });
        assertEquals(ErrorCode.RELAY_LOST, failures[0].code(), failures[0]::getMessage);
        assertEquals(giver, failures[0].peer());
        assertTrue(failures[0].getMessage().contains("relay was started again"), failures[0]::getMessage);
    }

    private void awaitRounds(int more) {
        int enough = rounds.get() + more;
        awaitThat(() -> rounds.get() >= enough || over.get(), "round " + enough);
        assertTrue(!over.get(), "a rank has ended");
    }

    private static void awaitThat(BooleanSupplier condition, String what) {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_S / 2);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - deadlineNs < 0, () -> "not true in time: " + what);
            LockSupport.parkNanos(LOOK_NS);
        }
    }

    private void run(int size, Trouble trouble) throws Exception {
        run(size, RelayCollectives.MULTICAST, this::collectives, trouble);
    }

    private void run(int size, RelayCollectives relayDoes, Body body, Trouble trouble) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(size);
        try {
            List<Future<?>> ranks = new ArrayList<>();
            for (int rank = 0; rank < size; rank++) {
                ways.add(new CuttableWay(relay.address()));
                ZipSettings settings = ZipSettings.builder()
                        .relay("127.0.0.1:" + ways.get(rank).port())
                        .session("s")
                        .size(size)
                        .rank(rank)
                        .transport(TransportChoice.RELAY)
                        .set(Setting.RELAY_COLLECTIVES, relayDoes.name())
                        .operationTimeout(Duration.ofSeconds(LIMIT_S / 2))
                        .build();
                ranks.add(threads.submit(() -> {
                    try (Communicator world = Zip.join(settings)) {
                        body.run(world);
                    } finally {
                        over.set(true);
                    }
                    return null;
                }));
            }
            try {
                trouble.make();
            } finally {
                over.set(true);
                for (Future<?> rank : ranks) {
                    rank.get(LIMIT_S, TimeUnit.SECONDS);
                }
            }
            awaitThat(() -> relay.stats().ranks() == 0, "the group is gone");
            assertEquals(0, relay.stats().hubOperationsOpen(), "operations left in the relay");
            assertEquals(0, relay.stats().bytesWaiting(), "bytes left in the relay");
            assertEquals(0, relay.stats().waitingMemory(), "memory left in the relay");
        } finally {
            threads.shutdownNow();
        }
    }

    /** Until the first rank says that it is enough. */
    private void collectives(Communicator world) {
        Collectives all = Collectives.of(world);
        SplittableRandom random = new SplittableRandom(seeds.seed());
        byte[] last = {0};
        for (int round = 0; last[0] == 0; round++) {
            switch (random.nextInt(4)) {
                case 0 -> broadcast(all, random.nextInt(world.size()), BROADCASTS[random.nextInt(5)], round);
                case 1 -> allGather(all, 1 + random.nextInt(random.nextBoolean() ? 100 : 40_000), round);
                case 2 -> allReduce(all, round);
                default -> {
                    for (int i = 0; i < 20; i++) {
                        all.barrier();
                    }
                }
            }
            last[0] = (byte) (over.get() ? 1 : 0);
            all.broadcast(Payload.of(last), 0);
            rounds.addAndGet(world.rank() == 0 ? 1 : 0);
        }
    }

    private static byte[] bytes(int count, int seed) {
        byte[] bytes = new byte[count];
        new SplittableRandom(seed).nextBytes(bytes);
        return bytes;
    }

    private static void broadcast(Collectives all, int root, int count, int round) {
        byte[] expected = bytes(count, round);
        byte[] message = all.communicator().rank() == root ? expected.clone() : new byte[count];
        all.broadcast(Payload.of(message), root);
        assertArrayEquals(expected, message, "broadcast in round " + round);
        // A root's memory is its own again, whatever others still wait for.
        Arrays.fill(message, (byte) round);
    }

    private static void allGather(Collectives all, int count, int round) {
        int size = all.communicator().size();
        byte[] blocks = new byte[size * count];
        byte[] own = bytes(count, round * size + all.communicator().rank());
        all.allGather(Payload.of(own), Payload.of(blocks));
        Arrays.fill(own, (byte) round);
        for (int rank = 0; rank < size; rank++) {
            assertArrayEquals(
                    bytes(count, round * size + rank),
                    Arrays.copyOfRange(blocks, rank * count, (rank + 1) * count),
                    "block of rank " + rank + " in round " + round);
        }
    }

    private static void allReduce(Collectives all, int round) {
        int size = all.communicator().size();
        float[] values = new float[ALL_REDUCE_COUNT];
        float[] expected = new float[ALL_REDUCE_COUNT];
        for (int i = 0; i < values.length; i++) {
            values[i] = (i + round) % 1000 + all.communicator().rank();
            expected[i] = (i + round) % 1000 * size + size * (size - 1) / 2;
        }
        all.allReduce(Payload.of(values), ReduceOp.SUM);
        assertArrayEquals(expected, values, "all-reduce in round " + round);
    }
}
