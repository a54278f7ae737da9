package io.zipcomm.collectives.broadcast;

import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * Broadcast to ranks that share hosts: to one rank of each host, the root or its first, and from there to the others of
 * the host. Both by {@link BinomialBroadcast} up to {@value #TREE_BYTES_MAX} bytes, and by {@link ChainBroadcast} above,
 * segment by segment, so that the second begins before the first has ended.
 *
 * <p>With H hosts of at most L ranks: rounds floor(log2 H) + floor(log2 L), or by chains H + L - 2; each host but the
 * root's receives M bytes from others; a host sends up to ceil(log2 H) M to others, or by chains M; no scratch.
 *
 * <p>Source: Karonis, de Supinski, Foster, Gropp, Lusk, Bresnahan, "Exploiting hierarchy in parallel computer networks to
 * optimize collective operation performance", 2000.
 */
public final class HierarchicalBroadcast implements Algorithm {

    /** Longest message that goes down trees. */
    public static final int TREE_BYTES_MAX = 64 << 10;

    private final Hosts hosts;
    private final Algorithm tree = new BinomialBroadcast();
    private final Algorithm chain = new ChainBroadcast();

    /** For one group. */
    public HierarchicalBroadcast(Hosts hosts) {
        this.hosts = hosts;
    }

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        Algorithm inner = shape.bytes() <= TREE_BYTES_MAX ? tree : chain;
        int[] leaders = hosts.leaders(shape.root());
        int host = hosts.hostOf(shape.rank());
        Extent message = Extent.target(shape.bytes());
        plan.team(leaders).broadcast(inner, shape.root(), message);
        plan.team(hosts.ranks(host)).broadcast(inner, leaders[host], message);
    }
}
