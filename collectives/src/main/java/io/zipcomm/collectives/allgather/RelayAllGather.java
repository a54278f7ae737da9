package io.zipcomm.collectives.allgather;

import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.Memory;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * All-gather by the relay: each rank sends it one copy of its block, which it sends to all others.
 *
 * <p>Rounds P/8, 8 ranks at a time; bytes sent per rank its block; no scratch. Through the relay go M in and (P-1) M out, where {@link
 * RingAllGather} has (P-1) M both ways.
 *
 * <p>Wins wherever all messages go through the relay anyway and there are more than two ranks.
 */
public final class RelayAllGather implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        plan.copy(Extent.source(shape.bytes()), shape.blocks().block(Memory.TARGET, shape.rank()));
        for (int root = 0; root < shape.size() && shape.size() > 1; root++) {
            plan.relayMulticast(root, shape.blocks().block(Memory.TARGET, root));
        }
    }
}
