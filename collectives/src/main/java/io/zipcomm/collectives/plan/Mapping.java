package io.zipcomm.collectives.plan;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;

/**
 * What an algorithm's ranks and extents are in the plan that it adds steps to: themselves, or, where the algorithm is part
 * of another one, some of the ranks and some of the memory.
 */
final class Mapping {

    private final Shape shape;
    private final int[] ranks;
    private final Extent source;
    private final Extent target;
    private final long scratchFrom;
    private final boolean finishes;

    /**
     * For one algorithm.
     *
     * @param shape       what it was asked for
     * @param ranks       the plan's rank of each rank that the algorithm knows; null if they are the same
     * @param source      where the algorithm's source is; null if it is that of the plan
     * @param target      where its target is; null if it is that of the plan
     * @param scratchFrom where its scratch memory begins
     * @param finishes    whether what is final for the algorithm is final for the plan
     */
    Mapping(Shape shape, int[] ranks, Extent source, Extent target, long scratchFrom, boolean finishes) {
        this.shape = shape;
        this.ranks = ranks;
        this.source = source;
        this.target = target;
        this.scratchFrom = scratchFrom;
        this.finishes = finishes;
    }

    /** Of the algorithm that the whole plan is made by. */
    static Mapping whole(Shape shape) {
        return new Mapping(shape, null, null, null, 0, true);
    }

    Shape shape() {
        return shape;
    }

    long scratchFrom() {
        return scratchFrom;
    }

    /** Whether the algorithm is part of another one. */
    boolean isPart() {
        return ranks != null;
    }

    boolean finishes() {
        return finishes;
    }

    int rank(int known) {
        return ranks == null ? known : ranks[known];
    }

    Extent extent(Extent known) {
        return switch (known.memory()) {
            case SOURCE -> source == null ? ofWhole(known) : part(source, known);
            case TARGET -> target == null ? known : part(target, known);
            case SCRATCH -> new Extent(Memory.SCRATCH, scratchFrom + known.offset(), known.bytes());
        };
    }

    private Extent ofWhole(Extent known) {
        return shape.isInPlace() ? new Extent(Memory.TARGET, shape.inPlace() + known.offset(), known.bytes()) : known;
    }

    private Extent part(Extent of, Extent known) {
        if (known.end() > of.bytes()) {
            throw new ZipException(
                    ErrorCode.INTERNAL, shape.operation() + " within another algorithm uses " + known + " of " + of);
        }
        return of.part(known.offset(), known.bytes());
    }
}
