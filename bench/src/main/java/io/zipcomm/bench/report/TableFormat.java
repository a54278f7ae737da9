package io.zipcomm.bench.report;

import io.zipcomm.bench.plan.ByteSize;
import java.util.Locale;

/** Rows as lines of a table with fixed columns, so that each can be printed as soon as it is known. */
public final class TableFormat {

    private static final String LINE = "%-13s %-11s %-20s %5s %8s %6s %11s %11s %9s %6s %6s %7s  %s";
    private static final double TINY = 10;
    private static final double SMALL = 1000;
    private static final String NOTHING = "-";

    private TableFormat() {}

    /** The line above the rows. */
    public static String header() {
        return String.format(
                Locale.ROOT,
                LINE,
                "operation",
                "transport",
                "algorithm",
                "ranks",
                "bytes",
                "iter",
                "p50 us",
                "p99 us",
                "bus GB/s",
                "eta",
                "spread",
                "x zip",
                "verified");
    }

    /**
     * A row.
     *
     * @param ratio its time over the library's; NaN if it is the library's, or there is none
     */
    public static String line(Row row, double ratio) {
        return String.format(
                Locale.ROOT,
                LINE,
                row.operation().label(),
                row.transport(),
                row.algorithm(),
                row.ranks(),
                row.operation().hasBytes() ? ByteSize.format(row.bytes()) : NOTHING,
                row.iterations(),
                micros(row.p50Us()),
                micros(row.p99Us()),
                bandwidth(row.busGBps()),
                number(row.efficiency()),
                number(row.cost().spread()),
                number(ratio),
                row.verified() ? "yes" : row.isMeasured() ? "NO" : "FAILED");
    }

    /** Microseconds, with digits behind the point where they say something. */
    public static String micros(double value) {
        if (Double.isNaN(value)) {
            return NOTHING;
        }
        return String.format(Locale.ROOT, value < TINY ? "%.2f" : value < SMALL ? "%.1f" : "%,.0f", value);
    }

    private static String bandwidth(double value) {
        if (Double.isNaN(value)) {
            return NOTHING;
        }
        return String.format(Locale.ROOT, value < 0.001 ? "%.6f" : value < 0.1 ? "%.4f" : "%.2f", value);
    }

    private static String number(double value) {
        return Double.isNaN(value) ? NOTHING : String.format(Locale.ROOT, "%.2f", value);
    }
}
