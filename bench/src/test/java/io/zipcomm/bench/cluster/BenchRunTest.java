package io.zipcomm.bench.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.bench.plan.Baseline;
import io.zipcomm.bench.plan.BenchCase;
import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.Means;
import io.zipcomm.bench.plan.Selection;
import io.zipcomm.bench.report.Cost;
import io.zipcomm.bench.report.CostModel;
import io.zipcomm.bench.report.FloorSpeed;
import io.zipcomm.bench.report.Row;
import io.zipcomm.transport.DirectTransportProvider;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Real processes, real sockets. */
@Tag("once")
final class BenchRunTest {

    private static final Duration BUDGET = Duration.ofMillis(20);
    private static final List<BenchOperation> ALL = Arrays.asList(BenchOperation.values());

    private static RecordingListener run(Selection selection) throws InterruptedException {
        RecordingListener listener = new RecordingListener();
        new BenchRun(selection, BUDGET, listener).run();
        return listener;
    }

    private static void assertAllVerified(RecordingListener listener) {
        assertEquals(List.of(), listener.problems);
        List<Row> wrong = listener.rows.stream().filter(row -> !row.verified()).toList();
        assertEquals(List.of(), wrong);
    }

    @Test
    void shouldVerifyEveryOperationOnEveryTransport() throws InterruptedException {
        verifyEveryOperation(List.of(2));
    }

    @Test
    @Tag("long")
    void shouldVerifyEveryOperationOnEveryTransportInSeveralGroups() throws InterruptedException {
        verifyEveryOperation(List.of(2, 4));
    }

    private static void verifyEveryOperation(List<Integer> ranks) throws InterruptedException {
        List<String> transports = List.of("tcp", "relay");
        Selection selection = new Selection(ALL, ranks, List.of(8L, 65536L), transports, null, 3);
        RecordingListener listener = run(selection);
        assertAllVerified(listener);
        List<Row> floor = listener.rows.stream()
                .filter(row -> row.transport().equals(Row.FLOOR))
                .toList();
        assertEquals(3, floor.size(), "8 and 65536 as asked, and 1 MiB always: " + floor);
        assertEquals(selection.caseCount() + floor.size(), listener.rows.size());
        for (Row row : listener.rows) {
            boolean isFloor = row.transport().equals(Row.FLOOR);
            assertTrue(row.p50Us() > 0 && row.p99Us() >= row.p50Us(), row.toString());
            assertTrue(isFloor || row.iterations() == 3, row.toString());
            assertEquals(isFloor, Double.isNaN(row.efficiency()), row.toString());
        }
        assertEquals(1, listener.floors.size());
        FloorSpeed speed = listener.floors.get(0);
        assertEquals(Set.of(Means.SOCKETS), speed.streamGBps().keySet());
        assertTrue(speed.streamGBps().get(Means.SOCKETS) > 0, speed.toString());
        assertTrue(speed.copyGBps() > 0 && speed.addGBps() > 0, speed.toString());
        assertEquals(ranks.size() * transports.size(), listener.models.size());
        for (CostModel model : listener.models) {
            assertTrue(model.alphaUs() > 0 && model.betaUsPerByte() > 0, model.toString());
        }
    }

    /** Whether the library can be had over each of them here or not. */
    @Test
    void shouldMeasureTheFloorOfEachMeans() throws InterruptedException {
        RecordingListener listener = run(new Selection(
                List.of(BenchOperation.PINGPONG),
                List.of(2),
                List.of(0L, 8L, 100_000L),
                List.of("tcp", "aeron-ipc"),
                null,
                2));
        List<Row> floors = listener.rows.stream().filter(Row::isFloor).toList();
        List<String> found = floors.stream()
                .map(row -> row.algorithm() + " " + row.bytes() + " " + row.verified())
                .toList();
        assertEquals(
                List.of(
                        "nio-spin 8 true",
                        "shm-spin 8 true",
                        "nio-spin 100000 true",
                        "shm-spin 100000 true",
                        "nio-spin 1048576 true",
                        "shm-spin 1048576 true"),
                found);
        FloorSpeed speed = listener.floors.get(0);
        assertEquals(Set.of(Means.values()), speed.streamGBps().keySet());
        assertTrue(speed.streamGBps().get(Means.SHARED_MEMORY) > 0, speed.toString());
        assertTrue(
                speed.toString()
                        .matches("floor: stream over plain sockets .*, stream over shared memory .*, memory copy .*"),
                speed.toString());
    }

