package io.zipcomm.bench.cluster;

import io.zipcomm.bench.plan.BenchCase;
import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.Means;
import io.zipcomm.bench.report.FloorSpeed;
import io.zipcomm.bench.report.NoiseRules;
import io.zipcomm.bench.report.Row;
import io.zipcomm.bench.worker.CaseOrder;
import io.zipcomm.bench.worker.CaseResult;
import io.zipcomm.bench.worker.FloorWorker;
import io.zipcomm.bench.worker.StreamExercise;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the machine can do by some means with nothing of the library, in one pair of processes for the whole run: a contestant
 * of the groups of two, speeds that no row has a column for, and the first and the last measurement, which tell how far the
 * machine drifts.
 */
final class Floor implements AutoCloseable {

    static final long LATENCY_BYTES = 8;

    private static final long MEMORY_BYTES = 16L << 20;
    private static final long BUDGET_NS = 300_000_000;
    private static final double NS_PER_US = 1e3;

    private final Means means;
    private final Entry entry;
    private double firstUs = Double.NaN;

    Floor(Means means, BenchListener listener) {
        this.means = means;
        entry = new Entry(ranks -> new FloorPair(means), FloorPair.RANKS, listener);
    }

    /** As a contestant of groups of two. */
    Entry entry() {
        return entry;
    }

    /** Starts the processes, and measures what is to be known before the rows; what needs one process only, in the first pair. */
    static FloorSpeed measureSpeed(List<Floor> floors) throws InterruptedException {
        Map<Means, Double> streams = new EnumMap<>(Means.class);
        for (Floor floor : floors) {
            floor.pingPongUs();
            floor.firstUs = floor.pingPongUs();
            streams.put(floor.means, floor.gbps(CaseOrder.STREAM, StreamExercise.BYTES));
        }
        Floor any = floors.get(0);
        return new FloorSpeed(
                streams, any.gbps(FloorWorker.COPY, MEMORY_BYTES), any.gbps(FloorWorker.ADD, MEMORY_BYTES));
    }

    /** How far ping-pong of 8 bytes is from what it was at the beginning, if it is far. */
    Optional<String> drift() throws InterruptedException {
        return NoiseRules.drift(means, firstUs, pingPongUs());
    }

    private double pingPongUs() throws InterruptedException {
        return medianNs(BenchOperation.PINGPONG.label(), LATENCY_BYTES) / NS_PER_US;
    }

    private double gbps(String operation, long bytes) throws InterruptedException {
        return bytes / medianNs(operation, bytes);
    }

    private double medianNs(String operation, long bytes) throws InterruptedException {
        BenchCase what = new BenchCase(BenchOperation.PINGPONG, Row.FLOOR, FloorPair.RANKS, bytes);
        Collection<CaseResult> results =
                entry.measure(what, new CaseOrder(operation, bytes, CaseOrder.AUTO, 0, BUDGET_NS, false));
        if (results == null) {
            return Double.NaN;
        }
        Slices slices = new Slices();
        slices.add(results);
        return slices.mismatches().isEmpty() ? slices.p50Ns() : Double.NaN;
    }

    @Override
    public void close() {
        entry.close();
    }
}
