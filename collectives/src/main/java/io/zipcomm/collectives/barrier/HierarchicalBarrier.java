package io.zipcomm.collectives.barrier;

import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * Barrier of ranks that share hosts: each tells its host's leader, the leaders disseminate, and tell the others.
 *
 * <p>Rounds ceil(log2 H) + 2 with H hosts, 2 of them within hosts; between hosts, each sends and receives ceil(log2 H)
 * empty messages; no scratch. Elsewhere see {@link DisseminationBarrier}.
 *
 * <p>Source: Karonis, de Supinski, Foster, Gropp, Lusk, Bresnahan, "Exploiting hierarchy in parallel computer networks to
 * optimize collective operation performance", 2000.
 */
public final class HierarchicalBarrier implements Algorithm {

    private final Hosts hosts;
    private final DisseminationBarrier between = new DisseminationBarrier();

    /** For one group. */
    public HierarchicalBarrier(Hosts hosts) {
        this.hosts = hosts;
    }

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        int[] leaders = hosts.leaders(0);
        int leader = leaders[hosts.hostOf(shape.rank())];
        Extent nothing = Extent.target(0);
        if (shape.rank() != leader) {
            plan.send(leader, nothing);
            plan.receive(leader, nothing);
            return;
        }
        int[] mine = hosts.ranks(hosts.hostOf(leader));
        for (int rank : mine) {
            if (rank != leader) {
                plan.receive(rank, nothing);
            }
        }
        plan.fence();
        plan.team(leaders).barrier(between);
        plan.fence();
        for (int rank : mine) {
            if (rank != leader) {
                plan.send(rank, nothing);
            }
        }
    }
}
