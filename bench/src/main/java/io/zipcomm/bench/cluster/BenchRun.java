package io.zipcomm.bench.cluster;

import io.zipcomm.bench.plan.BenchCase;
import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.Selection;
import io.zipcomm.bench.report.Cost;
import io.zipcomm.bench.report.CostModel;
import io.zipcomm.bench.report.Row;
import io.zipcomm.bench.worker.CaseOrder;
import io.zipcomm.bench.worker.CaseResult;
import io.zipcomm.bench.worker.Message;
import io.zipcomm.bench.worker.StreamExercise;
import io.zipcomm.bench.worker.Usage;
import io.zipcomm.bench.worker.Worker;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;

/**
 * Measures the rows of a selection: a relay in this process, and for each transport and group size one group of real
 * processes that measures all of its rows. A row that fails costs its group; the next rows get a new one.
 */
public final class BenchRun {

    private static final Duration JOIN_LIMIT = Duration.ofSeconds(45);

    /** Longer than a worker's own deadline of an operation, which says more when it passes. */
    private static final Duration SILENCE_LIMIT = Duration.ofSeconds(75);

    private static final int GROUPS_MAX = 4;
    private static final long CALIBRATION_BUDGET_NS = 300_000_000;
    private static final long LATENCY_BYTES = 8;

    /** Time for a row that is compared with the floor, at least: a disturbance of some milliseconds must not decide it. */
    private static final long COMPARED_BUDGET_NS = 600_000_000;

    private static final Set<Long> FLOOR_BYTES = Set.of(LATENCY_BYTES, 1L << 20);
    private static final double NS_PER_US = 1e3;

    private final Selection selection;
    private final long budgetNs;
    private final BenchListener listener;
    private final int total;
    private int number;
    private FloorPair floor;
    private final Set<Long> floorDone = new TreeSet<>();

    /**
     * A run.
     *
     * @param selection what to measure
     * @param budget    time for each row
     * @param listener  told of rows as they come
     */
    public BenchRun(Selection selection, Duration budget, BenchListener listener) {
        this.selection = selection;
        this.budgetNs = budget.toNanos();
        this.listener = listener;
        total = selection.caseCount();
    }

    /** Measures everything. */
    public void run() throws InterruptedException {
        try (EmbeddedRelay relay = EmbeddedRelay.start();
                FloorPair pair = selection.operations().contains(BenchOperation.PINGPONG) ? new FloorPair() : null) {
            floor = pair;
            for (Selection.Group group : selection.groups()) {
                measure(relay, group);
            }
            measureRestOfFloor();
        }
    }

    private void measure(EmbeddedRelay relay, Selection.Group group) throws InterruptedException {
        Deque<BenchCase> left = new ArrayDeque<>(group.cases());
        for (int attempt = 1; !left.isEmpty(); attempt++) {
            if (attempt > GROUPS_MAX) {
                listener.problem(left.size() + " rows of " + group.transport() + ", " + group.ranks()
                        + " ranks are given up: " + GROUPS_MAX + " groups have failed");
                left.forEach(this::failed);
                return;
            }
            GroupEnvironment environment = relay.newGroup("bench", group.ranks(), group.transport());
            boolean joined = false;
            try (WorkerGroup workers = WorkerGroup.start(environment, ChildJvm.flags(), Worker.class)) {
                workers.awaitAll(Worker.JOINED, JOIN_LIMIT);
                CostModel model = calibrate(workers);
                listener.group(group.transport(), group.ranks(), model);
                joined = true;
                while (!left.isEmpty()) {
                    measure(workers, left.peek(), model);
                    left.remove();
                }
                workers.end();
            } catch (WorkerFailure e) {
                String what = left.isEmpty()
                        ? "leaving the group"
                        : joined ? left.peek().toString() : "starting";
                listener.problem(group.transport() + ", " + group.ranks() + " ranks, " + what + ":\n" + e.getMessage());
                if (joined && !left.isEmpty()) {
                    failed(left.remove());
                }
            }
        }
    }

    private void failed(BenchCase what) {
        String algorithm = selection.algorithm() == null ? CaseOrder.AUTO : selection.algorithm();
        listener.row(Row.failed(what.operation(), what.transport(), algorithm, what.ranks(), what.bytes()));
    }

    /** Alpha and beta of the group's own paths: it is rated by what its processes can do, not by what others could. */
    private CostModel calibrate(WorkerGroup workers) throws WorkerFailure, InterruptedException {
        if (workers.size() < BenchOperation.PINGPONG.ranksMin()) {
            return CostModel.UNKNOWN;
        }
        CaseResult roundTrip = calibrate(workers, BenchOperation.PINGPONG.label(), LATENCY_BYTES);
        CaseResult stream = calibrate(workers, CaseOrder.STREAM, StreamExercise.BYTES);
        return new CostModel(
                roundTrip.times().p50Ns() / NS_PER_US / 2, stream.times().p50Ns() / NS_PER_US / StreamExercise.BYTES);
    }

    private CaseResult calibrate(WorkerGroup workers, String operation, long bytes)
            throws WorkerFailure, InterruptedException {
        CaseOrder order = new CaseOrder(operation, bytes, CaseOrder.AUTO, 0, CALIBRATION_BUDGET_NS, false);
        Collection<CaseResult> results = ask(workers, order);
        reportMismatches("calibration by " + operation, results);
        return leader(results);
    }

