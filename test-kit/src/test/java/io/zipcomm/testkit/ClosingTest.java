package io.zipcomm.testkit;

import static io.zipcomm.testkit.Outcome.assertFailed;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Communicator;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Members leave a group in any order, and nobody waits for a peer that has gone. */
@Tag("once")
final class ClosingTest {

    private static final int EAGER = 1024;
    private static final int WINDOW = 16 << 10;

    /** Far less than any time limit of the engine. */
    private static final long QUICK_MS = 200;

    @RegisterExtension
    final Seeds seeds = new Seeds();

    private static SimulatedGroup group(int size, long seed) {
        return SimulatedGroup.of(
                new SimulatedNetwork(size, seed),
                options -> options.eagerBytes(EAGER).windowBytes(WINDOW));
    }

    @Test
    void shouldCloseAtOnceWhenAllAreDone() {
        seeds.each(300, seed -> {
            try (SimulatedGroup group = group(2 + (int) (seed & 3), seed)) {
                // Direct paths open before, while and after the ranks leave.
                Duration until = Duration.ofNanos(
                        group.random().nextLong(2 * group.network().conditions().connectNsMax() + 1));
                group.run(world -> exchangeWithAll(world, 5));
                if (group.random().nextBoolean()) {
                    group.runFor(until);
                }
                long beginNs = group.network().nowNs();
                group.run(Communicator::close);
                long ms = (group.network().nowNs() - beginNs) / 1_000_000;
                assertTrue(
                        ms < QUICK_MS,
                        () -> "took " + ms + " ms: " + group.network().conditions());
            }
        });
    }

    private static void exchangeWithAll(Communicator world, int tag) {
        List<ZipFuture<?>> all = new ArrayList<>();
        for (int peer = 0; peer < world.size(); peer++) {
            if (peer != world.rank()) {
                all.add(world.sendAsync(peer, tag, Payload.of(new byte[3 * EAGER * (peer % 2)])));
                all.add(world.receiveAsync(peer, tag, Payload.of(new byte[3 * EAGER])));
            }
        }
        all.forEach(ZipFuture::await);
    }

    @Test
    void shouldCloseOneAfterTheOther() {
        seeds.each(150, seed -> {
            try (SimulatedGroup group = group(4, seed)) {
                RandomGenerator random = group.random();
                group.run(world -> exchangeWithAll(world, 5));
                int[] slowness = random.ints(4, 0, 4).toArray();
                long[] tookMs = new long[4];
                group.run(world -> {
                    // Those who stay compute for a while, and answer only now and then.
                    for (int i = 0; i < slowness[world.rank()]; i++) {
                        pause(world, Duration.ofMillis(20));
                    }
                    long beginNs = group.network().nowNs();
                    world.close();
                    tookMs[world.rank()] = (group.network().nowNs() - beginNs) / 1_000_000;
                });
                for (long ms : tookMs) {
                    assertTrue(
                            ms < QUICK_MS,
                            () -> "took " + ms + " ms: " + group.network().conditions());
                }
            }
        });
    }

    /** Waits for something that does not come. */
    private static void pause(Communicator world, Duration time) {
        int peer = (world.rank() + 1) % world.size();
        ZipException failure =
                assertThrows(ZipException.class, () -> world.withTimeout(time).receive(peer, 1000, new byte[1]));
        assertTrue(failure.code() == ErrorCode.DEADLINE || failure.code() == ErrorCode.PEER_LEFT, failure.getMessage());
    }

    @Test
    void shouldDeliverWhatWasSentBeforeItsSenderLeft() {
        seeds.each(200, seed -> {
            try (SimulatedGroup group = group(3, seed)) {
                int count = group.random().nextInt(1, 15);
                group.run(world -> {
                    if (world.rank() == 0) {
                        for (int i = 0; i < count; i++) {
                            for (int peer = 1; peer < 3; peer++) {
                                world.send(peer, i, Memory.pattern(i, 10 * i));
                            }
                        }
                        world.close();
                    } else {
                        pause(world, Duration.ofMillis(10));
                        for (int i = count - 1; i >= 0; i--) {
                            byte[] room = new byte[10 * i];
                            assertEquals(10L * i, world.receive(0, i, room));
                            assertEquals(-1, java.util.Arrays.mismatch(room, Memory.pattern(i, 10 * i)));
                        }
                    }
                });
            }
        });
    }

