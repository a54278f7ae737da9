package io.zipcomm.bench.cluster;

import io.zipcomm.bench.machine.Calm;
import io.zipcomm.bench.plan.BenchCase;
import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.Means;
import io.zipcomm.bench.plan.Selection;
import io.zipcomm.bench.plan.Transports;
import io.zipcomm.bench.report.Row;
import io.zipcomm.bench.worker.CaseOrder;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Measures the rows of one group size with all contestants in turn: A B A B ..., a slice of the row's time each, after every
 * contestant has rehearsed every row: what one row gives the compilers to do, they do then.
 * So a machine whose speed drifts treats all alike, and how far the slices of a row lie apart tells how
 * far a comparison can be trusted. One that is alone has slices too, and a probe of its paths beside each.
 */
final class Interleaving {

    /** Slices of a row. */
    static final int ROUNDS = 3;

    /** Time for a row beside the floor, at least: a disturbance of some milliseconds must not decide it. */
    private static final long COMPARED_BUDGET_NS = 600_000_000;

    private final List<Entry> entries;
    private final int ranks;
    private final Selection selection;
    private final long budgetNs;
    private final BenchListener listener;
    private final LongSupplier numbers;
    private final int total;
    private final Calm calm = Calm.ofThisMachine();
    private final Map<Selection.Cell, List<Lane>> lanes = new LinkedHashMap<>();

    /**
     * For one group size.
     *
     * @param entries    the contestants
     * @param ranks      size of their groups
     * @param selection  what is asked for, for all group sizes
     * @param budgetNs   for each row
     * @param listener   told of everything
     * @param numbers    gives the rows of the run their numbers
     * @param total      how many rows there are
     */
    Interleaving(
            List<Entry> entries,
            int ranks,
            Selection selection,
            long budgetNs,
            BenchListener listener,
            LongSupplier numbers,
            int total) {
        this.entries = entries;
        this.ranks = ranks;
        this.selection = selection;
        this.budgetNs = budgetNs;
        this.listener = listener;
        this.numbers = numbers;
        this.total = total;
    }

    /** Starts all groups. */
    void start() throws InterruptedException {
        for (Entry entry : entries) {
            entry.start();
        }
    }

    /** Has every contestant that can measure a cell rehearse it, for all cells. */
    void rehearse(Collection<Selection.Cell> cells) throws InterruptedException {
        for (Selection.Cell cell : cells) {
            lanes.put(cell, newLanes(cell));
        }
        for (List<Lane> row : lanes.values()) {
            for (Lane lane : row) {
                listener.measuring(lane.what(), lane.number(), total);
                lane.rehearse();
            }
        }
    }

    /** Measures a cell that was rehearsed: a row of every contestant that can. */
    List<Row> measure(Selection.Cell cell) throws InterruptedException {
        int iterations = selection.iterations();
        int rounds = iterations == 0 ? ROUNDS : Math.min(ROUNDS, iterations);
        for (int round = 0; round < rounds; round++) {
            for (Lane lane : lanes.get(cell)) {
                listener.measuring(lane.what(), lane.number(), total);
                calm.await();
                lane.measure(round, rounds);
            }
        }
        return lanes.get(cell).stream().map(lane -> lane.row(listener)).toList();
    }

    private List<Lane> newLanes(Selection.Cell cell) {
        List<Lane> made = new ArrayList<>();
        for (Entry entry : entries) {
            if (cell.bytes() == 0 && entry.name().equals(Row.FLOOR)) {
                // A floor does not send nothing.
                continue;
            }
            BenchCase what = new BenchCase(cell.operation(), entry.name(), ranks, cell.bytes());
            for (String algorithm : entry.algorithms(cell.operation())) {
                int number = Math.toIntExact(numbers.getAsLong());
                CaseOrder order = new CaseOrder(
                        cell.operation().label(),
                        cell.bytes(),
                        algorithm,
                        selection.iterations(),
                        budgetNs(cell),
                        false,
                        0,
                        selection.arrays());
                made.add(new Lane(entry, rater(entry), what, number, order));
            }
        }
        return made;
    }

    private long budgetNs(Selection.Cell cell) {
        boolean besideFloor = cell.operation() == BenchOperation.PINGPONG
                && entries.stream().anyMatch(entry -> entry.name().equals(Row.FLOOR));
        return besideFloor ? Math.max(budgetNs, COMPARED_BUDGET_NS) : budgetNs;
    }

    /**
     * By whose paths a contestant is rated: by its own; one that is not the library's by those of the library that it is
     * compared with. Null for a floor, and where no group has a message to send.
     */
    private Entry rater(Entry entry) {
        if (entry.hasProbe() || entry.name().equals(Row.FLOOR)) {
            return entry.hasProbe() ? entry : null;
        }
        List<Entry> probed = entries.stream().filter(Entry::hasProbe).toList();
        List<String> names = probed.stream().map(Entry::name).toList();
        return Transports.peer(Means.of(entry.name()), names)
                .map(peer -> probed.get(names.indexOf(peer)))
                .orElse(null);
    }
}
