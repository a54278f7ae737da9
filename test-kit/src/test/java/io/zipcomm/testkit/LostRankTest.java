package io.zipcomm.testkit;

import static io.zipcomm.testkit.Outcome.assertFailed;
import static io.zipcomm.testkit.Outcome.assertSucceeded;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A rank dies or stops: its peers are told who it was, and go on among themselves. */
@Tag("once")
final class LostRankTest {

    private static final int EAGER = 1024;
    private static final int WINDOW = 16 << 10;
    private static final int VICTIM = 1;

    /** What users are promised. */
    private static final long NOTICED_MS_MAX = 5000;

    @RegisterExtension
    final Seeds seeds = new Seeds();

    private static SimulatedGroup group(int size, long seed) {
        return SimulatedGroup.of(
                new SimulatedNetwork(size, seed),
                options -> options.eagerBytes(EAGER).windowBytes(WINDOW));
    }

    private static final class Message {
        final int from;
        final int to;
        final byte[] sent;
        final byte[] room;
        final ZipFuture<Void> send;
        final ZipFuture<Long> receive;

        Message(int from, int to, byte[] sent, byte[] room, ZipFuture<Void> send, ZipFuture<Long> receive) {
            this.from = from;
            this.to = to;
            this.sent = sent;
            this.room = room;
            this.send = send;
            this.receive = receive;
        }

        static Message of(SimulatedGroup group, int from, int to, int tag, int bytes) {
            byte[] sent = Memory.pattern(tag, bytes);
            byte[] room = new byte[bytes];
            if (group.random().nextBoolean()) {
                ZipFuture<Void> send = group.communicator(from).sendAsync(to, tag, Payload.of(sent));
                group.turns(group.random().nextInt(10));
                return new Message(from, to, sent, room, send, receive(group, from, to, tag, room));
            }
            ZipFuture<Long> receive = receive(group, from, to, tag, room);
            group.turns(group.random().nextInt(10));
            return new Message(
                    from, to, sent, room, group.communicator(from).sendAsync(to, tag, Payload.of(sent)), receive);
        }

        private static ZipFuture<Long> receive(SimulatedGroup group, int from, int to, int tag, byte[] room) {
            return group.communicator(to).receiveAsync(from, tag, Payload.of(room));
        }

        boolean isWith(int rank) {
            return from == rank || to == rank;
        }
    }

    @Test
    void shouldNameTheRankThatDied() {
        seeds.each(250, seed -> {
            try (SimulatedGroup group = group(4, seed)) {
                RandomGenerator random = group.random();
                List<Message> messages = new ArrayList<>();
                int killAt = random.nextInt(50);
                for (int i = 0; i < 60; i++) {
                    if (i == killAt) {
                        group.network().kill(VICTIM);
                    }
                    int from = random.nextInt(4);
                    int to = (from + 1 + random.nextInt(3)) % 4;
                    if (i < killAt || from != VICTIM) {
                        int bytes = random.nextInt(3) > 0 ? random.nextInt(EAGER) : random.nextInt(20 * EAGER);
                        if (i >= killAt && to == VICTIM) {
                            int tag = i;
                            ZipFuture<Void> send =
                                    group.communicator(from).sendAsync(to, tag, Payload.of(new byte[bytes]));
                            ZipFuture<Long> receive =
                                    group.communicator(from).receiveAsync(to, tag, Payload.of(new byte[bytes]));
                            messages.add(new Message(from, to, null, null, send, receive));
                        } else {
                            messages.add(Message.of(group, from, to, i, bytes));
                        }
                    }
                }
                long beginNs = group.network().nowNs();
                for (Message message : messages) {
                    if (message.from != VICTIM) {
                        group.await(message.send);
                    }
                    if (message.to != VICTIM || message.room == null) {
                        group.await(message.receive);
                    }
                }
                long ms = (group.network().nowNs() - beginNs) / 1_000_000;
                assertTrue(ms < NOTICED_MS_MAX, "noticed after " + ms + " ms");
                messages.forEach(LostRankTest::check);
                assertRefusedAtOnce(group);
            }
        });
    }

    private static void check(Message message) {
        if (!message.isWith(VICTIM)) {
            assertSucceeded(message.send);
            assertSucceeded(message.receive);
            assertArrayEquals(message.sent, message.room);
            return;
        }
        if (message.from != VICTIM && Outcome.code(message.send) != null) {
            assertFailed(ErrorCode.PEER_LOST, VICTIM, message.send);
        }
        if (message.room == null) {
            assertFailed(ErrorCode.PEER_LOST, VICTIM, message.receive);
        } else if (message.to != VICTIM) {
            if (Outcome.code(message.receive) == null) {
                assertArrayEquals(message.sent, message.room);
            } else {
                assertFailed(ErrorCode.PEER_LOST, VICTIM, message.receive);
            }
        }
    }

    private static void assertRefusedAtOnce(SimulatedGroup group) {
        for (int rank = 0; rank < 4; rank++) {
            if (rank != VICTIM) {
                // The verdict may not have reached a rank that had no business with the victim.
                int self = rank;
                group.runFor(Duration.ofMillis(10));
                ZipFuture<Void> send = group.communicator(self).sendAsync(VICTIM, 1, Payload.of(new byte[30 * EAGER]));
                group.await(send);
                assertFailed(ErrorCode.PEER_LOST, VICTIM, send);
            }
        }
    }

