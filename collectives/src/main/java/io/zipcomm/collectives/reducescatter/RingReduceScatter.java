package io.zipcomm.collectives.reducescatter;

import io.zipcomm.collectives.pattern.Ring;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.Memory;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;
import java.util.List;

/**
 * Ring reduce-scatter: each block travels round the ring in segments, every rank adding its own data as they pass, and
 * ends at the rank it is for. Blocks are worked off in bands of {@value #BAND} segments, so that scratch does not grow
 * with the message.
 *
 * <p>Steps P - 1 for each band; bytes sent per rank (P-1)/P M, while as many are received; scratch {@value #SLOTS}
 * segments. Needs blocks of one length.
 *
 * <p>Wins for large M; for small M see {@link HalvingReduceScatter}.
 *
 * <p>Source: Chan, Heimlich, Purkayastha, van de Geijn, "Collective communication: theory, practice, and experience", 2007.
 */
public final class RingReduceScatter implements Algorithm {

    /** Segments of each block that are on their way at once. */
    static final int BAND = 4;

    /**
     * Segments between arriving and having been sent on. More than a band: with no more than that, each rank could wait
     * for the next one to make room, all the way round.
     */
    static final int SLOTS = 2 * BAND;

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        Ring ring = new Ring(shape.rank(), shape.size());
        if (ring.steps() == 0) {
            plan.copy(shape.blocks().block(Memory.SOURCE, 0), Extent.target(shape.bytes()));
            return;
        }
        List<Extent> segments = Extent.target(shape.bytes()).segments(shape.segmentBytes());
        boolean passesOn = ring.steps() > 1;
        Slots slots = new Slots(passesOn ? plan.scratch(SLOTS * segments.get(0).bytes()) : null);
        for (int from = 0; from < segments.size(); from += BAND) {
            band(shape, ring, segments.subList(from, Math.min(from + BAND, segments.size())), slots, plan);
        }
    }

    private static void band(Shape shape, Ring ring, List<Extent> segments, Slots slots, PlanBuilder plan) {
        Extent[] sums = new Extent[segments.size()];
        for (int step = 0; step < ring.steps(); step++) {
            boolean last = step == ring.steps() - 1;
            for (int i = 0; i < sums.length; i++) {
                Extent segment = segments.get(i);
                plan.send(ring.next(), step == 0 ? own(shape, ring.reducedSent(0), segment) : sums[i]);
                sums[i] = last ? segment : slots.next(segment.bytes());
                Extent operand = own(shape, ring.reducedReceived(step), segment);
                plan.receiveReduce(ring.previous(), operand, sums[i], last);
            }
        }
    }

    private static Extent own(Shape shape, int block, Extent segment) {
        return shape.blocks().block(Memory.SOURCE, block).part(segment.offset(), segment.bytes());
    }

    /** Scratch memory, used in turn. */
    private static final class Slots {
        private final Extent all;
        private int used;

        Slots(Extent all) {
            this.all = all;
        }

        Extent next(long bytes) {
            return all.part(used++ % SLOTS * (all.bytes() / SLOTS), bytes);
        }
    }
}
