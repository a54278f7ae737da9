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

    private static final long LATENCY_BYTES = 8;

    /** Round trips of a probe fill half of it, as those of a slice do. */
    private static final long ROUND_TRIPS_NS = 40_000_000;

    private static final int STREAMS = 3;
    private static final double NS_PER_US = 1e3;

    private final GroupSource relay;
    private final String transport;
    private final String algorithm;
    private final int ranks;
    private WorkerGroup workers;

    /**
     * A group that has not been started.
     *
     * @param relay     where it meets
     * @param transport over which it talks
     * @param algorithm of its collective operations; null lets the library choose
     * @param ranks     its size
     */
    ZipGroup(GroupSource relay, String transport, String algorithm, int ranks) {
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
    public void start() throws WorkerFailure, InterruptedException {
        if (workers == null) {
            GroupEnvironment environment = relay.newGroup("bench", ranks, transport);
            workers = WorkerGroup.start(environment, ChildJvm.flags(), Worker.class);
            workers.awaitAll(Worker.JOINED, JOIN_LIMIT);
            // The first one tells of memory that had to be fetched.
            probe();
        }
    }

    @Override
    public boolean hasProbe() {
        return ranks >= BenchOperation.PINGPONG.ranksMin();
    }

    /** Alpha and beta of the group's own paths: it is rated by what its processes can do, not by what others could. */
    @Override
    public CostModel probe() throws WorkerFailure, InterruptedException {
        if (!hasProbe()) {
            return CostModel.UNKNOWN;
        }
        start();
        // First, for it wakes the ranks up. Without a budget, only two that are not timed go before.
        double streamNs = medianNs(CaseOrder.STREAM, StreamExercise.BYTES, STREAMS, 0);
        double duplexNs = medianNs(CaseOrder.DUPLEX, StreamExercise.BYTES, STREAMS, 0);
        // For some milliseconds the scheduler may wake a rank for each message: that is no property of the path.
        double roundTripNs = Math.min(roundTripNs(), roundTripNs());
        return new CostModel(roundTripNs / NS_PER_US / 2, usPerByte(streamNs), usPerByte(duplexNs));
    }

    private static double usPerByte(double streamNs) {
        return streamNs / NS_PER_US / StreamExercise.BYTES;
    }

    private double roundTripNs() throws WorkerFailure, InterruptedException {
        return medianNs(BenchOperation.PINGPONG.label(), LATENCY_BYTES, 0, ROUND_TRIPS_NS);
    }

    private double medianNs(String operation, long bytes, int iterations, long budgetNs)
            throws WorkerFailure, InterruptedException {
        Slices slices = new Slices();
        slices.add(ask(new CaseOrder(operation, bytes, CaseOrder.AUTO, iterations, budgetNs, true)));
        if (!slices.mismatches().isEmpty()) {
            throw new WorkerFailure("probe by " + operation + ": wrong data at " + slices.mismatches());
        }
        return slices.p50Ns();
    }

    @Override
    public Collection<CaseResult> measure(CaseOrder order) throws WorkerFailure, InterruptedException {
        start();
        return ask(order);
    }

    private Collection<CaseResult> ask(CaseOrder order) throws WorkerFailure, InterruptedException {
        return workers.measure(order, SILENCE_LIMIT);
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
