package io.zipcomm.testkit;

import static io.zipcomm.testkit.Outcome.assertFailed;
import static io.zipcomm.testkit.Outcome.assertSucceeded;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.settings.ZipSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Links lose their direct path, go on through the relay, and are upgraded again: nothing is lost, repeated or reordered. */
@Tag("once")
final class ResumeTest {

    private static final int EAGER = 1024;
    private static final int WINDOW = 16 << 10;
    private static final int LONG = 8 * EAGER;
    private static final long NEVER_NS = Duration.ofDays(1).toNanos();
    private static final long NOTICE_NS_MAX = 20_000_000;

    @RegisterExtension
    final Seeds seeds = new Seeds();

    private static SimulatedNetwork network(int size, long seed) {
        SimulatedNetwork network = new SimulatedNetwork(size, seed);
        network.forgettable(true);
        return network;
    }

    private static SimulatedGroup group(SimulatedNetwork network) {
        return SimulatedGroup.of(
                network,
                options -> options.eagerBytes(EAGER).windowBytes(WINDOW).replayBytes(ZipSettings.REPLAY_BYTES_MIN));
    }

    /** The direct path between two ranks is lost in some way, if there is one. */
    private static boolean lose(SimulatedGroup group, int a, int b) {
        RandomGenerator random = group.random();
        SimulatedNetwork network = group.network();
        return switch (random.nextInt(4)) {
            case 0 -> network.cut(a, b, SimulatedNetwork.DIRECT);
            case 1 -> network.forget(a, b, random.nextLong(NOTICE_NS_MAX), NEVER_NS);
            case 2 -> network.forget(a, b, NEVER_NS, random.nextLong(NOTICE_NS_MAX));
            default -> {
                long noticeNs = random.nextLong(NOTICE_NS_MAX);
                yield network.forget(a, b, noticeNs, random.nextBoolean() ? noticeNs : random.nextLong(NOTICE_NS_MAX));
            }
        };
    }

    private static void untilDirect(SimulatedGroup group, List<MessageStream> streams) {
        group.runUntil(() -> areDirect(group, streams), Duration.ofSeconds(70));
    }

    /** A link asks when it sends, and not in a pause, which is the longer the more often its path was lost or came to nothing. */
    private static void askUntilDirect(SimulatedGroup group, List<MessageStream> streams) {
        for (int seconds = 0; !areDirect(group, streams); seconds++) {
            assertTrue(seconds < 70, "not direct after 70 s in which each link sent every second");
            group.runFor(Duration.ofSeconds(1));
            streams.forEach(MessageStream::next);
            streams.forEach(MessageStream::check);
        }
    }

    private static boolean areDirect(SimulatedGroup group, List<MessageStream> streams) {
        return streams.stream().allMatch(one -> SimulatedNetwork.DIRECT.equals(group.pathTo(one.from, one.to)));
    }

    private static void assertNothingKept(SimulatedGroup group) {
        assertEquals(List.of(), group.leaks());
        group.close();
        for (int rank = 0; rank < group.size(); rank++) {
            assertEquals(0, group.replayChunks(rank), "chunks of rank " + rank);
        }
    }

    @Test
    void shouldKeepEverythingInOrderUpAndDown() {
        long[] resumed = {0};
        long[] rests = {0};
        seeds.each(200, seed -> {
            SimulatedNetwork network = network(2 + (int) (seed & 1), seed);
            try (SimulatedGroup group = group(network)) {
                RandomGenerator random = group.random();
                List<MessageStream> streams = MessageStream.all(group, LONG);
                for (int round = 0; round < 3; round++) {
                    for (int i = 0; i < 25; i++) {
                        streams.get(random.nextInt(streams.size())).next();
                        group.turns(random.nextInt(12));
                        if (random.nextInt(12) == 0) {
                            int a = random.nextInt(group.size());
                            lose(group, a, (a + 1) % group.size());
                        }
                    }
                    streams.forEach(MessageStream::check);
                    askUntilDirect(group, streams);
                }
                resumed[0] += group.resumptions(0, 1);
                rests[0] += network.restCount();
                assertNothingKept(group);
            }
        });
        if (System.getProperty(Seeds.PROPERTY) == null) {
            assertTrue(resumed[0] > 200, resumed[0] + " resumptions");
            assertTrue(rests[0] > 50, rests[0] + " interrupted frames");
        }
    }

    @Test
    void shouldComeAndGoManyTimes() {
        seeds.each(4, seed -> {
            SimulatedNetwork network = network(2, seed);
            try (SimulatedGroup group = group(network)) {
                List<MessageStream> streams = MessageStream.all(group, LONG);
                for (int round = 0; round < 20; round++) {
                    for (int i = 0; i < 10; i++) {
                        streams.forEach(MessageStream::next);
                    }
                    untilDirect(group, streams);
                    for (int i = 0; i < 10; i++) {
                        streams.forEach(MessageStream::next);
                    }
                    group.turns(group.random().nextInt(60));
                    assertTrue(lose(group, 0, 1));
                    streams.forEach(MessageStream::check);
                    // One that was idle does not notice before it is used.
                    streams.forEach(MessageStream::next);
                    group.runFor(Duration.ofNanos(2 * NOTICE_NS_MAX));
                    // The next one waits for a minute at most.
                    group.runFor(Duration.ofSeconds(61));
                }
                streams.forEach(MessageStream::check);
                assertTrue(group.resumptions(0, 1) >= 20, group.resumptions(0, 1) + " resumptions");
                assertEquals(group.resumptions(0, 1), group.resumptions(1, 0));
                assertNothingKept(group);
            }
        });
    }

