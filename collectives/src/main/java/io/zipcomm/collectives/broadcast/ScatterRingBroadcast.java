package io.zipcomm.collectives.broadcast;

import io.zipcomm.collectives.pattern.BinomialTree;
import io.zipcomm.collectives.pattern.Ring;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Blocks;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.Memory;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * Scatter by a binomial tree, then all-gather round a ring, in segments.
 *
 * <p>Rounds floor(log2 P) + P - 1; every rank sends (P-1)/P M bytes in the ring, the root at least (P-1)/P M before that; no
 * scratch.
 *
 * <p>Wins for middling M and many ranks, where a chain takes long to fill: see {@link ChainBroadcast}.
 *
 * <p>Source: Barnett, Gupta, Payne, Shuler, van de Geijn, Watts, "Interprocessor collective communication library", 1994.
 */
public final class ScatterRingBroadcast implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        BinomialTree tree = new BinomialTree(shape.vrank(), shape.size());
        Blocks chunks = Blocks.divide(shape.bytes(), shape.unitBytes(), shape.size());
        scatter(shape, tree, chunks, plan);
        gather(shape, chunks, plan);
    }

    /** Each rank ends up with the chunks of its subtree, though only its own is needed. */
    private static void scatter(Shape shape, BinomialTree tree, Blocks chunks, PlanBuilder plan) {
        if (!tree.isRoot()) {
            Extent subtree = chunks.range(Memory.TARGET, tree.vrank(), tree.vrank() + tree.subtree());
            plan.receive(shape.rankOf(tree.parent()), subtree);
        }
        for (int i = tree.children() - 1; i >= 0; i--) {
            int child = tree.child(i);
            plan.send(shape.rankOf(child), chunks.range(Memory.TARGET, child, child + tree.childSubtree(i)));
        }
    }

    private static void gather(Shape shape, Blocks chunks, PlanBuilder plan) {
        Ring ring = new Ring(shape.vrank(), shape.size());
        int next = shape.rankOf(ring.next());
        int previous = shape.rankOf(ring.previous());
        for (int step = 0; step < ring.steps(); step++) {
            plan.sendSegments(next, chunks.block(Memory.TARGET, ring.gatheredSent(step)));
            plan.receiveSegments(previous, chunks.block(Memory.TARGET, ring.gatheredReceived(step)));
        }
    }
}
