package io.zipcomm.bench.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class CalmTest {

    private static final long LIMIT_NS = 20_000_000;
    private static final long PLENTY_NS = 60_000_000_000L;

    @Test
    void shouldReadHowManyThreadsRun() {
        assertEquals(2, Calm.threads("0.64 1.90 2.22 2/345 6789\n"));
        assertEquals(-1, Calm.threads("0.64 1.90"));
        assertEquals(-1, Calm.threads(""));
    }

    @Test
    void shouldWaitUntilNobodyElseHasRunForSomeLooks() throws InterruptedException {
        AtomicInteger looks = new AtomicInteger();
        // Somebody runs at the first look, and once more when it has been calm for a while.
        Calm calm = Calm.of(() -> looks.incrementAndGet() == 1 || looks.get() == Calm.LOOKS ? 3 : 1, PLENTY_NS);
        assertTrue(calm.await());
        assertEquals(2 * Calm.LOOKS, looks.get());
    }

    @Test
    void shouldGiveUpWhereSomebodyAlwaysRuns() throws InterruptedException {
        long beganNs = System.nanoTime();
        assertFalse(Calm.of(() -> 2, LIMIT_NS).await());
        assertTrue(System.nanoTime() - beganNs >= LIMIT_NS);
    }

    @Test
    void shouldNotWaitWhereNobodyKnows() throws InterruptedException {
        AtomicInteger looks = new AtomicInteger();
        assertTrue(Calm.of(
                        () -> {
                            looks.incrementAndGet();
                            return -1;
                        },
                        PLENTY_NS)
                .await());
        assertEquals(1, looks.get());
    }
}
