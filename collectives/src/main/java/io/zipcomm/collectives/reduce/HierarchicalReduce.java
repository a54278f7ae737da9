package io.zipcomm.collectives.reduce;

import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * Reduce of ranks that share hosts: at one rank of each host first, the root or its first, and then at the root. Both by
 * {@link BinomialReduce} up to {@value #TREE_BYTES_MAX} bytes, and by {@link ChainReduce} above, segment by segment, so
 * that the second begins before the first has ended.
 *
 * <p>With H hosts of at most L ranks: rounds ceil(log2 H) + ceil(log2 L) at most, or by chains H + L - 2; each host but
 * the root's sends M bytes to others; a host receives up to ceil(log2 H) M from others, or by chains M; scratch up to M, and
 * M more, on the first rank of each host but the root's.
 *
 * <p>Source: Karonis, de Supinski, Foster, Gropp, Lusk, Bresnahan, "Exploiting hierarchy in parallel computer networks to
 * optimize collective operation performance", 2000.
 */
public final class HierarchicalReduce implements Algorithm {

    /** Longest message that goes up trees. */
    public static final int TREE_BYTES_MAX = 64 << 10;

    private final Hosts hosts;
    private final Algorithm tree = new BinomialReduce();
    private final Algorithm chain = new ChainReduce();

    /** For one group. */
    public HierarchicalReduce(Hosts hosts) {
        this.hosts = hosts;
    }

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        Algorithm inner = shape.bytes() <= TREE_BYTES_MAX ? tree : chain;
        int[] leaders = hosts.leaders(shape.root());
        int host = hosts.hostOf(shape.rank());
        int[] mine = hosts.ranks(host);
        Extent own = Extent.source(shape.bytes());
        Extent result = Extent.target(shape.bytes());
        Extent sum = own;
        if (mine.length > 1) {
            boolean keeps = shape.rank() == leaders[host] && shape.rank() != shape.root();
            sum = keeps ? plan.scratch(shape.bytes()) : result;
            plan.team(mine).reduce(inner, leaders[host], own, sum, hosts.count() == 1);
        }
        plan.team(leaders).reduce(inner, shape.root(), sum, result, true);
    }
}
