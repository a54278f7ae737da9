package io.zipcomm.bench.worker;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class RestTest {

    private static final long WORK_NS = TimeUnit.MILLISECONDS.toNanos(500);

    /** As a compiler would. */
    private final AtomicLong leftNs = new AtomicLong(WORK_NS);

    private void work() {
        long nowNs = System.nanoTime();
        while (leftNs.get() > 0) {
            long beforeNs = nowNs;
            nowNs = System.nanoTime();
            leftNs.addAndGet(beforeNs - nowNs);
        }
        leftNs.set(0);
    }

    @Test
    void shouldSleepWhileAnotherThreadWorks() throws InterruptedException {
        Thread worker = new Thread(this::work);
        worker.start();
        Rest.untilIdle();
        assertTrue(leftNs.get() <= 0, () -> leftNs + " ns of work left");
        worker.join();
    }
}
