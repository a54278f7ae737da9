package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The token under contention: one holder, the oldest first, nobody forgotten, nothing allocated. */
final class EngineTokenTest {

    private static final int THREADS = 6;
    private static final int TURNS = 5 * EngineToken.PLACES;
    private static final long PATIENCE_SECONDS = 60;

    private final EngineToken token = new EngineToken();
    private int inside; // guarded by the token
    private long turns; // guarded by the token

    private interface Body {
        void run() throws Exception;
    }

    private static void together(int threads, Body body) throws Exception {
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        try {
            List<Future<?>> ends = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                ends.add(executor.submit(() -> {
                    body.run();
                    return null;
                }));
            }
            for (Future<?> end : ends) {
                end.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            }
        } finally {
            executor.shutdownNow();
        }
    }

    private void turn() {
        inside++;
        assertEquals(1, inside);
        assertTrue(token.isHeld());
        turns++;
        inside--;
        token.release();
    }

    @Test
    void shouldHaveOneHolderAtATimeAndForgetNobody() throws Exception {
        together(THREADS, () -> {
            for (int i = 0; i < TURNS; i++) {
                if (i % 3 != 0 || !token.tryAcquire()) {
                    token.acquire(() -> {});
                }
                turn();
            }
        });
        assertEquals((long) THREADS * TURNS, turns);
        assertFalse(token.isContended());
        assertTrue(token.tryAcquire());
    }

    @Test
    void shouldServeTheOldestFirstAndLetNobodyOvertake() throws Exception {
        List<Integer> served = new ArrayList<>(); // guarded by the token
        List<Thread> waiting = new ArrayList<>();
        token.acquire(() -> {});
        for (int i = 0; i < THREADS; i++) {
            int number = i;
            Thread thread = new Thread(() -> {
                token.acquire(() -> {});
                served.add(number);
                token.release();
            });
            waiting.add(thread);
            thread.start();
            while (thread.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
            assertTrue(token.isContended());
            assertFalse(token.tryAcquire());
        }
        token.release();
        for (Thread thread : waiting) {
            thread.join(PATIENCE_SECONDS * 1000);
        }
        assertEquals(List.of(0, 1, 2, 3, 4, 5), served);
    }

    @Test
    void shouldKeepAnInterruptForAfterwards() throws Exception {
        token.acquire(() -> {});
        boolean[] seen = new boolean[2];
        Thread thread = new Thread(() -> {
            token.acquire(() -> {});
            seen[0] = token.isHeld();
            seen[1] = Thread.interrupted();
            token.release();
        });
        thread.start();
        while (!token.isContended()) {
            Thread.onSpinWait();
        }
        thread.interrupt();
        token.release();
        thread.join(PATIENCE_SECONDS * 1000);
        assertTrue(seen[0]);
        assertTrue(seen[1]);
    }

    @Test
    void shouldAllocateNothingForThreadsThatWait() throws Exception {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        together(2, () -> {
            long least = Long.MAX_VALUE;
            for (int part = 0; part < 5; part++) {
                long before = threads.getCurrentThreadAllocatedBytes();
                for (int i = 0; i < TURNS; i++) {
                    token.acquire(() -> {});
                    token.release();
                }
                least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
            }
            assertEquals(0, least);
        });
    }
}
