package io.zipcomm.bench.report;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.ByteSize;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Sets the times of other systems against the library's over direct TCP at the same operation, group size and bytes. A ratio
 * above 1 says that the library is faster. Where another system has several ways to do an operation, its fastest counts.
 */
public final class Comparison {

    private static final String REFERENCE = "tcp";

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

    private final Map<Cell, Row> references = new HashMap<>();
    private final Map<String, Map<Cell, Row>> fastest = new LinkedHashMap<>();

    /** Adds a row. The library's come before those that are compared with them. */
    public void add(Row row) {
        if (!row.isMeasured() || !row.verified()) {
            return;
        }
        if (row.transport().equals(REFERENCE)) {
            references.put(Cell.of(row), row);
        } else if (row.isBaseline() && !row.transport().equals(Row.FLOOR)) {
            fastest.computeIfAbsent(row.transport(), name -> new LinkedHashMap<>())
                    .merge(Cell.of(row), row, (one, other) -> one.p50Us() <= other.p50Us() ? one : other);
        }
    }

    /** A row's median over the library's; NaN for rows of the library itself, and where either is missing. */
    public double ratio(Row row) {
        Row reference = references.get(Cell.of(row));
        return reference == null || !row.isBaseline() || !row.isMeasured()
                ? Double.NaN
                : row.p50Us() / reference.p50Us();
    }

    /** What the ratios of each other system add up to. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        fastest.forEach((name, rows) -> {
            Map<Cell, Double> ratios = new LinkedHashMap<>();
            rows.forEach((cell, row) -> {
                if (references.containsKey(cell)) {
                    ratios.put(cell, ratio(row));
                }
            });
            if (!ratios.isEmpty()) {
                lines.add(line(name, ratios));
            }
        });
        return lines;
    }

    private static String line(String name, Map<Cell, Double> ratios) {
        Map.Entry<Cell, Double> worst =
                ratios.entrySet().stream().min(Map.Entry.comparingByValue()).orElseThrow();
        long below = ratios.values().stream().filter(ratio -> ratio < 1).count();
        StringBuilder text = new StringBuilder(String.format(
                Locale.ROOT,
                "%s takes this many times as long as %s: worst %.2f (%s); %d of %d cells below 1; geometric means:",
                name,
                REFERENCE,
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
