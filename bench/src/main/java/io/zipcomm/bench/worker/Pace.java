package io.zipcomm.bench.worker;

import java.util.Arrays;

/**
 * How long to warm up, and how many iterations to time. Warming up goes on until the medians of two batches, one after the
 * other, differ by less than a tenth, but not for more than {@link #WARM_UP_SHARE} of the time budget. Pure arithmetic: the
 * times come from outside.
 */
final class Pace {

    /** Longest warm-up, as a multiple of the budget. */
    static final double WARM_UP_SHARE = 1.5;

    /** Timed iterations that the budget never goes below. */
    static final int ITERATIONS_MIN = 5;

    /** Timed iterations that the budget never goes above. */
    static final int ITERATIONS_MAX = 10_000;

    private static final int FIRST_BATCH = 2;
    private static final int BATCH_MIN = 3;
    private static final int BATCH_MAX = 2_000;
    private static final double BATCH_SHARE = 0.1;

    /** Ranks that were asleep while others were measured find their caches and their cores anew. */
    static final double WAKING_SHARE = 0.3;

    private static final double TIMED_SHARE = 0.5;
    private static final double STABLE = 0.1;

    private final long budgetNs;
    private final int iterations;
    private long spentNs;
    private long iterationNs;
    private double lastMedian = Double.NaN;
    private boolean first = true;
    private final boolean wasWarm;
    private boolean warm;

    /**
     * A pace for one row.
     *
     * @param budgetNs   time for it, in nanoseconds; a slow operation takes longer
     * @param iterations how many to time, or 0 to let the budget decide
     * @param wasWarm    whether all code has run often for another slice of the row: then the ranks only have to wake, for
     *                   {@link #WAKING_SHARE} of the budget
     */
    Pace(long budgetNs, int iterations, boolean wasWarm) {
        this.budgetNs = budgetNs;
        this.iterations = iterations;
        this.wasWarm = wasWarm;
    }

    /** Whether warming up is over. */
    boolean isWarm() {
        return warm;
    }

    /** Iterations of the next batch of the warm-up. */
    int batch() {
        return first ? FIRST_BATCH : fit(BATCH_SHARE, BATCH_MIN, BATCH_MAX);
    }

    /**
     * A batch of the warm-up ended.
     *
     * @param timesNs   of its iterations, from index 0
     * @param count     number of iterations
     * @param elapsedNs from its beginning to its end, with all that is not timed
     */
    void batchDone(long[] timesNs, int count, long elapsedNs) {
        spentNs += elapsedNs;
        iterationNs = Math.max(1, elapsedNs / count);
        if (first) {
            // The first calls load classes and open connections: they say nothing about the next.
            first = false;
            warm = spentNs > WARM_UP_SHARE * budgetNs;
            return;
        }
        double median = median(timesNs, count);
        boolean stable = Math.abs(median - lastMedian) < STABLE * lastMedian;
        lastMedian = median;
        warm = wasWarm ? spentNs > WAKING_SHARE * budgetNs : stable || spentNs > WARM_UP_SHARE * budgetNs;
    }

    /** Iterations to time once it is warm. */
    int timedIterations() {
        return iterations > 0 ? iterations : fit(TIMED_SHARE, ITERATIONS_MIN, ITERATIONS_MAX);
    }

    private int fit(double share, int min, int max) {
        return (int) Math.max(min, Math.min(max, share * budgetNs / iterationNs));
    }

    private static double median(long[] timesNs, int count) {
        long[] sorted = Arrays.copyOf(timesNs, count);
        Arrays.sort(sorted);
        return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2.0;
    }
}