    @Test
    void shouldSurviveALossInTheMiddleOfTheMove() {
        seeds.each(300, seed -> {
            SimulatedNetwork network = network(2, seed);
            try (SimulatedGroup group = group(network)) {
                List<MessageStream> streams = MessageStream.all(group, LONG);
                int[] turns = {group.random().nextInt(30)};
                streams.forEach(MessageStream::next);
                boolean lost = false;
                int posted = 0;
                while (!lost) {
                    if (posted < 30) {
                        posted++;
                        streams.get(group.random().nextInt(2)).next();
                    }
                    group.turns(1);
                    // There is a path, though its ends may not have heard of it.
                    lost = network.hasDirect(0, 1) && turns[0]-- <= 0 && lose(group, 0, 1);
                }
                for (int i = 0; i < 10; i++) {
                    streams.forEach(MessageStream::next);
                    group.turns(group.random().nextInt(12));
                }
                streams.forEach(MessageStream::check);
                assertNothingKept(group);
            }
        });
    }

    @Test
    void shouldGoBackFromAPathThatOpensAtOneEndOnly() {
        int[] wentBack = {0};
        seeds.each(60, seed -> {
            SimulatedNetwork network = network(2, seed);
            network.withhold(0, 1);
            try (SimulatedGroup group = group(network)) {
                List<MessageStream> streams = MessageStream.all(group, LONG);
                long beginNs = network.nowNs();
                for (int i = 0; i < 20; i++) {
                    streams.forEach(MessageStream::next);
                    group.turns(group.random().nextInt(30));
                }
                streams.forEach(MessageStream::check);
                long ms = (network.nowNs() - beginNs) / 1_000_000;
                assertTrue(ms < 5000, "ended after " + ms + " ms");
                assertNothingKept(group);
                wentBack[0] += group.resumptions(0, 1) > 0 ? 1 : 0;
            }
        });
        assertTrue(wentBack[0] > 0, "no path opened at one end only");
    }

