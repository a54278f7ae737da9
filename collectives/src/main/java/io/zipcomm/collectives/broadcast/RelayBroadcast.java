package io.zipcomm.collectives.broadcast;

import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * Broadcast by the relay: the root sends it one copy, which it sends to all others, part by part as they come.
 *
 * <p>Rounds 1; the root sends M; no scratch. Through the relay go M in and (P-1) M out, where every other algorithm has
 * (P-1) M both ways.
 *
 * <p>Wins wherever all messages go through the relay anyway and there are more than two ranks.
 */
public final class RelayBroadcast implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        if (shape.size() > 1) {
            plan.relayMulticast(shape.root(), Extent.target(shape.bytes()));
        }
    }
}
