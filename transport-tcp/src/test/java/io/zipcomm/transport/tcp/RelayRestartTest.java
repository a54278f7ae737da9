package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Agreement;
import io.zipcomm.Communicator;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.internal.Joining;
import io.zipcomm.relay.RelayOption;
import io.zipcomm.relay.RelaySecret;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The relay ends without a word, and another that knows nothing of its groups is started at the same address. */
@Timeout(120)
@Tag("once")
final class RelayRestartTest extends WithRelay {

    private static final int TIMES = 3;
    private static final int LONG_BYTES = 4 << 20;
    private static final Duration HEARTBEAT_TIMEOUT = Duration.ofMillis(1500);

    /** By rank. */
    private final List<MortalProvider> providers = new ArrayList<>();

    @Override
    @BeforeEach
    void startRelay() {
        relay = start("127.0.0.1:0");
    }

    private static RelayServer start(String address) {
        return RelayServer.start(RelaySettings.builder()
                .listen(address)
                .insecure(true)
                .set(RelayOption.HEARTBEAT_INTERVAL, "300")
                .set(RelayOption.HEARTBEAT_TIMEOUT, Long.toString(HEARTBEAT_TIMEOUT.toMillis()))
                .build());
    }

    private void restart(long pauseMs) throws InterruptedException {
        int port = relay.address().getPort();
        relay.close();
        TimeUnit.MILLISECONDS.sleep(pauseMs);
        relay = start("127.0.0.1:" + port);
    }

    private ZipSettings.Builder settings(int size, int rank, TransportChoice choice) {
        return ZipSettings.builder()
                .relay("127.0.0.1:" + relay.address().getPort())
                .session("s")
                .size(size)
                .sizeMin(1)
                .rank(rank)
                .set(Setting.HOST_ID, "host-of-rank-" + rank)
                .set(Setting.CLOSE_TIMEOUT, "1000")
                .transport(choice);
    }

    private List<Communicator> join(int size, TransportChoice choice) throws Exception {
        return join(size, choice, "off");
    }

    private List<Communicator> join(int size, TransportChoice choice, String encryption) throws Exception {
        IntStream.range(0, size).forEach(rank -> providers.add(new MortalProvider()));
        return Threads.each(size, rank -> {
            ZipSettings settings = settings(size, rank, choice)
                    .set(Setting.ENCRYPTION, encryption)
                    .set(Setting.SECRET, "the relay must not know this")
                    .build();
            return Joining.join(settings, providers.get(rank), System::nanoTime);
        });
    }

    private static void leave(List<? extends Communicator> worlds) throws Exception {
        Threads.each(worlds.size(), one -> {
            worlds.get(one).close();
            return null;
        });
    }

    /** Both ways, a message that takes many frames. */
    private static void exchange(Communicator world, int peer) {
        byte[] mine = new byte[LONG_BYTES];
        new SplittableRandom(world.rank()).nextBytes(mine);
        byte[] theirs = new byte[LONG_BYTES];
        ZipFuture<Void> sent = world.sendAsync(peer, 3, Payload.of(mine));
        world.receive(peer, 3, theirs);
        sent.await();
        byte[] expected = new byte[LONG_BYTES];
        new SplittableRandom(peer).nextBytes(expected);
        assertArrayEquals(expected, theirs);
    }

    @ParameterizedTest(name = "{0}, encryption {1}")
    @CsvSource({"RELAY, off", "AUTO, off", "RELAY, relayed"})
    void shouldGoOnUnderLoadInTheSameEpoch(TransportChoice choice, String encryption) throws Exception {
        List<Communicator> worlds = join(2, choice, encryption);
        int epoch = worlds.get(0).view().epoch();
        AtomicBoolean over = new AtomicBoolean();
        long[] sums = new long[4];
        Threads.each(3, who -> {
            try {
                if (who == 2) {
                    SplittableRandom random = new SplittableRandom(seeds.seed());
                    for (int round = 0; round < TIMES && !over.get(); round++) {
                        TimeUnit.MILLISECONDS.sleep(200 + random.nextInt(100));
                        restart(random.nextInt(300));
                        awaitBack(2);
                    }
                } else {
                    new Load((GroupCommunicator) worlds.get(who), seeds.seed(), over, sums).run();
                }
            } finally {
                over.set(true);
            }
            return null;
        });
        assertEquals(sums[0], sums[3], "what rank 0 sent and rank 1 received");
        assertEquals(sums[1], sums[2], "what rank 1 sent and rank 0 received");
        if (choice == TransportChoice.RELAY) {
            for (int rank = 0; rank < 2; rank++) {
                int resumed = ((GroupCommunicator) worlds.get(rank)).progress().resumptions(1 - rank);
                assertTrue(resumed >= TIMES, resumed + " resumptions of rank " + rank);
            }
        }
        worlds.forEach(world -> {
            assertEquals(epoch, world.view().epoch());
            assertEquals(List.of(), world.failed());
        });
        leave(worlds);
    }

