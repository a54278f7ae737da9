package io.zipcomm.bench.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

final class CaseRunnerTest {

    private static final int BYTES = 64 << 20;
    private static final long LIMIT_NS = 10_000_000_000L;

    private static long directBytes() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
    }

    /** What a row does. */
    private static int useMemory() {
        return ByteBuffer.allocateDirect(BYTES).capacity();
    }

    @Test
    void shouldGiveBackTheMemoryOfALongRow() throws InterruptedException {
        long before = directBytes();
        assertEquals(BYTES, useMemory());
        CaseRunner.releaseMemory(BYTES);
        long deadlineNs = System.nanoTime() + LIMIT_NS;
        while (directBytes() >= before + BYTES && System.nanoTime() - deadlineNs < 0) {
            Thread.sleep(10);
        }
        assertTrue(directBytes() < before + BYTES, directBytes() + " bytes in direct buffers, " + before + " before");
    }
}
