package io.zipcomm.collectives.alltoall;

import io.zipcomm.collectives.pattern.Dissemination;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Memory;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * Paced pairwise exchange: in step n each rank sends to the n-th after it and receives from the n-th before it, and no
 * more than {@value #CONCURRENT} steps are under way at a rank, so that nobody is flooded. Blocks may differ in length.
 *
 * <p>Steps P - 1, in ceil((P - 1) / {@value #CONCURRENT}) rounds; bytes sent per rank (P-1)/P M, each block once and straight to where it belongs; no scratch.
 *
 * <p>Wins unless blocks are small and ranks many: see {@link BruckAllToAll}.
 *
 * <p>Source: Thakur, Rabenseifner, Gropp, "Optimization of collective communication operations in MPICH", 2005.
 */
public final class PairwiseAllToAll implements Algorithm {

    /** Exchanges under way at once. */
    static final int CONCURRENT = 4;

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        Dissemination pattern = new Dissemination(shape.rank(), shape.size());
        plan.pace(CONCURRENT);
        for (int distance = 1; distance < shape.size(); distance++) {
            int to = pattern.after(distance);
            int from = pattern.before(distance);
            plan.send(to, shape.blocks().block(Memory.SOURCE, to));
            plan.receive(from, shape.arriving().block(Memory.TARGET, from));
        }
        plan.copy(
                shape.blocks().block(Memory.SOURCE, shape.rank()),
                shape.arriving().block(Memory.TARGET, shape.rank()));
    }
}
