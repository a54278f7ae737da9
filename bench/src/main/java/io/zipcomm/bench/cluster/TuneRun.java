package io.zipcomm.bench.cluster;

import io.zipcomm.bench.tuning.TuningCase;
import io.zipcomm.bench.tuning.Variant;
import io.zipcomm.bench.worker.CaseOrder;
import io.zipcomm.bench.worker.CaseResult;
import io.zipcomm.bench.worker.Message;
import io.zipcomm.bench.worker.Worker;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * Measures every variant of each case by real processes: a group for each number of ranks. The variants of a case take
 * turns, so that a machine whose speed drifts treats all alike.
 */
public final class TuneRun {

    /** Turns of each variant. */
    static final int ROUNDS = 3;

    private static final Duration JOIN_LIMIT = Duration.ofSeconds(45);
    private static final Duration SILENCE_LIMIT = Duration.ofSeconds(75);
    private static final Duration GROUP_START = Duration.ofMillis(2500);
    private static final long BUDGET_NS_MIN = 5_000_000;

    /** An order takes up to so many budgets, for it warms up. */
    private static final int BUDGETS_PER_ORDER = 2;

    private final List<TuningCase> cases;
    private final String transport;
    private final long budgetNs;
    private final Consumer<TuningCase> listener;

    /**
     * A run.
     *
     * @param cases     what to measure; they take the times
     * @param transport over which paths
     * @param time      for all of it, about; long messages take longer
     * @param listener  told of each case when it is done
     */
    public TuneRun(List<TuningCase> cases, String transport, Duration time, Consumer<TuningCase> listener) {
        this.cases = List.copyOf(cases);
        this.transport = transport;
        this.listener = listener;
        long groups = cases.stream().map(TuningCase::ranks).distinct().count();
        long orders = (long) ROUNDS
                * cases.stream().mapToInt(one -> one.variants().size()).sum();
        long measuringNs = time.minus(GROUP_START.multipliedBy(groups)).toNanos();
        budgetNs = Math.max(BUDGET_NS_MIN, measuringNs / Math.max(1, orders * BUDGETS_PER_ORDER));
    }

    /**
     * Measures everything.
     *
     * @throws WorkerFailure if a process failed, or a result was wrong: no table comes of such a run
     */
    public void run() throws WorkerFailure, InterruptedException {
        try (EmbeddedRelay relay = EmbeddedRelay.start()) {
            for (int ranks : new TreeSet<>(cases.stream().map(TuningCase::ranks).toList())) {
                GroupEnvironment environment = relay.newGroup("tune", ranks, transport);
                try (WorkerGroup workers = WorkerGroup.start(environment, ChildJvm.flags(), Worker.class)) {
                    workers.awaitAll(Worker.JOINED, JOIN_LIMIT);
                    for (TuningCase one : cases) {
                        if (one.ranks() == ranks) {
                            measure(workers, one);
                            listener.accept(one);
                        }
                    }
                    workers.end();
                }
            }
        }
    }

    private void measure(WorkerGroup workers, TuningCase one) throws WorkerFailure, InterruptedException {
        for (int round = 0; round < ROUNDS; round++) {
            for (Variant variant : one.variants()) {
                one.add(variant, medianNs(workers, one, variant));
            }
        }
    }

    private long medianNs(WorkerGroup workers, TuningCase one, Variant variant)
            throws WorkerFailure, InterruptedException {
        CaseOrder order = new CaseOrder(
                one.operation().label(),
                one.bytes(),
                variant.algorithm().toString(),
                0,
                budgetNs,
                false,
                variant.segments(),
                false);
        workers.tellAll(order.toMessage());
        long medianNs = 0;
        for (Map.Entry<Integer, Message> answer :
                workers.awaitAll(CaseResult.KIND, SILENCE_LIMIT).entrySet()) {
            CaseResult result = CaseResult.from(answer.getValue());
            if (!result.mismatch().isEmpty()) {
                throw new WorkerFailure(one + ", " + variant + ": wrong data, " + result.mismatch());
            }
            medianNs = Math.max(medianNs, result.times().p50Ns()); // only rank 0 knows
        }
        return medianNs;
    }
}
