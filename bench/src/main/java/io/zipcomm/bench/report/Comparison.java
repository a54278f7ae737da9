package io.zipcomm.bench.report;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.ByteSize;
import io.zipcomm.bench.plan.Transports;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Sets the times of other systems against the library's at the same operation, group size and bytes. A ratio above 1 says that
 * the library is faster. Where another system has several ways to do an operation, its fastest counts.
 */
public final class Comparison {

    private record Cell(BenchOperation operation, int ranks, long bytes) {
        static Cell of(Row row) {
            return new Cell(row.operation(), row.ranks(), row.bytes());
        }

        @Override
        public String toString() {
            String size = operation.hasBytes() ? " " + ByteSize.describe(bytes) : "";
            return operation.label() + size + ", " + ranks + " ranks";
        }
    }

    private final Map<String, Map<Cell, Row>> own = new HashMap<>();
    private final Map<String, Map<Cell, Row>> fastest = new LinkedHashMap<>();

    /** Adds a row. The library's come before those that are compared with them. */
    public void add(Row row) {
        boolean counts = row.isMeasured() && row.verified();
        if (!row.isBaseline()) {
            // One that failed took part: nobody is compared with another in its place.
            Map<Cell, Row> rows = own.computeIfAbsent(row.transport(), name -> new HashMap<>());
            if (counts) {
                rows.put(Cell.of(row), row);
            }
        } else if (counts && !row.isFloor()) {
            fastest.computeIfAbsent(row.transport(), name -> new LinkedHashMap<>())
                    .merge(Cell.of(row), row, (one, other) -> one.p50Us() <= other.p50Us() ? one : other);
        }
    }

    /** A row's median over that of its {@link Row#peer}; NaN for rows of the library itself, and where either is missing. */
    public double ratio(Row row) {
        return row.isBaseline() && row.isMeasured()
                ? row.peer(own.keySet()).map(peer -> ratio(row, peer)).orElse(Double.NaN)
                : Double.NaN;
    }

    private double ratio(Row row, String peer) {
        Row reference = own.get(peer).get(Cell.of(row));
        return reference == null ? Double.NaN : row.p50Us() / reference.p50Us();
    }

    /** What the ratios of each other system add up to, against each direct way of the library. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        fastest.forEach((name, rows) -> Transports.DIRECT.stream()
                .filter(own::containsKey)
                .forEach(peer -> {
                    Map<Cell, Double> ratios = new LinkedHashMap<>();
                    rows.forEach((cell, row) -> ratios.put(cell, ratio(row, peer)));
                    ratios.values().removeIf(ratio -> ratio.isNaN());
                    if (!ratios.isEmpty()) {
                        lines.add(line(name, peer, ratios));
                    }
                }));
        return lines;
    }

    private static String line(String name, String peer, Map<Cell, Double> ratios) {
        Map.Entry<Cell, Double> worst =
                ratios.entrySet().stream().min(Map.Entry.comparingByValue()).orElseThrow();
        long below = ratios.values().stream().filter(ratio -> ratio < 1).count();
        StringBuilder text = new StringBuilder(String.format(
                Locale.ROOT,
                "%s takes this many times as long as %s: worst %.2f (%s); %d of %d cells below 1; geometric means:",
                name,
                peer,
                worst.getValue(),
                worst.getKey(),
                below,
                ratios.size()));
        for (BenchOperation operation : BenchOperation.values()) {
            double[] own = ratios.entrySet().stream()
                    .filter(entry -> entry.getKey().operation() == operation)
                    .mapToDouble(Map.Entry::getValue)
                    .toArray();
            if (own.length > 0) {
                text.append(String.format(Locale.ROOT, " %s %.2f,", operation.label(), geometricMean(own)));
            }
        }
        return text.substring(0, text.length() - 1);
    }

    private static double geometricMean(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += Math.log(value);
        }
        return Math.exp(sum / values.length);
    }
}
