package io.zipcomm.collectives.allreduce;

import io.zipcomm.collectives.pattern.Ring;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Blocks;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.Memory;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;
import java.util.List;

/**
 * Segmented ring: reduce-scatter round the ring, then all-gather round the ring. The message is divided into P chunks, one
 * for each rank to finish, and chunks into segments, so that receiving, adding and sending overlap.
 *
 * <p>Steps 2(P-1); bytes sent per rank 2(P-1)/P M, while as many are received; no scratch. Each chunk is added up along
 * the ring once and then copied, so all ranks get the same bits.
 *
 * <p>Wins for large M, as no algorithm sends less; for small M see {@link DoublingAllReduce}.
 *
 * <p>Source: Patarasuk, Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations", 2009.
 */
public final class RingAllReduce implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        if (shape.size() == 1) {
            plan.copy(Extent.source(shape.bytes()), Extent.target(shape.bytes()));
            return;
        }
        Ring ring = new Ring(shape.rank(), shape.size());
        Blocks chunks = Blocks.divide(shape.bytes(), shape.unitBytes(), shape.size());
        for (int step = 0; step < ring.steps(); step++) {
            reduceStep(shape, ring, chunks, step, plan);
        }
        for (int step = 0; step < ring.steps(); step++) {
            gatherStep(shape, ring, chunks, step, plan);
        }
    }

    private static void reduceStep(Shape shape, Ring ring, Blocks chunks, int step, PlanBuilder plan) {
        int sent = ring.reducedSent(step);
        int received = ring.reducedReceived(step);
        // The first chunk that a rank sends is its own data; after that, what it has added up.
        List<Extent> sums = segments(shape, chunks.block(step == 0 ? Memory.SOURCE : Memory.TARGET, sent));
        List<Extent> own = segments(shape, chunks.block(Memory.SOURCE, received));
        List<Extent> results = segments(shape, chunks.block(Memory.TARGET, received));
        for (int i = 0; i < Math.max(sums.size(), own.size()); i++) {
            if (i < sums.size()) {
                plan.send(ring.next(), sums.get(i));
            }
            if (i < own.size()) {
                plan.receiveReduce(ring.previous(), own.get(i), results.get(i), step == ring.steps() - 1);
            }
        }
    }

    private static void gatherStep(Shape shape, Ring ring, Blocks chunks, int step, PlanBuilder plan) {
        List<Extent> sent = segments(shape, chunks.block(Memory.TARGET, ring.gatheredSent(step)));
        List<Extent> received = segments(shape, chunks.block(Memory.TARGET, ring.gatheredReceived(step)));
        for (int i = 0; i < Math.max(sent.size(), received.size()); i++) {
            if (i < sent.size()) {
                plan.send(ring.next(), sent.get(i));
            }
            if (i < received.size()) {
                plan.receive(ring.previous(), received.get(i));
            }
        }
    }

    private static List<Extent> segments(Shape shape, Extent chunk) {
        return chunk.segments(shape.segmentBytes());
    }
}
