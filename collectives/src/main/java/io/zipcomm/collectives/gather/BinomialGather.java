package io.zipcomm.collectives.gather;

import io.zipcomm.collectives.pattern.BinomialTree;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.Memory;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * Binomial-tree gather: each rank collects the blocks of its subtree and sends them to its parent in one message.
 *
 * <p>Rounds floor(log2 P); the root receives (P-1)/P M bytes in ceil(log2 P) messages; a rank with a subtree of n sends n
 * blocks and receives n - 1; scratch n blocks on ranks that are neither root nor leaf, and on the root those of the one
 * child whose blocks do not follow each other.
 *
 * <p>Wins for small M; for large M see {@link LinearGather}.
 *
 * <p>Source: Chan, Heimlich, Purkayastha, van de Geijn, "Collective communication: theory, practice, and experience", 2007.
 */
public final class BinomialGather implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        BinomialTree tree = new BinomialTree(shape.vrank(), shape.size());
        if (tree.isRoot()) {
            root(shape, tree, plan);
        } else if (tree.children() == 0) {
            plan.send(shape.rankOf(tree.parent()), Extent.source(shape.bytes()));
        } else {
            inner(shape, tree, plan);
        }
    }

    private static void root(Shape shape, BinomialTree tree, PlanBuilder plan) {
        for (int i = 0; i < tree.children(); i++) {
            int first = shape.rankOf(tree.child(i));
            int end = first + tree.childSubtree(i);
            if (end <= shape.size()) {
                plan.receive(first, blocks(shape, first, end));
            } else {
                receiveJoined(shape, first, end, plan);
            }
        }
        plan.copy(Extent.source(shape.bytes()), blocks(shape, shape.rank(), shape.rank() + 1));
    }

    /** Receives blocks up to the last rank's and from the first rank's on, side by side. */
    private static void receiveJoined(Shape shape, int first, int end, PlanBuilder plan) {
        Extent upper = blocks(shape, first, shape.size());
        Extent lower = blocks(shape, 0, end - shape.size());
        Extent joined = plan.scratch(upper.bytes() + lower.bytes());
        plan.receive(first, joined);
        plan.copy(joined.part(0, upper.bytes()), upper);
        plan.copy(joined.part(upper.bytes(), lower.bytes()), lower);
    }

    private static Extent blocks(Shape shape, int first, int end) {
        return shape.blocks().range(Memory.TARGET, first, end);
    }

    private static void inner(Shape shape, BinomialTree tree, PlanBuilder plan) {
        long blockBytes = shape.bytes();
        Extent subtree = plan.scratch(tree.subtree() * blockBytes);
        plan.copy(Extent.source(blockBytes), subtree.part(0, blockBytes));
        for (int i = 0; i < tree.children(); i++) {
            int child = tree.child(i);
            Extent part = subtree.part((child - tree.vrank()) * blockBytes, tree.childSubtree(i) * blockBytes);
            plan.receive(shape.rankOf(child), part);
        }
        plan.send(shape.rankOf(tree.parent()), subtree);
    }
}
