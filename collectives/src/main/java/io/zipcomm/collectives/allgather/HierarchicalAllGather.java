package io.zipcomm.collectives.allgather;

import io.zipcomm.collectives.broadcast.BinomialBroadcast;
import io.zipcomm.collectives.broadcast.ChainBroadcast;
import io.zipcomm.collectives.gather.LinearGather;
import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Blocks;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.Memory;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;
import io.zipcomm.collectives.plan.Team;

/**
 * All-gather of ranks that share hosts: {@link LinearGather} at the first rank of each host, all-gather of what hosts have
 * between these, broadcast inside. Up to {@value #TREE_BYTES_MAX} bytes in all by {@link DoublingAllGather} and
 * {@link BinomialBroadcast}, above by {@link RingAllGather} and {@link ChainBroadcast}. Blocks may differ in length.
 *
 * <p>With H hosts of L ranks: rounds 1 + ceil(log2 H) + floor(log2 L), or above 1 + H - 1 + L - 1, with L up to
 * {@value LinearGather#CONCURRENT}; each host receives what it has not, (H-1)/H M, once, and sends as much; inside a host
 * M and its own blocks travel; scratch M where blocks do not follow each other host by host, and each is then copied once
 * more.
 *
 * <p>Source: Karonis, de Supinski, Foster, Gropp, Lusk, Bresnahan, "Exploiting hierarchy in parallel computer networks to
 * optimize collective operation performance", 2000.
 */
public final class HierarchicalAllGather implements Algorithm {

    /** Longest sum of blocks that goes by doubling and trees. */
    public static final int TREE_BYTES_MAX = 64 << 10;

    private final Hosts hosts;
    private final Algorithm up = new LinearGather();

    /** For one group. */
    public HierarchicalAllGather(Hosts hosts) {
        this.hosts = hosts;
    }

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        int[] order = hosts.byHost();
        Blocks places = shape.blocks();
        Blocks together = inOrder(places, order);
        boolean isInPlace = places.isPacked() && isAscending(order);
        Extent all = isInPlace ? Extent.target(together.totalBytes()) : plan.scratch(together.totalBytes());
        gather(shape, all, together, plan);
        if (!isInPlace) {
            for (int i = 0; i < order.length; i++) {
                plan.copy(part(all, together, i, i + 1), places.block(Memory.TARGET, order[i]));
            }
        }
    }

    /** Fills memory in which the blocks follow each other, host by host. */
    private void gather(Shape shape, Extent all, Blocks together, PlanBuilder plan) {
        int[] leaders = hosts.leaders(0);
        int host = hosts.hostOf(shape.rank());
        int first = 0;
        long[] ofHosts = new long[hosts.count()];
        int firstMine = 0;
        for (int h = 0; h < ofHosts.length; h++) {
            int count = hosts.ranks(h).length;
            ofHosts[h] = part(all, together, first, first + count).bytes();
            firstMine = h == host ? first : firstMine;
            first += count;
        }
        int[] ranks = hosts.ranks(host);
        Extent mine = part(all, together, firstMine, firstMine + ranks.length);
        Team inside = plan.team(ranks);
        inside.gather(up, leaders[host], Extent.source(shape.bytes()), mine, slice(together, firstMine, ranks.length));
        boolean isShort = all.bytes() <= TREE_BYTES_MAX;
        plan.team(leaders)
                .allGather(isShort ? new DoublingAllGather() : new RingAllGather(), mine, all, Blocks.ofBytes(ofHosts));
        inside.broadcast(isShort ? new BinomialBroadcast() : new ChainBroadcast(), leaders[host], all);
    }

    private static Extent part(Extent all, Blocks blocks, int first, int end) {
        long from = blocks.offset(first);
        return all.part(from, blocks.offset(end - 1) + blocks.bytes(end - 1) - from);
    }

    private static Blocks slice(Blocks blocks, int first, int count) {
        long[] lengths = new long[count];
        for (int i = 0; i < count; i++) {
            lengths[i] = blocks.bytes(first + i);
        }
        return Blocks.ofBytes(lengths);
    }

    private static Blocks inOrder(Blocks blocks, int[] order) {
        long[] lengths = new long[order.length];
        for (int i = 0; i < lengths.length; i++) {
            lengths[i] = blocks.bytes(order[i]);
        }
        return Blocks.ofBytes(lengths);
    }

    private static boolean isAscending(int[] order) {
        for (int i = 0; i < order.length; i++) {
            if (order[i] != i) {
                return false;
            }
        }
        return true;
    }
}
