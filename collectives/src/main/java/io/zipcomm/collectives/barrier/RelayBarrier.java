package io.zipcomm.collectives.barrier;

import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * Barrier by the relay, which tells all when all have come: an all-reduce of nothing.
 *
 * <p>Rounds 1; no scratch.
 */
public final class RelayBarrier implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        if (shape.size() > 1) {
            plan.relayAllReduce(Extent.source(0), Extent.target(0));
        }
    }
}
