package io.zipcomm.bench.cluster;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.ByteSize;
import io.zipcomm.bench.plan.Selection;
import io.zipcomm.bench.report.TableFormat;
import io.zipcomm.bench.worker.CaseOrder;
import io.zipcomm.bench.worker.CaseResult;
import io.zipcomm.bench.worker.Worker;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.relay.RelayStats;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings.RelayCollectives;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What it gains that the relay does a part of collectives: every algorithm in one group of processes over the relay, in
 * turns, so that a machine whose speed drifts treats all alike; times, and bytes on the relay's wire.
 */
public final class RelayRun {

    private static final int ROUNDS = 5;
    private static final Duration JOIN_LIMIT = Duration.ofSeconds(60);
    private static final Duration SILENCE_LIMIT = Duration.ofSeconds(75);
    private static final long BUDGET_NS = 150_000_000;
    private static final double NS_PER_US = 1e3;
    private static final String HIERARCHICAL = "hierarchical";

    /** What came of one algorithm. */
    private static final class Outcome {
        final List<Long> medianNs = new ArrayList<>();
        long iterations;
        double bytesSent;
        double wireIn;
        double wireOut;

        double timeNs() {
            long[] sorted =
                    medianNs.stream().mapToLong(Long::longValue).sorted().toArray();
            return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2.0;
        }

        double bytesIn() {
            return bytesSent / iterations;
        }

        /** The relay counts warming up too, in which its output is to its input as in what is timed. */
        double bytesOut() {
            return bytesIn() * wireOut / wireIn;
        }
    }

    private final Selection selection;
    private final PrintStream out;
    private final PrintStream err;

    /**
     * A measurement.
     *
     * @param selection operations, group sizes and message sizes
     * @param out       for the table
     * @param err       for problems
     */
    public RelayRun(Selection selection, PrintStream out, PrintStream err) {
        this.selection = selection;
        this.out = out;
        this.err = err;
    }

    /**
     * Measures and prints.
     *
     * @return whether all went well, and all results were right
     */
    public boolean run() throws InterruptedException {
        out.println(
                "all messages through one relay; bytes in and out of it for each operation, the barrier before it included;"
                        + " gain: time of the fastest algorithm without the relay's part over this one's");
        out.println(line("operation", "ranks", "bytes", "algorithm", "p50 us", "gain", "relay in", "relay out"));
        try (EmbeddedRelay relay = EmbeddedRelay.start()) {
            for (int ranks : selection.ranks()) {
                run(relay, ranks);
            }
            return true;
        } catch (WorkerFailure e) {
            err.println("! " + e.getMessage());
            return false;
        }
    }

    private static String line(Object... columns) {
        return String.format(Locale.ROOT, "%-10s %5s %8s %-18s %11s %9s %14s %14s", columns);
    }

    private void run(EmbeddedRelay relay, int ranks) throws WorkerFailure, InterruptedException {
        GroupEnvironment environment = relay.newGroup("relay", ranks, "relay")
                .with(Map.of(Setting.RELAY_COLLECTIVES, RelayCollectives.REDUCE.name()));
        try (WorkerGroup workers = WorkerGroup.start(environment, ChildJvm.flags(), Worker.class)) {
            workers.awaitAll(Worker.JOINED, JOIN_LIMIT);
            for (BenchOperation operation : selection.operations()) {
                if (operation.isCollective()
                        && !Collectives.relayAlgorithms(operation.collective()).isEmpty()) {
                    for (long bytes : operation.hasBytes() ? selection.bytes() : List.of(0L)) {
                        measure(relay, workers, operation, bytes);
                    }
                }
            }
            workers.end();
        }
    }

    private void measure(EmbeddedRelay relay, WorkerGroup workers, BenchOperation operation, long bytes)
            throws WorkerFailure, InterruptedException {
        Map<String, Outcome> outcomes = new LinkedHashMap<>();
        for (String name : operation.algorithms()) {
            if (!name.equals(HIERARCHICAL)) {
                outcomes.put(name, new Outcome());
            }
        }
        for (int round = 0; round < ROUNDS; round++) {
            for (Map.Entry<String, Outcome> one : outcomes.entrySet()) {
                RelayStats before = relay.stats();
                CaseOrder order = new CaseOrder(operation.label(), bytes, one.getKey(), 0, BUDGET_NS, round > 0);
                take(one.getValue(), workers.measure(order, SILENCE_LIMIT), operation + " by " + one.getKey());
                RelayStats after = relay.stats();
                one.getValue().wireIn += after.wireBytesIn() - before.wireBytesIn();
                one.getValue().wireOut += after.wireBytesOut() - before.wireBytesOut();
            }
        }
        print(workers.size(), operation, bytes, outcomes);
    }

    private static void take(Outcome outcome, Collection<CaseResult> results, String what) throws WorkerFailure {
        long medianNs = 0;
        for (CaseResult result : results) {
            if (!result.mismatch().isEmpty()) {
                throw new WorkerFailure(what + ": wrong data, " + result.mismatch());
            }
            medianNs = Math.max(medianNs, result.times().p50Ns()); // only rank 0 knows
            outcome.iterations += result.times().count();
            outcome.bytesSent += result.usage().sentBytes();
        }
        outcome.medianNs.add(medianNs);
    }

    private void print(int ranks, BenchOperation operation, long bytes, Map<String, Outcome> outcomes) {
        List<String> byRelay = Collectives.relayAlgorithms(operation.collective());
        double without = outcomes.entrySet().stream()
                .filter(one -> !byRelay.contains(one.getKey()))
                .mapToDouble(one -> one.getValue().timeNs())
                .min()
                .orElse(Double.NaN);
        outcomes.forEach((name, outcome) -> out.println(line(
                operation.label(),
                ranks,
                operation.hasBytes() ? ByteSize.format(bytes) : "-",
                name,
                TableFormat.micros(outcome.timeNs() / NS_PER_US),
                String.format(Locale.ROOT, "%.2f", without / outcome.timeNs()),
                String.format(Locale.ROOT, "%,.0f", outcome.bytesIn()),
                String.format(Locale.ROOT, "%,.0f", outcome.bytesOut()))));
    }
}
