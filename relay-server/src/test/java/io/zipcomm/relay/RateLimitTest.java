package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.relay.route.RateLimit;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Rates that change, on a clock of their own. */
final class RateLimitTest {

    private static final long SECOND_NS = TimeUnit.SECONDS.toNanos(1);

    /** A limit without a burst to which 100 came in its first second, ten times as much as may. */
    private static RateLimit indebted() {
        RateLimit limit = new RateLimit(10, 0, 0);
        assertEquals(10 * SECOND_NS, limit.take(100, 0));
        assertEquals(9 * SECOND_NS, limit.waitNs(SECOND_NS));
        return limit;
    }

    @Test
    void shouldPayDebtsAtTheNewRate() {
        RateLimit raised = indebted();
        raised.perSecond(90, SECOND_NS);
        assertEquals(SECOND_NS, raised.waitNs(SECOND_NS));
        // Once: the same rate again changes nothing.
        raised.perSecond(90, SECOND_NS);
        assertEquals(SECOND_NS, raised.waitNs(SECOND_NS));
        RateLimit lowered = indebted();
        lowered.perSecond(1, SECOND_NS);
        assertEquals(90 * SECOND_NS, lowered.waitNs(SECOND_NS));
    }

    @Test
    void shouldForgiveDebtsWithoutALimit() {
        RateLimit lifted = indebted();
        lifted.perSecond(0, SECOND_NS);
        assertEquals(0, lifted.waitNs(SECOND_NS));
        lifted.perSecond(10, SECOND_NS);
        assertEquals(0, lifted.waitNs(SECOND_NS));
        assertTrue(lifted.tryTake(0, SECOND_NS));
    }

    @Test
    void shouldNotOverflowWhenALargeDebtGrows() {
        RateLimit limit = new RateLimit(Long.MAX_VALUE, 0, 0);
        limit.take(Long.MAX_VALUE, 0);
        limit.perSecond(1, 0);
        assertEquals(TimeUnit.DAYS.toNanos(365), limit.waitNs(0));
    }
}
