package io.zipcomm.bench.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

final class BenchOperationTest {

    @ParameterizedTest
    @EnumSource(BenchOperation.class)
    void shouldBeFoundByItsLabel(BenchOperation operation) {
        assertEquals(operation, BenchOperation.of(operation.label()));
    }

    @Test
    void shouldListKnownNamesForUnknownOnes() {
        IllegalArgumentException problem =
                assertThrows(IllegalArgumentException.class, () -> BenchOperation.of("allgatherv"));
        assertEquals(
                "unknown operation 'allgatherv'; known: barrier, pingpong, broadcast, reduce, allreduce, scatter, gather,"
                        + " allgather, reducescatter, alltoall",
                problem.getMessage());
    }

    @ParameterizedTest
    @CsvSource({
        "ALLREDUCE,4,1.5",
        "ALLREDUCE,2,1",
        "ALLGATHER,4,0.75",
        "REDUCESCATTER,8,0.875",
        "ALLTOALL,2,0.5",
        "GATHER,4,0.75",
        "SCATTER,4,0.75",
        "BROADCAST,8,1",
        "REDUCE,3,1",
        "PINGPONG,2,2",
        "BARRIER,4,0",
        "ALLREDUCE,1,0"
    })
    void shouldCountBytesAsNcclTestsDo(BenchOperation operation, int ranks, double factor) {
        assertEquals(factor, operation.byteFactor(ranks), 1e-12);
    }

    @ParameterizedTest
    @CsvSource({"1,0", "2,1", "3,2", "4,2", "5,3", "8,3", "9,4"})
    void shouldNeedRoundsThatDoubleTheInformed(int ranks, int steps) {
        assertEquals(steps, BenchOperation.BROADCAST.latencySteps(ranks));
        assertEquals(steps, BenchOperation.BARRIER.latencySteps(ranks));
    }

    @Test
    void shouldKnowAlgorithmsOfCollectivesOnly() {
        assertTrue(BenchOperation.PINGPONG.algorithms().isEmpty());
        assertTrue(Arrays.stream(BenchOperation.values())
                .filter(BenchOperation::isCollective)
                .noneMatch(operation -> operation.algorithms().isEmpty()));
        assertTrue(BenchOperation.ALLREDUCE.algorithms().contains("ring"));
    }
}
