package io.zipcomm.collectives.reduce;

import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * Reduce in the relay: all send it their data, it combines them in rank order, part by part as they come, and sends the root
 * the result.
 *
 * <p>Rounds 1; bytes sent per rank M; no scratch. Through the relay go P M in and M out, where every other algorithm has
 * (P-1) M both ways.
 *
 * <p>Wins wherever all messages go through the relay anyway and the relay may see the data.
 */
public final class RelayReduce implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        Extent own = Extent.source(shape.bytes());
        Extent result = Extent.target(shape.bytes());
        if (shape.size() > 1) {
            plan.relayReduce(shape.root(), own, result);
        } else {
            plan.copy(own, result);
        }
    }
}
