package io.zipcomm.bench.report.html;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.Means;
import io.zipcomm.bench.report.Row;
import io.zipcomm.bench.report.html.Results.Task;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;

/** What a run adds up to: the numbers of the page's first screen. */
final class Overview {

    /** A number that stands out. */
    record Headline(String title, String value, String detail, String heat) {}

    /** A root that only sends can be a little faster than the bound; no operation is this much faster. */
    private static final double ETA_CREDIBLE = 1.5;

    private final Results results;
    private final Gaps gaps;

    Overview(Results results, Gaps gaps) {
        this.results = results;
        this.gaps = gaps;
    }

    List<Headline> headlines() {
        List<Headline> headlines = new ArrayList<>();
        headlines.add(rows());
        for (String baseline : systems()) {
            List<Row> rows = compared(results.rows(), baseline);
            if (!rows.isEmpty()) {
                double mean = meanRatio(rows);
                headlines.add(new Headline(
                        baseline + " ÷ " + results.reference(baseline).orElseThrow(),
                        Units.ratio(mean),
                        "geometric mean of the times, " + rows.size() + (rows.size() == 1 ? " place" : " places")
                                + "; least " + least(rows, true),
                        Cell.heat(mean)));
            }
        }
        for (Means means : Means.values()) {
            headlines.addAll(floors(means));
        }
        return headlines;
    }

    /** Baselines but the floors. */
    private List<String> systems() {
        return results.baselines().stream()
                .filter(name -> !name.equals(Row.FLOOR))
                .toList();
    }

    private Headline rows() {
        List<Row> rows = results.rows();
        long failed = rows.stream().filter(row -> !row.isMeasured()).count();
        long wrong =
                rows.stream().filter(row -> row.isMeasured() && !row.verified()).count();
        boolean good = failed + wrong == 0;
        return new Headline(
                "rows",
                String.format(Locale.ROOT, "%,d", rows.size()),
                good ? "all verified" : failed + " failed, " + wrong + " with wrong data",
                good ? "" : "heat0");
    }

    /** The round trip of the least and of the largest size. */
    private List<Headline> floors(Means means) {
        List<Row> floors = results.rows().stream()
                .filter(row -> row.isFloor() && row.means() == means && !Double.isNaN(results.ratio(row)))
                .sorted(Comparator.comparingLong(Row::bytes))
                .toList();
        return floors.stream()
                .filter(row -> row.bytes() == floors.get(0).bytes()
                        || row.bytes() == floors.get(floors.size() - 1).bytes())
                .map(floor -> {
                    double times = 1 / results.ratio(floor);
                    return new Headline(
                            "ping-pong, " + Units.size(floor.bytes()),
                            Units.ratio(times),
                            "time of " + floor.peer(results.contestants()).orElseThrow() + " over the floor of "
                                    + means.noun() + ", " + Units.time(floor.p50Us()),
                            "");
                })
                .toList();
    }

    /** The best rows of a baseline for which its reference has one too, smallest first. */
    private List<Row> compared(List<Row> rows, String baseline) {
        return rows.stream()
                .filter(row -> row.transport().equals(baseline) && !Double.isNaN(results.ratio(row)))
                .filter(row ->
                        results.best(Task.of(row), baseline).orElseThrow().equals(row))
                .sorted(Comparator.comparingLong(Row::bytes))
                .toList();
    }

    private double meanRatio(List<Row> rows) {
        return Math.exp(rows.stream()
                .mapToDouble(row -> Math.log(results.ratio(row)))
                .average()
                .orElse(Double.NaN));
    }

    private String least(List<Row> rows, boolean withOperation) {
        Row least =
                rows.stream().min(Comparator.comparingDouble(results::ratio)).orElseThrow();
        return Units.ratio(results.ratio(least)) + " at "
                + (withOperation ? least.operation().label() + " " : "")
                + Task.of(least).place();
    }

