package io.zipcomm.internal;

import io.zipcomm.buffer.DataType;

/**
 * What a collective is, in the 32 bits that each of its messages carries: ranks that disagree find out at the first
 * message that they exchange. Never 0, which stands for a message that belongs to no collective.
 *
 * <p>The names of operations, reductions and algorithms that users read are here and nowhere else.
 */
public final class Signature {

    /*
     *   bits 0-4       5-8          9-12           13-17          18-31
     *  +------------+-----------+--------------+-------------+--------------------------+
     *  | operation  | data type | reduction    | algorithm   | hash of the rest         |
     *  +------------+-----------+--------------+-------------+--------------------------+
     */
    private static final int TYPE_SHIFT = 5;
    private static final int REDUCTION_SHIFT = 9;
    private static final int ALGORITHM_SHIFT = 13;
    private static final int HASH_SHIFT = 18;
    private static final int HASH_BITS = Integer.SIZE - HASH_SHIFT;
    private static final int FIVE_BITS = 0x1f;
    private static final int FOUR_BITS = 0xf;

    public static final int BARRIER = 1;
    public static final int BROADCAST = 2;
    public static final int REDUCE = 3;
    public static final int ALL_REDUCE = 4;
    public static final int SCATTER = 5;
    public static final int GATHER = 6;
    public static final int ALL_GATHER = 7;
    public static final int REDUCE_SCATTER = 8;
    public static final int ALL_TO_ALL = 9;
    public static final int SCATTER_V = 10;
    public static final int GATHER_V = 11;
    public static final int ALL_GATHER_V = 12;
    public static final int ALL_TO_ALL_V = 13;
    /** Also the whole signature. */
    public static final int SPLIT = 14;
    /** Also the whole signature. */
    public static final int DUPLICATE = 15;

    // Of regions. The hash is of the region's number.

    static final int EXPOSE = 16;
    static final int FENCE = 17;
    static final int CLOSE_REGION = 18;

    private static final String[] OPERATIONS = {
        null,
        "barrier",
        "broadcast",
        "reduce",
        "all-reduce",
        "scatter",
        "gather",
        "all-gather",
        "reduce-scatter",
        "all-to-all",
        "scatterv",
        "gatherv",
        "all-gatherv",
        "all-to-allv",
        "split",
        "duplicate",
        "expose",
        "fence",
        "close of a region"
    };

    private static final String[] REDUCTIONS = {
        null, "SUM", "PROD", "MIN", "MAX", "AVG", "BAND", "BOR", "BXOR", "user-defined"
    };

    private static final String[] ALGORITHMS = {
        null,
        "dissemination",
        "binomial",
        "chain",
        "scatter-allgather",
        "doubling",
        "ring",
        "rabenseifner",
        "halving",
        "linear",
        "bruck",
        "pairwise",
        "hierarchical",
        "relay-multicast",
        "relay-reduce",
        "exchange"
    };

    private Signature() {}

    /**
     * Packs a signature.
     *
     * @param operation    one of this class's constants
     * @param type         type of what is reduced; null where data only moves
     * @param reduction    number of the reduction, 0 for none
     * @param algorithm    number of the algorithm, 0 for none
     * @param root         rank, or 0 where there is none
     * @param bytes        length on which all ranks agree, or 0 where there is none
     * @param segmentBytes in which pieces long messages travel
     */
    public static int of(
            int operation, DataType type, int reduction, int algorithm, int root, long bytes, int segmentBytes) {
        int typeNumber = type == null ? 0 : type.number();
        return operation
                | (typeNumber << TYPE_SHIFT)
                | (reduction << REDUCTION_SHIFT)
                | (algorithm << ALGORITHM_SHIFT)
                | (hash(root, bytes, segmentBytes) << HASH_SHIFT);
    }

    private static int hash(int root, long bytes, int segmentBytes) {
        // Fibonacci hashing: the upper bits of the product depend on all bits of both.
        long product = ((bytes * 31 + root) * 31 + segmentBytes) * 0x9e3779b97f4a7c15L;
        return (int) (product >>> (Long.SIZE - HASH_BITS));
    }

    /** Name of an operation, such as {@code all-reduce}. */
    public static String operationName(int operation) {
        return name(OPERATIONS, operation);
    }

    /** Name of a reduction, such as {@code SUM}. */
    public static String reductionName(int reduction) {
        return name(REDUCTIONS, reduction);
    }

    /** Name of an algorithm, such as {@code ring}. */
    public static String algorithmName(int algorithm) {
        return name(ALGORITHMS, algorithm);
    }

    /** Type of what is reduced, as a signature says it; null if nothing is, or the type is unknown. */
    public static DataType type(int signature) {
        int number = (signature >>> TYPE_SHIFT) & FOUR_BITS;
        for (DataType type : DataType.values()) {
            if (type.number() == number) {
                return type;
            }
        }
        return null;
    }

    /** Number of the reduction, as a signature says it. */
    public static int reduction(int signature) {
        return (signature >>> REDUCTION_SHIFT) & FOUR_BITS;
    }

    private static String name(String[] names, int number) {
        return number > 0 && number < names.length ? names[number] : "unknown " + number;
    }

    /**
     * For errors: {@code all-reduce (FLOAT32, SUM, ring)}. Root, length and segments are not in it: only their
     * hash travels.
     *
     * @param signature any value, also one that no rank of this version would send
     */
    public static String describe(int signature) {
        if (signature == 0) {
            return "no collective";
        }
        StringBuilder text = new StringBuilder(operationName(signature & FIVE_BITS));
        String separator = " (";
        int type = (signature >>> TYPE_SHIFT) & FOUR_BITS;
        if (type != 0) {
            text.append(separator).append(typeName(type));
            separator = ", ";
        }
        int reduction = (signature >>> REDUCTION_SHIFT) & FOUR_BITS;
        if (reduction != 0) {
            text.append(separator).append(reductionName(reduction));
            separator = ", ";
        }
        int algorithm = (signature >>> ALGORITHM_SHIFT) & FIVE_BITS;
        if (algorithm != 0) {
            text.append(separator).append(algorithmName(algorithm));
            separator = ", ";
        }
        return text.append(separator.equals(" (") ? "" : ")").toString();
    }

    /** For errors: what this rank and a peer called, and if it may be that, what made them do it differently. */
    static String difference(int mine, int peer, int theirs) {
        String text = "this rank called " + describe(mine) + ", rank " + peer + " called " + describe(theirs);
        int algorithmBits = FIVE_BITS << ALGORITHM_SHIFT;
        boolean isSameCall = ((mine ^ theirs) & ((1 << HASH_SHIFT) - 1) & ~algorithmBits) == 0;
        boolean chosen = (mine & algorithmBits) != 0;
        if (!isSameCall || !chosen) {
            return text;
        }
        return text + ": root, length or choice of algorithm differ; are the tuning tables (ZIP_TUNING) equal?";
    }

    private static String typeName(int number) {
        for (DataType type : DataType.values()) {
            if (type.number() == number) {
                return type.name();
            }
        }
        return "unknown " + number;
    }
}
