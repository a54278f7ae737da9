package io.zipcomm.collectives.allgather;

import io.zipcomm.collectives.pattern.Dissemination;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.Memory;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * Pairwise all-gather: each rank sends its block straight to each other. Blocks may differ in length and lie anywhere in the
 * target.
 *
 * <p>Rounds 1; bytes sent per rank P-1 times its block, (P-1)/P M if all have one length; no scratch.
 *
 * <p>Wins where ranks share memory: each places its block there once, and the others read it from there; no block is passed on.
 * Elsewhere see {@link DoublingAllGather} and {@link RingAllGather}.
 *
 * <p>Source: Graham, Shipman, "MPI support for multi-core architectures: optimized shared memory collectives", 2008.
 */
public final class PairwiseAllGather implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        Dissemination pattern = new Dissemination(shape.rank(), shape.size());
        Extent own = Extent.source(shape.bytes());
        for (int distance = 1; distance < shape.size(); distance++) {
            int from = pattern.before(distance);
            plan.send(pattern.after(distance), own);
            plan.receive(from, shape.blocks().block(Memory.TARGET, from));
        }
        plan.copy(own, shape.blocks().block(Memory.TARGET, shape.rank()));
    }
}
