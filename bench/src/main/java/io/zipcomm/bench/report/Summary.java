package io.zipcomm.bench.report;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.ByteSize;
import io.zipcomm.bench.plan.Means;
import io.zipcomm.bench.plan.Transports;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** What the rows of a run add up to, as lines for the terminal. */
public final class Summary {

    /** Ping-pong of few bytes over direct TCP may take this many times the floor. */
    static final double SHORT_RATIO_MAX = 1.3;

    /** Longer messages over direct TCP may take this many times the floor. */
    static final double LONG_RATIO_MAX = 1.5;

    /** Ping-pong of few bytes through shared memory may take this long, in microseconds. */
    static final double SHORT_US_MAX = 2;

    private static final long SHORT_BYTES = 8;
    private static final Set<String> WITH_GOALS = Set.of(Transports.TCP, Transports.AERON_IPC);
    private static final String MISSED = "  ABOVE THE GOAL";

    private final List<Row> rows = new ArrayList<>();
    private final Comparison comparison = new Comparison();
    private final CongestionControl congestionControl;

    /**
     * A summary of nothing yet.
     *
     * @param congestionControl of the contestants
     */
    public Summary(CongestionControl congestionControl) {
        this.congestionControl = congestionControl;
    }

    /** Adds a row. */
    public void add(Row row) {
        rows.add(row);
        comparison.add(row);
    }

    /** How a row compares with the library's rows that were added: see {@link Comparison#ratio}. */
    public double ratio(Row row) {
        return comparison.ratio(row);
    }

    /** The lines. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>(floorLines());
        lines.addAll(comparison.lines());
        if (!lines.isEmpty() && !congestionControl.isSameForAll()) {
            lines.add("NOT under the same congestion control: " + congestionControl.describe());
        }
        List<Row> wrong = rows.stream().filter(row -> !row.verified()).toList();
        if (wrong.isEmpty()) {
            lines.add(rows.size() + " rows, all verified");
        } else {
            lines.add(rows.size() + " rows, " + wrong.size() + " NOT verified:");
            wrong.forEach(row -> lines.add("  " + describe(row)));
        }
        return lines;
    }

    private static String describe(Row row) {
        String size = row.operation().hasBytes() ? " " + ByteSize.describe(row.bytes()) : "";
        return row.operation().label() + size + ", " + row.transport() + ", " + row.ranks() + " ranks: "
                + (row.isMeasured() ? "wrong data" : "failed");
    }

    /** Ping-pong over direct TCP and through shared memory, each in comparison with its floor at the same size. */
    private List<String> floorLines() {
        return rows.stream()
                .filter(row -> row.isFloor() && row.isMeasured())
                .sorted(Comparator.comparing(Row::means).thenComparing(Row::bytes))
                .flatMap(floor -> rows.stream()
                        .filter(row -> WITH_GOALS.contains(row.transport()) && row.means() == floor.means())
                        .filter(row -> row.ranks() == floor.ranks() && row.isMeasured())
                        .filter(row -> row.operation() == BenchOperation.PINGPONG && row.bytes() == floor.bytes())
                        .map(row -> floorLine(row, floor)))
                .toList();
    }

    private static String floorLine(Row row, Row floor) {
        double ratio = row.p50Us() / floor.p50Us();
        return String.format(
                Locale.ROOT,
                "pingpong %s over %s: %s us, %.2f times the floor of %s us (%s%s",
                ByteSize.describe(row.bytes()),
                row.transport(),
                TableFormat.micros(row.p50Us()),
                ratio,
                TableFormat.micros(floor.p50Us()),
                floor.means().floorDescription(),
                row.means() == Means.SOCKETS ? ratioGoal(row.bytes(), ratio) : timeGoal(row));
    }

    private static String ratioGoal(long bytes, double ratio) {
        double ratioMax = bytes <= SHORT_BYTES ? SHORT_RATIO_MAX : LONG_RATIO_MAX;
        return String.format(Locale.ROOT, "; goal: at most %.1f)%s", ratioMax, ratio > ratioMax ? MISSED : "");
    }

    /** Of short messages only: the floor of long ones is itself no more than one way to copy. */
    private static String timeGoal(Row row) {
        if (row.bytes() > SHORT_BYTES) {
            return ")";
        }
        return String.format(
                Locale.ROOT,
                "); goal: at most %.1f us with two cores to spin on:%s",
                SHORT_US_MAX,
                row.p50Us() > SHORT_US_MAX ? MISSED : " met");
    }
}
