package io.zipcomm.bench.worker;

import java.util.Arrays;

/**
 * A message from rank 0 to rank 1 and back. Rank 0 times the round trip and checks what came back; the other ranks of a
 * larger group do nothing.
 */
final class PingPongExercise implements Exercise {

    private final int rank;
    private final Stretch sent;
    private final Stretch received;
    private final Runnable part;
    private final Progress progress;
    private int iteration;
    private String mismatch;
    private long allocatedBytes;

    /**
     * One rank's part.
     *
     * @param rank     this rank
     * @param sent     what rank 0 sends
     * @param received where it comes back
     * @param part     what ranks 0 and 1 do in each round
     * @param progress counts the rounds
     */
    PingPongExercise(int rank, Stretch sent, Stretch received, Runnable part, Progress progress) {
        this.rank = rank;
        this.sent = sent;
        this.received = received;
        this.part = part;
        this.progress = progress;
        sent.write(0, true);
    }

    @Override
    public void run(int count, long[] timesNs, boolean thorough) {
        allocatedBytes = 0;
        if (rank == 0) {
            ping(count, timesNs, thorough);
            return;
        }
        // What the exercise before has left there would count: an iteration's time is the slowest rank's.
        Arrays.fill(timesNs, 0, count, 0);
        if (rank == 1) {
            pong(count);
        }
    }

    private void ping(int count, long[] timesNs, boolean thorough) {
        for (int i = 0; i < count; i++) {
            boolean all = thorough && (i == 0 || i == count - 1);
            sent.write(iteration, all);
            received.poison(iteration, all);
            long allocated = Allocation.ofThisThread();
            long began = System.nanoTime();
            part.run();
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
            part.run();
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
