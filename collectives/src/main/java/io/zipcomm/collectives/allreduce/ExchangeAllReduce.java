package io.zipcomm.collectives.allreduce;

import io.zipcomm.collectives.pattern.Dissemination;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Blocks;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.Memory;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * Each rank combines one chunk of the data of all ranks, and sends the result to all, in segments: while one segment is sent
 * the next is combined.
 *
 * <p>Rounds 2 for each segment; bytes sent per rank 2(P-1)/P M, all of it straight to where it is needed; no scratch. A chunk is combined in
 * the order of the distances from its rank.
 *
 * <p>Wins where ranks share memory: each places in it what others combine, they read it there, and a result is placed once for
 * all, so a rank writes M bytes and reads 2(P-1)/P M. Elsewhere see {@link RingAllReduce}.
 *
 * <p>Source: Graham, Shipman, "MPI support for multi-core architectures: optimized shared memory collectives", 2008.
 */
public final class ExchangeAllReduce implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        if (shape.size() == 1) {
            plan.copy(Extent.source(shape.bytes()), Extent.target(shape.bytes()));
            return;
        }
        Dissemination pattern = new Dissemination(shape.rank(), shape.size());
        Blocks chunks = Blocks.divide(shape.bytes(), shape.unitBytes(), shape.size());
        List<List<Extent>> sources = segments(shape, chunks, Memory.SOURCE);
        List<List<Extent>> targets = segments(shape, chunks, Memory.TARGET);
        int most = sources.stream().mapToInt(List::size).max().orElse(0);
        for (int segment = 0; segment < most; segment++) {
            combine(shape, pattern, sources, targets, segment, plan);
            gather(shape, pattern, targets, segment, plan);
        }
    }

    private static void combine(
            Shape shape,
            Dissemination pattern,
            List<List<Extent>> sources,
            List<List<Extent>> targets,
            int segment,
            PlanBuilder plan) {
        Extent operand = at(sources.get(shape.rank()), segment);
        Extent result = at(targets.get(shape.rank()), segment);
        for (int distance = 1; distance < shape.size(); distance++) {
            int to = pattern.after(distance);
            Extent sent = at(sources.get(to), segment);
            if (sent != null) {
                plan.send(to, sent);
            }
            if (result != null) {
                plan.receiveReduce(pattern.before(distance), operand, result, distance == shape.size() - 1);
                operand = result;
            }
        }
    }

    private static void gather(
            Shape shape, Dissemination pattern, List<List<Extent>> targets, int segment, PlanBuilder plan) {
        Extent own = at(targets.get(shape.rank()), segment);
        for (int distance = 1; distance < shape.size(); distance++) {
            int from = pattern.before(distance);
            if (own != null) {
                plan.send(pattern.after(distance), own);
            }
            Extent received = at(targets.get(from), segment);
            if (received != null) {
                plan.receive(from, received);
            }
        }
    }

    /** Of each rank's chunk. */
    private static List<List<Extent>> segments(Shape shape, Blocks chunks, Memory memory) {
        List<List<Extent>> segments = new ArrayList<>();
        for (int rank = 0; rank < shape.size(); rank++) {
            segments.add(chunks.block(memory, rank).segments(shape.segmentBytes()));
        }
        return segments;
    }

    private static Extent at(List<Extent> segments, int index) {
        return index < segments.size() ? segments.get(index) : null;
    }
}
