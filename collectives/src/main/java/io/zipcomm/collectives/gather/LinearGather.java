package io.zipcomm.collectives.gather;

import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.Memory;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * Linear gather: each rank sends the root its block; the root asks for {@value #CONCURRENT} at a time, so that blocks do
 * not all arrive at once and overflow the queues before it (<em>incast</em>). Blocks may differ in length, and only the
 * root need know all lengths.
 *
 * <p>The first {@value #CONCURRENT} ranks send at once, as do those whose block has {@value #UNINVITED_BYTES_MAX} bytes
 * or less; the others wait for an empty message of the root. So no more than {@value #CONCURRENT} blocks and
 * {@value #UNINVITED_BYTES_MAX} bytes of each other rank are under way at once.
 *
 * <p>Rounds 1 for up to {@value #CONCURRENT} ranks besides the root and for short blocks, otherwise
 * 1 + 2 (ceil((P - 1) / {@value #CONCURRENT}) - 1); every rank but the root sends its block, M/P bytes if all have one
 * length; the root receives (P-1)/P M in P - 1 messages; no scratch.
 *
 * <p>Wins for large blocks: none travels more than once. For small ones see {@link BinomialGather}.
 */
public final class LinearGather implements Algorithm {

    /** Blocks on their way at once. */
    public static final int CONCURRENT = 8;

    /** Longest block that is sent without being asked for: not worth a round trip, and too short to overflow anything. */
    public static final int UNINVITED_BYTES_MAX = 1 << 10;

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        if (shape.vrank() > 0) {
            if (isInvited(shape.vrank(), shape.bytes())) {
                plan.receive(shape.root(), Extent.target(0));
                plan.fence();
            }
            plan.send(shape.root(), Extent.source(shape.bytes()));
            return;
        }
        plan.pace(CONCURRENT);
        for (int vrank = 1; vrank < shape.size(); vrank++) {
            int peer = shape.rankOf(vrank);
            Extent block = shape.blocks().block(Memory.TARGET, peer);
            if (isInvited(vrank, block.bytes())) {
                plan.invite(peer);
            }
            plan.receive(peer, block);
        }
        plan.copy(Extent.source(shape.bytes()), shape.blocks().block(Memory.TARGET, shape.rank()));
    }

    /** Whether a rank waits for a word from the root; both know what it depends on. */
    private static boolean isInvited(int vrank, long blockBytes) {
        return vrank > CONCURRENT && blockBytes > UNINVITED_BYTES_MAX;
    }
}
