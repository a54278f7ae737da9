package io.zipcomm.collectives.allreduce;

import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * All-reduce in the relay: all send it their data, it combines them in rank order, part by part as they come, and sends all
 * the result.
 *
 * <p>Rounds 1; bytes sent per rank M; no scratch. Through the relay go P M both ways, where {@link RingAllReduce} has 2(P-1) M.
 * The order of additions is that of the ranks, so all get the same bits.
 *
 * <p>Wins wherever all messages go through the relay anyway and the relay may see the data.
 *
 * <p>Source: Graham et al., "Scalable hierarchical aggregation protocol (SHArP)", 2016, for switches.
 */
public final class RelayAllReduce implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        Extent own = Extent.source(shape.bytes());
        Extent result = Extent.target(shape.bytes());
        if (shape.size() > 1) {
            plan.relayAllReduce(own, result);
        } else {
            plan.copy(own, result);
        }
    }
}
