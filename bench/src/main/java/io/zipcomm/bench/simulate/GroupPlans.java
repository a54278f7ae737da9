package io.zipcomm.bench.simulate;

import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** The plans of all ranks of one operation, each kept once for all ranks that do the same. Immutable. */
final class GroupPlans {

    /** Ranks of a class whose plans are compared. */
    private static final int CLASS_SAMPLES = 8;

    final int size;
    final Symmetry symmetry;

    /** Whether all ranks do the same, so that one of them, which then is its own peer, stands for all. */
    final boolean isOneForAll;

    private final RankPlan[] plans;

    private GroupPlans(int size, Symmetry symmetry, RankPlan... plans) {
        this.size = size;
        this.symmetry = symmetry;
        this.plans = plans;
        isOneForAll = plans.length == 1;
    }

    /** Every rank's plan, built by itself. */
    static GroupPlans all(Algorithm algorithm, IntFunction<Shape> shapes, int size) {
        RankPlan[] plans = new RankPlan[size];
        for (int rank = 0; rank < size; rank++) {
            plans[rank] = build(algorithm, shapes, rank, size, Symmetry.TRANSLATION);
        }
        return new GroupPlans(size, Symmetry.TRANSLATION, plans);
    }

    /**
     * As few plans as will do. That ranks do the same is concluded from samples.
     *
     * @param mayStandForAll whether one rank may stand for all, as far as the model is concerned
     * @param stepsBuiltMax  so many steps of all ranks together may be built: each takes some 50 bytes and a microsecond
     * @param stepsMax       so many may be simulated, of ranks that do the same: each takes some 10 bytes
     * @return null if there are more
     */
    static GroupPlans few(
            Algorithm algorithm,
            IntFunction<Shape> shapes,
            int size,
            boolean mayStandForAll,
            long stepsBuiltMax,
            long stepsMax) {
        if (mayStandForAll) {
            for (Symmetry symmetry : Symmetry.values()) {
                boolean applies = symmetry == Symmetry.TRANSLATION || Integer.bitCount(size) == 1;
                RankPlan one = applies ? oneForAll(algorithm, shapes, size, symmetry) : null;
                if (one != null) {
                    return new GroupPlans(size, symmetry, one);
                }
            }
        }
        long steps = steps(algorithm, shapes, size);
        if (steps <= Math.min(stepsBuiltMax, stepsMax)) {
            return all(algorithm, shapes, size);
        }
        return steps <= stepsMax ? byClass(algorithm, shapes, size) : null;
    }

    /** About how many all ranks have together: the root may have many more than the others. */
    private static long steps(Algorithm algorithm, IntFunction<Shape> shapes, int size) {
        int root = shapes.apply(0).root();
        long most = 0;
        for (int rank : samples(size).filter(rank -> rank != root).toArray()) {
            most = Math.max(
                    most,
                    build(algorithm, shapes, rank, size, Symmetry.TRANSLATION).steps());
        }
        return most * (size - 1)
                + build(algorithm, shapes, root, size, Symmetry.TRANSLATION).steps();
    }

    private static RankPlan oneForAll(Algorithm algorithm, IntFunction<Shape> shapes, int size, Symmetry symmetry) {
        RankPlan one = build(algorithm, shapes, 0, size, symmetry);
        boolean alike = samples(size)
                .skip(1)
                .allMatch(rank -> build(algorithm, shapes, rank, size, symmetry).isLike(one));
        return alike ? one : null;
    }

    /** The first ranks, the last, and some between, odd and even. */
    private static IntStream samples(int size) {
        return IntStream.of(0, 1, 2, size / 3, size / 2 + 1, size - 1)
                .filter(rank -> rank >= 0 && rank < size)
                .distinct();
    }

    /**
     * One plan for all ranks with subtrees of one size in a binomial tree.
     *
     * @return null if a sample says that these do not do the same
     */
    private static GroupPlans byClass(Algorithm algorithm, IntFunction<Shape> shapes, int size) {
        Map<Integer, List<Integer>> classes = new TreeMap<>();
        for (int rank = 0; rank < size; rank++) {
            int vrank = shapes.apply(rank).vrank();
            int subtree = Integer.lowestOneBit(vrank);
            boolean isCutOff = vrank == 0 || vrank + subtree >= size;
            // Ranks whose subtree is cut off have a class each.
            classes.computeIfAbsent(isCutOff ? -vrank : subtree, unused -> new ArrayList<>())
                    .add(rank);
        }
        RankPlan[] plans = new RankPlan[size];
        for (List<Integer> ranks : classes.values()) {
            RankPlan first = build(algorithm, shapes, ranks.get(0), size, Symmetry.TRANSLATION);
            int step = Math.max(1, ranks.size() / CLASS_SAMPLES);
            for (int i = ranks.size() - 1; i > 0; i -= step) {
                if (!build(algorithm, shapes, ranks.get(i), size, Symmetry.TRANSLATION)
                        .isLike(first)) {
                    return null;
                }
            }
            ranks.forEach(rank -> plans[rank] = first);
        }
        return new GroupPlans(size, Symmetry.TRANSLATION, plans);
    }

    private static RankPlan build(
            Algorithm algorithm, IntFunction<Shape> shapes, int rank, int size, Symmetry symmetry) {
        return new RankPlan(PlanBuilder.build(algorithm, shapes.apply(rank)), rank, size, symmetry);
    }

    /** Ranks to simulate. */
    int simulated() {
        return plans.length;
    }

    RankPlan of(int rank) {
        return plans[rank];
    }
}
