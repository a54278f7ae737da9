package io.zipcomm.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.Means;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ComparisonTest {

    private final Comparison comparison = new Comparison();

    private Row add(BenchOperation operation, String transport, String algorithm, long bytes, double p50Us) {
        Row row = new Row(operation, transport, algorithm, 4, bytes, 10, p50Us, p50Us, 1, true, Cost.UNKNOWN);
        comparison.add(row);
        return row;
    }

    @Test
    void shouldDivideByTheLibraryOverDirectTcp() {
        Row own = add(BenchOperation.REDUCE, "tcp", "chain", 8, 10);
        Row relayed = add(BenchOperation.REDUCE, "relay", "chain", 8, 50);
        Row other = add(BenchOperation.REDUCE, "mpi-tcp", "auto", 8, 25);
        assertEquals(2.5, comparison.ratio(other), 1e-9);
        assertTrue(Double.isNaN(comparison.ratio(own)) && Double.isNaN(comparison.ratio(relayed)));
        assertTrue(Double.isNaN(comparison.ratio(add(BenchOperation.REDUCE, "redis", "gather", 64, 25))));
    }

    @Test
    void shouldAddUpTheCellsOfEachOtherSystem() {
        add(BenchOperation.ALLREDUCE, "tcp", "ring", 8, 10);
        add(BenchOperation.ALLREDUCE, "tcp", "ring", 64, 10);
        add(BenchOperation.BARRIER, "tcp", "dissemination", 0, 10);
        add(BenchOperation.ALLREDUCE, "mpi-shm", "auto", 8, 5);
        add(BenchOperation.ALLREDUCE, "mpi-shm", "auto", 64, 20);
        add(BenchOperation.BARRIER, "mpi-shm", "auto", 0, 30);
        assertEquals(
                List.of(
                        "mpi-shm takes this many times as long as tcp: worst 0.50 (allreduce 8 B, 4 ranks); 1 of 3 cells"
                                + " below 1; geometric means: barrier 3.00, allreduce 1.00"),
                comparison.lines());
    }

    @Test
    void shouldCompareSharedMemoryWithSharedMemory() {
        add(BenchOperation.REDUCE, "tcp", "chain", 8, 10);
        add(BenchOperation.REDUCE, "aeron-ipc", "chain", 8, 2);
        assertEquals(2, comparison.ratio(add(BenchOperation.REDUCE, "mpi-shm", "auto", 8, 4)), 1e-9);
        assertEquals(1.5, comparison.ratio(add(BenchOperation.REDUCE, "mpi-tcp", "auto", 8, 15)), 1e-9);
        List<String> starts = comparison.lines().stream()
                .map(line -> line.substring(0, line.indexOf(" (")))
                .toList();
        assertEquals(
                List.of(
                        "mpi-shm takes this many times as long as tcp: worst 0.40",
                        "mpi-shm takes this many times as long as aeron-ipc: worst 2.00",
                        "mpi-tcp takes this many times as long as tcp: worst 1.50",
                        "mpi-tcp takes this many times as long as aeron-ipc: worst 7.50"),
                starts);
    }

    @Test
    void shouldNotPutAnotherTransportInThePlaceOfOneThatFailed() {
        add(BenchOperation.REDUCE, "tcp", "chain", 8, 10);
        comparison.add(Row.failed(BenchOperation.REDUCE, "aeron-ipc", "auto", 4, 8));
        assertTrue(Double.isNaN(comparison.ratio(add(BenchOperation.REDUCE, "mpi-shm", "auto", 8, 4))));
        assertEquals(1, comparison.lines().size(), comparison.lines().toString());
    }

    @Test
    void shouldCompareEachFloorWithItsOwnTransport() {
        add(BenchOperation.PINGPONG, "tcp", "send-receive", 8, 10);
        Row sockets = add(BenchOperation.PINGPONG, Row.FLOOR, Means.SOCKETS.floor(), 8, 5);
        Row memory = add(BenchOperation.PINGPONG, Row.FLOOR, Means.SHARED_MEMORY.floor(), 8, 0.5);
        assertEquals(0.5, comparison.ratio(sockets), 1e-9);
        assertTrue(Double.isNaN(comparison.ratio(memory)));
        add(BenchOperation.PINGPONG, "aeron-ipc", "send-receive", 8, 1);
        assertEquals(0.5, comparison.ratio(memory), 1e-9);
    }

    @Test
    void shouldCountTheFastestWayOfAnotherSystem() {
        add(BenchOperation.ALLREDUCE, "tcp", "ring", 8, 10);
        add(BenchOperation.ALLREDUCE, "redis", "gather", 8, 90);
        add(BenchOperation.ALLREDUCE, "redis", "scatter-reduce", 8, 40);
        assertTrue(
                comparison.lines().get(0).contains("worst 4.00"),
                comparison.lines().toString());
        assertTrue(
                comparison.lines().get(0).contains("0 of 1 cells"),
                comparison.lines().toString());
    }

    @Test
    void shouldCompareWithEachStyleOfRedisByItself() {
        add(BenchOperation.BROADCAST, "tcp", "tree", 8, 10);
        Row plain = add(BenchOperation.BROADCAST, "redis", "publish", 8, 90);
        Row tuned = add(BenchOperation.BROADCAST, "redis-tuned", "publish", 8, 30);
        assertEquals(9, comparison.ratio(plain), 1e-9);
        assertEquals(3, comparison.ratio(tuned), 1e-9);
        assertTrue(
                comparison.lines().get(0).startsWith("redis takes "),
                comparison.lines().toString());
        assertTrue(
                comparison.lines().get(1).startsWith("redis-tuned takes "),
                comparison.lines().toString());
    }

    @Test
    void shouldNotCompareWhatFailedOrIsWrongOrIsTheFloor() {
        add(BenchOperation.PINGPONG, "tcp", "send-receive", 8, 10);
        add(BenchOperation.PINGPONG, Row.FLOOR, "nio-spin", 8, 5);
        comparison.add(Row.failed(BenchOperation.PINGPONG, "redis", "auto", 4, 8));
        comparison.add(new Row(BenchOperation.PINGPONG, "redis", "auto", 4, 8, 10, 1, 1, 1, false, Cost.UNKNOWN));
        assertEquals(List.of(), comparison.lines());
    }
}
