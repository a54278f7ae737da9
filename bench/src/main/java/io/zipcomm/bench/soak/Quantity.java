package io.zipcomm.bench.soak;

import java.util.Locale;

/**
 * What is watched, and by how much it may have grown over the part of a run that is judged. The bound is an amount, or for times a
 * share of what they were at first; it is larger than what a virtual machine and the pools of a process move by themselves, and smaller than what
 * a leak makes in an hour.
 */
public enum Quantity {

    /** Resident memory of the process. */
    RSS("rss", "MiB", 24, false),

    /** Heap in use after a collection. */
    HEAP("heap", "MiB", 4, false),

    /** Memory outside of the heap that Java and Netty count: direct and mapped buffers, and pools. */
    DIRECT("direct", "MiB", 4, false),

    /** Open file descriptors. */
    DESCRIPTORS("descriptors", "", 3, false),

    /** Threads of Java. */
    THREADS("threads", "", 2, false),

    /** Median time of a round. */
    P50("p50", "ms", 0.5, true),

    /** Time of a round that one in a hundred takes longer than. */
    P99("p99", "ms", 1, true);

    private final String label;
    private final String unit;
    private final double bound;
    private final boolean relative;

    Quantity(String label, String unit, double bound, boolean relative) {
        this.label = label;
        this.unit = unit;
        this.bound = bound;
        this.relative = relative;
    }

    /** Its name in a table and in messages of workers. */
    public String label() {
        return label;
    }

    /** Whether it is how long something took. */
    boolean isTime() {
        return relative;
    }

    /** By how much it may grow. */
    double bound(Trend trend) {
        return relative ? bound * trend.beginning() : bound;
    }

    /** A value with its unit. */
    String format(double value) {
        return String.format(Locale.ROOT, value == Math.rint(value) ? "%,.0f" : "%,.1f", value)
                + (unit.isEmpty() ? "" : " " + unit);
    }
}
