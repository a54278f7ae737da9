package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.zipcomm.testkit.SimulatedGroup;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** What a call costs when it is made again and again. On one rank: what messages cost is the engine's affair. */
final class SteadyStateTest {

    private static final int CALLS = 10_000;

    /** Bytes that a call may leave behind, as {@link Collectives} says: a payload, a call, a shape, a key. */
    private static final int GARBAGE_PER_CALL_MAX = 512;

    @Test
    void shouldLeaveLittleGarbage() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (SimulatedGroup group = SimulatedGroup.of(1, 1)) {
            Collectives collectives = Collectives.of(group.communicator(0));
            float[] values = new float[1000];
            long before = 0;
            for (int i = 0; i < 2 * CALLS; i++) {
                if (i == CALLS) {
                    before = threads.getCurrentThreadAllocatedBytes();
                }
                collectives.allReduce(values, ReduceOp.SUM);
            }
            long perCall = (threads.getCurrentThreadAllocatedBytes() - before) / CALLS;
            assertTrue(perCall <= GARBAGE_PER_CALL_MAX, perCall + " bytes");
        }
    }
}
