package io.zipcomm.collectives.allgather;

import io.zipcomm.collectives.pattern.Ring;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.Memory;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;
import java.util.List;

/**
 * Ring all-gather: blocks travel round the ring in segments, each rank keeping a copy as they pass. Blocks may differ in
 * length and lie anywhere in the target.
 *
 * <p>Steps P - 1; bytes sent per rank M less the next rank's block, (P-1)/P M if all have one length; no scratch.
 *
 * <p>Wins for large M between many ranks; otherwise see {@link DoublingAllGather}.
 *
 * <p>Source: Chan, Heimlich, Purkayastha, van de Geijn, "Collective communication: theory, practice, and experience", 2007.
 */
public final class RingAllGather implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        Ring ring = new Ring(shape.rank(), shape.size());
        Extent own = Extent.source(shape.bytes());
        for (int step = 0; step < ring.steps(); step++) {
            Extent block = step == 0 ? own : shape.blocks().block(Memory.TARGET, ring.gatheredSent(step));
            List<Extent> sent = block.segments(shape.segmentBytes());
            List<Extent> received = shape.blocks()
                    .block(Memory.TARGET, ring.gatheredReceived(step))
                    .segments(shape.segmentBytes());
            for (int i = 0; i < Math.max(sent.size(), received.size()); i++) {
                if (i < sent.size()) {
                    plan.send(ring.next(), sent.get(i));
                }
                if (i < received.size()) {
                    plan.receive(ring.previous(), received.get(i));
                }
            }
        }
        plan.copy(own, shape.blocks().block(Memory.TARGET, shape.rank()));
    }
}
