package io.zipcomm.collectives.allgather;

import io.zipcomm.collectives.pattern.Dissemination;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Blocks;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.Memory;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * All-gather in which every rank has twice as many blocks after each round: recursive doubling where the number of ranks
 * is a power of two, Bruck's pattern elsewhere. Blocks may differ in length.
 *
 * <p>Rounds ceil(log2 P), of which the last need not wait for all others where P is no power of two; bytes sent per rank
 * (P-1)/P M; no scratch where blocks follow each other in
 * the target, M where they do not, and each block is copied once more. With Bruck's pattern, blocks that go round the end of
 * the target travel as two messages instead of being put in order afterwards.
 *
 * <p>Wins for small M, and for any between few ranks; otherwise see {@link RingAllGather}.
 *
 * <p>Source: Bruck, Ho, Kipnis, Upfal, Weathersby, "Efficient algorithms for all-to-all communications in multiport
 * message-passing systems", 1997.
 */
public final class DoublingAllGather implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        Blocks blocks = shape.blocks();
        if (blocks.isPacked()) {
            gather(shape, Extent.target(blocks.totalBytes()), blocks, plan);
            return;
        }
        Blocks packed = blocks.packed();
        Extent together = plan.scratch(packed.totalBytes());
        gather(shape, together, packed, plan);
        for (int rank = 0; rank < shape.size(); rank++) {
            plan.copy(range(together, packed, rank, rank + 1), blocks.block(Memory.TARGET, rank));
        }
    }

    /** Fills memory in which the blocks follow each other. */
    private static void gather(Shape shape, Extent all, Blocks blocks, PlanBuilder plan) {
        plan.copy(Extent.source(shape.bytes()), range(all, blocks, shape.rank(), shape.rank() + 1));
        if (Integer.bitCount(shape.size()) == 1) {
            doubling(shape, all, blocks, plan);
        } else {
            bruck(shape, all, blocks, plan);
        }
    }

    private static void doubling(Shape shape, Extent all, Blocks blocks, PlanBuilder plan) {
        for (int distance = 1; distance < shape.size(); distance *= 2) {
            int mine = shape.rank() & -distance;
            int theirs = mine ^ distance;
            int peer = shape.rank() ^ distance;
            plan.send(peer, range(all, blocks, mine, mine + distance));
            plan.receive(peer, range(all, blocks, theirs, theirs + distance));
        }
    }

    private static void bruck(Shape shape, Extent all, Blocks blocks, PlanBuilder plan) {
        Dissemination pattern = new Dissemination(shape.rank(), shape.size());
        for (int round = 0; round < pattern.rounds(); round++) {
            int distance = pattern.distance(round);
            int count = Math.min(distance, shape.size() - distance);
            int to = pattern.before(distance);
            int from = pattern.after(distance);
            int end = shape.rank() + count;
            plan.send(to, range(all, blocks, shape.rank(), Math.min(end, shape.size())));
            if (end > shape.size()) {
                plan.send(to, range(all, blocks, 0, end - shape.size()));
            }
            plan.receive(from, range(all, blocks, from, Math.min(from + count, shape.size())));
            if (from + count > shape.size()) {
                plan.receive(from, range(all, blocks, 0, from + count - shape.size()));
            }
        }
    }

    private static Extent range(Extent all, Blocks blocks, int first, int end) {
        long from = blocks.offset(first);
        return all.part(from, blocks.offset(end - 1) + blocks.bytes(end - 1) - from);
    }
}
