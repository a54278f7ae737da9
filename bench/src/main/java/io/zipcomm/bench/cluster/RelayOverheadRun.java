package io.zipcomm.bench.cluster;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.ByteSize;
import io.zipcomm.bench.worker.CaseOrder;
import io.zipcomm.bench.worker.StreamExercise;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What the relay costs against programs that do nothing but pass on the bytes of a TCP connection: ping-pong, and a stream in
 * one direction, between two processes. The library's ranks talk through a relay daemon in a process of its own, plain
 * spinning sockets through HAProxy and socat. All live side by side and take turns.
 */
public final class RelayOverheadRun {

    private static final int RANKS = 2;
    private static final int ROUNDS = 5;
    private static final long REHEARSAL_NS = 1_500_000_000;
    private static final long SLICE_NS = 600_000_000;
    private static final double NS_PER_US = 1e3;

    private final List<Long> bytes;
    private final PrintStream out;
    private final PrintStream err;

    /**
     * A measurement.
     *
     * @param bytes lengths of ping-pong
     * @param out   for the table
     * @param err   for problems
     */
    public RelayOverheadRun(List<Long> bytes, PrintStream out, PrintStream err) {
        this.bytes = List.copyOf(bytes);
        this.out = out;
        this.err = err;
    }

    /**
     * Measures and prints.
     *
     * @return whether all data was right and at least one forwarder was there to compare with
     */
    public boolean run() throws InterruptedException {
        List<Forwarder> forwarders = new ArrayList<>();
        List<Contestant> contestants = new ArrayList<>();
        try (RelayProcess relay = RelayProcess.start(List.of())) {
            contestants.add(new ZipGroup(relay, "relay", null, RANKS));
            for (Forwarder.Kind kind : Forwarder.Kind.values()) {
                String missing = Forwarder.unavailability(kind);
                if (missing == null) {
                    Forwarder forwarder = new Forwarder(kind);
                    forwarders.add(forwarder);
                    contestants.add(new FloorPair(kind.program(), forwarder));
                } else {
                    err.println("left out: " + missing);
                }
            }
            return !forwarders.isEmpty() && compare(contestants);
        } catch (WorkerFailure e) {
            err.println("! " + e.getMessage());
            return false;
        } finally {
            contestants.forEach(Contestant::close);
            forwarders.forEach(Forwarder::close);
        }
    }

    private boolean compare(List<Contestant> contestants) throws WorkerFailure, InterruptedException {
        for (Contestant contestant : contestants) {
            contestant.start();
        }
        List<CaseOrder> orders = new ArrayList<>();
        for (long length : bytes) {
            orders.add(new CaseOrder(BenchOperation.PINGPONG.label(), length, CaseOrder.AUTO, 0, SLICE_NS, true));
        }
        orders.add(new CaseOrder(CaseOrder.STREAM, StreamExercise.BYTES, CaseOrder.AUTO, 0, SLICE_NS, true));
        out.println("medians of " + ROUNDS + " turns of " + SLICE_NS / 1_000_000
                + " ms; x: relay's time over the other's, or its throughput over the other's");
        boolean good = true;
        for (CaseOrder order : orders) {
            good &= row(contestants, order);
        }
        return good;
    }

    private boolean row(List<Contestant> contestants, CaseOrder order) throws WorkerFailure, InterruptedException {
        Map<Contestant, Slices> slices = new LinkedHashMap<>();
        for (Contestant contestant : contestants) {
            contestant.measure(order.slice(0, REHEARSAL_NS, false));
            slices.put(contestant, new Slices());
        }
        for (int round = 0; round < ROUNDS; round++) {
            for (Contestant contestant : contestants) {
                slices.get(contestant).add(contestant.measure(order));
            }
        }
        boolean stream = order.operation().equals(CaseOrder.STREAM);
        StringBuilder line = new StringBuilder(
                stream
                        ? "stream, one way, GB/s:    "
                        : String.format("pingpong %8s, us:    ", ByteSize.format(order.bytes())));
        double own = Double.NaN;
        boolean good = true;
        for (Map.Entry<Contestant, Slices> one : slices.entrySet()) {
            double ns = one.getValue().p50Ns();
            double value = stream ? order.bytes() / ns : ns / NS_PER_US;
            own = Double.isNaN(own) ? value : own;
            line.append(String.format(Locale.ROOT, "  %s %.2f", one.getKey().name(), value));
            if (own != value) {
                line.append(String.format(Locale.ROOT, " (x %.2f)", own / value));
            }
            line.append(String.format(
                    Locale.ROOT, " spread %.0f %%", 100 * one.getValue().spread()));
            for (String mismatch : one.getValue().mismatches()) {
                err.println("! " + one.getKey().name() + ", " + order.operation() + ": wrong data at " + mismatch);
                good = false;
            }
        }
        out.println(line);
        return good;
    }
}
