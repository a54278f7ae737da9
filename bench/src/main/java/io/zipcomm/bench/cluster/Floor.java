package io.zipcomm.bench.cluster;

import io.zipcomm.bench.plan.BenchCase;
import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.report.FloorSpeed;
import io.zipcomm.bench.report.Row;
import io.zipcomm.bench.worker.CaseOrder;
import io.zipcomm.bench.worker.CaseResult;
import io.zipcomm.bench.worker.FloorWorker;
import io.zipcomm.bench.worker.StreamExercise;
import java.util.Collection;

/**
 * What the machine can do with nothing of the library, in one pair of processes for the whole run: a contestant of the groups
 * of two, speeds that no row has a column for, and the first and the last measurement, which tell how far the machine drifts.
 */
final class Floor implements AutoCloseable {

    static final long LATENCY_BYTES = 8;

    private static final long MEMORY_BYTES = 16L << 20;
    private static final long BUDGET_NS = 300_000_000;
    private static final double NS_PER_US = 1e3;

    private final Entry entry;
    private double firstUs = Double.NaN;

    Floor(BenchListener listener) {
        entry = new Entry(ranks -> new FloorPair(), FloorPair.RANKS, listener);
    }

    /** As a contestant of groups of two. */
    Entry entry() {
        return entry;
    }

    /** Starts the processes, and measures what is to be known before the rows. */
    FloorSpeed measureSpeed() throws InterruptedException {
        medianNs(BenchOperation.PINGPONG.label(), LATENCY_BYTES);
        firstUs = medianNs(BenchOperation.PINGPONG.label(), LATENCY_BYTES) / NS_PER_US;
        return new FloorSpeed(
                StreamExercise.BYTES / medianNs(CaseOrder.STREAM, StreamExercise.BYTES),
                MEMORY_BYTES / medianNs(FloorWorker.COPY, MEMORY_BYTES),
                MEMORY_BYTES / medianNs(FloorWorker.ADD, MEMORY_BYTES));
    }

    /** Median of ping-pong of 8 bytes at the beginning, in microseconds; NaN if it failed. */
    double firstUs() {
        return firstUs;
    }

    /** The same, now. */
    double measureLastUs() throws InterruptedException {
        return medianNs(BenchOperation.PINGPONG.label(), LATENCY_BYTES) / NS_PER_US;
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
