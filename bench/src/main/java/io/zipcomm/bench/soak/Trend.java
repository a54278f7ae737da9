package io.zipcomm.bench.soak;

import java.util.Arrays;

/**
 * Whether samples rise, by rank statistics that a few outliers do not move: the slope is the median of those between all pairs
 * (Theil and Sen), and whether it may be chance is told by how many pairs rise and how many fall (Mann and Kendall).
 */
final class Trend {

    /** Standard deviations beyond which a rise is no chance: one time in a hundred. */
    static final double CERTAIN = 2.33;

    private final double slope;
    private final double deviations;
    private final double median;
    private final double spanS;

    private Trend(double slope, double deviations, double median, double spanS) {
        this.slope = slope;
        this.deviations = deviations;
        this.median = median;
        this.spanS = spanS;
    }

    /**
     * Of samples in the order of their times.
     *
     * @param atS    when each was taken, in seconds
     * @param values one for each time; at least two
     */
    static Trend of(double[] atS, double[] values) {
        int count = values.length;
        if (count < 2 || atS.length != count) {
            throw new IllegalArgumentException(atS.length + " times and " + count + " values");
        }
        double[] slopes = new double[count * (count - 1) / 2];
        int pairs = 0;
        long rises = 0;
        for (int i = 0; i < count; i++) {
            for (int j = i + 1; j < count; j++) {
                slopes[pairs++] = (values[j] - values[i]) / (atS[j] - atS[i]);
                rises += (long) Math.signum(values[j] - values[i]);
            }
        }
        double variance = (variance(count) - tiesVariance(values)) / 18;
        // One less: the statistic moves in steps.
        double deviations =
                variance > 0 && rises != 0 ? (rises - Math.signum((double) rises)) / Math.sqrt(variance) : 0;
        return new Trend(median(slopes), deviations, median(values), atS[count - 1] - atS[0]);
    }

    private static double variance(double count) {
        return count * (count - 1) * (2 * count + 5);
    }

    private static double tiesVariance(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        double sum = 0;
        int from = 0;
        for (int i = 1; i <= sorted.length; i++) {
            if (i == sorted.length || sorted[i] != sorted[from]) {
                sum += variance(i - from);
                from = i;
            }
        }
        return sum;
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int half = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }

    /** Whether the rise is more than chance. */
    boolean isCertain() {
        return deviations > CERTAIN;
    }

    /** What the slope makes of the whole time. */
    double growth() {
        return slope * spanS;
    }

    /** Where the line through the middle of the samples begins. */
    double beginning() {
        return median - growth() / 2;
    }
}
