package io.zipcomm.testkit;

import static io.zipcomm.testkit.Outcome.assertFailed;
import static io.zipcomm.testkit.Outcome.assertSucceeded;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Communicator;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Messages between two ranks that stay alive. */
@Tag("once")
final class MessagesTest {

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
    void shouldDeliverEveryKindAndLength() {
        List<Integer> lengths = List.of(0, 1, 8, EAGER - 8, EAGER - 1, EAGER, EAGER + 1, EAGER + 8, 3 * WINDOW + 8 * 7);
        seeds.each(6, seed -> {
            try (SimulatedGroup group = group(2, seed)) {
                RandomGenerator random = group.random();
                List<ZipFuture<?>> all = new ArrayList<>();
                List<Memory> rooms = new ArrayList<>();
                List<Long> numbers = new ArrayList<>();
                int tag = 0;
                for (int length : lengths) {
                    for (int kind = 0; kind < Memory.Kind.values().length; kind++) {
                        int from = random.nextInt(2);
                        long number = random.nextLong();
                        Memory memory = Memory.allocate(Memory.Kind.of(kind, length), length)
                                .fill(number);
                        Memory room = Memory.allocate(Memory.Kind.of(random.nextInt(64), length), length);
                        Runnable send = send(all, group.communicator(from), 1 - from, tag, memory);
                        Runnable receive = receive(all, group.communicator(1 - from), from, tag, room);
                        boolean receiveFirst = random.nextBoolean();
                        (receiveFirst ? receive : send).run();
                        group.turns(random.nextInt(20));
                        (receiveFirst ? send : receive).run();
                        rooms.add(room);
                        numbers.add(number);
                        tag++;
                    }
                }
                group.await(all);
                all.forEach(Outcome::assertSucceeded);
                for (int i = 0; i < rooms.size(); i++) {
                    Memory room = rooms.get(i);
                    assertNull(room.difference(Memory.pattern(numbers.get(i), room.bytes())));
                }
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    private static Runnable send(List<ZipFuture<?>> all, Communicator from, int to, int tag, Memory memory) {
        return () -> all.add(from.sendAsync(to, tag, memory.payload()));
    }

    private static Runnable receive(List<ZipFuture<?>> all, Communicator to, int from, int tag, Memory room) {
        return () -> all.add(to.receiveAsync(from, tag, room.payload()));
    }

    @Test
    void shouldDeliverSeveralMebibytes() {
        seeds.each(6, seed -> {
            // Not so small that there are millions of pieces.
            try (SimulatedGroup group = SimulatedGroup.of(2, seed, Conditions.usual())) {
                int bytes = (5 << 20) + 8 * 13;
                List<ZipFuture<?>> all = new ArrayList<>();
                List<Memory> rooms = new ArrayList<>();
                for (int i = 0; i < 4; i++) {
                    Memory.Kind kind = Memory.Kind.of(group.random().nextInt(64), bytes);
                    Memory memory = Memory.allocate(kind, bytes).fill(i);
                    Memory room = Memory.allocate(Memory.Kind.of(group.random().nextInt(64), bytes), bytes);
                    all.add(group.communicator(i % 2).sendAsync(1 - i % 2, i, memory.payload()));
                    all.add(group.communicator(1 - i % 2).receiveAsync(i % 2, i, room.payload()));
                    rooms.add(room);
                }
                group.await(all);
                all.forEach(Outcome::assertSucceeded);
                for (int i = 0; i < 4; i++) {
                    assertNull(rooms.get(i).difference(Memory.pattern(i, bytes)));
                }
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldReceiveIntoMoreRoomThanTheMessageNeeds() {
        seeds.each(30, seed -> {
            try (SimulatedGroup group = group(2, seed)) {
                for (int bytes : new int[] {0, 8, EAGER, EAGER + 8, 4 * EAGER}) {
                    Memory memory = Memory.allocate(Memory.Kind.LONGS, bytes).fill(bytes);
                    Memory room = Memory.allocate(Memory.Kind.of(group.random().nextInt(64), 8 * EAGER), 8 * EAGER);
                    room.fill(-7);
                    byte[] expected = Memory.pattern(-7, 8 * EAGER);
                    System.arraycopy(Memory.pattern(bytes, bytes), 0, expected, 0, bytes);
                    ZipFuture<Void> send = group.communicator(0).sendAsync(1, 3, memory.payload());
                    group.turns(group.random().nextInt(40));
                    ZipFuture<Long> receive = group.communicator(1).receiveAsync(0, 3, room.payload());
                    group.await(send, receive);
                    assertEquals(bytes, receive.join());
                    assertNull(room.difference(expected));
                }
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldMatchTagsInAnyOrderAndMessagesOfOneTagInTheirs() {
        seeds.each(40, seed -> {
            try (SimulatedGroup group = group(2, seed)) {
                RandomGenerator random = group.random();
                int tags = 5;
                int each = 6;
                List<ZipFuture<?>> all = new ArrayList<>();
                List<int[]> order = new ArrayList<>();
                for (int tag = 0; tag < tags; tag++) {
                    for (int i = 0; i < each; i++) {
                        order.add(new int[] {tag, i});
                    }
                }
                int[] sent = new int[tags];
                Collections.shuffle(order, new Random(seed));
                for (int[] one : order) {
                    int number = sent[one[0]]++;
                    Memory memory = Memory.allocate(Memory.Kind.BYTES, length(one[0], number));
                    memory.fill(100L * one[0] + number);
                    all.add(group.communicator(0).sendAsync(1, one[0], memory.payload()));
                    group.turns(random.nextInt(6));
                }
                Collections.shuffle(order, new Random(~seed));
                int[] asked = new int[tags];
                List<Runnable> checks = new ArrayList<>();
                for (int[] one : order) {
                    int tag = one[0];
                    int number = asked[tag]++;
                    Memory room = Memory.allocate(Memory.Kind.HEAP_BUFFER, 4 * EAGER);
                    ZipFuture<Long> receive = group.communicator(1).receiveAsync(0, tag, room.payload());
                    all.add(receive);
                    checks.add(() -> {
                        assertEquals(length(tag, number), receive.join());
                        assertNull(room.difference(Memory.pattern(100L * tag + number, length(tag, number))));
                    });
                    group.turns(random.nextInt(6));
                }
                group.await(all);
                checks.forEach(Runnable::run);
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    /** Short and long ones in turn. */
    private static int length(int tag, int number) {
        return (tag + number) % 3 == 0 ? 3 * EAGER : 50 * number;
    }

    @Test
    void shouldNeverKeepMoreThanTheWindow() {
        seeds.each(20, seed -> {
            try (SimulatedGroup group = group(2, seed)) {
                RandomGenerator random = group.random();
                List<ZipFuture<?>> sends = new ArrayList<>();
                int count = 400;
                for (int i = 0; i < count; i++) {
                    int bytes = random.nextInt(4) == 0 ? 0 : random.nextInt(2 * EAGER);
                    Memory memory = Memory.allocate(Memory.Kind.BYTES, bytes).fill(i);
                    sends.add(group.communicator(0).sendAsync(1, i, memory.payload()));
                    if (random.nextInt(10) == 0) {
                        group.turns(20);
                        assertTrue(group.keptBytes(1, 0) <= WINDOW);
                    }
                }
                group.runUntil(
                        () -> {
                            assertTrue(group.keptBytes(1, 0) <= WINDOW);
                            return group.keptBytes(1, 0) > WINDOW / 2;
                        },
                        Duration.ofSeconds(5));
                group.runFor(Duration.ofMillis(100));
                assertTrue(group.keptBytes(1, 0) <= WINDOW);
                assertFalse(sends.stream().allMatch(ZipFuture::isDone), "everything was sent though nobody receives");
                List<ZipFuture<?>> receives = new ArrayList<>();
                for (int i = count - 1; i >= 0; i--) {
                    receives.add(group.communicator(1).receiveAsync(0, i, Payload.of(new byte[2 * EAGER])));
                }
                group.await(sends);
                group.await(receives);
                sends.forEach(Outcome::assertSucceeded);
                receives.forEach(Outcome::assertSucceeded);
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldDeliverEmptyMessagesBeyondTheWindow() {
        seeds.each(20, seed -> {
            try (SimulatedGroup group = group(2, seed)) {
                int count = 2 * WINDOW / 64;
                List<ZipFuture<?>> all = new ArrayList<>();
                for (int i = 0; i < count; i++) {
                    all.add(group.communicator(0).sendAsync(1, i, Payload.of(new byte[0])));
                }
                group.runFor(Duration.ofMillis(50));
                for (int i = count - 1; i >= 0; i--) {
                    all.add(group.communicator(1).receiveAsync(0, i, Payload.of(new byte[0])));
                }
                group.await(all);
                all.forEach(Outcome::assertSucceeded);
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldDeliverWhenEverythingIsAnnounced() {
        seeds.each(20, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(2, seed);
            try (SimulatedGroup group =
                    SimulatedGroup.of(network, options -> options.eagerBytes(0).windowBytes(WINDOW))) {
                List<ZipFuture<?>> all = new ArrayList<>();
                for (int i = 0; i < 600; i++) {
                    int from = i % 2;
                    all.add(group.communicator(from).sendAsync(1 - from, i, Payload.of(new byte[i % 5])));
                    all.add(group.communicator(1 - from).receiveAsync(from, i, Payload.of(new byte[i % 5])));
                }
                group.await(all);
                all.forEach(Outcome::assertSucceeded);
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldCarryManyMessagesBothWays() {
        seeds.each(10, seed -> {
            try (SimulatedGroup group = group(3, seed)) {
                RandomGenerator random = group.random();
                List<ZipFuture<?>> all = new ArrayList<>();
                List<Runnable> checks = new ArrayList<>();
                for (int i = 0; i < 500; i++) {
                    int from = random.nextInt(3);
                    int to = (from + 1 + random.nextInt(2)) % 3;
                    int bytes = random.nextInt(8) > 0 ? random.nextInt(500) : random.nextInt(20 * EAGER);
                    int number = i;
                    Memory memory = Memory.allocate(Memory.Kind.of(random.nextInt(64), bytes), bytes)
                            .fill(i);
                    Memory room = Memory.allocate(Memory.Kind.of(random.nextInt(64), bytes), bytes);
                    all.add(group.communicator(to).receiveAsync(from, i, room.payload()));
                    all.add(group.communicator(from).sendAsync(to, i, memory.payload()));
                    checks.add(() -> assertNull(room.difference(Memory.pattern(number, bytes))));
                    group.turns(random.nextInt(3));
                }
                group.await(all);
                all.forEach(Outcome::assertSucceeded);
                checks.forEach(Runnable::run);
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldRefuseAMessageThatDoesNotFit() {
        seeds.each(40, seed -> {
            try (SimulatedGroup group = group(2, seed)) {
                for (int bytes : new int[] {16, EAGER, EAGER + 8, 6 * EAGER}) {
                    ZipFuture<Void> send = group.communicator(0).sendAsync(1, 1, Payload.of(new byte[bytes]));
                    group.turns(group.random().nextInt(30));
                    Memory room = Memory.allocate(Memory.Kind.BYTES, bytes - 1).fill(5);
                    ZipFuture<Long> receive = group.communicator(1).receiveAsync(0, 1, room.payload());
                    group.await(send, receive);
                    assertFailed(ErrorCode.LENGTH_MISMATCH, 0, receive);
                    if (bytes > EAGER) {
                        assertFailed(ErrorCode.LENGTH_MISMATCH, 1, send);
                    } else {
                        assertSucceeded(send);
                    }
                    assertNull(room.difference(Memory.pattern(5, bytes - 1)));
                }
                assertStillWorks(group);
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldRefuseAMessageThatIsNoWholeNumberOfElements() {
        seeds.each(40, seed -> {
            try (SimulatedGroup group = group(2, seed)) {
                for (int bytes : new int[] {5, EAGER - 3, EAGER + 1, 5 * EAGER + 2}) {
                    ZipFuture<Void> send = group.communicator(0).sendAsync(1, 1, Payload.of(new byte[bytes]));
                    group.turns(group.random().nextInt(30));
                    Memory room = Memory.allocate(Memory.Kind.FLOATS, 8 * EAGER);
                    ZipFuture<Long> receive = group.communicator(1).receiveAsync(0, 1, room.payload());
                    group.await(send, receive);
                    assertFailed(ErrorCode.LENGTH_MISMATCH, 0, receive);
                }
                assertStillWorks(group);
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldNotMixUpMemoryOfMessagesRefusedWhileTheyArrive() {
        // Small pieces that take their time: most receives are posted while the message is coming in.
        Conditions slow = new Conditions(100_000, 400_000, 1L << 30, 1 << 16, 64, 1 << 10, 1 << 10, 1 << 20, true);
        seeds.each(40, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(2, seed, slow);
            try (SimulatedGroup group = SimulatedGroup.of(
                    network, options -> options.eagerBytes(EAGER).windowBytes(WINDOW))) {
                for (int i = 0; i < 20; i++) {
                    boolean fits = group.random().nextBoolean();
                    Memory memory = Memory.allocate(Memory.Kind.BYTES, EAGER).fill(i);
                    Memory room = Memory.allocate(Memory.Kind.BYTES, fits ? EAGER : EAGER - 1);
                    ZipFuture<Void> send = group.communicator(0).sendAsync(1, 1, memory.payload());
                    group.runUntil(() -> group.keptBytes(1, 0) > 0, Duration.ofSeconds(1));
                    ZipFuture<Long> receive = group.communicator(1).receiveAsync(0, 1, room.payload());
                    group.await(send, receive);
                    if (fits) {
                        assertSucceeded(receive);
                        assertNull(room.difference(Memory.pattern(i, EAGER)));
                    } else {
                        assertFailed(ErrorCode.LENGTH_MISMATCH, receive);
                    }
                }
                group.runFor(Duration.ofMillis(10));
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldRefuseWrongArgumentsBeforeAnythingIsSent() {
        try (SimulatedGroup group = group(3, seeds.seed())) {
            Communicator world = group.communicator(1);
            byte[] bytes = new byte[4];
            List<Runnable> wrong = List.of(
                    () -> world.send(-1, 0, bytes),
                    () -> world.send(3, 0, bytes),
                    () -> world.send(1, 0, bytes),
                    () -> world.send(0, -1, bytes),
                    () -> world.send(0, 0, (Payload) null),
                    () -> world.receive(-1, 0, bytes),
                    () -> world.receive(3, 0, bytes),
                    () -> world.receive(1, 0, bytes),
                    () -> world.receive(0, Integer.MIN_VALUE, bytes),
                    () -> world.receive(0, 0, (Payload) null),
                    () -> world.receive(0, 0, ByteBuffer.wrap(bytes).asReadOnlyBuffer()),
                    () -> world.withTimeout(Duration.ZERO),
                    () -> world.split(-2, 0));
            for (int i = 0; i < wrong.size(); i++) {
                ZipException failure = assertThrows(ZipException.class, wrong.get(i)::run);
                assertEquals(ErrorCode.BAD_ARGUMENT, failure.code(), "call " + i + ": " + failure.getMessage());
            }
            assertEquals(0, world.counters().framesSent);
            assertEquals(List.of(), group.leaks());
        }
    }

    private static void assertStillWorks(SimulatedGroup group) {
        for (int from = 0; from < 2; from++) {
            byte[] room = new byte[3 * EAGER];
            ZipFuture<Void> send =
                    group.communicator(from).sendAsync(1 - from, 77, Payload.of(Memory.pattern(from, 3 * EAGER)));
            ZipFuture<Long> receive = group.communicator(1 - from).receiveAsync(from, 77, Payload.of(room));
            group.await(send, receive);
            assertSucceeded(send);
            assertSucceeded(receive);
        }
    }
}
