package io.zipcomm.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The simulated group itself: what its users rely on. */
final class SimulatedGroupTest {

    @RegisterExtension
    final Seeds seeds = new Seeds();

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @Test
    void shouldRunAsynchronousOperations() {
        seeds.each(20, seed -> {
            try (SimulatedGroup group = SimulatedGroup.of(2, seed)) {
                int[] sent = {1, 2, 3};
                int[] received = new int[3];
                ZipFuture<Void> send = group.communicator(0).sendAsync(1, 7, Payload.of(sent));
                ZipFuture<Long> receive = group.communicator(1).receiveAsync(0, 7, Payload.of(received));
                group.await(send, receive);
                assertNull(send.join());
                assertEquals(12, receive.join());
                assertArrayEquals(sent, received);
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldRunBlockingPrograms() {
        seeds.each(20, seed -> {
            try (SimulatedGroup group = SimulatedGroup.of(4, seed)) {
                int[] sums = new int[4];
                group.run(world -> {
                    int next = (world.rank() + 1) % world.size();
                    int before = (world.rank() + world.size() - 1) % world.size();
                    int[] mine = {world.rank()};
                    for (int i = 0; i < world.size(); i++) {
                        ZipFuture<Void> send = world.sendAsync(next, i, Payload.of(mine));
                        int[] other = new int[1];
                        world.receive(before, i, other);
                        send.await();
                        mine = other;
                        sums[world.rank()] += other[0];
                    }
                });
                assertArrayEquals(new int[] {6, 6, 6, 6}, sums);
            }
        });
    }

    @Test
    void shouldReplayARunFromItsSeed() {
        long seed = seeds.seed();
        assertEquals(history(seed), history(seed));
        assertTrue(!history(seed).equals(history(seed + 1)), "another seed gives another run");
    }

    private static List<String> history(long seed) {
        List<String> history = new ArrayList<>();
        try (SimulatedGroup group = SimulatedGroup.of(3, seed)) {
            group.run(world -> {
                List<ZipFuture<Void>> sends = new ArrayList<>();
                for (int peer = 0; peer < world.size(); peer++) {
                    if (peer != world.rank()) {
                        sends.add(world.sendAsync(peer, 1, Payload.of(new byte[5000 * (1 + peer)])));
                    }
                }
                for (int peer = 0; peer < world.size(); peer++) {
                    if (peer != world.rank()) {
                        world.receive(peer, 1, new byte[20_000]);
                        history.add(world.rank() + " from " + peer + " at "
                                + group.network().clock().elapsedNs());
                    }
                }
                sends.forEach(ZipFuture::await);
            });
        }
        return history;
    }

    @Test
    void shouldNameSeedAndStateWhenNothingHappens() {
        try (SimulatedGroup group = SimulatedGroup.of(2, 42)) {
            AssertionError failure =
                    assertThrows(AssertionError.class, () -> group.runUntil(() -> false, Duration.ofMillis(10)));
            assertTrue(failure.getMessage().contains("seed 42"), failure.getMessage());
        }
    }

    @Test
    void shouldRefuseBlockingCallsOfTheDrivingThread() {
        try (SimulatedGroup group = SimulatedGroup.of(2, 42)) {
            IllegalStateException failure = assertThrows(
                    IllegalStateException.class, () -> group.communicator(0).receive(1, 1, new byte[1]));
            assertTrue(failure.getMessage().contains("only thread"), failure.getMessage());
        }
    }

    @Test
    void shouldTakeVirtualTimeOnly() {
        try (SimulatedGroup group = SimulatedGroup.of(2, seeds.seed())) {
            long beginNs = System.nanoTime();
            group.runFor(Duration.ofSeconds(60));
            assertTrue(group.network().clock().elapsedNs()
                    >= Duration.ofSeconds(60).toNanos());
            assertTrue(System.nanoTime() - beginNs < Duration.ofSeconds(30).toNanos());
        }
    }
}
