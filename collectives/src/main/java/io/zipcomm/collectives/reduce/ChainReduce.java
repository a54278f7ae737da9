package io.zipcomm.collectives.reduce;

import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;
import java.util.List;

/**
 * Pipelined chain: segments travel from the far end towards the root, each rank adding its own data as they pass.
 *
 * <p>Rounds P - 1 for the first segment, so that with S segments it takes P - 1 + S - 1 steps of M/S bytes; every rank but the root sends M bytes, every rank but the far end
 * receives M; scratch {@value #SLOTS} segments on the ranks between.
 *
 * <p>Wins for large M: the time is near M beta whatever P. For small M see {@link BinomialReduce}.
 *
 * <p>Source: Watts, van de Geijn, "A pipelined broadcast for multidimensional meshes", 1995, run backwards.
 */
public final class ChainReduce implements Algorithm {

    /** Segments between arriving and having been sent on: as many as may be posted in one direction. */
    static final int SLOTS = PlanBuilder.POSTED_PER_PEER_MAX;

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        int vrank = shape.vrank();
        boolean isRoot = vrank == 0;
        boolean isFarEnd = vrank == shape.size() - 1;
        List<Extent> own = Extent.source(shape.bytes()).segments(shape.segmentBytes());
        List<Extent> results = Extent.target(shape.bytes()).segments(shape.segmentBytes());
        if (isRoot && isFarEnd) {
            plan.copy(Extent.source(shape.bytes()), Extent.target(shape.bytes()));
            return;
        }
        Extent slots = isRoot || isFarEnd
                ? null
                : plan.scratch(Math.min(SLOTS, own.size()) * own.get(0).bytes());
        for (int i = 0; i < own.size(); i++) {
            Extent segment = own.get(i);
            Extent sum = segment;
            if (!isFarEnd) {
                sum = isRoot
                        ? results.get(i)
                        : slots.part(i % SLOTS * own.get(0).bytes(), segment.bytes());
                plan.receiveReduce(shape.rankOf(vrank + 1), segment, sum, isRoot);
            }
            if (!isRoot) {
                plan.send(shape.rankOf(vrank - 1), sum);
            }
        }
    }
}
