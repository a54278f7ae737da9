package io.zipcomm.collectives.broadcast;

import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * Pipelined chain: the message travels in segments from rank to rank, each passing on one segment while it receives the
 * next.
 *
 * <p>Rounds P - 1 for the first segment, so that with S segments it takes P - 1 + S - 1 steps of M/S bytes; every rank but the last sends M bytes, every rank but the root
 * receives M; no scratch.
 *
 * <p>Wins for large M: the time is near M beta whatever P, as every connection carries the message once, both directions
 * of a rank at the same time. For small M see {@link BinomialBroadcast}.
 *
 * <p>Source: Watts, van de Geijn, "A pipelined broadcast for multidimensional meshes", 1995.
 */
public final class ChainBroadcast implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        int vrank = shape.vrank();
        for (Extent segment : Extent.target(shape.bytes()).segments(shape.segmentBytes())) {
            if (vrank > 0) {
                plan.receive(shape.rankOf(vrank - 1), segment);
            }
            if (vrank < shape.size() - 1) {
                plan.send(shape.rankOf(vrank + 1), segment);
            }
        }
    }
}
