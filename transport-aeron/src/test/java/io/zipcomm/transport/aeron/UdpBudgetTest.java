package io.zipcomm.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.membership.GroupView;
import io.zipcomm.testkit.DirectWiring;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What streams over UDP take of a memory that may be small. */
final class UdpBudgetTest {

    private static final long MIB = 1 << 20;
    private static final int RECEIVE_BYTES = 2 << 20;
    private static final int TERMS = 3;
    private static final int MTUS_PER_TERM = 8;

    @Test
    void shouldTakeNoMoreThanIsUseful() {
        UdpBudget budget = UdpBudget.of(1L << 40, RECEIVE_BYTES, 3);
        assertEquals(UdpBudget.TERM_BYTES_MAX, budget.termBytes());
        assertEquals(256 << 10, budget.windowBytes());
        assertEquals(RECEIVE_BYTES, budget.receiveBytes());
        assertEquals(1408, budget.remoteMtuBytes());
        assertEquals(65504, budget.localMtuBytes());
    }

    @Test
    void shouldFitIntoWhatIsFreeIfThereAreFewPeers() {
        for (int ranks = 2; ranks <= 64; ranks++) {
            long needed = 8 * MIB + 4L * TERMS * (ranks - 1) * (128 << 10);
            for (long free = needed; free < 4096 * MIB; free += free / 7) {
                UdpBudget budget = UdpBudget.of(free, RECEIVE_BYTES, ranks);
                long streams = 2L * (ranks - 1) * TERMS * budget.termBytes();
                assertTrue(8 * MIB + streams <= free, ranks + " ranks, " + free + " bytes: " + budget);
            }
        }
    }

    @Test
    void shouldKeepAeronsRules() {
        for (int receive = 64 << 10; receive <= RECEIVE_BYTES; receive *= 2) {
            for (int ranks = 2; ranks <= 1024; ranks *= 2) {
                for (long free = 9 * MIB; free < 1024 * MIB; free *= 2) {
                    UdpBudget budget = UdpBudget.of(free, receive, ranks);
                    String what = ranks + " ranks, " + free + " bytes: " + budget;
                    assertEquals(1, Integer.bitCount(budget.termBytes()), what);
                    assertTrue(budget.localMtuBytes() * MTUS_PER_TERM <= budget.termBytes(), what);
                    assertEquals(0, budget.localMtuBytes() % 32, what);
                    assertTrue(budget.windowBytes() <= budget.receiveBytes(), what);
                    assertTrue(budget.windowBytes() <= budget.termBytes() / 2, what);
                    assertTrue(budget.localMtuBytes() <= budget.windowBytes() / 2, what);
                }
            }
        }
    }

    @Test
    void shouldSayHowMuchIsMissing() {
        long needed = 8 * MIB + 6 * (128 << 10);
        assertEquals(Optional.empty(), UdpBudget.problem(needed));
        assertEquals(
                "8959 KiB are free, Aeron needs 8960 KiB at least",
                UdpBudget.problem(needed - 1).orElseThrow());
    }

    /** Those of other hosts take theirs elsewhere. */
    @Test
    void shouldShareWhatIsFreeAmongTheRanksOfAHost() {
        for (int here = 1; here <= 4; here++) {
            int ranks = here;
            GroupView view = DirectWiring.views(
                            7, Collections.nCopies(4, List.of()), rank -> rank < ranks ? "here" : "there")
                    .get(0);
            assertEquals(120 * MIB / ranks, UdpEndpoint.share(120 * MIB, 0, view));
            assertEquals(120 * MIB / ranks, UdpEndpoint.share(90 * MIB, 30 * MIB, view), "they have come before");
        }
    }
}
