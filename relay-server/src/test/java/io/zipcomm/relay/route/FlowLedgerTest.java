package io.zipcomm.relay.route;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** What the ledger costs; what it forbids is in the tests of whole relays. */
final class FlowLedgerTest {

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** One rank could have the ledger of all flows made, by the square of the ranks, and nobody would have sent a byte. */
    @Test
    void shouldTakeNoMemoryForSourcesThatSendNothing() {
        int size = 1024;
        FlowLedger ledger = new FlowLedger(size, 1 << 20);
        long before = THREADS.getCurrentThreadAllocatedBytes();
        for (int source = 1; source < size; source++) {
            assertNull(ledger.taken(source, 0, 0));
            assertEquals(0, ledger.taken(source, 0));
            assertEquals(0, ledger.flowsFrom(source));
        }
        long bytes = THREADS.getCurrentThreadAllocatedBytes() - before;
        assertTrue(bytes < 1 << 20, bytes + " bytes were allocated");
        for (long credit : new long[] {1, -1}) {
            assertEquals(
                    "flow from rank 1 to rank 0: destination says that it took " + credit
                            + " bytes, of 0 sent and after 0",
                    ledger.taken(1, 0, credit));
        }
        assertNull(ledger.sent(1, 0, 64));
        assertNull(ledger.taken(1, 0, 64));
        assertEquals(64, ledger.taken(1, 0));
        assertEquals(1, ledger.flowsFrom(1));
    }
}
