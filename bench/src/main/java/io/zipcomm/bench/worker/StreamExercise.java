package io.zipcomm.bench.worker;

import io.zipcomm.Communicator;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import java.nio.ByteBuffer;

/**
 * Rank 0 sends as fast as rank 1 takes it: how many bytes a path carries in one direction. Some messages are under way at
 * a time, so that neither end ever waits for the other's turn.
 */
public final class StreamExercise implements Exercise {

    static final int MESSAGE_BYTES = 1 << 20;
    static final int MESSAGES = 16;
    private static final int UNDER_WAY = 4;
    private static final int TAG = 2;
    private static final int ACKNOWLEDGE_TAG = 3;

    /** What one run moves. */
    public static final long BYTES = (long) MESSAGE_BYTES * MESSAGES;

    private final Communicator world;
    private final Payload[] slots = new Payload[UNDER_WAY];
    private final Region[] regions = new Region[UNDER_WAY];
    private final Payload acknowledgement = Payload.of(ByteBuffer.allocateDirect(1));
    private final Progress progress;
    private int iteration;
    private String mismatch;

    StreamExercise(Communicator world, Progress progress) {
        this.world = world;
        this.progress = progress;
        int length = world.rank() < 2 ? MESSAGE_BYTES : 0;
        for (int i = 0; i < UNDER_WAY; i++) {
            regions[i] = new Region(ByteBuffer.allocateDirect(length), 0, length, 0, 1);
            slots[i] = Payload.of(regions[i].memory());
        }
    }

    @Override
    public void run(int count, long[] timesNs, boolean thorough) {
        for (int i = 0; i < count; i++) {
            timesNs[i] = switch (world.rank()) {
                case 0 -> send();
                case 1 -> receive();
                default -> 0;
            };
            iteration++;
            progress.step();
        }
    }

    private long send() {
        for (Region region : regions) {
            region.write(iteration, false);
        }
        long began = System.nanoTime();
        ZipFuture<?>[] underWay = new ZipFuture<?>[UNDER_WAY];
        for (int i = 0; i < MESSAGES; i++) {
            int slot = i % UNDER_WAY;
            if (underWay[slot] != null) {
                underWay[slot].await();
            }
            underWay[slot] = world.sendAsync(1, TAG, slots[slot]);
        }
        for (ZipFuture<?> one : underWay) {
            one.await();
        }
        world.receive(1, ACKNOWLEDGE_TAG, acknowledgement);
        return System.nanoTime() - began;
    }

    private long receive() {
        ZipFuture<?>[] underWay = new ZipFuture<?>[UNDER_WAY];
        for (int i = 0; i < MESSAGES; i++) {
            int slot = i % UNDER_WAY;
            if (underWay[slot] != null) {
                underWay[slot].await();
            }
            underWay[slot] = world.receiveAsync(0, TAG, slots[slot]);
        }
        for (ZipFuture<?> one : underWay) {
            one.await();
        }
        world.send(0, ACKNOWLEDGE_TAG, acknowledgement);
        for (Region region : regions) {
            if (mismatch == null) {
                mismatch = region.mismatch(iteration, false);
            }
        }
        return 0;
    }

    @Override
    public String mismatch() {
        return mismatch;
    }

    @Override
    public long allocatedBytes() {
        return 0;
    }
}
