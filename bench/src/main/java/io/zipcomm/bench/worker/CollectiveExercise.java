package io.zipcomm.bench.worker;

/** A collective operation, each run behind a barrier so that the ranks begin together. */
final class CollectiveExercise implements Exercise {

    private final Workload workload;
    private final Runnable barrier;
    private final Progress progress;
    private int iteration;
    private boolean filled;
    private String mismatch;
    private long allocatedBytes;

    CollectiveExercise(Workload workload, Runnable barrier, Progress progress) {
        this.workload = workload;
        this.barrier = barrier;
        this.progress = progress;
    }

    @Override
    public void run(int count, long[] timesNs, boolean thorough) {
        allocatedBytes = 0;
        for (int i = 0; i < count; i++) {
            boolean all = thorough && (i == 0 || i == count - 1);
            workload.prepare(iteration, all || !filled);
            filled = true;
            barrier.run();
            long allocated = Allocation.ofThisThread();
            long began = System.nanoTime();
            workload.run();
            timesNs[i] = System.nanoTime() - began;
            allocatedBytes += Allocation.ofThisThread() - allocated;
            if (mismatch == null) {
                mismatch = workload.mismatch(iteration, all);
            }
            iteration++;
            progress.step();
        }
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
