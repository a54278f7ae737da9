package io.zipcomm.collectives.gather;

import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Memory;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Region;
import io.zipcomm.collectives.plan.Shape;

/**
 * Linear gather: each rank sends the root its block; the root asks for {@value #CONCURRENT} at a time, so that large
 * blocks do not all arrive at once. Blocks may differ in length, and only the root need know all lengths.
 *
 * <p>Steps 1 on each rank but the root, which receives P - 1 messages, (P-1)/P M bytes in all; no scratch.
 *
 * <p>Wins for large blocks: none travels more than once. For small ones see {@link BinomialGather}.
 */
public final class LinearGather implements Algorithm {

    /** Blocks on their way at once. */
    static final int CONCURRENT = 8;

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        if (shape.vrank() > 0) {
            plan.send(shape.root(), Region.source(shape.bytes()));
            return;
        }
        plan.pace(CONCURRENT);
        for (int vrank = 1; vrank < shape.size(); vrank++) {
            int peer = shape.rankOf(vrank);
            plan.receive(peer, shape.blocks().block(Memory.TARGET, peer));
        }
        plan.copy(Region.source(shape.bytes()), shape.blocks().block(Memory.TARGET, shape.rank()));
    }
}