    @Test
    void shouldHoldBackWhatTheReplayBufferCannotKeep() {
        seeds.each(30, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(2, seed, Conditions.usual());
            network.forgettable(true);
            try (SimulatedGroup group = group(network)) {
                List<MessageStream> streams = MessageStream.all(group, LONG);
                streams.forEach(MessageStream::next);
                untilDirect(group, streams);
                streams.forEach(MessageStream::check);
                assertTrue(network.forget(0, 1, NOTICE_NS_MAX, NEVER_NS));
                int bytes = 3 * ZipSettings.REPLAY_BYTES_MIN;
                streams.forEach(one -> one.next(bytes));
                group.runFor(Duration.ofNanos(NOTICE_NS_MAX / 2));
                for (int rank = 0; rank < 2; rank++) {
                    assertTrue(group.replayChunks(rank) <= 2, group.replayChunks(rank) + " chunks");
                }
                assertFalse(streams.get(0).sends.get(1).isDone(), "sent though there was no room");
                streams.forEach(MessageStream::check);
                assertNothingKept(group);
            }
        });
    }

    @Test
    void shouldForgetWhatWasAcknowledgedWhileNothingMoves() {
        seeds.each(20, seed -> {
            SimulatedNetwork network = network(2, seed);
            try (SimulatedGroup group = group(network)) {
                List<MessageStream> streams = MessageStream.all(group, LONG);
                for (int i = 0; i < 30; i++) {
                    streams.forEach(MessageStream::next);
                }
                untilDirect(group, streams);
                streams.forEach(MessageStream::next);
                streams.forEach(MessageStream::check);
                group.runFor(Duration.ofMillis(200));
                assertEquals(0, group.replayChunks(0) + group.replayChunks(1));
            }
        });
    }

    @Test
    void shouldNotTouchMemoryOfAReceiveThatWasCancelledWhileInterrupted() {
        long[] interrupted = {0};
        seeds.each(120, seed -> {
            SimulatedNetwork network = network(2, seed);
            try (SimulatedGroup group = group(network)) {
                List<MessageStream> streams = MessageStream.all(group, LONG);
                streams.forEach(MessageStream::next);
                untilDirect(group, streams);
                streams.forEach(MessageStream::check);
                int bytes = 12 * EAGER;
                byte[] room = new byte[bytes];
                byte[] message = Memory.pattern(seed, bytes);
                ZipFuture<Long> receive = group.communicator(1).receiveAsync(0, 2, Payload.of(room));
                ZipFuture<Void> send = group.communicator(0).sendAsync(1, 2, Payload.of(message));
                group.turns(group.random().nextInt(120));
                assertTrue(network.forget(0, 1, NOTICE_NS_MAX, NOTICE_NS_MAX));
                boolean after = group.random().nextBoolean();
                group.runFor(Duration.ofNanos(NOTICE_NS_MAX / 2));
                if (after) {
                    group.runUntil(() -> group.resumptions(1, 0) > 0 || receive.isDone(), Duration.ofSeconds(1));
                }
                boolean cancelled = receive.cancel(false);
                byte[] then = room.clone();
                streams.forEach(MessageStream::next);
                streams.forEach(MessageStream::check);
                group.runFor(Duration.ofMillis(100));
                if (!send.isDone()) {
                    // It was not met before the receive was withdrawn, and waits for the next.
                    ZipFuture<Long> next = group.communicator(1).receiveAsync(0, 2, Payload.of(new byte[bytes]));
                    group.await(next);
                    assertSucceeded(next);
                }
                group.await(send);
                assertSucceeded(send);
                assertArrayEquals(cancelled ? then : message, room);
                interrupted[0] += cancelled && !Arrays.equals(then, new byte[bytes]) ? 1 : 0;
                assertNothingKept(group);
            }
        });
        if (System.getProperty(Seeds.PROPERTY) == null) {
            assertTrue(interrupted[0] > 0, "no receive was cancelled in the middle");
        }
    }

    @Test
    void shouldDeliverAllThatWasSentBeforeLeaving() {
        seeds.each(200, seed -> {
            SimulatedNetwork network = network(2, seed);
            try (SimulatedGroup group = group(network)) {
                List<MessageStream> streams = MessageStream.all(group, LONG);
                streams.forEach(MessageStream::next);
                untilDirect(group, streams);
                streams.forEach(MessageStream::check);
                int count = group.random().nextInt(8);
                long faultNs = group.random().nextLong(2_000_000);
                network.after(faultNs, () -> lose(group, 0, 1));
                long beginNs = network.nowNs();
                group.run(world -> {
                    int peer = 1 - world.rank();
                    List<ZipFuture<Void>> sends = new ArrayList<>();
                    for (int i = 0; i < count; i++) {
                        sends.add(world.sendAsync(peer, 3, Payload.of(Memory.pattern(i, 500))));
                    }
                    for (int i = 0; i < count; i++) {
                        byte[] room = new byte[500];
                        world.receive(peer, 3, room);
                        assertArrayEquals(Memory.pattern(i, 500), room);
                    }
                    world.close();
                    sends.forEach(Outcome::assertSucceeded);
                });
                long ms = (network.nowNs() - beginNs) / 1_000_000;
                assertTrue(ms < 2000, "closing waited for its timeout: " + ms + " ms");
                assertEquals(0, group.replayChunks(0) + group.replayChunks(1));
            }
        });
    }

    @Test
    void shouldNameWhatWasLostWhenTheRelayIsGoneToo() {
        seeds.each(60, seed -> {
            SimulatedNetwork network = network(2, seed);
            try (SimulatedGroup group = group(network)) {
                List<MessageStream> streams = MessageStream.all(group, LONG);
                streams.forEach(MessageStream::next);
                untilDirect(group, streams);
                streams.forEach(MessageStream::next);
                streams.forEach(MessageStream::check);
                network.stopRelay();
                boolean before = group.random().nextBoolean();
                if (before) {
                    group.runFor(Duration.ofMillis(50));
                }
                assertTrue(network.forget(0, 1, NOTICE_NS_MAX, NOTICE_NS_MAX));
                ZipFuture<Long> receive = group.communicator(0).receiveAsync(1, 9, Payload.of(new byte[3]));
                ZipFuture<Long> other = group.communicator(1).receiveAsync(0, 9, Payload.of(new byte[3]));
                long beginNs = network.nowNs();
                group.await(receive, other);
                assertTrue(network.nowNs() - beginNs < 5_000_000_000L);
                for (ZipFuture<Long> one : List.of(receive, other)) {
                    ErrorCode code = Outcome.code(one);
                    assertNotNull(code, "received what nobody sent");
                    assertFailed(
                            before ? ErrorCode.PEER_LOST : code == ErrorCode.RELAY_LOST ? code : ErrorCode.PEER_LOST,
                            one == receive ? 1 : 0,
                            one);
                }
            }
        });
    }

    @Test
    void shouldFailByTheVerdictWhenThePeerIsDead() {
        seeds.each(60, seed -> {
            SimulatedNetwork network = network(3, seed);
            try (SimulatedGroup group = group(network)) {
                List<MessageStream> streams = MessageStream.all(group, LONG);
                streams.forEach(MessageStream::next);
                untilDirect(group, streams);
                streams.forEach(MessageStream::check);
                ZipFuture<Long> receive = group.communicator(0).receiveAsync(2, 9, Payload.of(new byte[3]));
                network.kill(2);
                group.await(receive);
                assertFailed(ErrorCode.PEER_LOST, 2, receive);
                streams.get(0).next();
                streams.get(0).check();
            }
        });
    }
}
