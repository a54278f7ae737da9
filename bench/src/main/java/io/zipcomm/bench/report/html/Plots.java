package io.zipcomm.bench.report.html;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.report.Row;
import io.zipcomm.bench.report.html.Plot.Line;
import io.zipcomm.bench.report.html.Plot.Point;
import io.zipcomm.bench.report.html.Plot.X;
import io.zipcomm.bench.report.html.Plot.Y;
import io.zipcomm.bench.report.html.Results.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/** Makes the plots of rows. A plot that would be empty is left out. */
final class Plots {

    private final Results results;

    Plots(Results results) {
        this.results = results;
    }

    /** The plots of some tasks of one operation: over sizes, or over group sizes where it has no data. */
    List<Plot> of(BenchOperation operation, String where, List<Task> tasks) {
        X x = operation.hasBytes() ? X.SIZE : X.RANKS;
        String id =
                operation.label() + (operation.hasBytes() ? "-" + tasks.get(0).ranks() : "");
        List<Plot> plots = new ArrayList<>();
        plots.add(plot(id, operation, where, tasks, x, Y.TIME, Row::p50Us));
        plots.add(plot(id, operation, where, tasks, x, Y.BANDWIDTH, Row::busGBps));
        plots.add(plot(id, operation, where, tasks, x, Y.EFFICIENCY, Row::efficiency));
        plots.removeIf(plot -> plot.lines().isEmpty());
        return plots;
    }

    private Plot plot(
            String id,
            BenchOperation operation,
            String where,
            List<Task> tasks,
            X x,
            Y y,
            ToDoubleFunction<Row> value) {
        List<Line> lines = results.series(operation).stream()
                .map(series -> new Line(
                        series.label(),
                        series.style(),
                        tasks.stream()
                                .map(task -> new Point(
                                        x == X.SIZE ? task.bytes() : task.ranks(),
                                        results.row(task, series)
                                                .filter(Row::verified)
                                                .map(value::applyAsDouble)
                                                .orElse(Double.NaN)))
                                .toList()))
                .filter(line -> !line.isEmpty())
                .toList();
        return of(id, operation.label() + where, x, y, lines);
    }

    /** A plot with its words. */
    static Plot of(String id, String what, X x, Y y, List<Line> lines) {
        String title = Character.toUpperCase(y.title.charAt(0)) + y.title.substring(1);
        String label = title + " of " + what + " against " + x.title + ". "
                + lines.stream().map(line -> describe(line, x, y)).collect(Collectors.joining("; ")) + ".";
        return new Plot("plot-" + id + "-" + y.name().toLowerCase(Locale.ROOT), title, label, x, y, lines);
    }

    private static String describe(Line line, X x, Y y) {
        List<Point> known = line.points().stream().filter(Point::isKnown).toList();
        Point first = known.get(0);
        Point last = known.get(known.size() - 1);
        String start = line.label() + " " + describe(first, x, y);
        return known.size() == 1 ? start : start + " to " + describe(last, x, y);
    }

    private static String describe(Point point, X x, Y y) {
        String value = switch (y) {
            case TIME, PREDICTED -> Units.time(point.y());
            case BANDWIDTH -> Units.bandwidth(point.y());
            case EFFICIENCY -> Units.fraction(point.y());
            case MEMORY -> Units.bytes(point.y());
        };
        return value + " at " + (x == X.SIZE ? Units.size((long) point.x()) : (long) point.x() + " ranks");
    }
}
