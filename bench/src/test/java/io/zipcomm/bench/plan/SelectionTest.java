package io.zipcomm.bench.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

final class SelectionTest {

    private static Selection of(List<BenchOperation> operations, List<Integer> ranks, List<Long> bytes) {
        return new Selection(operations, ranks, bytes, List.of("tcp", "relay"), null, 0);
    }

    @Test
    void shouldMakeOneGroupForEachTransportAndSize() {
        Selection selection = of(Arrays.asList(BenchOperation.values()), List.of(4, 2), List.of(8L, 1024L));
        List<String> groups = selection.groups().stream()
                .map(group -> group.transport() + group.ranks())
                .toList();
        assertEquals(List.of("tcp2", "tcp4", "relay2", "relay4"), groups);
        assertEquals(4 * (1 + 9 * 2), selection.caseCount());
    }

    @Test
    void shouldMeasureOperationsWithoutDataOnce() {
        Selection selection = of(List.of(BenchOperation.BARRIER), List.of(2), List.of(8L, 1024L));
        assertEquals(1, selection.groups().get(0).cases().size());
        assertEquals(0, selection.groups().get(0).cases().get(0).bytes());
    }

    @Test
    void shouldLeaveOutPingPongOfOneRank() {
        Selection selection = of(List.of(BenchOperation.PINGPONG), List.of(1), List.of(8L));
        assertTrue(selection.groups().isEmpty());
    }

    @Test
    void shouldDropRepetitions() {
        Selection selection =
                of(List.of(BenchOperation.BARRIER, BenchOperation.BARRIER), List.of(2, 2), List.of(8L, 8L));
        assertEquals(2, selection.caseCount());
    }
}
