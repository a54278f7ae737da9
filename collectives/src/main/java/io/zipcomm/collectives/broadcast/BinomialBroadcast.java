package io.zipcomm.collectives.broadcast;

import io.zipcomm.collectives.pattern.BinomialTree;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * Binomial-tree broadcast: who has the message passes it on, to the child with the largest subtree first.
 *
 * <p>Rounds floor(log2 P), messages of one rank to several not counted; the root sends ceil(log2 P) M bytes, a rank with n children n M; P - 1 messages in all; no
 * scratch.
 *
 * <p>Wins for small M; for large M see {@link ChainBroadcast}.
 *
 * <p>Source: Chan, Heimlich, Purkayastha, van de Geijn, "Collective communication: theory, practice, and experience", 2007.
 */
public final class BinomialBroadcast implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        BinomialTree tree = new BinomialTree(shape.vrank(), shape.size());
        Extent message = Extent.target(shape.bytes());
        if (!tree.isRoot()) {
            plan.receive(shape.rankOf(tree.parent()), message);
        }
        for (int i = tree.children() - 1; i >= 0; i--) {
            plan.send(shape.rankOf(tree.child(i)), message);
        }
    }
}
