package io.zipcomm.bench.worker;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.concurrent.TimeUnit;
import java.util.zip.DataFormatException;
import org.HdrHistogram.Histogram;

/** Times of iterations and their percentiles, to a thousandth. Not thread-safe. */
public final class Times {

    private static final int DIGITS = 3;
    private static final double MEDIAN = 50;
    private static final double TAIL = 99;

    private final Histogram histogram;

    /** No times yet. */
    public Times() {
        this(new Histogram(TimeUnit.HOURS.toNanos(1), DIGITS));
    }

    private Times(Histogram histogram) {
        this.histogram = histogram;
    }

    /**
     * Adds the first {@code count} times of an array, in nanoseconds.
     *
     * @return this
     */
    public Times add(long[] timesNs, int count) {
        for (int i = 0; i < count; i++) {
            histogram.recordValue(Math.min(timesNs[i], histogram.getHighestTrackableValue()));
        }
        return this;
    }

    /** Adds all that another one has. */
    public void add(Times other) {
        histogram.add(other.histogram);
    }

    /** How many there are. */
    public int count() {
        return Math.toIntExact(histogram.getTotalCount());
    }

    /** Median in nanoseconds; 0 without times. */
    public long p50Ns() {
        return histogram.getValueAtPercentile(MEDIAN);
    }

    /** 99th percentile in nanoseconds; 0 without times. */
    public long p99Ns() {
        return histogram.getValueAtPercentile(TAIL);
    }

    /** As text without spaces, for a message. */
    String encoded() {
        ByteBuffer buffer = ByteBuffer.allocate(histogram.getNeededByteBufferCapacity());
        int length = histogram.encodeIntoCompressedByteBuffer(buffer);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(Arrays.copyOf(buffer.array(), length));
    }

    /** Reads what {@link #encoded} made. */
    static Times decoded(String text) {
        try {
            return new Times(Histogram.decodeFromCompressedByteBuffer(
                    ByteBuffer.wrap(Base64.getUrlDecoder().decode(text)), TimeUnit.HOURS.toNanos(1)));
        } catch (DataFormatException e) {
            throw new IllegalArgumentException("not a histogram: " + text, e);
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Times times && histogram.equals(times.histogram);
    }

    @Override
    public int hashCode() {
        return histogram.hashCode();
    }

    @Override
    public String toString() {
        return count() + " times, p50 " + p50Ns() + " ns, p99 " + p99Ns() + " ns";
    }
}
