package io.zipcomm.bench.worker;

import io.zipcomm.Communicator;
import io.zipcomm.buffer.Payload;
import java.nio.ByteBuffer;

/**
 * A message from rank 0 to rank 1 and back. Rank 0 times the round trip and checks what came back; the other ranks of a
 * larger group do nothing.
 */
final class PingPongExercise implements Exercise {

    private static final int TAG = 1;

    private final Communicator world;
    private final Region sent;
    private final Region received;
    private final Payload sentPayload;
    private final Payload receivedPayload;
    private final Progress progress;
    private int iteration;
    private String mismatch;
    private long allocatedBytes;

    PingPongExercise(Communicator world, int bytes, Progress progress) {
        this.world = world;
        this.progress = progress;
        int own = world.rank() < 2 ? bytes : 0;
        sent = new Region(ByteBuffer.allocateDirect(own), 0, own, 0, 1);
        received = new Region(ByteBuffer.allocateDirect(own), 0, own, 0, 1);
        sentPayload = Payload.of(sent.memory());
        receivedPayload = Payload.of(received.memory());
        sent.write(0, true);
    }

    @Override
    public void run(int count, long[] timesNs, boolean thorough) {
        allocatedBytes = 0;
        switch (world.rank()) {
            case 0 -> ping(count, timesNs, thorough);
            case 1 -> pong(count);
            default -> java.util.Arrays.fill(timesNs, 0, count, 0);
        }
    }

    private void ping(int count, long[] timesNs, boolean thorough) {
        for (int i = 0; i < count; i++) {
            boolean all = thorough && (i == 0 || i == count - 1);
            sent.write(iteration, all);
            received.poison(iteration, all);
            long allocated = Allocation.ofThisThread();
            long began = System.nanoTime();
            world.send(1, TAG, sentPayload);
            world.receive(1, TAG, receivedPayload);
            timesNs[i] = System.nanoTime() - began;
            allocatedBytes += Allocation.ofThisThread() - allocated;
            if (mismatch == null) {
                mismatch = received.mismatch(iteration, all);
            }
            iteration++;
            progress.step();
        }
    }

    private void pong(int count) {
        long allocated = Allocation.ofThisThread();
        for (int i = 0; i < count; i++) {
            world.receive(0, TAG, receivedPayload);
            world.send(0, TAG, receivedPayload);
        }
        allocatedBytes = Allocation.ofThisThread() - allocated;
    }

    @Override
    public String mismatch() {
        return mismatch;
    }

    @Override
    public long allocatedBytes() {
        return allocatedBytes;
    }
}