    /** Each operation against each baseline: the geometric mean over all sizes and group sizes, and the least ratio. */
    Optional<Table> ratios() {
        List<String> baselines = systems();
        Optional<String> references = results.references(
                results.rows().stream().filter(row -> !row.isFloor()).toList());
        if (references.isEmpty()) {
            return Optional.empty();
        }
        List<String> notes = new ArrayList<>();
        List<Table.Line> lines = new ArrayList<>();
        for (BenchOperation operation : results.operations()) {
            List<Cell> cells = new ArrayList<>();
            for (String baseline : baselines) {
                List<Row> rows = compared(results.of(operation), baseline);
                if (rows.isEmpty()) {
                    notes.add(operation.label() + ", " + baseline + ": no place was measured with both; "
                            + gaps.whyAbsent(operation, baseline) + ".");
                    cells.add(new Cell(Gaps.NOT_RUN, "", "gap"));
                } else {
                    double mean = meanRatio(rows);
                    cells.add(new Cell("least " + least(rows, false), Units.ratio(mean), Cell.heat(mean)));
                }
            }
            lines.add(new Table.Line(operation.label(), cells));
        }
        return Optional.of(new Table(
                "Time of a baseline over the time of " + references.get()
                        + ": geometric mean over sizes and group sizes, and the least. Above 1×, Zip is faster. A contestant"
                        + " counts with its fastest algorithm.",
                "operation",
                baselines,
                lines,
                notes));
    }

    /** Efficiency of the library at the largest size, for each group size. Baselines are rated by alpha and beta not theirs. */
    Optional<Table> efficiencies() {
        List<Row> rated = results.rows().stream()
                .filter(row -> Results.isPath(row.transport()))
                .filter(row -> !Double.isNaN(row.efficiency()) && row.verified())
                .toList();
        if (rated.isEmpty()) {
            return Optional.empty();
        }
        List<String> paths = results.contestants().stream()
                .filter(name -> rated.stream().anyMatch(row -> row.transport().equals(name)))
                .toList();
        TreeSet<Integer> groups = new TreeSet<>(rated.stream().map(Row::ranks).toList());
        List<String> heads = new ArrayList<>();
        paths.forEach(path -> groups.forEach(ranks -> heads.add(path + ", " + ranks + " ranks")));
        boolean[] anyGap = new boolean[1];
        List<Table.Line> lines = results.operations().stream()
                .map(operation -> {
                    List<Cell> cells = new ArrayList<>();
                    for (String path : paths) {
                        for (int ranks : groups) {
                            Optional<Row> row = largest(rated, operation, path, ranks);
                            anyGap[0] |= row.isEmpty();
                            cells.add(row.map(Overview::efficiency).orElse(new Cell(Gaps.NOT_RUN, "", "gap")));
                        }
                    }
                    return new Table.Line(operation.label(), cells);
                })
                .toList();
        return Optional.of(new Table(
                "Efficiency η at the largest size: least possible time, from α and β of the same group, over the median.",
                "operation",
                heads,
                lines,
                notes(anyGap[0], rated)));
    }

    private static List<String> notes(boolean anyGap, List<Row> rated) {
        List<String> notes = new ArrayList<>();
        if (anyGap) {
            notes.add("not run: no verified row with an efficiency; the operation's own section says why.");
        }
        if (rated.stream().anyMatch(row -> row.efficiency() > ETA_CREDIBLE)) {
            notes.add(
                    "η far above 1: α or β was disturbed while it was measured, so the efficiencies of that group mean"
                            + " little.");
        }
        return notes;
    }

    private static Optional<Row> largest(List<Row> rows, BenchOperation operation, String path, int ranks) {
        return rows.stream()
                .filter(row -> row.operation() == operation)
                .filter(row -> row.transport().equals(path) && row.ranks() == ranks)
                .max(Comparator.comparingLong(Row::bytes).thenComparing(Row::efficiency));
    }

    private static Cell efficiency(Row row) {
        String size = row.operation().hasBytes() ? "at " + Units.size(row.bytes()) : "";
        return new Cell(size, Units.fraction(row.efficiency()), "");
    }
}
