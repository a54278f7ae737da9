package io.zipcomm.collectives.allreduce;

import io.zipcomm.collectives.pattern.Fold;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * Recursive doubling: in each round, ranks at twice the distance exchange all they have. For numbers of ranks that are
 * not a power of two, the surplus ranks give their data to a neighbour before and get the result after.
 *
 * <p>Steps log2 P, or floor(log2 P) + 2; bytes sent per rank M in each; scratch M. Partners combine the same two operands
 * in the same order, so all ranks get the same bits.
 *
 * <p>Wins for small M; for large M see {@link RingAllReduce}.
 *
 * <p>Source: Thakur, Rabenseifner, Gropp, "Optimization of collective communication operations in MPICH", 2005.
 */
public final class DoublingAllReduce implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        Extent own = Extent.source(shape.bytes());
        Extent result = Extent.target(shape.bytes());
        Fold fold = new Fold(shape.rank(), shape.size());
        if (shape.size() == 1) {
            plan.copy(own, result);
        } else if (fold.isOut()) {
            plan.send(fold.neighbour(), own);
            plan.receive(fold.neighbour(), result);
        } else {
            exchange(shape, fold, own, result, plan);
        }
    }

    private static void exchange(Shape shape, Fold fold, Extent own, Extent result, PlanBuilder plan) {
        Extent scratch = plan.scratch(shape.bytes());
        int rounds = Integer.numberOfTrailingZeros(fold.power());

        // What is being sent must stay as it is: sums alternate between two places, and the last is the target.
        boolean intoTarget = rounds % 2 == 1;
        Extent sum = own;
        if (fold.hasNeighbour()) {
            sum = intoTarget ? scratch : result;
            plan.receiveReduce(fold.neighbour(), own, sum, false);
        } else if (shape.isInPlace() && intoTarget) {
            sum = scratch;
            plan.copy(own, sum);
        }
        for (int round = 0; round < rounds; round++) {
            int peer = fold.rankOf(fold.number() ^ (1 << round));
            Extent place = intoTarget ? result : scratch;
            plan.send(peer, sum);
            plan.receiveReduce(peer, sum, place, round == rounds - 1);
            sum = place;
            intoTarget = !intoTarget;
        }
        if (fold.hasNeighbour()) {
            plan.send(fold.neighbour(), result);
        }
    }
}