    @Test
    void shouldVerifyRowsOverRdma() throws InterruptedException {
        DirectTransportProvider rdma = ServiceLoader.load(DirectTransportProvider.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(one -> one.capabilities().get(0).path().equals("rdma"))
                .findFirst()
                .orElseThrow();
        Optional<String> reason = rdma.failureWhenTried();
        assumeTrue(reason.isEmpty(), () -> "no RDMA: " + reason.orElseThrow());
        RecordingListener listener = run(new Selection(
                List.of(BenchOperation.ALLREDUCE, BenchOperation.ALLTOALL),
                List.of(2),
                List.of(8L, 100_000L),
                List.of("rdma"),
                null,
                2));
        assertAllVerified(listener);
        assertEquals(
                4,
                listener.rows.stream()
                        .filter(row -> row.transport().equals("rdma"))
                        .count());
    }

    @Test
    void shouldVerifyLengthsThatCannotBeDividedEvenly() throws InterruptedException {
        assertAllVerified(run(new Selection(ALL, List.of(3), List.of(0L, 4L, 100_004L), List.of("tcp"), null, 2)));
    }

    @Test
    void shouldMeasureOneRankAlone() throws InterruptedException {
        RecordingListener listener = run(
                new Selection(List.of(BenchOperation.ALLREDUCE), List.of(1), List.of(1024L), List.of("tcp"), null, 2));
        assertAllVerified(listener);
        assertTrue(Double.isNaN(listener.rows.get(0).efficiency()));
    }

    @Test
    void shouldUseTheAlgorithmThatIsAskedFor() throws InterruptedException {
        RecordingListener listener = run(
                new Selection(List.of(BenchOperation.ALLREDUCE), List.of(2), List.of(8L), List.of("tcp"), "ring", 2));
        assertAllVerified(listener);
        assertEquals("ring", listener.rows.get(0).algorithm());
    }

    @Test
    void shouldNameAWorkerThatDiedAndGoOn() throws InterruptedException {
        Selection selection = new Selection(
                List.of(BenchOperation.BARRIER, BenchOperation.BROADCAST, BenchOperation.REDUCE),
                List.of(3),
                List.of(8L),
                List.of("tcp"),
                null,
                2);
        RecordingListener listener = new RecordingListener() {
            private int slices;

            @Override
            public void measuring(BenchCase what, int number, int total) {
                // The first slice after the rehearsal.
                slices += number == 2 ? 1 : 0;
                if (slices == 2) {
                    slices++;
                    anyWorker().destroyForcibly();
                }
            }
        };
        new BenchRun(selection, BUDGET, listener).run();
        assertEquals(
                List.of(true, false, true),
                listener.rows.stream().map(Row::verified).toList());
        assertFalse(listener.rows.get(1).isMeasured());
        assertEquals(1, listener.problems.size(), listener.problems.toString());
        String problem = listener.problems.get(0);
        assertTrue(problem.startsWith("tcp, 3 ranks, broadcast 8 B"), problem);
        assertTrue(problem.contains("process ended with exit code 137"), problem);
        assertTrue(problem.contains("PEER_LOST"), problem);
    }

    /** The relay gives a rank up that has been silent for five seconds. */
    @Test
    @Tag("long")
    void shouldNameAWorkerThatIsFrozen() throws InterruptedException {
        Selection selection =
                new Selection(List.of(BenchOperation.BARRIER), List.of(2), List.of(8L), List.of("tcp"), null, 2);
        RecordingListener listener = new RecordingListener() {
            private boolean frozen;

            @Override
            public void measuring(BenchCase what, int number, int total) {
                if (!frozen) {
                    frozen = true;
                    freeze(anyWorker());
                }
            }
        };
        new BenchRun(selection, BUDGET, listener).run();
        assertFalse(listener.rows.get(0).verified());
        assertTrue(listener.problems.get(0).contains("no answer for "), listener.problems.toString());
    }

    @Test
    void shouldMeasureContestantsInTurns() throws InterruptedException {
        Selection selection = twoContestants(3001);
        List<String> order = new ArrayList<>();
        RecordingListener listener = new RecordingListener() {
            @Override
            public void measuring(BenchCase what, int number, int total) {
                order.add(number + "/" + total + " " + what.operation().label() + " " + what.transport());
            }
        };
        new BenchRun(selection, BUDGET, listener).run();
        assertAllVerified(listener);
        List<String> expected = new ArrayList<>();
        // All rehearse, then each row has three slices.
        expected.addAll(List.of("1/4 barrier tcp", "2/4 barrier relay", "3/4 reduce tcp", "4/4 reduce relay"));
        for (int round = 0; round < 3; round++) {
            expected.addAll(List.of("1/4 barrier tcp", "2/4 barrier relay"));
        }
        for (int round = 0; round < 3; round++) {
            expected.addAll(List.of("3/4 reduce tcp", "4/4 reduce relay"));
        }
        assertEquals(expected, order);
        for (Row row : listener.rows) {
            assertEquals(3001, row.iterations(), row.toString());
            assertTrue(row.cost().spread() >= 0, row.toString());
            assertTrue(row.cost().cpuUs() > 0 && row.cost().sentBytes() > 0, row.toString());
        }
    }

    @Test
    void shouldTellWhatARankUsesWhereTheSystemDoes() throws InterruptedException {
        assumeTrue(Files.exists(Path.of("/proc/self/task")), "there is no /proc");
        RecordingListener listener = run(
                new Selection(List.of(BenchOperation.ALLREDUCE), List.of(2), List.of(8L), List.of("tcp"), null, 50));
        Cost cost = listener.rows.get(0).cost();
        assertTrue(cost.contextSwitches() >= 0, cost.toString());
        assertTrue(cost.peakMemoryBytes() > 1 << 20, cost.toString());
        assertTrue(cost.spread() > 0, "one contestant alone has slices, too: " + cost);
    }

    @Test
    void shouldCostNobodyElseARowWhenAContestantFails() throws InterruptedException {
        Selection selection = twoContestants(3);
        RecordingListener listener = new RecordingListener() {
            private int slices;

            @Override
            public void measuring(BenchCase what, int number, int total) {
                slices++;
                // The second slice of the first row.
                if (slices == 5) {
                    assertEquals("tcp", what.transport());
                    workerOver("tcp").destroyForcibly();
                }
            }
        };
        new BenchRun(selection, BUDGET, listener).run();
        assertEquals(
                List.of("barrier tcp false", "barrier relay true", "reduce tcp true", "reduce relay true"),
                listener.rows.stream()
                        .map(row -> row.operation().label() + " " + row.transport() + " " + row.verified())
                        .toList());
        assertEquals(1, listener.problems.size(), listener.problems.toString());
    }

    @Test
    void shouldLeaveOutABaselineThatCannotBeHad() throws InterruptedException {
        Selection selection =
                new Selection(List.of(BenchOperation.BARRIER), List.of(2), List.of(8L), List.of("tcp"), null, 2);
        RecordingListener listener = new RecordingListener();
        Baseline nobody = new Baseline(Baseline.Kind.REDIS, "127.0.0.1:1");
        new BenchRun(selection, List.of(nobody), BUDGET, listener).run();
        assertAllVerified(listener);
        assertEquals(1, listener.absent.size(), listener.absent.toString());
        assertTrue(listener.absent.get(0).startsWith("redis: "), listener.absent.toString());
    }

    private static Selection twoContestants(int iterations) {
        List<BenchOperation> operations = List.of(BenchOperation.BARRIER, BenchOperation.REDUCE);
        return new Selection(operations, List.of(2), List.of(8L), List.of("tcp", "relay"), null, iterations);
    }

    private static ProcessHandle workerOver(String transport) {
        return new EnvironmentMark("ZIP_TRANSPORT", transport)
                .bearers()
                .filter(process ->
                        process.parent().filter(ProcessHandle.current()::equals).isPresent())
                .findAny()
                .orElseThrow();
    }

    private static ProcessHandle anyWorker() {
        return ProcessHandle.current()
                .children()
                .filter(ProcessHandle::isAlive)
                .findAny()
                .orElseThrow();
    }

    private static void freeze(ProcessHandle process) {
        try {
            new ProcessBuilder("kill", "-STOP", Long.toString(process.pid()))
                    .start()
                    .waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
