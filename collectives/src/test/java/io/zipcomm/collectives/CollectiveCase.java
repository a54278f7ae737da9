package io.zipcomm.collectives;

import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * One call of one operation on a group of any size: what each rank puts in, and, by a plain loop, what it must get out.
 * Knows nothing of how it is done, so that it can be run over anything.
 *
 * @param operation what is called
 * @param size      number of ranks
 * @param root      the one rank
 * @param type      type of the elements
 * @param op        how to combine; null where data only moves
 * @param count     elements of a message, or of a block; where blocks differ, what their lengths are made from
 * @param form      in what form arguments are given
 * @param kind      of memory
 */
public record CollectiveCase(
        CollectiveOperation operation,
        int size,
        int root,
        DataType type,
        ReduceOp op,
        int count,
        Form form,
        Vector.Kind kind) {

    /** How arguments are given. */
    public enum Form {
        /** Source and target. */
        TWO_BUFFERS,
        /** One argument. */
        IN_PLACE,
        /** Source and target, and where blocks differ in length, in reverse order with gaps between. */
        SPREAD
    }

    /** Elements that are nowhere written to. */
    static final long UNTOUCHED = 99;

    private static volatile Map.Entry<CollectiveCase, long[]> lastShared; // of the case that some rank checked last

    /** A reduction that no other constant gives: (1 + a)(1 + b) - 1. */
    public static ReduceOp user(DataType type) {
        return switch (type) {
            case INT8 -> ReduceOp.ofBytes((a, b) -> (byte) (a + b + a * b));
            case INT32 -> ReduceOp.ofInts((a, b) -> a + b + a * b);
            case INT64 -> ReduceOp.ofLongs((a, b) -> a + b + a * b);
            case FLOAT32 -> ReduceOp.ofFloats((a, b) -> a + b + a * b);
            case FLOAT64 -> ReduceOp.ofDoubles((a, b) -> a + b + a * b);
        };
    }

    /** All reductions that a type has, and one by a user. */
    public static List<ReduceOp> reductions(DataType type) {
        List<ReduceOp> all = new ArrayList<>(List.of(
                ReduceOp.SUM,
                ReduceOp.PROD,
                ReduceOp.MIN,
                ReduceOp.MAX,
                ReduceOp.AVG,
                ReduceOp.BAND,
                ReduceOp.BOR,
                ReduceOp.BXOR,
                user(type)));
        all.removeIf(op -> !op.supports(type));
        return all;
    }

    /** Whether an operation has a root. */
    public static boolean isRooted(CollectiveOperation operation) {
        return switch (operation) {
            case BROADCAST, REDUCE, SCATTER, GATHER, SCATTER_V, GATHER_V -> true;
            default -> false;
        };
    }

    /** Whether an operation combines. */
    public static boolean isReduction(CollectiveOperation operation) {
        return switch (operation) {
            case REDUCE, ALL_REDUCE, REDUCE_SCATTER -> true;
            default -> false;
        };
    }

    /** Whether an operation has a form. */
    public static boolean has(CollectiveOperation operation, Form form) {
        return switch (form) {
            case TWO_BUFFERS -> operation != CollectiveOperation.BROADCAST;
            case IN_PLACE ->
                switch (operation) {
                    case BROADCAST, REDUCE, ALL_REDUCE, ALL_GATHER -> true;
                    default -> false;
                };
            case SPREAD -> isV(operation);
        };
    }

    private static boolean isV(CollectiveOperation operation) {
        return switch (operation) {
            case SCATTER_V, GATHER_V, ALL_GATHER_V, ALL_TO_ALL_V -> true;
            default -> false;
        };
    }

    // ---- lengths

    /** Elements in a rank's block, where blocks differ. */
    private int blockCount(int rank) {
        return count == 0 ? 0 : (count + 3 * rank) % (count + 3);
    }

    /** Elements from one rank to another. */
    private int blockCount(int from, int to) {
        return count == 0 ? 0 : (count + 5 * from + 3 * to) % (count + 2);
    }

    int[] counts() {
        int[] counts = new int[size];
        Arrays.setAll(counts, this::blockCount);
        return counts;
    }

    int[] sentCounts(int rank) {
        int[] counts = new int[size];
        Arrays.setAll(counts, to -> blockCount(rank, to));
        return counts;
    }

    int[] receivedCounts(int rank) {
        int[] counts = new int[size];
        Arrays.setAll(counts, from -> blockCount(from, rank));
        return counts;
    }

    /** First element of each block; null if the form leaves that to the operation. */
    int[] displacements(int[] counts) {
        return form == Form.SPREAD ? starts(counts) : null;
    }

    private int[] starts(int[] counts) {
        int[] starts = new int[counts.length];
        int end = 0;
        for (int i = 0; i < counts.length; i++) {
            int block = form == Form.SPREAD ? counts.length - 1 - i : i;
            starts[block] = end;
            end += counts[block] + (form == Form.SPREAD ? 1 : 0);
        }
        return starts;
    }

    private int total(int[] counts) {
        return Arrays.stream(counts).sum() + (form == Form.SPREAD ? counts.length : 0);
    }

    // ---- what goes in

    /** The element that a rank contributes at an index of its source. */
    private long element(int rank, int index) {
        long mixed = (rank * 31L + index + 1) * 0x9e3779b97f4a7c15L;
        int few = (int) (mixed >>> 58); // 0 to 63
        ReduceOp.Kind how = op == null ? ReduceOp.Kind.SUM : op.kind();
        return switch (how) {
            case PROD -> few % 2 + 1;
            case USER -> few % 2;
            case AVG -> type == DataType.FLOAT32 || type == DataType.FLOAT64 ? (long) few * size : few - 20;
            default -> few - 20;
        };
    }

    /** A rank's source, filled; null if it has none. */
    public Vector source(int rank) {
        int length = switch (operation) {
            case BARRIER, BROADCAST -> -1;
            case REDUCE, ALL_REDUCE, GATHER, ALL_GATHER -> count;
            case REDUCE_SCATTER, ALL_TO_ALL -> count * size;
            case SCATTER -> rank == root ? count * size : -1;
            case SCATTER_V -> rank == root ? total(counts()) : -1;
            case GATHER_V, ALL_GATHER_V -> blockCount(rank);
            case ALL_TO_ALL_V -> total(sentCounts(rank));
        };
        if (length < 0 || form == Form.IN_PLACE) {
            return null;
        }
        Vector source = Vector.of(kind, type, length);
        for (int i = 0; i < length; i++) {
            source.set(i, element(rank, i));
        }
        return source;
    }

    /** A rank's target, with what it holds before; null if it has none. */
    public Vector target(int rank) {
        int length = switch (operation) {
            case BARRIER -> -1;
            case BROADCAST, ALL_REDUCE, SCATTER, REDUCE_SCATTER -> count;
            case REDUCE -> rank == root || form == Form.IN_PLACE ? count : -1;
            case GATHER -> rank == root ? count * size : -1;
            case ALL_GATHER, ALL_TO_ALL -> count * size;
            case SCATTER_V -> blockCount(rank);
            case GATHER_V -> rank == root ? total(counts()) : -1;
            case ALL_GATHER_V -> total(counts());
            case ALL_TO_ALL_V -> total(receivedCounts(rank));
        };
        if (length < 0) {
            return null;
        }
        Vector target = Vector.of(kind, type, length);
        for (int i = 0; i < length; i++) {
            target.set(i, before(rank, i));
        }
        return target;
    }

    private long before(int rank, int index) {
        boolean given = operation == CollectiveOperation.BROADCAST ? rank == root : form == Form.IN_PLACE;
        if (!given) {
            return UNTOUCHED;
        }
        if (operation != CollectiveOperation.ALL_GATHER) {
            return element(rank, index);
        }
        return index / count == rank ? element(rank, index % count) : UNTOUCHED;
    }

    // ---- what comes out

    /** What a rank's target must hold after. */
    public long[] expected(int rank) {
        return switch (operation) {
            case BARRIER -> new long[0];
            case BROADCAST -> elements(root, 0, count);
            case REDUCE ->
                rank == root ? combined(0, count) : form == Form.IN_PLACE ? elements(rank, 0, count) : new long[0];
            case ALL_REDUCE -> sameForAll();
            case SCATTER -> elements(root, rank * count, count);
            case REDUCE_SCATTER -> combined(rank * count, count);
            case GATHER -> rank == root ? gathered() : new long[0];
            case ALL_GATHER -> gathered();
            case ALL_TO_ALL -> exchanged(rank);
            case SCATTER_V -> elements(root, starts(counts())[rank], blockCount(rank));
            case GATHER_V -> rank == root ? gatheredV() : new long[0];
            case ALL_GATHER_V -> gatheredV();
            case ALL_TO_ALL_V -> exchangedV(rank);
        };
    }

    private long[] elements(int rank, int from, int length) {
        long[] values = new long[length];
        Arrays.setAll(values, i -> element(rank, from + i));
        return values;
    }

    private long[] gathered() {
        long[] values = new long[count * size];
        Arrays.setAll(values, i -> element(i / count, i % count));
        return values;
    }

    private long[] exchanged(int rank) {
        long[] values = new long[count * size];
        Arrays.setAll(values, i -> element(i / count, rank * count + i % count));
        return values;
    }

    private long[] gatheredV() {
        int[] counts = counts();
        int[] starts = starts(counts);
        long[] values = new long[total(counts)];
        Arrays.fill(values, UNTOUCHED);
        for (int from = 0; from < size; from++) {
            System.arraycopy(elements(from, 0, counts[from]), 0, values, starts[from], counts[from]);
        }
        return values;
    }

    private long[] exchangedV(int rank) {
        int[] counts = receivedCounts(rank);
        int[] starts = starts(counts);
        long[] values = new long[total(counts)];
        Arrays.fill(values, UNTOUCHED);
        for (int from = 0; from < size; from++) {
            int begin = starts(sentCounts(from))[rank];
            System.arraycopy(elements(from, begin, counts[from]), 0, values, starts[from], counts[from]);
        }
        return values;
    }

    /** What all ranks must get: worked out by the first that asks, for long messages on many ranks take long. */
    private long[] sameForAll() {
        Map.Entry<CollectiveCase, long[]> shared = lastShared;
        if (shared == null || !shared.getKey().equals(this)) {
            shared = Map.entry(this, combined(0, count));
            lastShared = shared;
        }
        return shared.getValue().clone();
    }

    private long[] combined(int from, int length) {
        long[] values = new long[length];
        for (int i = 0; i < length; i++) {
            long value = element(0, from + i);
            for (int rank = 1; rank < size; rank++) {
                value = combine(value, element(rank, from + i));
            }
            values[i] = op.kind() == ReduceOp.Kind.AVG ? value / size : value;
        }
        return values;
    }

    private long combine(long a, long b) {
        long value = switch (op.kind()) {
            case SUM, AVG -> a + b;
            case PROD -> a * b;
            case MIN -> Math.min(a, b);
            case MAX -> Math.max(a, b);
            case BAND -> a & b;
            case BOR -> a | b;
            case BXOR -> a ^ b;
            case USER -> a + b + a * b;
        };
        return switch (type) {
            case INT8 -> (byte) value;
            case INT32 -> (int) value;
            default -> value;
        };
    }

    /** Throws unless a rank got what it must, and nothing else was written. */
    public void check(int rank, Vector source, Vector target) {
        if (target != null) {
            long[] expected = expected(rank);
            long[] found = target.values();
            if (operation == CollectiveOperation.REDUCE && rank != root && form != Form.IN_PLACE) {
                return;
            }
            int at = Arrays.mismatch(expected, found);
            if (at >= 0) {
                throw new AssertionError(this + ", rank " + rank + ", element " + at + ": expected " + expected[at]
                        + ", found " + found[at]);
            }
        }
        if (target != null && !target.isIntact()) {
            throw new AssertionError(this + ", rank " + rank + ": memory around the target was written");
        }
        if (source != null && !Arrays.equals(source.bytes(), source(rank).bytes())) {
            throw new AssertionError(this + ", rank " + rank + ": the source was written");
        }
    }

    // ---- calling it

    /** Calls the operation on one rank and waits. */
    public void call(Collectives collectives, Vector source, Vector target) {
        Payload from = source == null ? null : source.payload();
        Payload to = target == null ? null : target.payload();
        int rank = collectives.communicator().rank();
        int[] counts = counts();
        if (form == Form.IN_PLACE && operation != CollectiveOperation.BROADCAST) {
            callInPlace(collectives, to);
            return;
        }
        switch (operation) {
            case BARRIER -> collectives.barrier();
            case BROADCAST -> collectives.broadcast(to, root);
            case REDUCE -> collectives.reduce(from, to, op, root);
            case ALL_REDUCE -> collectives.allReduce(from, to, op);
            case SCATTER -> collectives.scatter(from, to, root);
            case GATHER -> collectives.gather(from, to, root);
            case ALL_GATHER -> collectives.allGather(from, to);
            case REDUCE_SCATTER -> collectives.reduceScatter(from, to, op);
            case ALL_TO_ALL -> collectives.allToAll(from, to);
            case SCATTER_V -> collectives.scatterv(from, counts, displacements(counts), to, root);
            case GATHER_V -> collectives.gatherv(from, to, counts, displacements(counts), root);
            case ALL_GATHER_V -> collectives.allGatherv(from, to, counts, displacements(counts));
            case ALL_TO_ALL_V ->
                collectives.allToAllv(
                        from,
                        sentCounts(rank),
                        displacements(sentCounts(rank)),
                        to,
                        receivedCounts(rank),
                        displacements(receivedCounts(rank)));
        }
    }

    private void callInPlace(Collectives collectives, Payload message) {
        switch (operation) {
            case REDUCE -> collectives.reduce(message, op, root);
            case ALL_REDUCE -> collectives.allReduce(message, op);
            case ALL_GATHER -> collectives.allGather(message);
            default -> throw new AssertionError(operation + " has no form in place");
        }
    }

    /** Starts the operation on one rank. */
    public ZipFuture<Void> start(Collectives collectives, Vector source, Vector target) {
        Payload from = source == null ? null : source.payload();
        Payload to = target == null ? null : target.payload();
        int rank = collectives.communicator().rank();
        int[] counts = counts();
        boolean inPlace = form == Form.IN_PLACE;
        return switch (operation) {
            case BARRIER -> collectives.barrierAsync();
            case BROADCAST -> collectives.broadcastAsync(to, root);
            case REDUCE ->
                inPlace ? collectives.reduceAsync(to, op, root) : collectives.reduceAsync(from, to, op, root);
            case ALL_REDUCE -> inPlace ? collectives.allReduceAsync(to, op) : collectives.allReduceAsync(from, to, op);
            case SCATTER -> collectives.scatterAsync(from, to, root);
            case GATHER -> collectives.gatherAsync(from, to, root);
            case ALL_GATHER -> inPlace ? collectives.allGatherAsync(to) : collectives.allGatherAsync(from, to);
            case REDUCE_SCATTER -> collectives.reduceScatterAsync(from, to, op);
            case ALL_TO_ALL -> collectives.allToAllAsync(from, to);
            case SCATTER_V -> collectives.scattervAsync(from, counts, displacements(counts), to, root);
            case GATHER_V -> collectives.gathervAsync(from, to, counts, displacements(counts), root);
            case ALL_GATHER_V -> collectives.allGathervAsync(from, to, counts, displacements(counts));
            case ALL_TO_ALL_V ->
                collectives.allToAllvAsync(
                        from,
                        sentCounts(rank),
                        displacements(sentCounts(rank)),
                        to,
                        receivedCounts(rank),
                        displacements(receivedCounts(rank)));
        };
    }

    /** Prepares the operation on one rank. */
    public Prepared prepare(Collectives collectives, Vector source, Vector target) {
        Preparation prepare = collectives.prepare();
        Payload from = source == null ? null : source.payload();
        Payload to = target == null ? null : target.payload();
        int rank = collectives.communicator().rank();
        int[] counts = counts();
        boolean inPlace = form == Form.IN_PLACE;
        return switch (operation) {
            case BARRIER -> prepare.barrier();
            case BROADCAST -> prepare.broadcast(to, root);
            case REDUCE -> inPlace ? prepare.reduce(to, op, root) : prepare.reduce(from, to, op, root);
            case ALL_REDUCE -> inPlace ? prepare.allReduce(to, op) : prepare.allReduce(from, to, op);
            case SCATTER -> prepare.scatter(from, to, root);
            case GATHER -> prepare.gather(from, to, root);
            case ALL_GATHER -> inPlace ? prepare.allGather(to) : prepare.allGather(from, to);
            case REDUCE_SCATTER -> prepare.reduceScatter(from, to, op);
            case ALL_TO_ALL -> prepare.allToAll(from, to);
            case SCATTER_V -> prepare.scatterv(from, counts, displacements(counts), to, root);
            case GATHER_V -> prepare.gatherv(from, to, counts, displacements(counts), root);
            case ALL_GATHER_V -> prepare.allGatherv(from, to, counts, displacements(counts));
            case ALL_TO_ALL_V ->
                prepare.allToAllv(
                        from,
                        sentCounts(rank),
                        displacements(sentCounts(rank)),
                        to,
                        receivedCounts(rank),
                        displacements(receivedCounts(rank)));
        };
    }

    /** What the operation makes of one rank's arguments. */
    Call call(int rank, Vector source, Vector target) {
        Arguments arguments = new Arguments(rank, size, (name, problem) -> {
            throw new AssertionError(name + ": " + problem);
        });
        Payload from = source == null ? null : source.payload();
        Payload to = target == null ? null : target.payload();
        int[] counts = counts();
        boolean inPlace = form == Form.IN_PLACE;
        return switch (operation) {
            case BARRIER -> arguments.barrier();
            case BROADCAST -> arguments.broadcast(to, root);
            case REDUCE -> inPlace ? arguments.reduceInPlace(to, op, root) : arguments.reduce(from, to, op, root);
            case ALL_REDUCE -> inPlace ? arguments.allReduceInPlace(to, op) : arguments.allReduce(from, to, op);
            case SCATTER -> arguments.scatter(from, to, root);
            case GATHER -> arguments.gather(from, to, root);
            case ALL_GATHER -> inPlace ? arguments.allGatherInPlace(to) : arguments.allGather(from, to);
            case REDUCE_SCATTER -> arguments.reduceScatter(from, to, op);
            case ALL_TO_ALL -> arguments.allToAll(from, to);
            case SCATTER_V -> arguments.scatterV(from, counts, displacements(counts), to, root);
            case GATHER_V -> arguments.gatherV(from, to, counts, displacements(counts), root);
            case ALL_GATHER_V -> arguments.allGatherV(from, to, counts, displacements(counts));
            case ALL_TO_ALL_V ->
                arguments.allToAllV(
                        from,
                        sentCounts(rank),
                        displacements(sentCounts(rank)),
                        to,
                        receivedCounts(rank),
                        displacements(receivedCounts(rank)));
        };
    }
}
