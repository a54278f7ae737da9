package io.zipcomm.bench.worker;

import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** Times of iterations and their percentiles, to a thousandth. */
final class Times {

    private static final int DIGITS = 3;
    private static final double MEDIAN = 50;
    private static final double TAIL = 99;

    private final Histogram histogram = new Histogram(TimeUnit.HOURS.toNanos(1), DIGITS);

    void clear() {
        histogram.reset();
    }

    void add(long[] timesNs, int count) {
        for (int i = 0; i < count; i++) {
            histogram.recordValue(Math.min(timesNs[i], histogram.getHighestTrackableValue()));
        }
    }

    int count() {
        return (int) histogram.getTotalCount();
    }

    long p50Ns() {
        return histogram.getValueAtPercentile(MEDIAN);
    }

    long p99Ns() {
        return histogram.getValueAtPercentile(TAIL);
    }
}
