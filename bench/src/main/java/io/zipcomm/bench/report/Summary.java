package io.zipcomm.bench.report;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.ByteSize;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** What the rows of a run add up to, as lines for the terminal. */
public final class Summary {

    /** Ping-pong over direct TCP may take this many times the floor. */
    public static final double FLOOR_RATIO_MAX = 1.5;

    private static final String LIBRARYS_CONTROL = "cubic";

    private final List<Row> rows = new ArrayList<>();
    private final String congestionControl;
    private int problems;

    /**
     * A summary of nothing yet.
     *
     * @param congestionControl the system's default, which is that of the floor
     */
    public Summary(String congestionControl) {
        this.congestionControl = congestionControl;
    }

    /** Adds a row. */
    public void add(Row row) {
        rows.add(row);
    }

    /** Adds something that went wrong. */
    public void addProblem() {
        problems++;
    }

    /** Whether every row is verified and nothing else went wrong. */
    public boolean isGood() {
        return problems == 0 && rows.stream().allMatch(Row::verified);
    }

    /** The lines. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>(floorLines());
        if (!lines.isEmpty() && !congestionControl.equals(LIBRARYS_CONTROL)) {
            lines.add("the floor runs under the system's congestion control, " + congestionControl
                    + "; tcp within a host under " + LIBRARYS_CONTROL + ", unless ZIP_IO=nio");
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

    /** Ping-pong over direct TCP in comparison with plain sockets, for each size of which both were measured. */
    private List<String> floorLines() {
        return rows.stream()
                .filter(row -> row.transport().equals(Row.FLOOR) && row.isMeasured())
                .sorted(Comparator.comparingLong(Row::bytes))
                .flatMap(floor -> rows.stream()
                        .filter(row -> row.transport().equals("tcp") && row.ranks() == 2 && row.isMeasured())
                        .filter(row -> row.operation() == BenchOperation.PINGPONG && row.bytes() == floor.bytes())
                        .map(row -> floorLine(row, floor)))
                .toList();
    }

    private static String floorLine(Row row, Row floor) {
        double ratio = row.p50Us() / floor.p50Us();
        return String.format(
                Locale.ROOT,
                "pingpong %s over tcp: %s us, %.2f times the floor of %s us (plain spinning SocketChannel; goal: at most"
                        + " %.1f)%s",
                ByteSize.describe(row.bytes()),
                TableFormat.micros(row.p50Us()),
                ratio,
                TableFormat.micros(floor.p50Us()),
                FLOOR_RATIO_MAX,
                ratio > FLOOR_RATIO_MAX ? "  ABOVE THE GOAL" : "");
    }
}
