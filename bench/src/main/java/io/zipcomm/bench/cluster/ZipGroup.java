package io.zipcomm.bench.cluster;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.report.CostModel;
import io.zipcomm.bench.worker.CaseOrder;
import io.zipcomm.bench.worker.CaseResult;
import io.zipcomm.bench.worker.StreamExercise;
import io.zipcomm.bench.worker.Worker;
import java.time.Duration;
import java.util.Collection;
import java.util.List;

/** The library over one transport: a process for each rank, joined in one group. */
final class ZipGroup implements Contestant {

    private static final Duration JOIN_LIMIT = Duration.ofSeconds(45);

    /** Longer than a worker's own deadline of an operation, which says more when it passes. */
    private static final Duration SILENCE_LIMIT = Duration.ofSeconds(75);

    private static final long CALIBRATION_BUDGET_NS = 300_000_000;
    private static final long LATENCY_BYTES = 8;
    private static final double NS_PER_US = 1e3;

    private final EmbeddedRelay relay;
    private final String transport;
    private final String algorithm;
    private final int ranks;
    private WorkerGroup workers;
    private CostModel model;

    /**
     * A group that has not been started.
     *
     * @param relay     where it meets
     * @param transport over which it talks
     * @param algorithm of its collective operations; null lets the library choose
     * @param ranks     its size
     */
    ZipGroup(EmbeddedRelay relay, String transport, String algorithm, int ranks) {
        this.relay = relay;
        this.transport = transport;
        this.algorithm = algorithm;
        this.ranks = ranks;
    }

    @Override
    public String name() {
        return transport;
    }

    @Override
    public List<String> algorithms(BenchOperation operation) {
        return List.of(algorithm != null && operation.isCollective() ? algorithm : CaseOrder.AUTO);
    }

    @Override
    public CostModel start() throws WorkerFailure, InterruptedException {
        if (workers == null) {
            GroupEnvironment environment = relay.newGroup("bench", ranks, transport);
            workers = WorkerGroup.start(environment, ChildJvm.flags(), Worker.class);
            workers.awaitAll(Worker.JOINED, JOIN_LIMIT);
            model = calibrate();
        }
        return model;
    }

    /** Alpha and beta of the group's own paths: it is rated by what its processes can do, not by what others could. */
    private CostModel calibrate() throws WorkerFailure, InterruptedException {
        if (ranks < BenchOperation.PINGPONG.ranksMin()) {
            return CostModel.UNKNOWN;
        }
        double roundTripNs = calibrate(BenchOperation.PINGPONG.label(), LATENCY_BYTES);
        double streamNs = calibrate(CaseOrder.STREAM, StreamExercise.BYTES);
        return new CostModel(roundTripNs / NS_PER_US / 2, streamNs / NS_PER_US / StreamExercise.BYTES);
    }

    /** Median, in nanoseconds. */
    private double calibrate(String operation, long bytes) throws WorkerFailure, InterruptedException {
        Slices slices = new Slices();
        slices.add(ask(new CaseOrder(operation, bytes, CaseOrder.AUTO, 0, CALIBRATION_BUDGET_NS, false)));
        if (!slices.mismatches().isEmpty()) {
            throw new WorkerFailure("calibration by " + operation + ": wrong data at " + slices.mismatches());
        }
        return slices.p50Ns();
    }

    @Override
    public Collection<CaseResult> measure(CaseOrder order) throws WorkerFailure, InterruptedException {
        start();
        return ask(order);
    }

    private Collection<CaseResult> ask(CaseOrder order) throws WorkerFailure, InterruptedException {
        workers.tellAll(order.toMessage());
        return workers.awaitAll(CaseResult.KIND, SILENCE_LIMIT).values().stream()
                .map(CaseResult::from)
                .toList();
    }

    @Override
    public void end() throws WorkerFailure, InterruptedException {
        if (workers != null) {
            workers.end();
        }
    }

    @Override
    public void close() {
        if (workers != null) {
            workers.close();
        }
    }
}
