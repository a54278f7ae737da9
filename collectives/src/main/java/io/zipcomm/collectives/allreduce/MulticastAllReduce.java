package io.zipcomm.collectives.allreduce;

import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Blocks;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.Memory;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;
import io.zipcomm.collectives.reducescatter.HalvingReduceScatter;
import io.zipcomm.collectives.reducescatter.RingReduceScatter;

/**
 * All-reduce whose second half is the relay's: a reduce-scatter between the ranks, then each sends the relay its chunk, which
 * goes to all others. For relays that may not see the data.
 *
 * <p>Rounds log2 P, or P - 1 where P is not a power of two, and P/8, 8 ranks at a time; bytes sent per rank M; scratch as the reduce-scatter needs. Through the relay go P M in and 2(P-1) M out, where
 * {@link RingAllReduce} has 2(P-1) M both ways.
 */
public final class MulticastAllReduce implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        Extent own = Extent.source(shape.bytes());
        if (shape.size() == 1) {
            plan.copy(own, Extent.target(shape.bytes()));
            return;
        }
        int[] all = new int[shape.size()];
        for (int rank = 0; rank < all.length; rank++) {
            all[rank] = rank;
        }
        Blocks chunks = Blocks.divide(shape.bytes(), shape.unitBytes(), shape.size());
        boolean isEven = chunks.bytes(0) == chunks.bytes(shape.size() - 1);
        boolean isPower = Integer.bitCount(shape.size()) == 1;
        plan.team(all)
                .reduceScatter(
                        isEven && !isPower ? new RingReduceScatter() : new HalvingReduceScatter(),
                        own,
                        chunks,
                        chunks.block(Memory.TARGET, shape.rank()),
                        true);
        for (int root = 0; root < shape.size(); root++) {
            plan.relayMulticast(root, chunks.block(Memory.TARGET, root));
        }
    }
}