    @Test
    void shouldReceiveWhatHadArrivedAndNothingElse() {
        // Small pieces that take their time: the victim dies while its messages come in.
        Conditions slow = new Conditions(100_000, 400_000, 1L << 30, 1 << 16, 64, 1 << 10, 1 << 10, 1 << 20, true);
        seeds.each(100, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(2, seed, slow);
            try (SimulatedGroup group = SimulatedGroup.of(
                    network, options -> options.eagerBytes(EAGER).windowBytes(WINDOW))) {
                List<byte[]> sent = new ArrayList<>();
                for (int i = 0; i < 6; i++) {
                    sent.add(Memory.pattern(i, i % 3 == 2 ? 4 * EAGER : EAGER - i));
                    assertNotNull(group.communicator(VICTIM).sendAsync(0, i, Payload.of(sent.get(i))));
                }
                group.turns(group.random().nextInt(400));
                network.kill(VICTIM);
                if (group.random().nextBoolean()) {
                    group.runFor(Duration.ofSeconds(4));
                }
                for (int i = 0; i < 6; i++) {
                    byte[] room = new byte[sent.get(i).length];
                    long beginNs = network.nowNs();
                    ZipFuture<Long> receive = group.communicator(0).receiveAsync(VICTIM, i, Payload.of(room));
                    group.await(receive);
                    long ms = (network.nowNs() - beginNs) / 1_000_000;
                    assertTrue(ms < NOTICED_MS_MAX, "message " + i + " ended after " + ms + " ms");
                    if (Outcome.code(receive) == null) {
                        assertArrayEquals(sent.get(i), room);
                    } else {
                        assertFailed(ErrorCode.PEER_LOST, VICTIM, receive);
                    }
                }
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldEndBlockingCalls() {
        seeds.each(40, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(3, seed);
            try (SimulatedGroup group = SimulatedGroup.of(
                    network,
                    options -> options.eagerBytes(EAGER).windowBytes(WINDOW).operationTimeout(Duration.ofSeconds(5)))) {
                int killAfter = group.random().nextInt(40);
                int[] rounds = new int[3];
                Throwable[] outcomes = group.outcomes(
                        world -> {
                            byte[] room = new byte[4 * EAGER];
                            for (int i = 0; i < 1000; i++) {
                                rounds[world.rank()] = i;
                                if (i == killAfter && world.rank() == VICTIM) {
                                    group.network().kill(VICTIM);
                                }
                                ZipFuture<Void> send =
                                        world.sendAsync((world.rank() + 1) % 3, i, Payload.of(new byte[3 * EAGER]));
                                world.receive((world.rank() + 2) % 3, i, room);
                                send.await();
                            }
                        },
                        Duration.ofSeconds(200));
                assertNull(outcomes[VICTIM]);
                // Rank 2 waits for the victim; rank 0 sends to it.
                for (int rank : new int[] {0, 2}) {
                    ZipException failure = (ZipException) outcomes[rank];
                    assertNotNull(failure, "rank " + rank + " ended well after " + rounds[rank] + " rounds");
                }
                ZipException failure = (ZipException) outcomes[2];
                assertEquals(ErrorCode.PEER_LOST, failure.code(), failure.getMessage());
                assertEquals(VICTIM, failure.peer());
            }
        });
    }

    @Test
    void shouldWaitForARankThatIsFrozenForAWhile() {
        seeds.each(60, seed -> {
            try (SimulatedGroup group = group(3, seed)) {
                List<Message> messages = new ArrayList<>();
                for (int i = 0; i < 20; i++) {
                    messages.add(Message.of(group, i % 3, (i + 1) % 3, i, 200 * i));
                }
                group.network().freeze(VICTIM);
                for (int i = 20; i < 40; i++) {
                    messages.add(Message.of(group, i % 3, (i + 1) % 3, i, 200 * i));
                }
                group.runFor(Duration.ofSeconds(3));
                assertFalse(messages.stream().allMatch(one -> one.receive.isDone()));
                group.network().thaw(VICTIM);
                for (Message message : messages) {
                    group.await(message.send, message.receive);
                    assertSucceeded(message.send);
                    assertSucceeded(message.receive);
                    assertArrayEquals(message.sent, message.room);
                }
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldGoOnWithoutARelayThatNobodyNeeds() {
        seeds.each(20, seed -> {
            try (SimulatedGroup group = group(2, seed)) {
                Message first = Message.of(group, 0, 1, 1, 3 * EAGER);
                group.await(first.send, first.receive);
                group.runFor(Duration.ofNanos(3 * group.network().conditions().connectNsMax() + 50_000_000));
                Message second = Message.of(group, 1, 0, 2, 3 * EAGER);
                group.await(second.send, second.receive);
                group.runFor(Duration.ofMillis(50));
                group.network().stopRelay();
                group.runFor(Duration.ofMillis(50));
                Message third = Message.of(group, 1, 0, 3, 3 * EAGER);
                group.await(third.send, third.receive);
                assertSucceeded(third.receive);
            }
        });
    }

    @Test
    void shouldFailWhatGoesThroughARelayThatFellSilent() {
        seeds.each(40, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(2, seed);
            try (SimulatedGroup group =
                    SimulatedGroup.of(network, options -> options.transport(TransportChoice.RELAY))) {
                ZipFuture<Long> receive = group.communicator(0).receiveAsync(1, 1, Payload.of(new byte[3]));
                group.turns(group.random().nextInt(20));
                network.silenceRelay(0);
                long beginNs = network.nowNs();
                group.await(receive);
                assertTrue(network.nowNs() - beginNs < 1_000_000_000);
                ZipException failure = assertFailed(ErrorCode.RELAY_LOST, 1, receive);
                assertTrue(failure.getMessage().contains("silent"), failure.getMessage());
            }
        });
    }
}