    @Test
    void shouldFinishSendsThatAreUnderWay() {
        seeds.each(100, seed -> {
            try (SimulatedGroup group = group(2, seed)) {
                int bytes = 40 * EAGER;
                group.run(world -> {
                    if (world.rank() == 0) {
                        // Not waited for: closing does.
                        ZipFuture<Void> send = world.sendAsync(1, 3, Payload.of(Memory.pattern(9, bytes)));
                        world.close();
                        assertNull(Outcome.failure(send));
                    } else {
                        byte[] room = new byte[bytes];
                        assertEquals(bytes, world.receive(0, 3, room));
                        assertEquals(-1, java.util.Arrays.mismatch(room, Memory.pattern(9, bytes)));
                    }
                });
            }
        });
    }

    @Test
    void shouldTellThoseWhoWaitForARankThatLeft() {
        seeds.each(150, seed -> {
            try (SimulatedGroup group = group(3, seed)) {
                if (group.random().nextBoolean()) {
                    group.run(world -> exchangeWithAll(world, 5));
                }
                Throwable[] outcomes = group.outcomes(
                        world -> {
                            if (world.rank() == 0) {
                                world.close();
                            } else if (world.rank() == 1) {
                                world.receive(0, 8, new byte[10]);
                            } else {
                                // The first ones may leave before this rank knows.
                                for (int i = 0; i < 1000; i++) {
                                    world.send(0, 8, new byte[2 * EAGER]);
                                }
                            }
                        },
                        Duration.ofSeconds(10));
                assertNull(outcomes[0]);
                for (int rank = 1; rank < 3; rank++) {
                    ZipException failure = (ZipException) outcomes[rank];
                    assertNotNull(failure, "rank " + rank + " did not notice");
                    assertEquals(ErrorCode.PEER_LEFT, failure.code(), failure.getMessage());
                    assertEquals(0, failure.peer());
                    assertTrue(failure.elapsedMs() < 2500, failure.getMessage());
                }
                // The others go on.
                ZipFuture<Void> send = group.communicator(1).sendAsync(2, 9, Payload.of(new byte[5 * EAGER]));
                ZipFuture<Long> receive = group.communicator(2).receiveAsync(1, 9, Payload.of(new byte[5 * EAGER]));
                group.await(send, receive);
                assertNull(Outcome.failure(receive));
                ZipFuture<Void> late = group.communicator(1).sendAsync(0, 9, Payload.of(new byte[5 * EAGER]));
                group.await(late);
                assertFailed(ErrorCode.PEER_LEFT, 0, late);
            }
        });
    }

