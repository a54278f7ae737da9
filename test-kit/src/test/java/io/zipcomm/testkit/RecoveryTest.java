package io.zipcomm.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Agreement;
import io.zipcomm.Communicator;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a group does after failures: it revokes communicators, and agrees on what was done and who is dead. */
final class RecoveryTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration SHORT = Duration.ofSeconds(2);

    @RegisterExtension
    final Seeds seeds = new Seeds();

    private static ZipException failure(ErrorCode code, Throwable outcome) {
        ZipException failure = assertInstanceOf(ZipException.class, outcome);
        assertEquals(code, failure.code(), failure.getMessage());
        return failure;
    }

    private static void assertRevokedBy(int worldRank, ZipException failure) {
        assertEquals(ErrorCode.REVOKED, failure.code(), failure.getMessage());
        assertEquals(worldRank, failure.peer(), failure.getMessage());
        assertTrue(failure.getMessage().contains("rank " + worldRank + " revoked"), failure.getMessage());
    }

    private static ZipException thrown(Runnable call) {
        return assertThrows(ZipException.class, call::run);
    }

    @Test
    void shouldEndEverythingOnAllRanksWhenTheWorldIsRevoked() {
        seeds.each(20, seed -> {
            int size = 2 + Math.floorMod(seed, 4);
            try (SimulatedGroup group = SimulatedGroup.of(size, seed)) {
                long atNs = group.random().nextLong(20_000_000);
                group.run(world -> {
                    Communicator twin = world.duplicate();
                    if (world.rank() == 0) {
                        // Whoever waits for nothing but its time says when.
                        assertEquals(
                                ErrorCode.DEADLINE,
                                thrown(() -> world.withTimeout(Duration.ofNanos(1 + atNs))
                                                .receive(1, 99, new byte[1]))
                                        .code());
                        world.revoke();
                        world.revoke();
                    } else {
                        ZipFuture<Long> message = twin.receiveAsync(0, 7, Payload.of(new byte[100_000]));
                        ZipFuture<Void> unread = world.sendAsync(0, 8, Payload.of(new byte[4_000_000]));
                        assertRevokedBy(0, thrown(() -> world.receive(0, 1, new byte[4])));
                        assertRevokedBy(0, thrown(message::await));
                        assertRevokedBy(0, thrown(unread::await));
                    }
                    assertRevokedBy(0, thrown(() -> world.send(1 - Math.min(1, world.rank()), 2, new byte[1])));
                    assertRevokedBy(0, thrown(world::duplicate));
                    assertRevokedBy(0, thrown(() -> twin.split(0, 0)));
                    assertEquals(List.of(), world.failed());
                    assertTrue(twin.agree(true).value());
                    twin.close();
                });
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldLeaveOtherCommunicatorsAloneWhenOneIsRevoked() {
        seeds.each(20, seed -> {
            try (SimulatedGroup group = SimulatedGroup.of(3, seed)) {
                group.run(world -> {
                    Communicator twin = world.duplicate();
                    int next = (world.rank() + 1) % 3;
                    int before = (world.rank() + 2) % 3;
                    // Nobody reads them, and together they fill the window.
                    List<ZipFuture<Void>> unread = new ArrayList<>();
                    try {
                        for (int i = 0; i < 40; i++) {
                            unread.add(twin.sendAsync(next, i, Payload.of(new byte[60_000])));
                        }
                    } catch (ZipException e) {
                        // The others are that much ahead.
                        assertRevokedBy(1, e);
                    }
                    if (world.rank() == 1) {
                        twin.revoke();
                    }
                    assertRevokedBy(1, thrown(() -> twin.receive(before, 1000, new byte[4])));
                    for (ZipFuture<Void> one : unread) {
                        try {
                            one.await();
                        } catch (ZipException e) {
                            assertRevokedBy(1, e);
                        }
                    }
                    for (int i = 0; i < 40; i++) {
                        ZipFuture<Void> sent = world.sendAsync(next, i, Payload.of(new byte[60_000]));
                        assertEquals(60_000, world.receive(before, i, new byte[60_000]));
                        sent.await();
                    }
                    twin.close();
                });
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldRememberARevocationOfWhatIsNotOpenYet() {
        seeds.each(40, seed -> {
            int size = 2 + Math.floorMod(seed, 5);
            try (SimulatedGroup group = SimulatedGroup.of(size, seed)) {
                group.run(world -> {
                    // Both colours have the same number, and one of them stays as it is.
                    int color = world.rank() % 2;
                    Communicator half = world.split(color, 0);
                    if (world.rank() == 0) {
                        half.revoke();
                    }
                    if (color == 0 && half.size() > 1) {
                        int peer = (half.rank() + 1) % half.size();
                        assertRevokedBy(0, thrown(() -> half.receive(peer, 1, new byte[4])));
                    }
                    assertTrue(world.agree(true).value());
                    if (color == 1) {
                        half.duplicate().close();
                    }
                    half.close();
                });
            }
        });
    }

    @Test
    void shouldAgreeAlikeThoughMembersDie() {
        seeds.each(60, seed -> {
            int size = 2 + Math.floorMod(seed, 5);
            RandomGenerator random = Seeds.random(seed);
            try (SimulatedGroup group = SimulatedGroup.of(size, seed)) {
                int dead = random.nextInt(size);
                int falsehood = random.nextInt(-1, size);
                group.network()
                        .at(random.nextLong(40_000_000), () -> group.network().kill(dead));
                Agreement[] first = new Agreement[size];
                Agreement[] last = new Agreement[size];
                Throwable[] outcomes = group.outcomes(
                        world -> {
                            first[world.rank()] = world.agree(world.rank() != falsehood);
                            while (world.agree(true).failed().isEmpty()) {
                                // Until the relay has noticed.
                                assertEquals(size, world.size());
                            }
                            last[world.rank()] = world.agree(true);
                            assertEquals(List.of(dead), world.failed());
                        },
                        PATIENCE);
                int one = dead == 0 ? 1 : 0;
                for (int rank = 0; rank < size; rank++) {
                    if (rank != dead) {
                        assertNull(outcomes[rank], "rank " + rank);
                        assertEquals(first[one], first[rank]);
                        assertEquals(new Agreement(true, List.of(dead)), last[rank]);
                    }
                }
                if (falsehood >= 0 && falsehood != dead) {
                    assertEquals(false, first[one].value());
                } else if (falsehood < 0) {
                    assertTrue(first[one].value());
                }
            }
        });
    }

    @Test
    void shouldFailAlikeWhenALivingMemberDoesNotCome() {
        seeds.each(20, seed -> {
            int size = 3 + Math.floorMod(seed, 3);
            try (SimulatedGroup group = SimulatedGroup.of(size, seed)) {
                group.run(world -> {
                    Communicator mine = world.withTimeout(SHORT);
                    if (world.rank() == 1) {
                        // It comes when it is too late, and is told the same.
                        failure(
                                ErrorCode.DEADLINE,
                                thrown(() ->
                                        world.withTimeout(SHORT.multipliedBy(2)).receive(0, 1, new byte[1])));
                    }
                    ZipException failure = failure(ErrorCode.DEADLINE, thrown(() -> mine.agree(true)));
                    assertEquals(1, failure.peer(), failure.getMessage());
                    assertTrue(failure.getMessage().contains("agree #1"), failure.getMessage());
                    assertTrue(failure.getMessage().contains("rank 1 did not come"), failure.getMessage());
                    assertTrue(world.agree(true).value());
                });
            }
        });
    }

    @Test
    void shouldAgreeOnCommunicatorsOfOneNumberApart() {
        seeds.each(20, seed -> {
            try (SimulatedGroup group = SimulatedGroup.of(5, seed)) {
                group.run(world -> {
                    int color = world.rank() % 2;
                    // The other way round: ranks of a communicator need not ascend in the world.
                    Communicator half = world.split(color, -world.rank());
                    for (int i = 0; i < 3; i++) {
                        assertEquals(color == 0, half.agree(color == 0).value());
                    }
                    half.revoke();
                    assertEquals(color == 1, half.agree(color == 1).value());
                    half.close();
                });
            }
        });
    }

    @Test
    void shouldNameTheDeadByTheirRanksInTheCommunicator() {
        seeds.each(10, seed -> {
            try (SimulatedGroup group = SimulatedGroup.of(4, seed)) {
                Throwable[] outcomes = group.outcomes(
                        world -> {
                            Communicator reversed = world.split(0, -world.rank());
                            if (world.rank() == 3) {
                                group.network().kill(3);
                            }
                            while (!reversed.agree(true).failed().equals(List.of(0))) {
                                assertEquals(4, reversed.size());
                            }
                            assertEquals(List.of(0), reversed.failed());
                            assertEquals(List.of(3), world.failed());
                            // Nothing but the dead is lost: a collective fails, and then agreements go on.
                            ZipException lost = thrown(reversed::duplicate);
                            assertEquals(3, lost.peer(), lost.getMessage());
                            assertTrue(reversed.agree(true).value());
                        },
                        PATIENCE);
                for (int rank = 0; rank < 3; rank++) {
                    assertNull(outcomes[rank], "rank " + rank);
                }
            }
        });
    }

    @Test
    void shouldEndAgreementsWhenTheRelayIsLost() {
        seeds.each(10, seed -> {
            try (SimulatedGroup group = SimulatedGroup.of(3, seed)) {
                group.network().at(3_000_000, group.network()::stopRelay);
                Throwable[] outcomes = group.outcomes(
                        world -> {
                            if (world.rank() > 0) {
                                failure(ErrorCode.RELAY_LOST, thrown(() -> world.agree(true)));
                                failure(ErrorCode.RELAY_LOST, thrown(() -> world.agree(true)));
                            }
                        },
                        PATIENCE);
                for (Throwable outcome : outcomes) {
                    assertNull(outcome);
                }
            }
        });
    }

    @Test
    void shouldSayExpelledAtOnceWhenThePlaceWasGivenAway() {
        seeds.each(20, seed -> {
            try (SimulatedGroup group = SimulatedGroup.of(3, seed)) {
                group.network().at(10_000_000, () -> group.network().expel(2));
                group.run(world -> {
                    if (world.rank() == 2) {
                        ZipFuture<Long> message = world.receiveAsync(1, 5, Payload.of(new byte[4]));
                        ZipException failure = failure(ErrorCode.EXPELLED, thrown(() -> world.agree(true)));
                        assertTrue(failure.getMessage().contains("no heartbeat for 5001 ms"), failure.getMessage());
                        failure(ErrorCode.EXPELLED, thrown(message::await));
                        failure(ErrorCode.EXPELLED, thrown(() -> world.send(0, 1, new byte[1])));
                        failure(ErrorCode.EXPELLED, thrown(world::duplicate));
                        failure(ErrorCode.EXPELLED, thrown(() -> world.agree(true)));
                    } else {
                        ZipException lost =
                                failure(ErrorCode.PEER_LOST, thrown(() -> world.receive(2, 6, new byte[1])));
                        assertEquals(2, lost.peer());
                        assertEquals(new Agreement(true, List.of(2)), world.agree(true));
                    }
                });
            }
        });
    }

    @Test
    void shouldTakeNoLongerThanThePlatformLeaves() {
        try (SimulatedGroup group = SimulatedGroup.of(2, seeds.seed())) {
            group.run(world -> {
                AtomicInteger leftMs = new AtomicInteger(500);
                Communicator mine = world.withinRemaining(() -> Duration.ofMillis(leftMs.get()));
                ZipException late =
                        failure(ErrorCode.DEADLINE, thrown(() -> mine.receive(1 - world.rank(), 1, new byte[1])));
                assertTrue(late.elapsedMs() >= 500 && late.elapsedMs() < 2000, late.getMessage());
                leftMs.set(0);
                long sent = world.counters().framesSent;
                failure(ErrorCode.DEADLINE, thrown(() -> mine.send(1 - world.rank(), 2, new byte[1])));
                failure(ErrorCode.DEADLINE, thrown(() -> mine.withTimeout(SHORT).agree(true)));
                assertEquals(sent, world.counters().framesSent);
                leftMs.set(60_000);
                ZipFuture<Void> done = mine.sendAsync(1 - world.rank(), 3, Payload.of(new byte[1]));
                assertEquals(1, mine.withTimeout(SHORT).receive(1 - world.rank(), 3, new byte[1]));
                done.await();
                assertTrue(world.counters().framesSent > sent, "frames are counted");
            });
        }
    }

    @Test
    void shouldTellTheOthersOfACollectiveForWhichNoTimeIsLeft() {
        try (SimulatedGroup group = SimulatedGroup.of(2, seeds.seed())) {
            group.run(world -> {
                ZipException failure = thrown(
                        world.rank() == 0
                                ? () -> world.withinRemaining(() -> Duration.ofMillis(-3))
                                        .duplicate()
                                : world::duplicate);
                assertEquals(
                        world.rank() == 0 ? ErrorCode.DEADLINE : ErrorCode.PEER_FAILED,
                        failure.code(),
                        failure.getMessage());
                assertTrue(failure.getMessage().contains("no time left for it: -3 ms"), failure.getMessage());
            });
        }
    }

    /** As if there were none: the other members do not wait. */
    @Test
    void shouldTellTheOthersOfACollectiveForWhichNobodyKnowsTheTime() {
        List<Supplier<Duration>> useless = List.of(
                () -> {
                    throw new IllegalStateException("no context");
                },
                () -> null,
                () -> Duration.ofSeconds(Long.MIN_VALUE));
        for (Supplier<Duration> one : useless) {
            try (SimulatedGroup group = SimulatedGroup.of(2, seeds.seed())) {
                group.run(world -> {
                    Communicator mine = world.withinRemaining(one);
                    if (world.rank() == 0) {
                        ZipException late = failure(ErrorCode.DEADLINE, thrown(() -> mine.send(1, 2, new byte[1])));
                        assertTrue(
                                late.getMessage().contains("no time left for it: -")
                                        || late.getCause() instanceof RuntimeException,
                                late.getMessage());
                        failure(ErrorCode.DEADLINE, thrown(() -> mine.agree(true)));
                    }
                    failure(
                            world.rank() == 0 ? ErrorCode.DEADLINE : ErrorCode.PEER_FAILED,
                            thrown(world.rank() == 0 ? mine::duplicate : world::duplicate));
                });
            }
        }
    }

    /** What the platform leaves goes with what is made of it; the timeout was that of a call. */
    @Test
    void shouldBoundWhatIsMadeOfABoundedCommunicator() {
        seeds.each(20, seed -> {
            try (SimulatedGroup group = SimulatedGroup.of(3, seed)) {
                group.run(world -> {
                    AtomicInteger leftMs = new AtomicInteger(60_000);
                    Communicator mine = world.withTimeout(SHORT.multipliedBy(2))
                            .withinRemaining(() -> Duration.ofMillis(leftMs.get()));
                    Communicator twin = mine.duplicate();
                    Communicator part = twin.split(0, -world.rank());
                    assertNull(mine.split(-1, 0));
                    for (Communicator one : List.of(twin, part)) {
                        int next = (one.rank() + 1) % 3;
                        assertEquals(world.timeout(), one.timeout());
                        leftMs.set(300);
                        ZipException late =
                                failure(ErrorCode.DEADLINE, thrown(() -> one.receive(next, 1, new byte[1])));
                        assertTrue(late.elapsedMs() >= 300 && late.elapsedMs() < 1500, late.getMessage());
                        leftMs.set(0);
                        failure(ErrorCode.DEADLINE, thrown(() -> one.send(next, 1, new byte[1])));
                        failure(ErrorCode.DEADLINE, thrown(() -> one.agree(true)));
                    }
                    leftMs.set(60_000);
                    part.close();
                    twin.close();
                });
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldEndCollectiveCallsWhenThePlatformsTimeIsOverAndAPeerDoesNotCome() {
        Map<String, Consumer<Communicator>> calls = Map.of(
                "duplicate", Communicator::duplicate,
                "split", mine -> mine.split(0, 0),
                "expose", mine -> mine.expose(ByteBuffer.allocateDirect(8)),
                "agree", mine -> mine.agree(true));
        calls.forEach((name, call) -> seeds.each(5, seed -> {
            try (SimulatedGroup group = SimulatedGroup.of(2, seed)) {
                group.run(world -> {
                    if (world.rank() == 0) {
                        Communicator mine = world.withinRemaining(() -> Duration.ofMillis(500));
                        ZipException late = failure(ErrorCode.DEADLINE, thrown(() -> call.accept(mine)));
                        assertTrue(late.operation().contains(name), late.getMessage());
                        assertEquals(0, late.rank());
                        assertTrue(late.elapsedMs() >= 250 && late.elapsedMs() <= 600, late.getMessage());
                    }
                });
            }
        }));
    }

    @Test
    void shouldShrinkNothingButAWorldThatARelayKnows() {
        try (SimulatedGroup group = SimulatedGroup.of(2, seeds.seed())) {
            group.run(world -> {
                Communicator twin = world.duplicate();
                assertNotNull(twin);
                failure(ErrorCode.BAD_ARGUMENT, thrown(twin::shrink));
                failure(ErrorCode.BAD_ARGUMENT, thrown(() -> twin.grow(2)));
                failure(ErrorCode.BAD_ARGUMENT, thrown(() -> world.grow(3)));
                failure(ErrorCode.BAD_ARGUMENT, thrown(() -> world.grow(0)));
                twin.close();
            });
        }
    }
}
