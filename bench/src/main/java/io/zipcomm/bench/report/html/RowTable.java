package io.zipcomm.bench.report.html;

import io.zipcomm.bench.report.Cost;
import io.zipcomm.bench.report.Row;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.DoubleFunction;

/** Every row with all it says. */
final class RowTable {

    /** A row of the table; {@code bad} if it failed or found wrong data. */
    record Line(List<String> cells, boolean bad) {}

    static final List<String> HEADS = List.of(
            "operation",
            "contestant",
            "algorithm",
            "ranks",
            "size",
            "iterations",
            "p50",
            "p99",
            "spread",
            "bus bandwidth",
            "η",
            "CPU time",
            "switches",
            "allocated",
            "sent",
            "peak memory",
            "verified");

    private final Results results;

    RowTable(Results results) {
        this.results = results;
    }

    List<Line> lines() {
        return results.rows().stream()
                .sorted(Comparator.comparing(Row::operation)
                        .thenComparing(Row::ranks)
                        .thenComparing(Row::bytes)
                        .thenComparing(row -> results.contestants().indexOf(row.transport()))
                        .thenComparing(Row::algorithm))
                .map(RowTable::line)
                .toList();
    }

    private static Line line(Row row) {
        List<String> cells = new ArrayList<>();
        cells.add(row.operation().label());
        cells.add(row.transport());
        cells.add(row.algorithm());
        cells.add(String.valueOf(row.ranks()));
        cells.add(row.operation().hasBytes() ? Units.size(row.bytes()) : Gaps.NOT_APPLICABLE);
        cells.add(String.valueOf(row.iterations()));
        if (!row.isMeasured()) {
            while (cells.size() < HEADS.size()) {
                cells.add(Gaps.FAILED);
            }
            return new Line(cells, true);
        }
        Cost cost = row.cost();
        cells.add(Units.time(row.p50Us()));
        cells.add(Units.time(row.p99Us()));
        cells.add(counted(cost.spread(), Units::percent));
        cells.add(row.operation().hasBytes() ? Units.bandwidth(row.busGBps()) : Gaps.NOT_APPLICABLE);
        cells.add(Double.isNaN(row.efficiency()) ? Gaps.NOT_APPLICABLE : Units.fraction(row.efficiency()));
        cells.add(counted(cost.cpuUs(), Units::time));
        cells.add(counted(cost.contextSwitches(), Units::count));
        cells.add(counted(cost.allocatedBytes(), Units::bytes));
        cells.add(counted(cost.sentBytes(), Units::bytes));
        cells.add(counted(cost.peakMemoryBytes(), Units::bytes));
        cells.add(row.verified() ? "yes" : Gaps.WRONG);
        return new Line(cells, !row.verified());
    }

    private static String counted(double value, DoubleFunction<String> format) {
        return Double.isNaN(value) ? Gaps.NOT_COUNTED : format.apply(value);
    }
}
