package io.zipcomm.testkit;

import static io.zipcomm.testkit.Outcome.assertFailed;
import static io.zipcomm.testkit.Outcome.assertSucceeded;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
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
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Several communicators in one group: who is in them, and that they never mix. */
@Tag("once")
final class CommunicatorsTest {

    private static final int EAGER = 1024;
    private static final int WINDOW = 16 << 10;

    @RegisterExtension
    final Seeds seeds = new Seeds();

    private static SimulatedGroup group(int size, long seed) {
        return SimulatedGroup.of(
                new SimulatedNetwork(size, seed),
                options -> options.eagerBytes(EAGER).windowBytes(WINDOW));
    }

    @Test
    void shouldSplitByColourAndOrderByKey() {
        seeds.each(60, seed -> {
            RandomGenerator random = Seeds.random(seed);
            int size = random.nextInt(1, 9);
            int[] colours = random.ints(size, -1, 3).toArray();
            int[] keys = random.ints(size, -2, 3).toArray();
            try (SimulatedGroup group = group(size, seed)) {
                group.run(world -> {
                    int rank = world.rank();
                    Communicator part = world.split(colours[rank], keys[rank]);
                    if (colours[rank] < 0) {
                        assertNull(part);
                        return;
                    }
                    int before = 0;
                    int members = 0;
                    for (int other = 0; other < size; other++) {
                        if (colours[other] == colours[rank]) {
                            members++;
                            boolean first = keys[other] < keys[rank] || (keys[other] == keys[rank] && other < rank);
                            before += first ? 1 : 0;
                        }
                    }
                    assertEquals(members, part.size());
                    assertEquals(before, part.rank());
                    assertEquals(rank, part.worldRank(part.rank()));
                    assertEquals(world.view(), part.view());
                    sendAround(part, rank);
                    part.close();
                });
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    /** Everyone learns the world rank of the one before it. */
    private static void sendAround(Communicator part, int worldRank) {
        if (part.size() == 1) {
            return;
        }
        int next = (part.rank() + 1) % part.size();
        int before = (part.rank() + part.size() - 1) % part.size();
        ZipFuture<Void> send = part.sendAsync(next, 4, Payload.of(new int[] {worldRank}));
        int[] room = new int[1];
        part.receive(before, 4, room);
        send.await();
        assertEquals(part.worldRank(before), room[0]);
    }

    @Test
    void shouldNeverMixMessagesOfTwoCommunicators() {
        seeds.each(60, seed -> {
            try (SimulatedGroup group = group(3, seed)) {
                group.run(world -> {
                    List<Communicator> all = new ArrayList<>(List.of(world));
                    all.add(world.duplicate());
                    all.add(all.get(1).duplicate());
                    // The same members in another order.
                    all.add(world.split(0, -world.rank()));
                    List<Runnable> posts = new ArrayList<>();
                    List<ZipFuture<?>> open = new ArrayList<>();
                    List<Runnable> checks = new ArrayList<>();
                    for (int which = 0; which < all.size(); which++) {
                        for (int number = 0; number < 8; number++) {
                            exchange(all.get(which), which, number, posts, open, checks);
                        }
                    }
                    Collections.shuffle(posts, new Random(seed + world.rank()));
                    posts.forEach(Runnable::run);
                    open.forEach(ZipFuture::await);
                    checks.forEach(Runnable::run);
                    for (int i = 3; i > 0; i--) {
                        all.get(i).close();
                    }
                });
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    /** With every peer, under the same tag on every communicator: the content says where it belongs. */
    private static void exchange(
            Communicator one,
            int which,
            int number,
            List<Runnable> posts,
            List<ZipFuture<?>> open,
            List<Runnable> checks) {
        int bytes = number % 3 == 0 ? 4 * EAGER : 10 * which + number;
        for (int peer = 0; peer < one.size(); peer++) {
            if (peer == one.rank()) {
                continue;
            }
            int other = peer;
            byte[] room = new byte[bytes];
            posts.add(() -> open.add(one.sendAsync(
                    other, number, Payload.of(Memory.pattern(content(one, which, one.rank()), bytes)))));
            posts.add(() -> open.add(one.receiveAsync(other, number, Payload.of(room))));
            checks.add(() -> assertArrayEquals(Memory.pattern(content(one, which, other), bytes), room));
        }
    }

    private static long content(Communicator one, int which, int sender) {
        return 100L * which + one.worldRank(sender);
    }

    @Test
    void shouldFailOneCommunicatorAlone() {
        seeds.each(40, seed -> {
            try (SimulatedGroup group = group(3, seed)) {
                group.run(world -> {
                    Communicator sick = world.duplicate();
                    Communicator well = world.duplicate();
                    if (world.rank() != 1) {
                        ZipException failure = assertThrows(
                                ZipException.class,
                                () -> sick.withTimeout(Duration.ofMillis(50 + 20 * world.rank()))
                                        .duplicate());
                        assertTrue(
                                failure.code() == ErrorCode.DEADLINE || failure.code() == ErrorCode.PEER_FAILED,
                                failure.getMessage());
                    }
                    // Its messages go on; its collectives do not, on any member.
                    sendAround(sick, world.rank());
                    Communicator other = well.duplicate();
                    sendAround(other, world.rank());
                    ZipException late = assertThrows(ZipException.class, sick::duplicate);
                    assertEquals(ErrorCode.COMMUNICATOR_FAILED, late.code(), late.getMessage());
                    sendAround(world.split(0, 0), world.rank());
                });
            }
        });
    }

    @Test
    void shouldForgetMessagesOfAClosedCommunicator() {
        seeds.each(40, seed -> {
            try (SimulatedGroup group = group(2, seed)) {
                group.run(world -> {
                    Communicator one = world.duplicate();
                    if (world.rank() == 0) {
                        for (int i = 0; i < 10; i++) {
                            one.send(1, i, new byte[100 * i]);
                        }
                    }
                    sendAround(world, world.rank());
                    one.close();
                    ZipException failure = assertThrows(
                            ZipException.class, () -> one.sendAsync(1 - world.rank(), 1, Payload.of(new byte[1])));
                    assertEquals(ErrorCode.CLOSED, failure.code());
                });
                group.runFor(Duration.ofMillis(50));
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldKeepNothingForACommunicatorThatThisRankHasClosed() {
        seeds.each(40, seed -> {
            try (SimulatedGroup group = group(2, seed)) {
                group.run(world -> {
                    Communicator one = world.duplicate();
                    if (world.rank() == 1) {
                        one.close();
                    } else {
                        // More than the window holds: what goes at once is thrown away there, what has to wait is
                        // refused.
                        for (int i = 0; i < 40; i++) {
                            try {
                                one.send(1, i, new byte[EAGER]);
                            } catch (ZipException refused) {
                                assertClosedAt1(refused);
                            }
                        }
                        assertClosedAt1(assertThrows(ZipException.class, () -> one.send(1, 50, new byte[5 * EAGER])));
                    }
                    sendAround(world, world.rank());
                });
                assertEquals(List.of(), group.leaks());
                assertEquals(0, group.keptBytes(1, 0));
            }
        });
    }

    private static void assertClosedAt1(ZipException failure) {
        assertEquals(ErrorCode.PEER_LEFT, failure.code(), failure.getMessage());
        assertEquals(1, failure.peer());
    }

    @Test
    void shouldFailCollectivesOfADeadMember() {
        seeds.each(40, seed -> {
            try (SimulatedGroup group = group(4, seed)) {
                Communicator[] parts = new Communicator[4];
                group.run(world -> parts[world.rank()] = world.split(world.rank() / 2, 0));
                int turns = group.random().nextInt(60);
                ZipFuture<Void> send = group.communicator(0).sendAsync(1, 1, Payload.of(new byte[3 * EAGER]));
                group.turns(turns);
                group.network().kill(1);
                Throwable[] outcomes = group.outcomes(world -> parts[world.rank()].duplicate(), Duration.ofSeconds(5));
                ZipException failure = (ZipException) outcomes[0];
                assertNotNull(failure);
                assertEquals(ErrorCode.PEER_LOST, failure.code(), failure.getMessage());
                assertEquals(1, failure.peer());
                assertNull(outcomes[2]);
                assertNull(outcomes[3]);
                group.await(send);
                assertFailed(ErrorCode.PEER_LOST, 1, send);
                ZipFuture<Void> well = group.communicator(0).sendAsync(2, 1, Payload.of(new byte[3]));
                group.await(well);
                assertSucceeded(well);
            }
        });
    }

    /** Members of both colours of a split fail before a third, slow one has its communicator. */
    @Test
    void shouldHearOfAFailureThoughAnotherColourFailsToo() {
        seeds.each(200, seed -> {
            try (SimulatedGroup group = group(4, seed)) {
                Throwable[] outcomes = group.outcomes(
                        world -> {
                            int rank = world.rank();
                            Communicator part = world.split(rank == 1 ? 1 : 0, 0);
                            if (rank == 0 || rank == 3) {
                                part.withTimeout(Duration.ofSeconds(5)).duplicate();
                                return;
                            }
                            if (rank == 2) {
                                group.network().freeze(3);
                            } else {
                                pause(world);
                            }
                            assertThrows(ZipException.class, () -> part.split(-5, 0));
                            if (rank == 1) {
                                pause(world);
                                group.network().thaw(3);
                            }
                        },
                        SimulatedGroup.PATIENCE);
                assertNull(outcomes[1]);
                assertNull(outcomes[2]);
                for (int rank : new int[] {0, 3}) {
                    ZipException failure = (ZipException) outcomes[rank];
                    assertNotNull(failure, "rank " + rank);
                    assertTrue(
                            failure.code() == ErrorCode.PEER_FAILED || failure.code() == ErrorCode.COMMUNICATOR_FAILED,
                            failure.getMessage());
                    assertEquals(2, failure.peer(), failure.getMessage());
                }
            }
        });
    }

    /** Lets time pass: nothing comes. */
    private static void pause(Communicator world) {
        Communicator hurried = world.withTimeout(Duration.ofMillis(50));
        assertThrows(ZipException.class, () -> hurried.receive(0, 99, new byte[1]));
    }
}
