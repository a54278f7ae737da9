package io.zipcomm.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What ranks take of a memory that may be small. */
final class MemoryBudgetTest {

    private static final long MIB = 1 << 20;

    /** What a container has by default. */
    private static final long SMALL = 64 * MIB;

    private static final int TERM_BYTES_MIN = 64 << 10;

    @ParameterizedTest
    @CsvSource({"2,16,1048576", "8,37,65536", "13,24,65536"})
    void shouldFitIntoWhatAContainerHas(int ranks, int slots, int termBytes) {
        assertEquals(Optional.empty(), MemoryBudget.problem(SMALL, ranks));
        MemoryBudget budget = MemoryBudget.of(SMALL, ranks);
        assertEquals(new MemoryBudget(slots, termBytes), budget);
        assertTrue(budget.totalBytes(ranks) <= SMALL, budget.totalBytes(ranks) + " bytes");
    }

    @Test
    void shouldRefuseWithSizesWhereEachPairCannotHaveItsShare() {
        String problem = MemoryBudget.problem(SMALL, 16).orElseThrow();
        assertEquals("65536 KiB are free, 16 ranks need 90112 KiB at least", problem);
        assertTrue(MemoryBudget.problem(SMALL, 14).isPresent());
        assertTrue(MemoryBudget.problem(4 * MIB, 2).isPresent());
        assertTrue(MemoryBudget.problem(0, 2).isPresent());
    }

    @Test
    void shouldNeverTakeMoreThanIsFreeIfThatIsAllowed() {
        for (int ranks = 2; ranks <= 64; ranks++) {
            int allowed = 0;
            for (long free = 0; free <= 4096 * MIB; free += free < 128 * MIB ? MIB / 4 : 16 * MIB) {
                MemoryBudget budget = MemoryBudget.of(free, ranks);
                boolean isAllowed = MemoryBudget.problem(free, ranks).isEmpty();
                String what = ranks + " ranks, " + free + " bytes: " + budget;
                assertTrue(!isAllowed || budget.totalBytes(ranks) <= free, what);
                assertTrue(isAllowed || allowed == 0, "allowed with less: " + what);
                allowed += isAllowed ? 1 : 0;
            }
            assertTrue(allowed > 0, ranks + " ranks");
        }
    }

    @Test
    void shouldDrawTheLineWhereTheLeastOfAllFits() {
        for (int ranks = 2; ranks <= 32; ranks++) {
            long needed = new MemoryBudget(2 * (ranks - 1), TERM_BYTES_MIN).totalBytes(ranks);
            assertTrue(MemoryBudget.problem(needed - 1, ranks).isPresent());
            assertEquals(Optional.empty(), MemoryBudget.problem(needed, ranks));
            assertEquals(
                    new MemoryBudget(2 * (ranks - 1), TERM_BYTES_MIN),
                    MemoryBudget.of(needed, ranks),
                    ranks + " ranks");
        }
    }

    /** Another driver and its streams, while those of the first are still read. */
    @ParameterizedTest
    @CsvSource({"2", "4", "8", "9"})
    void shouldLeaveRoomForAnotherDriverInWhatAContainerHas(int ranks) {
        MemoryBudget budget = MemoryBudget.of(SMALL, ranks);
        long streams = (ranks - 1L) * ranks * (3L * budget.termBytes() + 4096);
        long left = SMALL - budget.totalBytes(ranks);
        assertTrue(left >= MemoryBudget.DRIVER_BYTES + streams, ranks + " ranks: " + budget + " leaves " + left);
    }

    @Test
    void shouldGiveAReaderAShareOfTheSlots() {
        assertEquals(16, MemoryBudget.of(1L << 34, 2).slotsForReader(2));
        assertEquals(16, new MemoryBudget(128, TERM_BYTES_MIN).slotsForReader(8));
        assertEquals(7, new MemoryBudget(51, TERM_BYTES_MIN).slotsForReader(8));
        assertEquals(2, new MemoryBudget(14, TERM_BYTES_MIN).slotsForReader(8));
    }

    @Test
    void shouldTakeNoMoreThanIsUseful() {
        MemoryBudget budget = MemoryBudget.of(1L << 40, 4);
        assertEquals(new MemoryBudget(48, 1 << 20), budget);
    }
}
