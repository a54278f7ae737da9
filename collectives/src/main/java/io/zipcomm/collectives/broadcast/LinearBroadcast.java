package io.zipcomm.collectives.broadcast;

import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * The root sends the whole message to each other rank.
 *
 * <p>Rounds 1; the root sends (P-1) M bytes, each other rank receives M; no scratch.
 *
 * <p>Wins where ranks share memory: the root places the message there once, and each rank reads it from there, so M bytes are
 * written and (P-1) M read. Elsewhere the root's connection carries everything: see {@link BinomialBroadcast} and
 * {@link ChainBroadcast}.
 *
 * <p>Source: Graham, Shipman, "MPI support for multi-core architectures: optimized shared memory collectives", 2008.
 */
public final class LinearBroadcast implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        Extent message = Extent.target(shape.bytes());
        if (shape.vrank() > 0) {
            plan.receive(shape.rankOf(0), message);
            return;
        }
        for (int vrank = 1; vrank < shape.size(); vrank++) {
            plan.send(shape.rankOf(vrank), message);
        }
    }
}
