package io.zipcomm.testkit;

import static io.zipcomm.testkit.Outcome.assertFailed;
import static io.zipcomm.testkit.Outcome.assertSucceeded;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Communicator;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Sends and receives that are taken back, by their caller or by their deadline, at any moment. */
@Tag("once")
final class CancellationTest {

    private static final int EAGER = 1024;
    private static final int WINDOW = 16 << 10;
    private static final long SENT_MARK = -1;
    private static final long ROOM_MARK = -2;

    @RegisterExtension
    final Seeds seeds = new Seeds();

    private static SimulatedGroup group(int size, long seed) {
        return SimulatedGroup.of(
                new SimulatedNetwork(size, seed),
                options -> options.eagerBytes(EAGER).windowBytes(WINDOW));
    }

    /** One message with a tag of its own, of which either end may be taken back. */
    private static final class Message {
        final SimulatedGroup group;
        final int from;
        final int to;
        final int tag;
        final int bytes;
        final Memory memory;
        final Memory room;
        ZipFuture<Void> send;
        ZipFuture<Long> receive;

        Message(SimulatedGroup group, int tag) {
            RandomGenerator random = group.random();
            this.group = group;
            this.tag = tag;
            from = random.nextInt(group.size());
            to = (from + 1 + random.nextInt(group.size() - 1)) % group.size();
            bytes = random.nextInt(3) == 0 ? random.nextInt(1, 2 * EAGER) : random.nextInt(1, 12 * EAGER);
            memory = Memory.allocate(Memory.Kind.of(random.nextInt(64), bytes), bytes)
                    .fill(tag);
            room = Memory.allocate(Memory.Kind.of(random.nextInt(64), bytes), bytes);
        }

        private static Communicator handle(SimulatedGroup group, int rank) {
            Communicator world = group.communicator(rank);
            int ms = group.random().nextInt(1, 40);
            return group.random().nextInt(8) == 0 ? world.withTimeout(Duration.ofMillis(ms)) : world;
        }

        void send() {
            send = handle(group, from).sendAsync(to, tag, memory.payload());
            // Whatever the engine reads after this, it reads wrongly.
            onFailure(send, () -> memory.fill(SENT_MARK));
        }

        void receive() {
            receive = handle(group, to).receiveAsync(from, tag, room.payload());
            onFailure(receive, () -> room.fill(ROOM_MARK));
        }

        private static void onFailure(ZipFuture<?> operation, Runnable action) {
            operation
                    .whenComplete((result, failure) -> {
                        if (failure != null) {
                            action.run();
                        }
                    })
                    .isDone();
        }

        void takeBack() {
            ZipFuture<?> one = group.random().nextBoolean() ? send : receive;
            if (one != null) {
                boolean open = !one.isDone();
                assertEquals(open, one.cancel(false));
                assertTrue(one.isDone());
            }
        }

        boolean wasTakenBack() {
            return isTakenBack(send) || isTakenBack(receive);
        }

        private static boolean isTakenBack(ZipFuture<?> operation) {
            ErrorCode code = operation.isDone() ? Outcome.code(operation) : null;
            return code == ErrorCode.CANCELLED || code == ErrorCode.DEADLINE;
        }

        void check() {
            ErrorCode sent = Outcome.code(send);
            ErrorCode received = Outcome.code(receive);
            if (received == null) {
                assertNull(room.difference(Memory.pattern(tag, bytes)), this::describe);
            } else {
                assertNull(room.difference(Memory.pattern(ROOM_MARK, bytes)), this::describe);
            }
            if (sent == null) {
                assertNull(memory.difference(Memory.pattern(tag, bytes)), this::describe);
            }
            if (!wasTakenBack()) {
                assertNull(sent, this::describe);
                assertNull(received, this::describe);
            } else if (received == ErrorCode.PEER_FAILED) {
                ZipException failure = assertFailed(ErrorCode.PEER_FAILED, from, receive);
                assertTrue(failure.getMessage().contains("withdrew"), failure.getMessage());
            } else {
                assertTrue(sent == null || isTakenBack(send), this::describe);
                assertTrue(received == null || isTakenBack(receive), this::describe);
            }
        }

