package io.zipcomm.collectives;

import io.zipcomm.buffer.DataType;
import io.zipcomm.collectives.CollectiveCase.Form;
import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.collectives.select.Rule;
import io.zipcomm.collectives.select.Selector;
import io.zipcomm.collectives.select.TuningTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;

/**
 * Cases to run on a group, over whatever transport: every rank makes the same list, from the same chance, and runs it.
 */
final class CollectiveMatrix {

    private CollectiveMatrix() {}

    /**
     * Cases that touch everything: each operation with every root and short messages, around every threshold, and each
     * reduction of each type.
     *
     * @param size   number of ranks
     * @param spread how they share hosts
     * @param seed   equal on all ranks
     */
    static List<CollectiveCase> cases(int size, Hosts.Spread spread, long seed) {
        return cases(size, new Selector(size, spread, TuningTable.builtIn()), seed);
    }

    /**
     * The same, around the thresholds of a selector.
     *
     * @param size number of ranks
     * @param seed equal on all ranks
     */
    static List<CollectiveCase> cases(int size, Selector selector, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<CollectiveCase> cases = new ArrayList<>();
        for (CollectiveOperation operation : CollectiveOperation.values()) {
            for (int root = 0; root < (CollectiveCase.isRooted(operation) ? size : 1); root++) {
                for (int count : new int[] {0, 1, 3 + 2 * random.nextInt(50)}) {
                    cases.add(anyCase(operation, size, root, count, random));
                }
            }
            cases.addAll(aroundThresholds(operation, size, selector, random));
            if (CollectiveCase.isReduction(operation)) {
                cases.addAll(reductions(operation, size, random));
            }
        }
        return cases;
    }

    /** Cases of an operation one element below, at and one above each threshold. */
    static List<CollectiveCase> aroundThresholds(
            CollectiveOperation operation, int size, Selector selector, SplittableRandom random) {
        List<CollectiveCase> cases = new ArrayList<>();
        for (int bytes : thresholds(operation, size, selector)) {
            for (int count = bytes / Float.BYTES - 1; count <= bytes / Float.BYTES + 1; count++) {
                int root = CollectiveCase.isRooted(operation) ? random.nextInt(size) : 0;
                cases.add(floats(operation, size, root, count, random));
            }
        }
        return cases;
    }

    private static List<CollectiveCase> reductions(CollectiveOperation operation, int size, SplittableRandom random) {
        List<CollectiveCase> cases = new ArrayList<>();
        for (DataType type : DataType.values()) {
            for (ReduceOp op : CollectiveCase.reductions(type)) {
                int root = CollectiveCase.isRooted(operation) ? random.nextInt(size) : 0;
                Vector.Kind kind = any(Vector.Kind.values(), random);
                int count = random.nextInt(300);
                cases.add(new CollectiveCase(operation, size, root, type, op, count, anyForm(operation, random), kind));
            }
        }
        return cases;
    }

    /** Runs one case on one rank: calls the operation, by its blocking form, and checks the result. */
    static void run(Collectives collectives, CollectiveCase one) {
        int rank = collectives.communicator().rank();
        Vector source = one.source(rank);
        Vector target = one.target(rank);
        one.call(collectives, source, target);
        one.check(rank, source, target);
    }

    /** A case of which type, reduction, form and memory are left to chance. */
    static CollectiveCase anyCase(
            CollectiveOperation operation, int size, int root, int count, SplittableRandom random) {
        DataType type = any(DataType.values(), random);
        ReduceOp op = null;
        if (CollectiveCase.isReduction(operation)) {
            List<ReduceOp> reductions = CollectiveCase.reductions(type);
            op = reductions.get(random.nextInt(reductions.size()));
        }
        return new CollectiveCase(
                operation, size, root, type, op, count, anyForm(operation, random), any(Vector.Kind.values(), random));
    }

    /** A case on arrays of numbers that are added up. */
    static CollectiveCase floats(
            CollectiveOperation operation, int size, int root, int count, SplittableRandom random) {
        ReduceOp op = CollectiveCase.isReduction(operation) ? ReduceOp.SUM : null;
        Form form = CollectiveCase.has(operation, Form.TWO_BUFFERS) ? Form.TWO_BUFFERS : Form.IN_PLACE;
        if (CollectiveCase.has(operation, Form.IN_PLACE) && random.nextBoolean()) {
            form = Form.IN_PLACE;
        }
        return new CollectiveCase(operation, size, root, DataType.FLOAT32, op, count, form, Vector.Kind.ARRAY);
    }

    static Form anyForm(CollectiveOperation operation, SplittableRandom random) {
        Form form = any(Form.values(), random);
        while (!CollectiveCase.has(operation, form)) {
            form = any(Form.values(), random);
        }
        return form;
    }

    static <T> T any(T[] all, SplittableRandom random) {
        return all[random.nextInt(all.length)];
    }

    /** Lengths at which an operation changes algorithm, eager limit and segment, in bytes of a message or block. */
    private static Set<Integer> thresholds(CollectiveOperation operation, int size, Selector selector) {
        boolean isWhole = switch (operation) {
            case BARRIER, BROADCAST, REDUCE, ALL_REDUCE -> true;
            default -> false;
        };
        Set<Integer> lengths = new TreeSet<>(List.of(64 << 10));
        for (Rule rule : selector.rules(operation)) {
            long max = rule.bytesMax(size);
            if (max < Long.MAX_VALUE) {
                lengths.add((int) (isWhole ? max : max / size));
            } else if (isWhole && rule.segmentsMin() > 0) {
                lengths.add(2 * rule.segmentsMin());
                lengths.add(size * rule.segmentsMin());
            }
        }
        return lengths;
    }
}
