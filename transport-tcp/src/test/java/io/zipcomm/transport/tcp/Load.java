package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.testkit.Memory;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.zip.CRC32C;

/** Sends and receives messages of all lengths until it is over, and sums up every byte in its order. */
final class Load {
    /** Messages under way at once in each direction. */
    private static final int IN_FLIGHT = 4;

    private static final int LOAD_TAG = 1;
    private static final int LONG_BYTES_MAX = 3 << 20;

    private final GroupCommunicator world;
    private final int peer;
    private final SplittableRandom mine;
    private final SplittableRandom theirs;
    private final AtomicBoolean over;
    private final long[] sums;
    private final CRC32C sent = new CRC32C();
    private final CRC32C received = new CRC32C();
    private final ArrayDeque<ZipFuture<Void>> sends = new ArrayDeque<>();
    private final ArrayDeque<ZipFuture<Long>> receives = new ArrayDeque<>();
    private final ArrayDeque<ByteBuffer> targets = new ArrayDeque<>();
    private long round;

    Load(GroupCommunicator world, long seed, AtomicBoolean over, long[] sums) {
        this.world = world;
        peer = 1 - world.rank();
        mine = new SplittableRandom(seed + world.rank());
        theirs = new SplittableRandom(seed + peer);
        this.over = over;
        this.sums = sums;
    }

    void run() {
        // Both ranks stop after the same round.
        boolean last = false;
        while (!last) {
            for (int i = 0; i < 2 * IN_FLIGHT; i++) {
                if (sends.size() == IN_FLIGHT) {
                    receiveOne();
                }
                post();
            }
            last = agreeToStop();
        }
        while (!sends.isEmpty()) {
            receiveOne();
        }
        sums[2 * world.rank()] = sent.getValue();
        sums[2 * world.rank() + 1] = received.getValue();
    }

    private boolean agreeToStop() {
        byte[] mineOver = {(byte) (over.get() ? 1 : 0)};
        byte[] theirOver = new byte[1];
        ZipFuture<Void> told = world.sendAsync(peer, LOAD_TAG + 1, Payload.of(mineOver));
        world.receive(peer, LOAD_TAG + 1, theirOver);
        told.await();
        return mineOver[0] + theirOver[0] > 0;
    }

    private static int length(SplittableRandom random) {
        return switch (random.nextInt(8)) {
            case 0, 1, 2 -> random.nextInt(200);
            case 3, 4 -> random.nextInt(32 << 10);
            case 5, 6 -> random.nextInt(300 << 10);
            default -> random.nextInt(LONG_BYTES_MAX / 2, LONG_BYTES_MAX);
        };
    }

    private void post() {
        byte[] message = Memory.pattern(world.rank() * 1_000_003L + round, length(mine));
        sent.update(message);
        boolean direct = round++ % 2 == 0;
        ByteBuffer memory = direct ? ByteBuffer.allocateDirect(message.length) : ByteBuffer.allocate(message.length);
        sends.add(world.sendAsync(peer, LOAD_TAG, Payload.of(memory.put(message).flip())));
        int expected = length(theirs);
        ByteBuffer target = direct ? ByteBuffer.allocateDirect(expected) : ByteBuffer.allocate(expected);
        targets.add(target);
        receives.add(world.receiveAsync(peer, LOAD_TAG, Payload.of(target)));
    }

    private void receiveOne() {
        long bytes = receives.poll().await();
        sends.poll().await();
        ByteBuffer target = targets.poll();
        assertEquals(target.capacity(), bytes);
        received.update(target.clear());
    }
}
