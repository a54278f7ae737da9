package io.zipcomm.collectives.plan;

import io.zipcomm.collectives.CollectiveOperation;

/**
 * Some of a plan's ranks, which do operations of their own as part of it. Every rank of the plan may ask for them: on ranks
 * outside of the team nothing is added.
 *
 * <p>Roots are ranks of the plan. Blocks are one for each member, in the team's order. Extents are those of the plan.
 */
public final class Team {

    private static final int NOBODY = -1;

    private final Shape whole;
    private final PlanBuilder plan;
    private final int[] ranks;

    /** This rank's place in the team, or NOBODY. */
    private final int self;

    Team(Shape whole, PlanBuilder plan, int[] ranks) {
        this.whole = whole;
        this.plan = plan;
        this.ranks = ranks;
        self = placeOf(whole.rank());
    }

    private int placeOf(int rank) {
        for (int i = 0; i < ranks.length; i++) {
            if (ranks[i] == rank) {
                return i;
            }
        }
        return NOBODY;
    }

    /** Nobody goes on before everybody came. */
    public void barrier(Algorithm algorithm) {
        Extent nothing = Extent.target(0);
        add(algorithm, CollectiveOperation.BARRIER, 0, nothing, nothing, 0, null, false);
    }

    /** The root's message to all. */
    public void broadcast(Algorithm algorithm, int root, Extent message) {
        Extent nothing = Extent.target(0);
        add(algorithm, CollectiveOperation.BROADCAST, root, nothing, message, message.bytes(), null, false);
    }

    /**
     * All members' data combined, at the root.
     *
     * @param target   where the root wants it; not used by the others
     * @param finishes whether it contains the data of all ranks of the plan
     */
    public void reduce(Algorithm algorithm, int root, Extent source, Extent target, boolean finishes) {
        Extent result = whole.rank() == root ? target : Extent.target(0);
        add(algorithm, CollectiveOperation.REDUCE, root, source, result, source.bytes(), null, finishes);
    }

    /**
     * All members' data combined, at all.
     *
     * @param finishes whether it contains the data of all ranks of the plan
     */
    public void allReduce(Algorithm algorithm, Extent source, Extent target, boolean finishes) {
        add(algorithm, CollectiveOperation.ALL_REDUCE, ranks[0], source, target, source.bytes(), null, finishes);
    }

    /**
     * All members' data combined, one block at each.
     *
     * @param target   takes this rank's block
     * @param finishes whether it contains the data of all ranks of the plan
     */
    public void reduceScatter(Algorithm algorithm, Extent source, Blocks blocks, Extent target, boolean finishes) {
        CollectiveOperation operation = CollectiveOperation.REDUCE_SCATTER;
        add(algorithm, operation, ranks[0], source, target, target.bytes(), blocks, finishes);
    }

    /** A block of each member, at the root: the others need no target. */
    public void gather(Algorithm algorithm, int root, Extent source, Extent target, Blocks blocks) {
        Extent result = whole.rank() == root ? target : Extent.target(0);
        add(algorithm, CollectiveOperation.GATHER_V, root, source, result, source.bytes(), blocks, false);
    }

    /** A block of each member, at all. */
    public void allGather(Algorithm algorithm, Extent source, Extent target, Blocks blocks) {
        add(algorithm, CollectiveOperation.ALL_GATHER_V, ranks[0], source, target, source.bytes(), blocks, false);
    }

    private void add(
            Algorithm algorithm,
            CollectiveOperation operation,
            int root,
            Extent source,
            Extent target,
            long bytes,
            Blocks blocks,
            boolean finishes) {
        if (self == NOBODY) {
            return;
        }
        Shape part = new Shape(
                operation,
                self,
                ranks.length,
                Math.max(0, placeOf(root)),
                whole.type(),
                bytes,
                blocks,
                null,
                plan.placeIn(target, source),
                whole.segmentBytes());
        plan.add(algorithm, part, ranks, source, target, finishes);
    }
}
