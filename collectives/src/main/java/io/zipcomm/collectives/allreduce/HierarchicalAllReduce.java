package io.zipcomm.collectives.allreduce;

import io.zipcomm.collectives.allgather.RingAllGather;
import io.zipcomm.collectives.broadcast.BinomialBroadcast;
import io.zipcomm.collectives.broadcast.ChainBroadcast;
import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Blocks;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.Memory;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;
import io.zipcomm.collectives.plan.Team;
import io.zipcomm.collectives.reduce.BinomialReduce;
import io.zipcomm.collectives.reduce.ChainReduce;
import io.zipcomm.collectives.reducescatter.HalvingReduceScatter;
import io.zipcomm.collectives.reducescatter.RingReduceScatter;

/**
 * All-reduce of ranks that share hosts: inside each host, between hosts, and inside again.
 *
 * <p>Up to {@value #LEADER_BYTES_MAX} bytes, the first rank of each host stands for it: reduce to it up a
 * {@link BinomialReduce binomial tree}, {@link DoublingAllReduce} between hosts, broadcast down a tree. With H hosts of at
 * most L ranks: rounds ceil(log2 L) + log2 H + floor(log2 L), and two more if H is no power of two; a host sends and
 * receives log2 H M, or one M more.
 *
 * <p>Longer messages, where all hosts have L ranks: reduce-scatter inside, so that each rank has a slice of its host's
 * sum; {@link RingAllReduce} of each slice between the ranks of all hosts that have it; {@link RingAllGather} inside. Rounds
 * 2(L-1) + 2(H-1); all of a host's ranks send at once, together 2(H-1)/H M to other hosts, and each no more than
 * 2(P-1)/P M + M/L; scratch as the reduce-scatter needs. Elsewhere again by the first ranks, by {@link ChainReduce}, ring and
 * {@link ChainBroadcast}.
 *
 * <p>Every number is finished once between hosts and then copied, so all ranks get the same bits.
 *
 * <p>Source: Karonis, de Supinski, Foster, Gropp, Lusk, Bresnahan, "Exploiting hierarchy in parallel computer networks to
 * optimize collective operation performance", 2000.
 */
public final class HierarchicalAllReduce implements Algorithm {

    /** Longest message for which one rank of each host stands for it. */
    public static final int LEADER_BYTES_MAX = 32 << 10;

    private final Hosts hosts;
    private final Algorithm ring = new RingAllReduce();

    /** For one group. */
    public HierarchicalAllReduce(Hosts hosts) {
        this.hosts = hosts;
    }

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        if (shape.bytes() <= LEADER_BYTES_MAX) {
            byLeaders(new BinomialReduce(), new DoublingAllReduce(), new BinomialBroadcast(), shape, plan);
        } else if (hosts.isEven()) {
            bySlices(shape, plan);
        } else {
            byLeaders(new ChainReduce(), ring, new ChainBroadcast(), shape, plan);
        }
    }

    private void byLeaders(Algorithm up, Algorithm between, Algorithm down, Shape shape, PlanBuilder plan) {
        int[] leaders = hosts.leaders(0);
        int host = hosts.hostOf(shape.rank());
        int[] ranks = hosts.ranks(host);
        Team mine = plan.team(ranks);
        Extent own = Extent.source(shape.bytes());
        Extent result = Extent.target(shape.bytes());
        if (ranks.length > 1) {
            mine.reduce(up, leaders[host], own, result, hosts.count() == 1);
        }
        plan.team(leaders).allReduce(between, ranks.length > 1 ? result : own, result, true);
        mine.broadcast(down, leaders[host], result);
    }

    private void bySlices(Shape shape, PlanBuilder plan) {
        int[] ranks = hosts.ranks(hosts.hostOf(shape.rank()));
        int index = hosts.indexOf(shape.rank());
        Team mine = plan.team(ranks);
        Blocks slices = Blocks.divide(shape.bytes(), shape.unitBytes(), ranks.length);
        Extent slice = slices.block(Memory.TARGET, index);
        boolean isEven = slices.bytes(0) == slices.bytes(ranks.length - 1);
        boolean isAlone = hosts.count() == 1;
        mine.reduceScatter(
                isEven ? new RingReduceScatter() : new HalvingReduceScatter(),
                Extent.source(shape.bytes()),
                slices,
                slice,
                isAlone);
        plan.team(hosts.across(index)).allReduce(ring, slice, slice, true);
        mine.allGather(new RingAllGather(), slice, Extent.target(shape.bytes()), slices);
    }
}