        String describe() {
            return "message " + tag + " of " + bytes + " bytes from " + from + " to " + to + ", send "
                    + (send.isDone() ? Outcome.code(send) : "open") + ", receive "
                    + (receive.isDone() ? Outcome.code(receive) : "open");
        }
    }

    @Test
    void shouldLeaveMemoryAndOtherMessagesAlone() {
        seeds.each(200, seed -> {
            try (SimulatedGroup group = group(2 + (int) (seed & 1), seed)) {
                RandomGenerator random = group.random();
                List<Message> messages = new ArrayList<>();
                for (int tag = 1; tag <= 30; tag++) {
                    messages.add(new Message(group, tag));
                }
                List<Message> unsent = new ArrayList<>(messages);
                List<Message> unasked = new ArrayList<>(messages);
                while (!unsent.isEmpty() || !unasked.isEmpty()) {
                    switch (random.nextInt(4)) {
                        case 0 -> takeOne(unsent, random, Message::send);
                        case 1 -> takeOne(unasked, random, Message::receive);
                        case 2 -> messages.get(random.nextInt(messages.size())).takeBack();
                        default -> group.turns(random.nextInt(30));
                    }
                }
                for (Message message : messages) {
                    settle(group, message);
                }
                messages.forEach(Message::check);
                assertStillWorks(group);
                group.runFor(Duration.ofMillis(200));
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    private static void takeOne(List<Message> messages, RandomGenerator random, Consumer<Message> action) {
        if (!messages.isEmpty()) {
            action.accept(messages.remove(random.nextInt(messages.size())));
        }
    }

    /** Waits for both ends; an end that waits in vain for one that was taken back meets another one. */
    private static void settle(SimulatedGroup group, Message message) {
        if (!message.wasTakenBack()) {
            group.runUntil(
                    () -> (message.send.isDone() && message.receive.isDone()) || message.wasTakenBack(),
                    Duration.ofSeconds(20));
        }
        if (!message.wasTakenBack()) {
            return;
        }
        group.runFor(Duration.ofMillis(100));
        if (!message.send.isDone()) {
            // It was not received, so it can be.
            Memory room = Memory.allocate(Memory.Kind.BYTES, message.bytes);
            ZipFuture<Long> receive =
                    group.communicator(message.to).receiveAsync(message.from, message.tag, room.payload());
            group.runUntil(receive::isDone, Duration.ofSeconds(20));
            group.runUntil(message.send::isDone, Duration.ofSeconds(20));
            if (Outcome.code(message.send) == null) {
                assertSucceeded(receive);
                assertNull(room.difference(Memory.pattern(message.tag, message.bytes)));
            }
            return;
        }
        if (!message.receive.isDone()) {
            message.receive.cancel(false);
        }
        // What nobody received may still be kept.
        ZipFuture<Long> rest = group.communicator(message.to)
                .receiveAsync(message.from, message.tag, Payload.of(new byte[message.bytes]));
        group.runFor(Duration.ofMillis(100));
        rest.cancel(false);
    }

    private static void assertStillWorks(SimulatedGroup group) {
        List<ZipFuture<?>> all = new ArrayList<>();
        for (int from = 0; from < group.size(); from++) {
            for (int to = 0; to < group.size(); to++) {
                if (from != to) {
                    all.add(group.communicator(from).sendAsync(to, 99, Payload.of(new byte[5 * EAGER])));
                    all.add(group.communicator(to).receiveAsync(from, 99, Payload.of(new byte[5 * EAGER])));
                }
            }
        }
        group.await(all);
        all.forEach(Outcome::assertSucceeded);
    }

    @Test
    void shouldGoOnAfterAReceiveThatMetAnAnnouncementIsTakenBack() {
        seeds.each(200, seed -> {
            try (SimulatedGroup group = group(2, seed)) {
                int bytes = 5 * EAGER;
                ZipFuture<Void> first = group.communicator(0).sendAsync(1, 5, memory(1, bytes));
                ZipFuture<Void> second = group.communicator(0).sendAsync(1, 5, memory(2, bytes));
                if (group.random().nextInt(4) > 0) {
                    group.runUntil(() -> group.keptBytes(1, 0) >= 2 * 64, Duration.ofSeconds(1));
                }
                ZipFuture<Long> receive = group.communicator(1).receiveAsync(0, 5, Payload.of(new byte[bytes]));
                group.turns(group.random().nextInt(4));
                boolean cancelled = receive.cancel(false);
                byte[] room = new byte[bytes];
                ZipFuture<Long> next = group.communicator(1).receiveAsync(0, 5, Payload.of(room));
                group.await(next);
                assertSucceeded(next);
                group.runFor(Duration.ofMillis(100));
                assertTrue(first.isDone(), "the first message is received or consumed");
                if (cancelled && !second.isDone()) {
                    // The first message was still there: it was not lost.
                    assertArrayEquals(Memory.pattern(1, bytes), room);
                    group.await(second, group.communicator(1).receiveAsync(0, 5, Payload.of(new byte[bytes])));
                }
                assertSucceeded(second);
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    private static Payload memory(long number, int bytes) {
        return Payload.of(Memory.pattern(number, bytes));
    }

    @Test
    void shouldGoOnAfterAnAnnouncedSendIsTakenBack() {
        seeds.each(300, seed -> {
            try (SimulatedGroup group = group(2, seed)) {
                int bytes = 5 * EAGER;
                ZipFuture<Void> first = group.communicator(0).sendAsync(1, 5, memory(1, bytes));
                ZipFuture<Void> second = group.communicator(0).sendAsync(1, 5, memory(2, bytes));
                group.turns(group.random().nextInt(60));
                byte[] room = new byte[bytes];
                ZipFuture<Long> receive = group.communicator(1).receiveAsync(0, 5, Payload.of(room));
                group.turns(group.random().nextInt(120));
                boolean cancelled = first.cancel(false);
                group.await(receive);
                boolean failed = Outcome.code(receive) != null;
                if (failed) {
                    assertTrue(cancelled);
                    assertFailed(ErrorCode.PEER_FAILED, 0, receive);
                }
                // The last bytes of a message may have been under way when it was taken back: then it arrives.
                if (failed || Arrays.equals(room, Memory.pattern(1, bytes))) {
                    receive = group.communicator(1).receiveAsync(0, 5, Payload.of(room));
                    group.await(receive);
                }
                assertSucceeded(receive);
                assertArrayEquals(Memory.pattern(2, bytes), room);
                group.await(second);
                assertSucceeded(second);
                group.runFor(Duration.ofMillis(100));
                assertEquals(List.of(), group.leaks());
                assertStillWorks(group);
            }
        });
    }

    @Test
    void shouldEndAtItsDeadline() {
        seeds.each(40, seed -> {
            try (SimulatedGroup group = group(2, seed)) {
                Communicator quick = group.communicator(0).withTimeout(Duration.ofMillis(50));
                long beginNs = group.network().clock().nowNs();
                ZipFuture<Long> receive = quick.receiveAsync(1, 4, Payload.of(new byte[10]));
                ZipFuture<Void> send = quick.sendAsync(1, 4, Payload.of(new byte[5 * EAGER]));
                group.await(receive, send);
                long ms = (group.network().clock().nowNs() - beginNs) / 1_000_000;
                assertTrue(ms >= 50 && ms < 70, "ended after " + ms + " ms");
                ZipException failure = assertFailed(ErrorCode.DEADLINE, 1, receive);
                assertTrue(failure.getMessage().contains("tag 4"), failure.getMessage());
                assertFailed(ErrorCode.DEADLINE, 1, send);
                assertStillWorks(group);
                group.runFor(Duration.ofMillis(100));
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldNotLoseCreditToReceivesThatAreTakenBack() {
        seeds.each(10, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(2, seed);
            try (SimulatedGroup group = SimulatedGroup.of(
                    network, options -> options.eagerBytes(EAGER).windowBytes(WINDOW))) {
                // More than the window could pay for.
                for (int i = 0; i < 3 * WINDOW / 64; i++) {
                    ExactReceive receive = new ExactReceive(group, 1, 0, i, 2 * EAGER);
                    group.turns(group.random().nextInt(3));
                    assertTrue(receive.future.cancel(false));
                }
                assertStillWorks(group);
                ExactReceive receive = new ExactReceive(group, 1, 0, 7, 2 * EAGER);
                group.runFor(Duration.ofMillis(10));
                assertFalse(receive.future.isDone());
                assertTrue(receive.future.cancel(false));
            }
        });
    }
}
