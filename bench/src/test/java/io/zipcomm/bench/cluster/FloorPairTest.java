package io.zipcomm.bench.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.Means;
import io.zipcomm.bench.worker.CaseOrder;
import io.zipcomm.bench.worker.FloorWorker;
import io.zipcomm.bench.worker.StreamExercise;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Real processes. */
@Tag("once")
final class FloorPairTest {

    private static final long BUDGET_NS = 20_000_000;

    private static CaseOrder order(String operation, long bytes) {
        return new CaseOrder(operation, bytes, CaseOrder.AUTO, 5, BUDGET_NS, false);
    }

    @ParameterizedTest
    @EnumSource
    void shouldMeasureRoundTripsAndStreams(Means means) throws Exception {
        try (FloorPair pair = new FloorPair(means)) {
            assertEquals(List.of(means.floor()), pair.algorithms(BenchOperation.PINGPONG));
            assertEquals(List.of(), pair.algorithms(BenchOperation.ALLREDUCE));
            List<CaseOrder> orders = List.of(
                    order(BenchOperation.PINGPONG.label(), 8),
                    order(BenchOperation.PINGPONG.label(), 1_000_003),
                    order(CaseOrder.STREAM, StreamExercise.BYTES),
                    order(FloorWorker.COPY, 1 << 20),
                    order(FloorWorker.ADD, 1 << 20));
            for (CaseOrder order : orders) {
                Slices slices = new Slices();
                slices.add(pair.measure(order));
                assertEquals(List.of(), slices.mismatches(), order.toString());
                assertEquals(5, slices.iterations(), order.toString());
                assertEquals(means.floor(), slices.algorithm());
            }
        }
    }

    @Test
    void shouldRemoveTheFileThatNobodyCameFor() throws Exception {
        GroupEnvironment environment = new GroupEnvironment("", GroupEnvironment.randomSession("floor"), 1, "tcp", "");
        List<String> command = ChildJvm.command(ChildJvm.flags(), FloorWorker.class, "1", Means.SHARED_MEMORY.floor());
        Path file;
        try (WorkerGroup alone = WorkerGroup.start(environment, List.of(command))) {
            // To the harness the only process is rank 0, whatever it says of itself.
            file = Path.of(alone.await(Set.of(0), FloorWorker.LISTENING, Duration.ofSeconds(20))
                    .get(0)
                    .text(FloorWorker.PLACE));
            assertTrue(Files.exists(file), file.toString());
        }
        assertFalse(Files.exists(file), file.toString());
    }

    /** Memory does not tell that nobody is there any more, as a socket does: the harness ends whoever spins. */
    @Test
    void shouldEndAPairThatLostAProcess() throws Exception {
        try (FloorPair pair = new FloorPair(Means.SHARED_MEMORY)) {
            Set<ProcessHandle> before = ProcessHandle.current().children().collect(Collectors.toSet());
            pair.start();
            ProcessHandle victim = ProcessHandle.current()
                    .children()
                    .filter(child -> !before.contains(child))
                    .findFirst()
                    .orElseThrow();
            victim.destroyForcibly();
            WorkerFailure failure =
                    assertThrows(WorkerFailure.class, () -> pair.measure(order(BenchOperation.PINGPONG.label(), 8)));
            assertTrue(failure.getMessage().contains("process ended with exit code 137"), failure.getMessage());
        }
    }
}
