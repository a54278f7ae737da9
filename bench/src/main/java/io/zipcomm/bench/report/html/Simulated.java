package io.zipcomm.bench.report.html;

import io.zipcomm.bench.report.Prediction;
import io.zipcomm.bench.report.html.Plot.Line;
import io.zipcomm.bench.report.html.Plot.Point;
import io.zipcomm.bench.report.html.Plot.X;
import io.zipcomm.bench.report.html.Plot.Y;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** The predictions of a simulation: a block for each operation and size, in it a line for each algorithm. */
final class Simulated {

    private static final double US_PER_SECOND = 1e6;

    private Simulated() {}

    static List<Block> blocks(List<Prediction> predictions) {
        Map<String, List<Prediction>> byTask = new LinkedHashMap<>();
        predictions.forEach(one ->
                byTask.computeIfAbsent(task(one), key -> new ArrayList<>()).add(one));
        List<Block> blocks = new ArrayList<>();
        byTask.forEach((task, own) -> blocks.add(block("simulated-" + blocks.size(), task, own)));
        return blocks;
    }

    private static String task(Prediction one) {
        return one.bytes() > 0 ? one.operation() + ", " + Units.size(one.bytes()) : one.operation();
    }

    private static Block block(String id, String task, List<Prediction> predictions) {
        List<String> algorithms =
                predictions.stream().map(Prediction::algorithm).distinct().toList();
        List<Plot> plots = new ArrayList<>();
        plots.add(plot(id, task, algorithms, predictions, Y.PREDICTED, one -> one.seconds() * US_PER_SECOND));
        plots.add(plot(id, task, algorithms, predictions, Y.EFFICIENCY, Prediction::efficiency));
        plots.add(plot(id, task, algorithms, predictions, Y.MEMORY, Prediction::memoryBytesPerRank));
        plots.removeIf(plot -> plot.lines().isEmpty());
        return new Block(id, task, legend(algorithms), plots, table(task, algorithms, predictions));
    }

    private static Plot plot(
            String id,
            String task,
            List<String> algorithms,
            List<Prediction> predictions,
            Y y,
            ToDoubleFunction<Prediction> value) {
        List<Line> lines = new ArrayList<>();
        for (int i = 0; i < algorithms.size(); i++) {
            String algorithm = algorithms.get(i);
            lines.add(new Line(
                    algorithm,
                    Style.of(i),
                    predictions.stream()
                            .filter(one -> one.algorithm().equals(algorithm))
                            .sorted(Comparator.comparingInt(Prediction::ranks))
                            .map(one -> new Point(one.ranks(), value.applyAsDouble(one)))
                            .toList()));
        }
        lines.removeIf(Line::isEmpty);
        return Plots.of(id, task, X.RANKS, y, lines);
    }

    private static List<Series> legend(List<String> algorithms) {
        List<Series> legend = new ArrayList<>();
        for (int i = 0; i < algorithms.size(); i++) {
            legend.add(new Series(algorithms.get(i), null, Style.of(i)));
        }
        return legend;
    }

    private static Table table(String task, List<String> algorithms, List<Prediction> predictions) {
        boolean[] anyGap = new boolean[1];
        List<Table.Line> lines = predictions.stream()
                .map(Prediction::ranks)
                .distinct()
                .sorted()
                .map(ranks -> new Table.Line(
                        String.valueOf(ranks),
                        algorithms.stream()
                                .map(algorithm -> predictions.stream()
                                        .filter(one -> one.ranks() == ranks
                                                && one.algorithm().equals(algorithm))
                                        .findFirst()
                                        .map(Simulated::cell)
                                        .orElseGet(() -> {
                                            anyGap[0] = true;
                                            return new Cell(Gaps.NOT_RUN, "", "gap");
                                        }))
                                .toList()))
                .toList();
        return new Table(
                "Predicted time of " + task + ", efficiency, and memory for each rank.",
                "ranks",
                algorithms,
                lines,
                anyGap[0]
                        ? List.of(
                                "not run: the algorithm does not exist for that group size, or was not simulated there.")
                        : List.of());
    }

    private static Cell cell(Prediction one) {
        String efficiency = Double.isNaN(one.efficiency()) ? "" : ", η " + Units.fraction(one.efficiency());
        String memory = Double.isNaN(one.memoryBytesPerRank()) ? "" : ", " + Units.bytes(one.memoryBytesPerRank());
        return Cell.plain(Units.time(one.seconds() * US_PER_SECOND) + efficiency + memory);
    }
}
