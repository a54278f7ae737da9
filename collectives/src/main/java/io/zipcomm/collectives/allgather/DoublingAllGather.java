package io.zipcomm.collectives.allgather;

import io.zipcomm.collectives.pattern.Dissemination;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Blocks;
import io.zipcomm.collectives.plan.Memory;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Region;
import io.zipcomm.collectives.plan.Shape;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;

/**
 * All-gather in which every rank has twice as many blocks after each round: recursive doubling where the number of ranks
 * is a power of two, Bruck's pattern elsewhere. Blocks must follow each other in the target, and may differ in length.
 *
 * <p>Rounds ceil(log2 P); bytes sent per rank (P-1)/P M; no scratch: with Bruck's pattern, blocks that go round the end of
 * the target travel as two messages instead of being put in order afterwards.
 *
 * <p>Wins for small M; for large M see {@link RingAllGather}.
 *
 * <p>Source: Bruck, Ho, Kipnis, Upfal, Weathersby, "Efficient algorithms for all-to-all communications in multiport
 * message-passing systems", 1997.
 */
public final class DoublingAllGather implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        if (!shape.blocks().isPacked()) {
            throw new ZipException(
                    ErrorCode.BAD_ARGUMENT,
                    shape.operation() + " by doubling needs blocks that follow each other: give no displacements");
        }
        Region own = Region.source(shape.bytes());
        Region place = shape.blocks().block(Memory.TARGET, shape.rank());
        plan.copy(own, place);
        if (Integer.bitCount(shape.size()) == 1) {
            doubling(shape, plan);
        } else {
            bruck(shape, plan);
        }
    }

    private static void doubling(Shape shape, PlanBuilder plan) {
        Blocks blocks = shape.blocks();
        for (int distance = 1; distance < shape.size(); distance *= 2) {
            int mine = shape.rank() & -distance;
            int theirs = mine ^ distance;
            int peer = shape.rank() ^ distance;
            plan.send(peer, blocks.range(Memory.TARGET, mine, mine + distance));
            plan.receive(peer, blocks.range(Memory.TARGET, theirs, theirs + distance));
        }
    }

    private static void bruck(Shape shape, PlanBuilder plan) {
        Dissemination pattern = new Dissemination(shape.rank(), shape.size());
        for (int round = 0; round < pattern.rounds(); round++) {
            int distance = pattern.distance(round);
            int count = Math.min(distance, shape.size() - distance);
            int to = pattern.before(distance);
            int from = pattern.after(distance);
            int end = shape.rank() + count;
            plan.send(to, upTo(shape, shape.rank(), end));
            if (end > shape.size()) {
                plan.send(to, shape.blocks().range(Memory.TARGET, 0, end - shape.size()));
            }
            plan.receive(from, upTo(shape, from, from + count));
            if (from + count > shape.size()) {
                plan.receive(from, shape.blocks().range(Memory.TARGET, 0, from + count - shape.size()));
            }
        }
    }

    private static Region upTo(Shape shape, int first, int end) {
        return shape.blocks().range(Memory.TARGET, first, Math.min(end, shape.size()));
    }
}
