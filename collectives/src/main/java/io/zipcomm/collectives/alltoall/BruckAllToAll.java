package io.zipcomm.collectives.alltoall;

import io.zipcomm.collectives.pattern.Dissemination;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.Memory;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * Bruck's all-to-all: a block for the rank at distance d travels over the distances that are the set bits of d, together
 * with all others that share a bit. Blocks have one length.
 *
 * <p>Rounds ceil(log2 P), of which the last need not wait for all others where P is no power of two; each is one message of
 * about P/2 blocks, the distances that have its bit, so M/2 bytes sent per rank and round; scratch about M a round.
 *
 * <p>Wins for small blocks and many ranks: log P messages instead of P - 1. Elsewhere see {@link PairwiseAllToAll}.
 *
 * <p>Source: Bruck, Ho, Kipnis, Upfal, Weathersby, "Efficient algorithms for all-to-all communications in multiport
 * message-passing systems", 1997.
 */
public final class BruckAllToAll implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        Dissemination pattern = new Dissemination(shape.rank(), shape.size());

        // Where the block is that has so far to go, or came from so far: rounds move it from rank to rank.
        Extent[] places = new Extent[shape.size()];
        for (int distance = 0; distance < shape.size(); distance++) {
            places[distance] = shape.blocks().block(Memory.SOURCE, pattern.after(distance));
        }
        for (int round = 0; round < pattern.rounds(); round++) {
            exchange(pattern, pattern.distance(round), places, plan);
        }
        for (int distance = 0; distance < shape.size(); distance++) {
            plan.copy(places[distance], shape.blocks().block(Memory.TARGET, pattern.before(distance)));
        }
    }

    private static void exchange(Dissemination pattern, int bit, Extent[] places, PlanBuilder plan) {
        long blockBytes = places[0].bytes();
        int count = 0;
        for (int distance = bit; distance < places.length; distance++) {
            count += (distance & bit) == 0 ? 0 : 1;
        }
        Extent sent = plan.scratch(count * blockBytes);
        Extent received = plan.scratch(count * blockBytes);
        int packed = 0;
        for (int distance = bit; distance < places.length; distance++) {
            if ((distance & bit) != 0) {
                plan.copy(places[distance], sent.part(packed * blockBytes, blockBytes));
                places[distance] = received.part(packed * blockBytes, blockBytes);
                packed++;
            }
        }
        plan.send(pattern.after(bit), sent);
        plan.receive(pattern.before(bit), received);
    }
}
