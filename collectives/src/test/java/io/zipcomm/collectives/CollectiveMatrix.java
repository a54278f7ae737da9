package io.zipcomm.collectives;

import io.zipcomm.buffer.DataType;
import io.zipcomm.collectives.CollectiveCase.Form;
import io.zipcomm.collectives.select.Thresholds;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Cases to run on a group, over whatever transport: every rank makes the same list, from the same chance, and runs it.
 */
final class CollectiveMatrix {

    private CollectiveMatrix() {}

    /**
     * Cases that touch everything: each operation with every root and short messages, around every threshold, and each
     * reduction of each type.
     *
     * @param size number of ranks
     * @param max  the thresholds that are in use
     * @param seed equal on all ranks
     */
    static List<CollectiveCase> cases(int size, Thresholds max, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<CollectiveCase> cases = new ArrayList<>();
        for (CollectiveOperation operation : CollectiveOperation.values()) {
            for (int root = 0; root < (CollectiveCase.isRooted(operation) ? size : 1); root++) {
                for (int count : new int[] {0, 1, 3 + 2 * random.nextInt(50)}) {
                    cases.add(anyCase(operation, size, root, count, random));
                }
            }
            cases.addAll(aroundThresholds(operation, size, max, random));
            if (CollectiveCase.isReduction(operation)) {
                cases.addAll(reductions(operation, size, random));
            }
        }
        return cases;
    }

    /** Cases of an operation one element below, at and one above each threshold. */
    static List<CollectiveCase> aroundThresholds(
            CollectiveOperation operation, int size, Thresholds max, SplittableRandom random) {
        List<CollectiveCase> cases = new ArrayList<>();
        for (int bytes : thresholds(operation, size, max)) {
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
    private static List<Integer> thresholds(CollectiveOperation operation, int size, Thresholds max) {
        long total = switch (operation) {
            case BROADCAST -> max.broadcastBinomialMax();
            case REDUCE -> max.reduceBinomialMax();
            case ALL_REDUCE -> size == 2 ? max.allReduceDoublingPairMax() : max.allReduceDoublingMax();
            case SCATTER, GATHER -> max.treeMax() / size;
            case ALL_GATHER, ALL_GATHER_V -> max.allGatherBlockMax();
            case REDUCE_SCATTER -> max.reduceScatterBlockMax();
            case ALL_TO_ALL -> max.bruckBlockMax();
            case BARRIER, SCATTER_V, GATHER_V, ALL_TO_ALL_V -> 0;
        };
        List<Integer> lengths = new ArrayList<>(List.of(32 << 10));
        if (total > 0) {
            lengths.add((int) total);
        }
        if (operation == CollectiveOperation.ALL_REDUCE) {
            boolean isPowerOfTwo = Integer.bitCount(size) == 1;
            long chunk = isPowerOfTwo ? max.allReduceChunkMax() : max.allReduceFoldedChunkMax();
            lengths.add((int) (size * (chunk + 1))); // the first whose chunks are longer
            lengths.add(size * max.segmentMin());
        }
        if (operation == CollectiveOperation.BROADCAST || operation == CollectiveOperation.REDUCE) {
            lengths.add(2 * max.segmentMin());
        }
        if (operation == CollectiveOperation.BROADCAST && size > 2) {
            lengths.add(size * max.segmentMin());
        }
        return lengths;
    }
}
