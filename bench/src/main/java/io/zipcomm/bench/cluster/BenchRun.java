package io.zipcomm.bench.cluster;

import io.zipcomm.bench.machine.LoadWatch;
import io.zipcomm.bench.plan.Baseline;
import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.Means;
import io.zipcomm.bench.plan.Selection;
import io.zipcomm.bench.report.NoiseRules;
import io.zipcomm.bench.report.Row;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Measures the rows of a selection. For each group size the groups of all contestants live side by side, and take turns: the
 * library over each transport, other systems, and the floors. A row that fails costs its contestant's group; the next rows
 * get a new one.
 */
public final class BenchRun {

    private static final Set<Long> FLOOR_BYTES = Set.of(Floor.LATENCY_BYTES, 1L << 20);

    private final Selection selection;
    private final List<Baseline> asked;
    private final long budgetNs;
    private final BenchListener listener;
    private final List<Row> rows = new ArrayList<>();
    private int number;
    private int total;

    /**
     * A run.
     *
     * @param selection what to measure
     * @param budget    time for each row
     * @param listener  told of rows as they come
     */
    public BenchRun(Selection selection, Duration budget, BenchListener listener) {
        this(selection, List.of(), budget, listener);
    }

    /**
     * A run that compares.
     *
     * @param selection what to measure
     * @param baselines other systems that measure it too
     * @param budget    time for each row
     * @param listener  told of rows as they come
     */
    public BenchRun(Selection selection, List<Baseline> baselines, Duration budget, BenchListener listener) {
        this.selection = selection;
        asked = List.copyOf(baselines);
        budgetNs = budget.toNanos();
        this.listener = listener;
    }

    /** Measures everything. */
    public void run() throws InterruptedException {
        LoadWatch load = LoadWatch.start();
        try (EmbeddedRelay relay = EmbeddedRelay.start();
                Baselines baselines = Baselines.open(asked)) {
            baselines.absent().forEach(listener::absent);
            baselines.versions().forEach(listener::version);
            List<ContestantFactory> factories = new ArrayList<>();
            for (String transport : selection.transports()) {
                factories.add(ranks -> new ZipGroup(relay, transport, selection.algorithm(), ranks));
            }
            factories.addAll(baselines.factories());
            measure(factories);
        }
        NoiseRules.load(load.loadPerCore()).ifPresent(listener::noise);
        NoiseRules.steal(load.stealShare()).ifPresent(listener::noise);
        NoiseRules.spread(rows).ifPresent(listener::noise);
    }

    private void measure(List<ContestantFactory> factories) throws InterruptedException {
        boolean withFloor = selection.operations().contains(BenchOperation.PINGPONG);
        total = factories.stream().mapToInt(this::rowsOf).sum();
        List<Floor> floors = withFloor ? floors() : List.of();
        try {
            if (withFloor) {
                int each = restOfFloor().size() + (selection.ranks().contains(FloorPair.RANKS) ? sizes().size() : 0);
                total += floors.size() * each;
                listener.floor(Floor.measureSpeed(floors));
            }
            List<Entry> entries = floors.stream().map(Floor::entry).toList();
            for (int ranks : selection.ranks()) {
                measure(factories, ranks, ranks == FloorPair.RANKS ? entries : List.of());
            }
            measureRest(entries);
            for (Floor floor : floors) {
                floor.drift().ifPresent(listener::noise);
            }
        } finally {
            floors.forEach(Floor::close);
        }
    }

    /** One for each means by which the library is measured. */
    private List<Floor> floors() {
        return selection.transports().stream()
                .map(Means::of)
                .distinct()
                .sorted()
                .map(means -> new Floor(means, listener))
                .toList();
    }

    private int rowsOf(ContestantFactory factory) {
        int rows = 0;
        for (int ranks : selection.ranks()) {
            try (Contestant contestant = factory.create(ranks)) {
                for (Selection.Cell cell : selection.cells(ranks)) {
                    rows += contestant.algorithms(cell.operation()).size();
                }
            }
        }
        return rows;
    }

    private void measure(List<ContestantFactory> factories, int ranks, List<Entry> floors) throws InterruptedException {
        List<Entry> entries = new ArrayList<>();
        try {
            for (ContestantFactory factory : factories) {
                entries.add(new Entry(factory, ranks, listener));
            }
            List<Entry> all = new ArrayList<>(entries);
            all.addAll(floors);
            Interleaving interleaving = interleaving(all, ranks);
            interleaving.start();
            interleaving.rehearse(selection.cells(ranks));
            for (Selection.Cell cell : selection.cells(ranks)) {
                measure(interleaving, cell);
            }
            for (Entry entry : entries) {
                entry.end();
            }
        } finally {
            entries.forEach(Entry::close);
        }
    }

    private Interleaving interleaving(List<Entry> entries, int ranks) {
        return new Interleaving(entries, ranks, selection, budgetNs, listener, () -> ++number, total);
    }

    private void measure(Interleaving interleaving, Selection.Cell cell) throws InterruptedException {
        for (Row row : interleaving.measure(cell)) {
            rows.add(row);
            listener.row(row);
        }
    }

    /** Sizes of the floors that no group of two has been measured beside. */
    private void measureRest(List<Entry> floors) throws InterruptedException {
        Interleaving alone = interleaving(floors, FloorPair.RANKS);
        List<Selection.Cell> cells = restOfFloor().stream()
                .map(bytes -> new Selection.Cell(BenchOperation.PINGPONG, bytes))
                .toList();
        alone.rehearse(cells);
        for (Selection.Cell cell : cells) {
            measure(alone, cell);
        }
    }

    private Set<Long> restOfFloor() {
        Set<Long> rest = new TreeSet<>(FLOOR_BYTES);
        rest.addAll(sizes());
        if (selection.ranks().contains(FloorPair.RANKS)) {
            rest.removeAll(sizes());
        }
        return rest;
    }

    private Set<Long> sizes() {
        Set<Long> sizes = new TreeSet<>(selection.bytes());
        sizes.remove(0L);
        return sizes;
    }
}
