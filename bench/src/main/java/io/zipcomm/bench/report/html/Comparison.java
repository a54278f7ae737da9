package io.zipcomm.bench.report.html;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.report.html.Results.Task;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;

/** The contestants side by side: a line for each size, or for each group size where an operation has no data. */
final class Comparison {

    private final Results results;
    private final Gaps gaps;

    Comparison(Results results, Gaps gaps) {
        this.results = results;
        this.gaps = gaps;
    }

    /** The table of some tasks of one operation. */
    Table table(BenchOperation operation, String where, List<Task> tasks) {
        List<Series> series = results.series(operation);
        Map<Gap, Map<String, StringJoiner>> found = new LinkedHashMap<>();
        List<Table.Line> lines = new ArrayList<>();
        for (Task task : tasks) {
            String name = operation.hasBytes() ? Units.size(task.bytes()) : String.valueOf(task.ranks());
            List<Cell> cells = new ArrayList<>();
            for (Series one : series) {
                Optional<Gap> gap = gaps.of(task, one);
                gap.ifPresent(it -> found.computeIfAbsent(it, key -> new LinkedHashMap<>())
                        .computeIfAbsent(one.label(), key -> new StringJoiner(", "))
                        .add(operation.hasBytes() ? name : name + " ranks"));
                cells.add(gap.map(Cell::of).orElseGet(() -> cell(task, one)));
            }
            lines.add(new Table.Line(name, cells));
        }
        return new Table(
                "Median time of " + operation.label() + where + meaningOfRatios(operation),
                operation.hasBytes() ? "size" : "ranks",
                series.stream().map(Series::label).toList(),
                lines,
                notes(found, tasks.size()));
    }

    private String meaningOfRatios(BenchOperation operation) {
        return results.references(results.of(operation))
                .map(names -> ". The ratio is that time over the one of " + names + ": above 1×, Zip is faster.")
                .orElse(".");
    }

    private Cell cell(Task task, Series series) {
        return results.row(task, series)
                .map(row -> Cell.timed(row, Results.isPath(series.transport()) ? Double.NaN : results.ratio(row)))
                .orElseThrow();
    }

    private static List<String> notes(Map<Gap, Map<String, StringJoiner>> found, int taskCount) {
        List<String> notes = new ArrayList<>();
        found.forEach((gap, places) -> places.forEach((label, where) -> {
            boolean everywhere = where.toString().split(", ", -1).length == taskCount;
            notes.add(label + ", " + gap.word() + (everywhere ? "" : " at " + where) + ": " + gap.reason() + ".");
        }));
        return notes;
    }
}
