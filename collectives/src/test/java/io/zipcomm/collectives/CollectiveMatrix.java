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
public final class CollectiveMatrix {

    private CollectiveMatrix() {}

    /**
     * Cases that touch everything: each operation with several roots, lengths, types, reductions, forms, kinds of memory.
     *
     * @param size     number of ranks
     * @param countMax longest message, or block, in elements
     * @param seed     equal on all ranks
     */
    public static List<CollectiveCase> cases(int size, int countMax, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<CollectiveCase> cases = new ArrayList<>();
        for (CollectiveOperation operation : CollectiveOperation.values()) {
            for (int root = 0; root < (CollectiveCase.isRooted(operation) ? size : 1); root++) {
                for (int count : new int[] {0, 1, 2 + random.nextInt(100), countMax}) {
                    cases.add(anyCase(operation, size, root, count, random));
                }
            }
        }
        return cases;
    }

    /** Runs one case on one rank: calls the operation, by its blocking form, and checks the result. */
    public static void run(Collectives collectives, CollectiveCase one) {
        int rank = collectives.communicator().rank();
        Vector source = one.source(rank);
        Vector target = one.target(rank);
        one.call(collectives, source, target);
        one.check(rank, source, target);
    }

    /** A case of which type, reduction, form and memory are left to chance. */
    public static CollectiveCase anyCase(
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
    static List<Integer> thresholds(CollectiveOperation operation, int size) {
        Thresholds max = Thresholds.NETWORK;
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
            lengths.add((int) (size * (isPowerOfTwo ? max.allReduceChunkMax() : max.allReduceFoldedChunkMax())));
            lengths.add(size * max.segmentMin());
        }
        if (operation == CollectiveOperation.BROADCAST || operation == CollectiveOperation.REDUCE) {
            lengths.add(2 * max.segmentMin());
        }
        return lengths;
    }
}
