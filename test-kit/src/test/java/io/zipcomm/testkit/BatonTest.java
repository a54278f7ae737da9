package io.zipcomm.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class BatonTest {

    private static final int TURNS = 20_000;
    private static final long PLENTY_NS = TimeUnit.SECONDS.toNanos(50);

    private final Baton go = new Baton();
    private final Baton back = new Baton();
    private long turns; // handed over with the batons

    @Test
    void shouldLetOneRunAtATime() throws Exception {
        Thread other = start(() -> {
            for (int i = 0; i < TURNS; i++) {
                go.awaitUninterruptibly();
                turns++;
                // Longer than anyone stays awake, sometimes.
                if (i % 1000 == 0) {
                    pause(2);
                }
                back.pass();
            }
        });
        for (int i = 0; i < TURNS; i++) {
            assertEquals(2L * i, turns);
            turns++;
            go.pass();
            assertTrue(back.await(PLENTY_NS));
        }
        other.join();
    }

    @Test
    void shouldNotWaitLongerThanItMay() throws Exception {
        assertFalse(go.await(0));
        assertFalse(go.await(3_000_000));
        go.pass();
        assertTrue(go.await(0));
        assertFalse(go.await(0), "it was taken");
    }

    @Test
    void shouldEndWhenInterrupted() throws Exception {
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> go.await(PLENTY_NS));
        Thread main = Thread.currentThread();
        Thread other = start(() -> {
            awaitSleep(main);
            main.interrupt();
        });
        assertThrows(InterruptedException.class, () -> go.await(PLENTY_NS));
        other.join();
    }

    @Test
    void shouldStayInterruptedWhenItWaitsAllTheSame() throws Exception {
        Thread main = Thread.currentThread();
        Thread other = start(() -> {
            main.interrupt();
            awaitSleep(main);
            turns++;
            go.pass();
        });
        go.awaitUninterruptibly();
        assertTrue(Thread.interrupted());
        assertEquals(1, turns);
        other.join();
    }

    private static Thread start(Runnable task) {
        Thread thread = new Thread(task, "baton-test");
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private static void awaitSleep(Thread thread) {
        while (thread.getState() != Thread.State.TIMED_WAITING) {
            pause(1);
        }
    }

    private static void pause(long ms) {
        try {
            Thread.sleep(ms);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
