package io.zipcomm.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** Messages from one rank to another on one tag: all must arrive, right and in order, wherever the link moves meanwhile. */
final class MessageStream {

    private static final int TAG = 1;

    /** One message in so many is long. */
    private static final int LONG = 4;

    private final SimulatedGroup group;
    private final int bytesMax;
    final int from;
    final int to;
    final List<ZipFuture<Void>> sends = new ArrayList<>();
    final List<ZipFuture<Long>> receives = new ArrayList<>();
    private final List<byte[]> sent = new ArrayList<>();
    private final List<Memory> rooms = new ArrayList<>();

    /**
     * @param bytesMax length of the longest message; most are as short as an eighth of it
     */
    MessageStream(SimulatedGroup group, int from, int to, int bytesMax) {
        this.group = group;
        this.from = from;
        this.to = to;
        this.bytesMax = bytesMax;
    }

    /** One for each pair of ranks and direction. */
    static List<MessageStream> all(SimulatedGroup group, int bytesMax) {
        List<MessageStream> streams = new ArrayList<>();
        for (int from = 0; from < group.size(); from++) {
            for (int to = 0; to < group.size(); to++) {
                if (from != to) {
                    streams.add(new MessageStream(group, from, to, bytesMax));
                }
            }
        }
        return streams;
    }

    /** Posts one more message: in any kind of memory, its receive before it or after it. */
    void next() {
        RandomGenerator random = group.random();
        int bytes = random.nextInt(random.nextInt(LONG) == 0 ? bytesMax : bytesMax / 8) / Long.BYTES * Long.BYTES;
        Memory.Kind[] kinds = Memory.Kind.values();
        Memory memory =
                Memory.allocate(kinds[random.nextInt(kinds.length)], bytes).fill(random.nextLong());
        Memory room = Memory.allocate(kinds[random.nextInt(kinds.length)], bytes);
        boolean receiveFirst = random.nextBoolean();
        if (receiveFirst) {
            receives.add(group.communicator(to).receiveAsync(from, TAG, room.payload()));
        }
        sends.add(group.communicator(from).sendAsync(to, TAG, memory.payload()));
        if (!receiveFirst) {
            receives.add(group.communicator(to).receiveAsync(from, TAG, room.payload()));
        }
        sent.add(memory.read());
        rooms.add(room);
    }

    /** Posts a message of a length. */
    void next(int bytes) {
        byte[] message = Memory.pattern(group.random().nextLong(), bytes);
        Memory room = Memory.allocate(Memory.Kind.BYTES, bytes);
        sends.add(group.communicator(from).sendAsync(to, TAG, Payload.of(message)));
        receives.add(group.communicator(to).receiveAsync(from, TAG, room.payload()));
        sent.add(message);
        rooms.add(room);
    }

    /** Waits for all, then compares every byte. */
    void check() {
        group.await(sends);
        group.await(receives);
        for (int i = 0; i < sent.size(); i++) {
            Outcome.assertSucceeded(sends.get(i));
            Outcome.assertSucceeded(receives.get(i));
            assertArrayEquals(sent.get(i), rooms.get(i).read(), "message " + i + " from " + from + " to " + to);
        }
    }
}
