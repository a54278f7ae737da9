package io.zipcomm.collectives.allreduce;

import io.zipcomm.collectives.pattern.Fold;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Blocks;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.Memory;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * Rabenseifner's all-reduce: reduce-scatter by recursive halving, then all-gather by recursive doubling. For numbers of
 * ranks that are not a power of two, the surplus ranks give their data to a neighbour before and get the result after.
 *
 * <p>Steps 2 log2 P, or 2 floor(log2 P) + 2; with p the power of two, bytes sent per rank 2(p-1)/p M, surplus ranks M and
 * their neighbours M more; no scratch. Every chunk is finished on one rank, so all get the same bits.
 *
 * <p>Wins for middling M: fewer steps than {@link RingAllReduce}, fewer bytes than {@link DoublingAllReduce}.
 *
 * <p>Source: Rabenseifner, "Optimization of collective reduction operations", 2004.
 */
public final class RabenseifnerAllReduce implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        Extent own = Extent.source(shape.bytes());
        Extent result = Extent.target(shape.bytes());
        Fold fold = new Fold(shape.rank(), shape.size());
        if (shape.size() == 1) {
            plan.copy(own, result);
            return;
        }
        if (fold.isOut()) {
            plan.sendSegments(fold.neighbour(), own);
            plan.receiveSegments(fold.neighbour(), result);
            return;
        }
        Memory sums = Memory.SOURCE;
        if (fold.hasNeighbour()) {
            plan.receiveReduceSegments(fold.neighbour(), own, result, false);
            sums = Memory.TARGET;
        }
        Blocks chunks = Blocks.divide(shape.bytes(), shape.unitBytes(), fold.power());
        halve(fold, chunks, sums, plan);
        gather(fold, chunks, plan);
        if (fold.hasNeighbour()) {
            plan.sendSegments(fold.neighbour(), result);
        }
    }

    /** Exchanges halves of what is left with ranks at half the distance each time, down to one chunk. */
    private static void halve(Fold fold, Blocks chunks, Memory from, PlanBuilder plan) {
        Memory sums = from;
        int first = 0;
        for (int distance = fold.power() / 2; distance > 0; distance /= 2) {
            int kept = first + (fold.number() & distance);
            int given = first + (~fold.number() & distance);
            int peer = fold.rankOf(fold.number() ^ distance);
            plan.sendSegments(peer, chunks.range(sums, given, given + distance));
            plan.receiveReduceSegments(
                    peer,
                    chunks.range(sums, kept, kept + distance),
                    chunks.range(Memory.TARGET, kept, kept + distance),
                    distance == 1);
            sums = Memory.TARGET;
            first = kept;
        }
    }

    private static void gather(Fold fold, Blocks chunks, PlanBuilder plan) {
        for (int distance = 1; distance < fold.power(); distance *= 2) {
            int mine = fold.number() & -distance;
            int theirs = mine ^ distance;
            int peer = fold.rankOf(fold.number() ^ distance);
            plan.sendSegments(peer, chunks.range(Memory.TARGET, mine, mine + distance));
            plan.receiveSegments(peer, chunks.range(Memory.TARGET, theirs, theirs + distance));
        }
    }
}
