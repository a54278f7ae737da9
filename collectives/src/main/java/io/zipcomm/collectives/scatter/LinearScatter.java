package io.zipcomm.collectives.scatter;

import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.Memory;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * Linear scatter: the root sends each rank its block, {@value #CONCURRENT} at a time. Blocks may differ in length, and
 * only the root need know all lengths.
 *
 * <p>Steps 1 on each rank but the root, which sends P - 1 messages, (P-1)/P M bytes in all; no scratch.
 *
 * <p>Wins for large blocks: none travels more than once. For small ones see {@link BinomialScatter}.
 */
public final class LinearScatter implements Algorithm {

    /** Blocks on their way at once. */
    static final int CONCURRENT = 8;

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        if (shape.vrank() > 0) {
            plan.receive(shape.root(), Extent.target(shape.bytes()));
            return;
        }
        plan.pace(CONCURRENT);
        for (int vrank = 1; vrank < shape.size(); vrank++) {
            int peer = shape.rankOf(vrank);
            plan.send(peer, shape.blocks().block(Memory.SOURCE, peer));
        }
        plan.copy(shape.blocks().block(Memory.SOURCE, shape.rank()), Extent.target(shape.bytes()));
    }
}