    @Test
    void shouldEndOperationsOfAClosedCommunicator() {
        seeds.each(40, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(2, seed);
            try (SimulatedGroup group = SimulatedGroup.of(
                    network,
                    options ->
                            options.eagerBytes(EAGER).windowBytes(WINDOW).operationTimeout(Duration.ofMillis(300)))) {
                ZipFuture<Long> receive = group.communicator(0).receiveAsync(1, 3, Payload.of(new byte[4]));
                group.run(world -> {
                    if (world.rank() == 0) {
                        world.close();
                        world.close();
                    }
                });
                assertTrue(receive.isDone());
                assertNotNull(Outcome.failure(receive));
                ZipException failure = assertThrows(
                        ZipException.class, () -> group.communicator(0).sendAsync(1, 3, Payload.of(new byte[4])));
                assertEquals(ErrorCode.CLOSED, failure.code());
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldCloseThoughAPeerIsFrozen() {
        seeds.each(3, seed -> {
            try (SimulatedGroup group = group(3, seed)) {
                group.run(world -> exchangeWithAll(world, 5));
                group.network().freeze(2);
                long beginNs = group.network().nowNs();
                group.run(Communicator::close);
                long ms = (group.network().nowNs() - beginNs) / 1_000_000;
                assertTrue(ms < 8000, "took " + ms + " ms");
            }
        });
    }

    @Test
    void shouldCloseInTheTimeThatThePlatformLeaves() {
        seeds.each(10, seed -> {
            for (int leftMs : new int[] {400, 0, -5}) {
                try (SimulatedGroup group = group(3, seed)) {
                    group.run(world -> exchangeWithAll(world, 5));
                    group.network().freeze(2);
                    ZipFuture<Long> pending = group.communicator(0).receiveAsync(2, 6, Payload.of(new byte[4]));
                    long beginNs = group.network().nowNs();
                    group.run(world -> {
                        if (world.rank() == 0) {
                            // It gets less with time.
                            long endNs = group.network().nowNs() + leftMs * 1_000_000L;
                            world.withinRemaining(() -> Duration.ofNanos(
                                            endNs - group.network().nowNs()))
                                    .close();
                        }
                    });
                    long ms = (group.network().nowNs() - beginNs) / 1_000_000;
                    assertTrue(ms <= Math.max(0, leftMs) + QUICK_MS, "took " + ms + " ms of " + leftMs);
                    assertFailed(ErrorCode.CLOSED, pending);
                    // The others are told.
                    ZipFuture<Long> never = group.communicator(1).receiveAsync(0, 6, Payload.of(new byte[4]));
                    group.await(never);
                    assertFailed(ErrorCode.PEER_LEFT, 0, never);
                }
            }
        });
    }

    /** Nobody can say what is left: it is closed all the same, at once. */
    @Test
    void shouldCloseThoughNobodyKnowsTheTime() {
        try (SimulatedGroup group = group(2, seeds.seed())) {
            group.run(world -> {
                world.withinRemaining(() -> {
                            throw new IllegalStateException("no context");
                        })
                        .close();
                assertEquals(
                        ErrorCode.CLOSED,
                        assertThrows(ZipException.class, () -> world.send(1 - world.rank(), 1, new byte[1]))
                                .code());
            });
        }
    }

    /** Rank 0 waits for rank 2's goodbye when rank 1 uses its link to rank 0 for the first time. */
    @Test
    void shouldSayGoodbyeOnALinkThatIsFirstUsedMeanwhile() {
        seeds.each(60, seed -> {
            try (SimulatedGroup group = group(3, seed)) {
                SimulatedNetwork network = group.network();
                ZipFuture<Void> send = group.communicator(0).sendAsync(2, 1, Payload.of(new byte[9]));
                ZipFuture<Long> receive = group.communicator(2).receiveAsync(0, 1, Payload.of(new byte[9]));
                group.await(send, receive);
                network.freeze(2);
                long beginNs = network.nowNs();
                Throwable[] outcomes = group.outcomes(
                        world -> {
                            if (world.rank() == 0) {
                                world.close();
                            } else if (world.rank() == 1) {
                                Communicator hurried = world.withTimeout(Duration.ofMillis(20));
                                assertThrows(ZipException.class, () -> hurried.receive(2, 7, new byte[1]));
                                world.send(0, 3, new byte[5]);
                                assertThrows(ZipException.class, () -> hurried.receive(2, 7, new byte[1]));
                                network.thaw(2);
                            }
                        },
                        SimulatedGroup.PATIENCE);
                assertNull(outcomes[0]);
                assertNull(outcomes[1]);
                long ms = (network.nowNs() - beginNs) / 1_000_000;
                assertTrue(ms < 2 * QUICK_MS, () -> "took " + ms + " ms: " + network.conditions());
            }
        });
    }
}
