package io.zipcomm.bench.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.bench.plan.Baseline;
import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.report.Row;
import io.zipcomm.bench.worker.CaseOrder;
import io.zipcomm.bench.worker.CaseResult;
import io.zipcomm.bench.worker.RedisStyle;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The other systems, as a run has them: real processes. */
@Tag("once")
final class BaselinesTest {

    private static final long BUDGET_NS = 20_000_000;

    private static CaseOrder order(BenchOperation operation, long bytes, String algorithm) {
        return new CaseOrder(operation.label(), bytes, algorithm, 5, BUDGET_NS, false);
    }

    private static void assertRight(Collection<CaseResult> results, int ranks, String what) {
        assertEquals(ranks, results.size(), what);
        for (CaseResult result : results) {
            assertEquals("", result.mismatch(), what);
            assertEquals(result.rank() == 0 ? 5 : 0, result.times().count(), what);
            assertTrue(result.usage().peakMemoryBytes() > 1 << 20, what + ": " + result.usage());
            assertTrue(result.usage().cpuNs() >= 0, what + ": " + result.usage());
        }
    }

    @Test
    void shouldMeasureEveryOperationOfMpi() throws Exception {
        measureEveryOperationOfMpi(2);
    }

    /** They spin: on fewer cores than ranks each case waits for the scheduler. */
    @Test
    @Tag("long")
    void shouldMeasureEveryOperationOfMpiInALargerGroup() throws Exception {
        measureEveryOperationOfMpi(4);
    }

    private static void measureEveryOperationOfMpi(int ranks) throws Exception {
        String reason = MpiProgram.unavailability();
        assumeTrue(reason == null, reason);
        try (Baselines baselines = Baselines.open(List.of(Baseline.parse("mpi")))) {
            assertEquals(List.of(), baselines.absent());
            assertEquals(
                    List.of("mpi-tcp", "mpi-shm"),
                    baselines.factories().stream()
                            .map(factory -> factory.create(ranks).name())
                            .toList());
            for (ContestantFactory factory : baselines.factories()) {
                try (Contestant contestant = factory.create(ranks)) {
                    for (BenchOperation operation : BenchOperation.values()) {
                        for (long bytes : operation.hasBytes() ? new long[] {4, 4100, 1 << 18} : new long[] {0}) {
                            Collection<CaseResult> results =
                                    contestant.measure(order(operation, bytes, CaseOrder.AUTO));
                            assertRight(results, ranks, contestant.name() + " " + operation + " " + bytes);
                        }
                    }
                    contestant.end();
                }
            }
        }
    }

    @Test
    void shouldGiveUpAnMpiJobThatRefusesAnOrder() throws Exception {
        String reason = MpiProgram.unavailability();
        assumeTrue(reason == null, reason);
        Path folder;
        try (MpiProgram program = new MpiProgram();
                Contestant contestant = new MpiContestant(MpiContestant.Path.SHM, program, 2)) {
            contestant.start();
            folder = program.folder();
            CaseOrder nonsense = new CaseOrder("juggle 100%", 8, CaseOrder.AUTO, 1, BUDGET_NS, false);
            WorkerFailure e = assertThrows(WorkerFailure.class, () -> contestant.measure(nonsense));
            assertTrue(e.getMessage().contains("no such operation: juggle 100%"), e.getMessage());
        }
        assertFalse(Files.exists(folder), "the compiled program is still there");
    }

    @Test
    void shouldMeasureRedisInRealProcesses() throws Exception {
        String reason = RedisServer.unavailability();
        assumeTrue(reason == null, reason);
        try (Baselines baselines = Baselines.open(List.of(Baseline.parse("redis")))) {
            assertEquals(List.of(), baselines.absent());
            List<String> names = new ArrayList<>();
            for (ContestantFactory factory : baselines.factories()) {
                try (Contestant contestant = factory.create(2)) {
                    names.add(contestant.name());
                    assertRedisIsRight(contestant);
                    contestant.end();
                }
            }
            assertEquals(List.of("redis", "redis-tuned"), names);
            assertEquals(Baseline.Kind.REDIS.contestants(), names.size());
        }
    }

    private static void assertRedisIsRight(Contestant contestant) throws Exception {
        for (BenchOperation operation : List.of(BenchOperation.ALLREDUCE, BenchOperation.PINGPONG)) {
            for (String algorithm : contestant.algorithms(operation)) {
                for (long bytes : new long[] {8, 1 << 20}) {
                    Collection<CaseResult> results = contestant.measure(order(operation, bytes, algorithm));
                    String what = contestant.name() + ", " + operation + " by " + algorithm + " " + bytes;
                    assertRight(results, 2, what);
                    assertTrue(
                            results.stream()
                                    .allMatch(result -> result.algorithm().equals(algorithm)),
                            what);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldCompareTheLibraryWithEveryStyleOfRedis(RedisStyle style) {
        Row row = Row.failed(BenchOperation.BARRIER, style.label(), "counter", 2, 0);
        assertTrue(row.isBaseline(), row.toString());
    }

    @Test
    void shouldSayWhereNobodyAnswers() throws Exception {
        int unused;
        try (ServerSocket socket = new ServerSocket(0)) {
            unused = socket.getLocalPort();
        }
        String address = "redis://127.0.0.1:" + unused;
        try (Baselines baselines = Baselines.open(List.of(Baseline.parse(address)))) {
            assertEquals(List.of(), baselines.factories());
            String absent = baselines.absent().get(0);
            assertTrue(absent.contains("127.0.0.1:" + unused + " does not answer"), absent);
        }
    }
}
