package io.zipcomm.collectives.reducescatter;

import io.zipcomm.collectives.pattern.Fold;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Blocks;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.Memory;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * Recursive halving: in each round, ranks at half the distance give each other the half that the other finishes. For
 * numbers of ranks that are not a power of two, the surplus ranks give their data to a neighbour before and get their
 * block after.
 *
 * <p>Steps log2 P, or floor(log2 P) + 2; bytes sent per rank (P-1)/P M, surplus ranks M; scratch M.
 *
 * <p>Wins for small and middling M; for large M see {@link RingReduceScatter}.
 *
 * <p>Source: Thakur, Rabenseifner, Gropp, "Optimization of collective communication operations in MPICH", 2005.
 */
public final class HalvingReduceScatter implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        Blocks blocks = shape.blocks();
        Extent all = blocks.range(Memory.SOURCE, 0, shape.size());
        Extent result = Extent.target(shape.bytes());
        Fold fold = new Fold(shape.rank(), shape.size());
        if (shape.size() == 1) {
            plan.copy(all, result);
        } else if (fold.isOut()) {
            plan.sendSegments(fold.neighbour(), all);
            plan.receive(fold.neighbour(), result);
        } else {
            halve(shape, fold, blocks, result, plan);
        }
    }

    private static void halve(Shape shape, Fold fold, Blocks blocks, Extent result, PlanBuilder plan) {
        Extent all = blocks.range(Memory.SOURCE, 0, shape.size());
        plan.scratch(all.bytes());
        Memory sums = Memory.SOURCE;
        if (fold.hasNeighbour()) {
            plan.receiveReduceSegments(fold.neighbour(), all, blocks.range(Memory.SCRATCH, 0, shape.size()), false);
            sums = Memory.SCRATCH;
        }
        int first = 0;
        for (int distance = fold.power() / 2; distance > 0; distance /= 2) {
            int kept = first + (fold.number() & distance);
            int given = first + (~fold.number() & distance);
            int peer = fold.rankOf(fold.number() ^ distance);
            boolean last = distance == 1;
            Extent mine = numbers(fold, blocks, sums, kept, distance);
            Extent sum = last && !fold.hasNeighbour() ? result : numbers(fold, blocks, Memory.SCRATCH, kept, distance);
            plan.sendSegments(peer, numbers(fold, blocks, sums, given, distance));
            plan.receiveReduceSegments(peer, mine, sum, last);
            sums = Memory.SCRATCH;
            first = kept;
        }
        if (fold.hasNeighbour()) {
            plan.send(fold.neighbour(), blocks.block(Memory.SCRATCH, fold.neighbour()));
            plan.copy(blocks.block(Memory.SCRATCH, shape.rank()), result);
        }
    }

    /** The blocks of ranks that are in, from a number on, and of their neighbours. */
    private static Extent numbers(Fold fold, Blocks blocks, Memory memory, int first, int count) {
        return blocks.range(memory, fold.firstOf(first), fold.firstOf(first + count));
    }
}
