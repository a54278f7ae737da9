package io.zipcomm.bench.worker;

import io.zipcomm.Communicator;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import java.nio.ByteBuffer;

/**
 * Rank 0 sends as fast as rank 1 takes it, and the other way round at the same time if that is asked for: how many bytes a
 * path carries in one direction, or in each of both. Some messages are under way at a time, so that neither end ever waits
 * for the other's turn. Rank 0 times it, until it hears that all has arrived.
 */
public final class StreamExercise implements Exercise {

    static final int MESSAGE_BYTES = 1 << 20;
    static final int MESSAGES = 16;
    private static final int UNDER_WAY = 4;
    private static final int TAG = 2;
    private static final int ACKNOWLEDGE_TAG = 3;

    /** What one run moves in a direction. */
    public static final long BYTES = (long) MESSAGE_BYTES * MESSAGES;

    private final Communicator world;
    private final int peer;
    private final Slots sending;
    private final Slots receiving;
    private final Payload acknowledgement = Payload.of(ByteBuffer.allocateDirect(1));
    private final Progress progress;
    private int iteration;
    private String mismatch;

    /** Memory of the messages that are under way in one direction. */
    private static final class Slots {
        final Stretch[] stretches = new Stretch[UNDER_WAY];
        final Payload[] payloads = new Payload[UNDER_WAY];
        final ZipFuture<?>[] underWay = new ZipFuture<?>[UNDER_WAY];

        /** With messages from one rank to another. */
        Slots(int source, int destination) {
            for (int i = 0; i < UNDER_WAY; i++) {
                stretches[i] =
                        new Stretch(ByteBuffer.allocateDirect(MESSAGE_BYTES), 0, MESSAGE_BYTES, source, destination);
                payloads[i] = Payload.of(stretches[i].memory());
            }
        }

        /** Waits until a slot is free again. */
        void await(int slot) {
            if (underWay[slot] != null) {
                underWay[slot].await();
                underWay[slot] = null;
            }
        }

        void awaitAll() {
            for (int slot = 0; slot < UNDER_WAY; slot++) {
                await(slot);
            }
        }
    }

    StreamExercise(Communicator world, boolean bothWays, Progress progress) {
        this.world = world;
        this.progress = progress;
        int rank = world.rank();
        peer = 1 - rank;
        sending = rank == 0 || (rank == 1 && bothWays) ? new Slots(rank, peer) : null;
        receiving = rank == 1 || (rank == 0 && bothWays) ? new Slots(peer, rank) : null;
    }

    @Override
    public void run(int count, long[] timesNs, boolean thorough) {
        for (int i = 0; i < count; i++) {
            timesNs[i] = world.rank() < 2 ? stream() : 0;
            iteration++;
            progress.step();
        }
    }

    private long stream() {
        if (sending != null) {
            for (Stretch stretch : sending.stretches) {
                stretch.write(iteration, false);
            }
        }
        long began = System.nanoTime();
        for (int i = 0; i < MESSAGES; i++) {
            int slot = i % UNDER_WAY;
            if (receiving != null) {
                receiving.await(slot);
                receiving.underWay[slot] = world.receiveAsync(peer, TAG, receiving.payloads[slot]);
            }
            if (sending != null) {
                sending.await(slot);
                sending.underWay[slot] = world.sendAsync(peer, TAG, sending.payloads[slot]);
            }
        }
        if (sending != null) {
            sending.awaitAll();
        }
        if (receiving != null) {
            receiving.awaitAll();
        }
        if (world.rank() > 0) {
            world.send(peer, ACKNOWLEDGE_TAG, acknowledgement);
            check();
            return 0;
        }
        world.receive(peer, ACKNOWLEDGE_TAG, acknowledgement);
        long tookNs = System.nanoTime() - began;
        check();
        return tookNs;
    }

    private void check() {
        if (receiving != null && mismatch == null) {
            for (Stretch stretch : receiving.stretches) {
                mismatch = mismatch == null ? stretch.mismatch(iteration, false) : mismatch;
            }
        }
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