    private void measure(WorkerGroup workers, BenchCase what, CostModel model)
            throws WorkerFailure, InterruptedException {
        number++;
        listener.measuring(what, number, total);
        if (!isBesideFloor(what)) {
            report(what, ask(workers, order(what, budgetNs, false)), model);
            return;
        }
        long budget = Math.max(budgetNs, COMPARED_BUDGET_NS);
        // A rehearsal: what it gives the compiler to do is done while the floor is measured.
        ask(workers, order(what, budget, false));
        CaseResult before = measureFloor(order(what, budget / 2, false));
        report(what, ask(workers, order(what, budget, false)), model);
        CaseResult floorResult = measureFloor(order(what, budget / 2, true));
        if (floorResult != null) {
            floorResult.times().add(before.times());
            reportFloor(what.bytes(), floorResult);
        }
    }

    private CaseOrder order(BenchCase what, long budget, boolean append) {
        boolean named = selection.algorithm() != null && what.operation().isCollective();
        return new CaseOrder(
                what.operation().label(),
                what.bytes(),
                named ? selection.algorithm() : CaseOrder.AUTO,
                selection.iterations(),
                budget,
                append);
    }

    private static Collection<CaseResult> ask(WorkerGroup workers, CaseOrder order)
            throws WorkerFailure, InterruptedException {
        workers.tellAll(order.toMessage());
        Map<Integer, Message> answers = workers.awaitAll(CaseResult.KIND, SILENCE_LIMIT);
        return answers.values().stream().map(CaseResult::from).toList();
    }

    private static CaseResult leader(Collection<CaseResult> results) {
        return results.stream().filter(result -> result.rank() == 0).findFirst().orElseThrow();
    }

    private void report(BenchCase what, Collection<CaseResult> results, CostModel model) {
        CaseResult leader = leader(results);
        boolean verified = reportMismatches(what.toString(), results);
        double p50Us = leader.times().p50Ns() / NS_PER_US;
        double iterations = leader.times().count();
        double sent = most(results, Usage::sentBytes) / iterations;
        double allocated = most(results, Usage::allocatedBytes) / iterations;
        listener.row(new Row(
                what.operation(),
                what.transport(),
                leader.algorithm(),
                what.ranks(),
                what.bytes(),
                leader.times().count(),
                p50Us,
                leader.times().p99Ns() / NS_PER_US,
                model.efficiency(what.operation(), what.ranks(), what.bytes(), p50Us),
                verified,
                Cost.ofBytes(sent, allocated)));
    }

    private static double most(Collection<CaseResult> results, ToDoubleFunction<Usage> number) {
        return results.stream().map(CaseResult::usage).mapToDouble(number).max().orElse(Double.NaN);
    }

    /** Whether there are none. */
    private boolean reportMismatches(String what, Collection<CaseResult> results) {
        boolean none = true;
        for (CaseResult result : results) {
            if (!result.mismatch().isEmpty()) {
                none = false;
                listener.problem(what + ": wrong data at rank " + result.rank() + ", " + result.mismatch());
            }
        }
        return none;
    }

    // The floor is measured right before and right after the row that is compared with it, so that a machine whose
    // speed
    // drifts treats both alike.
    private boolean isBesideFloor(BenchCase what) {
        return floor != null
                && what.operation() == BenchOperation.PINGPONG
                && what.ranks() == 2
                && !what.transport().equals("relay")
                && what.bytes() > 0
                && !floorDone.contains(what.bytes());
    }

    private void measureRestOfFloor() throws InterruptedException {
        Set<Long> rest = new TreeSet<>(FLOOR_BYTES);
        rest.addAll(selection.bytes());
        rest.removeAll(floorDone);
        rest.remove(0L);
        for (long bytes : rest) {
            BenchCase what = new BenchCase(BenchOperation.PINGPONG, Row.FLOOR, 2, bytes);
            CaseResult result = measureFloor(order(what, budgetNs, false));
            if (result != null) {
                reportFloor(bytes, result);
            }
        }
    }

    /** Null, and no more floor in this run, if its processes fail: the rows of the library do not depend on them. */
    private CaseResult measureFloor(CaseOrder order) throws InterruptedException {
        if (floor == null) {
            return null;
        }
        try {
            return leader(floor.measure(order));
        } catch (WorkerFailure e) {
            listener.problem("floor: " + e.getMessage());
            floor.close();
            floor = null;
            return null;
        }
    }

    private void reportFloor(long bytes, CaseResult result) {
        floorDone.add(bytes);
        if (!result.mismatch().isEmpty()) {
            listener.problem("floor: wrong data, " + result.mismatch());
        }
        listener.row(new Row(
                BenchOperation.PINGPONG,
                Row.FLOOR,
                result.algorithm(),
                2,
                bytes,
                result.times().count(),
                result.times().p50Ns() / NS_PER_US,
                result.times().p99Ns() / NS_PER_US,
                Double.NaN,
                result.mismatch().isEmpty(),
                Cost.UNKNOWN));
    }
}
