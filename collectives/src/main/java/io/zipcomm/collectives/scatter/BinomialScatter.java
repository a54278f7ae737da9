package io.zipcomm.collectives.scatter;

import io.zipcomm.collectives.pattern.BinomialTree;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.Memory;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * Binomial-tree scatter: each child gets the blocks of its subtree in one message, the largest subtree first.
 *
 * <p>Rounds floor(log2 P); the root sends (P-1)/P M bytes in ceil(log2 P) messages; a rank with a subtree of n receives n
 * blocks and sends n - 1; scratch n blocks on ranks that are neither root nor leaf, and on the root those of the one child
 * whose blocks do not follow each other.
 *
 * <p>Wins for small M; for large M see {@link LinearScatter}.
 *
 * <p>Source: Chan, Heimlich, Purkayastha, van de Geijn, "Collective communication: theory, practice, and experience", 2007.
 */
public final class BinomialScatter implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        BinomialTree tree = new BinomialTree(shape.vrank(), shape.size());
        if (tree.isRoot()) {
            root(shape, tree, plan);
        } else if (tree.children() == 0) {
            plan.receive(shape.rankOf(tree.parent()), Extent.target(shape.bytes()));
        } else {
            inner(shape, tree, plan);
        }
    }

    private static void root(Shape shape, BinomialTree tree, PlanBuilder plan) {
        for (int i = tree.children() - 1; i >= 0; i--) {
            int first = shape.rankOf(tree.child(i));
            int end = first + tree.childSubtree(i);
            plan.send(first, end <= shape.size() ? blocks(shape, first, end) : joined(shape, first, end, plan));
        }
        plan.copy(blocks(shape, shape.rank(), shape.rank() + 1), Extent.target(shape.bytes()));
    }

    /** Blocks up to the last rank's and from the first rank's on, side by side in scratch. */
    private static Extent joined(Shape shape, int first, int end, PlanBuilder plan) {
        Extent upper = blocks(shape, first, shape.size());
        Extent lower = blocks(shape, 0, end - shape.size());
        Extent joined = plan.scratch(upper.bytes() + lower.bytes());
        plan.copy(upper, joined.part(0, upper.bytes()));
        plan.copy(lower, joined.part(upper.bytes(), lower.bytes()));
        return joined;
    }

    private static Extent blocks(Shape shape, int first, int end) {
        return shape.blocks().range(Memory.SOURCE, first, end);
    }

    private static void inner(Shape shape, BinomialTree tree, PlanBuilder plan) {
        long blockBytes = shape.bytes();
        Extent subtree = plan.scratch(tree.subtree() * blockBytes);
        plan.receive(shape.rankOf(tree.parent()), subtree);
        for (int i = tree.children() - 1; i >= 0; i--) {
            int child = tree.child(i);
            Extent part = subtree.part((child - tree.vrank()) * blockBytes, tree.childSubtree(i) * blockBytes);
            plan.send(shape.rankOf(child), part);
        }
        plan.copy(subtree.part(0, blockBytes), Extent.target(blockBytes));
    }
}
