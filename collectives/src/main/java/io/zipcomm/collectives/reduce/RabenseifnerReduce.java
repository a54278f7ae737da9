package io.zipcomm.collectives.reduce;

import io.zipcomm.collectives.pattern.Fold;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Blocks;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.Memory;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * Rabenseifner's reduce: reduce-scatter by recursive halving, then a gather up a binomial tree to the root. For numbers of
 * ranks that are not a power of two, the surplus ranks give their data to a neighbour first; the root is never one of
 * either.
 *
 * <p>With p the power of two, rounds 2 log2 p, and one more if P is not p. Bytes sent: by the root (p-1)/p M; by others up
 * to (p-1)/p M + M/2, and by surplus ranks M; the root receives 2(p-1)/p M. Scratch M on all ranks but the root.
 *
 * <p>Wins for middling M: half the bytes of {@link BinomialReduce} at the root of four ranks and less of more, and no
 * chain to fill as in {@link ChainReduce}.
 *
 * <p>Source: Rabenseifner, "Optimization of collective reduction operations", 2004.
 */
public final class RabenseifnerReduce implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        Extent own = Extent.source(shape.bytes());
        if (shape.size() == 1) {
            plan.copy(own, Extent.target(shape.bytes()));
            return;
        }
        // With the root last, it has neither a neighbour nor too high a number: there are more ranks in than out.
        Fold fold = new Fold(Math.floorMod(shape.vrank() - 1, shape.size()), shape.size());
        if (fold.isOut()) {
            plan.sendSegments(rankOf(shape, fold.neighbour()), own);
            return;
        }
        Memory sums = Memory.TARGET;
        if (shape.vrank() > 0) {
            sums = Memory.SCRATCH;
            plan.scratch(shape.bytes());
        }
        Memory from = Memory.SOURCE;
        if (fold.hasNeighbour()) {
            plan.receiveReduceSegments(rankOf(shape, fold.neighbour()), own, new Extent(sums, 0, shape.bytes()), false);
            from = sums;
        }
        Blocks chunks = Blocks.divide(shape.bytes(), shape.unitBytes(), fold.power());
        halve(shape, fold, chunks, from, sums, plan);
        gather(shape, fold, chunks, sums, plan);
    }

    /** The rank that the fold knows by a number of its own, in which the root is last. */
    private static int rankOf(Shape shape, int folded) {
        return shape.rankOf((folded + 1) % shape.size());
    }

    /** Exchanges halves of what is left with ranks at half the distance each time, down to one chunk. */
    private static void halve(Shape shape, Fold fold, Blocks chunks, Memory from, Memory sums, PlanBuilder plan) {
        Memory had = from;
        int first = 0;
        for (int distance = fold.power() / 2; distance > 0; distance /= 2) {
            int kept = first + (fold.number() & distance);
            int given = first + (~fold.number() & distance);
            int peer = rankOf(shape, fold.rankOf(fold.number() ^ distance));
            plan.sendSegments(peer, chunks.range(had, given, given + distance));
            plan.receiveReduceSegments(
                    peer,
                    chunks.range(had, kept, kept + distance),
                    chunks.range(sums, kept, kept + distance),
                    distance == 1);
            had = sums;
            first = kept;
        }
    }

    /** Towards the root, which has the last number: who is done at a distance gives all it has gathered. */
    private static void gather(Shape shape, Fold fold, Blocks chunks, Memory sums, PlanBuilder plan) {
        int toRoot = fold.number() ^ (fold.power() - 1);
        for (int distance = 1; distance < fold.power(); distance *= 2) {
            int mine = fold.number() & -distance;
            int theirs = mine ^ distance;
            int peer = rankOf(shape, fold.rankOf(fold.number() ^ distance));
            if ((toRoot & distance) != 0) {
                plan.sendSegments(peer, chunks.range(sums, mine, mine + distance));
                return;
            }
            plan.receiveSegments(peer, chunks.range(sums, theirs, theirs + distance));
        }
    }
}
