package io.zipcomm.collectives.reduce;

import io.zipcomm.collectives.pattern.BinomialTree;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * Binomial-tree reduce: each rank combines its own data with that of its children's subtrees, smallest first, and sends
 * the result to its parent.
 *
 * <p>Rounds ceil(log2 P); every rank but the root sends M bytes; the root receives ceil(log2 P) M; scratch M on ranks that
 * are neither root nor leaf.
 *
 * <p>Wins for small M; for large M see {@link ChainReduce}.
 *
 * <p>Source: Chan, Heimlich, Purkayastha, van de Geijn, "Collective communication: theory, practice, and experience", 2007.
 */
public final class BinomialReduce implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        BinomialTree tree = new BinomialTree(shape.vrank(), shape.size());
        Extent own = Extent.source(shape.bytes());
        if (shape.size() == 1) {
            plan.copy(own, Extent.target(shape.bytes()));
            return;
        }
        Extent sum = own;
        if (tree.children() > 0) {
            Extent result = tree.isRoot() ? Extent.target(shape.bytes()) : plan.scratch(shape.bytes());
            for (int i = 0; i < tree.children(); i++) {
                boolean last = tree.isRoot() && i == tree.children() - 1;
                plan.receiveReduce(shape.rankOf(tree.child(i)), sum, result, last);
                sum = result;
            }
        }
        if (!tree.isRoot()) {
            plan.send(shape.rankOf(tree.parent()), sum);
        }
    }
}
