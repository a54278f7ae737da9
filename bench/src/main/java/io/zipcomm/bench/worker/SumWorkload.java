package io.zipcomm.bench.worker;

/** An operation that adds floats of all ranks. */
final class SumWorkload implements Workload {

    /** This rank gets no sums. */
    static final int NO_SHARE = -1;

    private static final float POISON = -1;

    private final int rank;
    private final int ranks;
    private final Numbers input;
    private final Blocks shares;
    private final int share;
    private final Numbers output;
    private final Runnable operation;

    /**
     * An operation with its memory.
     *
     * @param rank      this rank
     * @param ranks     how many add up
     * @param input     this rank's numbers
     * @param shares    how the sums are divided: one share if whoever gets any gets all
     * @param share     which one comes out at this rank; {@link #NO_SHARE} for none
     * @param output    where it comes out
     * @param operation what to run
     */
    SumWorkload(int rank, int ranks, Numbers input, Blocks shares, int share, Numbers output, Runnable operation) {
        this.rank = rank;
        this.ranks = ranks;
        this.input = input;
        this.shares = shares;
        this.share = share;
        this.output = output;
        this.operation = operation;
    }

    @Override
    public void prepare(int iteration, boolean all) {
        int seed = TestPattern.seed(iteration, rank, rank);
        if (all) {
            TestPattern.fill(input, seed);
            for (int i = 0; i < output.count(); i++) {
                output.put(i, POISON);
            }
            return;
        }
        for (int one = 0; one < shares.ranks(); one++) {
            int length = shares.length(one);
            for (int probe = 0; probe < Probes.COUNT && length > 0; probe++) {
                int index = shares.start(one) + Probes.index(iteration, probe, length);
                input.put(index, TestPattern.floatAt(seed, index));
                if (one == share) {
                    output.put(index - shares.start(one), POISON);
                }
            }
        }
    }

    @Override
    public void run() {
        operation.run();
    }

    @Override
    public String mismatch(int iteration, boolean all) {
        int length = share == NO_SHARE ? 0 : shares.length(share);
        int count = all ? length : Math.min(length, Probes.COUNT);
        for (int i = 0; i < count; i++) {
            int at = all ? i : Probes.index(iteration, i, length);
            float expected = TestPattern.sumAt(iteration, ranks, shares.start(share) + at);
            if (output.get(at) != expected) {
                return "iteration " + iteration + ": sum " + at + " of " + length + " is " + output.get(at)
                        + ", expected " + expected;
            }
        }
        return null;
    }
}
