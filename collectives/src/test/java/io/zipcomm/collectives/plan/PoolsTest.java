package io.zipcomm.collectives.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.collectives.CollectiveOperation;
import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.testkit.SimulatedGroup;
import org.junit.jupiter.api.Test;

/** What is kept from call to call, and how much of it. */
final class PoolsTest {

    private static Shape broadcast(long bytes) {
        return new Shape(CollectiveOperation.BROADCAST, 0, 2, 0, null, bytes, null, null, Shape.TWO_BUFFERS, 4096);
    }

    /** A plan of so many steps. */
    private static Algorithm sends(int steps) {
        return (shape, plan) -> {
            for (int i = 0; i < steps; i++) {
                plan.send(1, Extent.target(1));
            }
        };
    }

    @Test
    void shouldUseScratchAgain() {
        Scratch.Pool pool = new Scratch.Pool();
        Scratch first = pool.take(1000);
        pool.giveBack(first);
        assertEquals(1024, pool.keptBytes());
        assertSame(first, pool.take(1024));
        assertNotSame(first, pool.take(1025));
        assertSame(Scratch.NONE, pool.take(0));
    }

    @Test
    void shouldKeepBoundedScratch() {
        Scratch.Pool pool = new Scratch.Pool();
        pool.giveBack(pool.take(Scratch.Pool.KEPT_BYTES_MAX));
        assertEquals(Scratch.Pool.KEPT_BYTES_MAX, pool.keptBytes());
        pool.giveBack(pool.take(1 << 10));
        assertEquals(Scratch.Pool.KEPT_BYTES_MAX, pool.keptBytes());
    }

    @Test
    void shouldBuildAPlanOnce() {
        try (SimulatedGroup group = SimulatedGroup.of(2, 1)) {
            PlanCache cache = cache(group);
            Algorithm algorithm = sends(3);
            PlanCache.Lease lease = cache.take(algorithm, broadcast(1));
            PlanCache.Lease other = cache.take(algorithm, broadcast(1));
            assertNotSame(lease.execution(), other.execution());
            cache.giveBack(lease);
            assertSame(lease, cache.take(algorithm, broadcast(1)));
            assertEquals(1, cache.plans());
            cache.take(algorithm, broadcast(2));
            cache.take(sends(3), broadcast(1));
            assertEquals(3, cache.plans());
        }
    }

    @Test
    void shouldForgetWhatWasUsedLongestAgo() {
        try (SimulatedGroup group = SimulatedGroup.of(2, 1)) {
            PlanCache cache = cache(group);
            Algorithm algorithm = sends(1);
            PlanCache.Lease first = cache.take(algorithm, broadcast(0));
            cache.giveBack(first);
            for (int i = 1; i <= PlanCache.PLANS_MAX; i++) {
                cache.take(algorithm, broadcast(i));
                cache.giveBack(cache.take(algorithm, broadcast(0)));
            }
            assertEquals(PlanCache.PLANS_MAX, cache.plans());
            assertSame(first, cache.take(algorithm, broadcast(0)));
        }
    }

    @Test
    void shouldKeepABoundedNumberOfSteps() {
        try (SimulatedGroup group = SimulatedGroup.of(2, 1)) {
            PlanCache cache = cache(group);
            Algorithm large = sends(PlanCache.STEPS_MAX / 4);
            for (int i = 0; i < 10; i++) {
                cache.take(large, broadcast(i));
                assertTrue(cache.plans() <= 4);
            }
            // One that is too large all by itself works all the same.
            cache.take(sends(PlanCache.STEPS_MAX + 1), broadcast(1));
            assertEquals(1, cache.plans());
        }
    }

    private static PlanCache cache(SimulatedGroup group) {
        return new PlanCache(GroupCommunicator.of(group.communicator(0)), new Workspace());
    }
}