    /** Control and data connections of so many ranks. */
    private void awaitBack(int ranks) throws InterruptedException {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (relay.stats().connections() < 2 * ranks) {
            assertTrue(
                    System.nanoTime() - deadlineNs < 0,
                    "not all are back: " + relay.stats().connections() + " connections");
            TimeUnit.MILLISECONDS.sleep(2);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = TransportChoice.class,
            names = {"RELAY", "AUTO"})
    void shouldGiveUpARankThatDiesWithTheRelayAndGoOnWithoutIt(TransportChoice choice) throws Exception {
        TestGroup group = TestGroup.join(relay, "s", 3, choice, false, Duration.ofMillis(300));
        Threads.each(3, rank -> {
            GroupCommunicator world = group.rank(rank).world;
            if (rank == 2) {
                exchange(world, 0);
                exchange(world, 1);
            } else {
                exchange(world, 2);
                exchange(world, 1 - rank);
            }
            return null;
        });
        ZipFuture<Long> fromTheDead = group.rank(0).world.receiveAsync(2, 9, Payload.of(new byte[1]));
        group.rank(2).killTransport();
        group.rank(2).killControl();
        restart(0);
        Threads.each(2, rank -> {
            exchange(group.rank(rank).world, 1 - rank);
            return null;
        });
        ZipException failure = failure(fromTheDead);
        assertEquals(ErrorCode.PEER_LOST, failure.code(), failure::getMessage);
        for (int rank = 0; rank < 2; rank++) {
            awaitDead(group.rank(rank).world);
        }
        group.leave();
    }

    private static void awaitDead(Communicator world) throws InterruptedException {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (world.failed().isEmpty()) {
            assertTrue(System.nanoTime() - deadlineNs < 0, "no word of the dead rank");
            TimeUnit.MILLISECONDS.sleep(2);
        }
        assertEquals(List.of(2), world.failed());
    }

    private static ZipException failure(ZipFuture<?> future) {
        try {
            throw new AssertionError("got " + future.await());
        } catch (ZipException e) {
            return e;
        }
    }

    @Test
    void shouldAgreeThoughTheRelayIsStartedAgainMeanwhile() throws Exception {
        List<Communicator> worlds = join(2, TransportChoice.RELAY);
        Future<Agreement> first =
                Threads.start(1, one -> worlds.get(0).agree(true)).get(0);
        // It has said its part to the relay that ends, or keeps it.
        exchangeBoth(worlds);
        restart(0);
        Agreement second = worlds.get(1).agree(true);
        assertTrue(second.value());
        assertTrue(first.get(30, TimeUnit.SECONDS).value());
        List<Agreement> again = Threads.each(2, rank -> worlds.get(rank).agree(rank == 0));
        again.forEach(one -> assertEquals(false, one.value()));
        leave(worlds);
    }

    private static void exchangeBoth(List<Communicator> worlds) throws Exception {
        Threads.each(2, rank -> {
            exchange(worlds.get(rank), 1 - rank);
            return null;
        });
    }

    @Test
    void shouldShrinkThoughTheRelayIsStartedAgainMeanwhile() throws Exception {
        List<Communicator> worlds = join(2, TransportChoice.AUTO);
        Future<Communicator> first =
                Threads.start(1, one -> worlds.get(0).shrink()).get(0);
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        // Two of rank 1, the control connection of rank 0, and two more on its way to the next epoch.
        while (relay.stats().connections() < 5) {
            assertTrue(System.nanoTime() - deadlineNs < 0, "rank 0 does not ask for the next epoch");
            TimeUnit.MILLISECONDS.sleep(2);
        }
        restart(100);
        Communicator second = worlds.get(1).shrink();
        List<Communicator> next = List.of(first.get(30, TimeUnit.SECONDS), second);
        assertEquals(2, second.size());
        exchangeBoth(next);
        leave(next);
    }

    /** As one whose keys have changed, or for which the tokens have expired. */
    @Test
    void shouldShrinkThoughTheRelayAdmitsNobodyForAWhile() throws Exception {
        List<Communicator> worlds = join(2, TransportChoice.AUTO);
        int port = relay.address().getPort();
        relay.close();
        relay = RelayServer.start(RelaySettings.builder()
                .listen("127.0.0.1:" + port)
                .secret(RelaySecret.random())
                .build());
        // Both have noticed that their relay is no more.
        awaitRefusals(4);
        List<Future<Communicator>> next =
                Threads.start(2, rank -> worlds.get(rank).shrink());
        awaitRefusals(16);
        restart(0);
        List<Communicator> shrunk =
                List.of(next.get(0).get(30, TimeUnit.SECONDS), next.get(1).get(30, TimeUnit.SECONDS));
        assertEquals(2, shrunk.get(0).size());
        exchangeBoth(shrunk);
        leave(shrunk);
    }

    private void awaitRefusals(long count) throws InterruptedException {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(8);
        while (relay.stats().refusals().getOrDefault(ErrorCode.UNAUTHORIZED, 0L) < count) {
            assertTrue(
                    System.nanoTime() - deadlineNs < 0,
                    "refused: " + relay.stats().refusals());
            TimeUnit.MILLISECONDS.sleep(2);
        }
    }
}
