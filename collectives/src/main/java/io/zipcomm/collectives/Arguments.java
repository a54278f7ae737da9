package io.zipcomm.collectives;

import io.zipcomm.buffer.Payload;
import io.zipcomm.collectives.plan.Blocks;
import io.zipcomm.error.ZipException;
import java.util.Arrays;

/**
 * Checks the arguments of calls, before anything is sent: what is wrong is said on the rank that is wrong. What ranks
 * disagree about is found out by the signatures of their messages.
 */
final class Arguments {

    /** Makes the exception for a wrong argument. */
    interface Complaint {
        ZipException of(String operation, String problem);
    }

    private final int rank;
    private final int size;
    private final Complaint complaint;

    Arguments(int rank, int size, Complaint complaint) {
        this.rank = rank;
        this.size = size;
        this.complaint = complaint;
    }

    // ---- operations

    Call barrier() {
        return new Call(CollectiveOperation.BARRIER);
    }

    Call broadcast(Payload message, int root) {
        CollectiveOperation operation = CollectiveOperation.BROADCAST;
        checkRoot(operation, root);
        if (rank == root) {
            checkSource(operation, message);
        } else {
            checkTarget(operation, message);
        }
        return new Call(operation).root(root).memory(null, message).message(message.bytes());
    }

    Call reduce(Payload source, Payload target, ReduceOp op, int root) {
        CollectiveOperation operation = CollectiveOperation.REDUCE;
        checkRoot(operation, root);
        checkSource(operation, source);
        checkReduction(operation, op, source);
        if (rank == root) {
            checkTarget(operation, target);
            checkPair(operation, source, target);
            checkSameCount(operation, source, target);
        }
        return new Call(operation)
                .root(root)
                .memory(source, rank == root ? target : null)
                .op(op)
                .message(source.bytes());
    }

    Call reduceInPlace(Payload message, ReduceOp op, int root) {
        CollectiveOperation operation = CollectiveOperation.REDUCE;
        checkRoot(operation, root);
        checkSource(operation, message);
        checkReduction(operation, op, message);
        Call call = new Call(operation).root(root).op(op).message(message.bytes());
        if (rank != root) {
            return call.memory(message, null);
        }
        checkTarget(operation, message);
        return call.memory(message, message).inPlace(0);
    }

    Call allReduce(Payload source, Payload target, ReduceOp op) {
        CollectiveOperation operation = CollectiveOperation.ALL_REDUCE;
        checkSource(operation, source);
        checkTarget(operation, target);
        checkReduction(operation, op, source);
        checkPair(operation, source, target);
        checkSameCount(operation, source, target);
        return new Call(operation).memory(source, target).op(op).message(source.bytes());
    }

    Call allReduceInPlace(Payload message, ReduceOp op) {
        CollectiveOperation operation = CollectiveOperation.ALL_REDUCE;
        checkTarget(operation, message);
        checkReduction(operation, op, message);
        return new Call(operation)
                .memory(message, message)
                .op(op)
                .message(message.bytes())
                .inPlace(0);
    }

    Call scatter(Payload source, Payload target, int root) {
        CollectiveOperation operation = CollectiveOperation.SCATTER;
        checkRoot(operation, root);
        checkTarget(operation, target);
        if (rank == root) {
            checkSource(operation, source);
            checkPair(operation, source, target);
            checkBlocks(operation, "source", source, target);
        }
        return new Call(operation)
                .root(root)
                .memory(rank == root ? source : null, target)
                .evenBlocks(size, target.bytes());
    }

    Call gather(Payload source, Payload target, int root) {
        CollectiveOperation operation = CollectiveOperation.GATHER;
        checkRoot(operation, root);
        checkSource(operation, source);
        if (rank == root) {
            checkTarget(operation, target);
            checkPair(operation, source, target);
            checkBlocks(operation, "target", target, source);
        }
        return new Call(operation)
                .root(root)
                .memory(source, rank == root ? target : null)
                .evenBlocks(size, source.bytes());
    }

    Call allGather(Payload source, Payload target) {
        CollectiveOperation operation = CollectiveOperation.ALL_GATHER;
        checkSource(operation, source);
        checkTarget(operation, target);
        checkPair(operation, source, target);
        checkBlocks(operation, "target", target, source);
        return new Call(operation).memory(source, target).evenBlocks(size, source.bytes());
    }

    Call allGatherInPlace(Payload blocks) {
        CollectiveOperation operation = CollectiveOperation.ALL_GATHER;
        checkTarget(operation, blocks);
        checkDivisible(operation, blocks);
        long blockBytes = blocks.bytes() / size;
        return new Call(operation)
                .memory(blocks, blocks)
                .evenBlocks(size, blockBytes)
                .inPlace(rank * blockBytes);
    }

    Call reduceScatter(Payload source, Payload target, ReduceOp op) {
        CollectiveOperation operation = CollectiveOperation.REDUCE_SCATTER;
        checkSource(operation, source);
        checkTarget(operation, target);
        checkReduction(operation, op, source);
        checkPair(operation, source, target);
        checkBlocks(operation, "source", source, target);
        return new Call(operation).memory(source, target).op(op).evenBlocks(size, target.bytes());
    }

    Call allToAll(Payload source, Payload target) {
        CollectiveOperation operation = CollectiveOperation.ALL_TO_ALL;
        checkSource(operation, source);
        checkTarget(operation, target);
        checkPair(operation, source, target);
        checkSameCount(operation, source, target);
        checkDivisible(operation, source);
        Call call = new Call(operation).memory(source, target).evenBlocks(size, source.bytes() / size);
        call.arriving = call.blocks;
        return call;
    }

    Call scatterV(Payload source, int[] counts, int[] displacements, Payload target, int root) {
        CollectiveOperation operation = CollectiveOperation.SCATTER_V;
        checkRoot(operation, root);
        checkTarget(operation, target);
        Call call = new Call(operation).root(root);
        if (rank != root) {
            return call.memory(null, target).blocks(target.bytes(), null);
        }
        checkSource(operation, source);
        checkPair(operation, source, target);
        checkLayout(operation, "source", source, counts, displacements, false);
        checkOwnCount(operation, "target", target, counts[rank]);
        Blocks blocks = Blocks.of(counts, displacements, source.type().bytes());
        return call.memory(source, target).blocks(target.bytes(), blocks);
    }

    Call gatherV(Payload source, Payload target, int[] counts, int[] displacements, int root) {
        CollectiveOperation operation = CollectiveOperation.GATHER_V;
        checkRoot(operation, root);
        checkSource(operation, source);
        Call call = new Call(operation).root(root);
        if (rank != root) {
            return call.memory(source, null).blocks(source.bytes(), null);
        }
        checkTarget(operation, target);
        checkPair(operation, source, target);
        checkLayout(operation, "target", target, counts, displacements, true);
        checkOwnCount(operation, "source", source, counts[rank]);
        Blocks blocks = Blocks.of(counts, displacements, source.type().bytes());
        return call.memory(source, target).blocks(source.bytes(), blocks);
    }

    Call allGatherV(Payload source, Payload target, int[] counts, int[] displacements) {
        CollectiveOperation operation = CollectiveOperation.ALL_GATHER_V;
        checkSource(operation, source);
        checkTarget(operation, target);
        checkPair(operation, source, target);
        checkLayout(operation, "target", target, counts, displacements, true);
        checkOwnCount(operation, "source", source, counts[rank]);
        Blocks blocks = Blocks.of(counts, displacements, source.type().bytes());
        Call call = new Call(operation).memory(source, target).blocks(source.bytes(), blocks);
        call.totalBytes = blocks.totalBytes();
        return call;
    }

    Call allToAllV(
            Payload source,
            int[] sourceCounts,
            int[] sourceDisplacements,
            Payload target,
            int[] targetCounts,
            int[] targetDisplacements) {
        CollectiveOperation operation = CollectiveOperation.ALL_TO_ALL_V;
        checkSource(operation, source);
        checkTarget(operation, target);
        checkPair(operation, source, target);
        checkLayout(operation, "source", source, sourceCounts, sourceDisplacements, false);
        checkLayout(operation, "target", target, targetCounts, targetDisplacements, true);
        if (sourceCounts[rank] != targetCounts[rank]) {
            throw bad(
                    operation,
                    "this rank sends itself " + sourceCounts[rank] + " elements, but receives " + targetCounts[rank]);
        }
        int elementBytes = source.type().bytes();
        Call call = new Call(operation)
                .memory(source, target)
                .blocks(0, Blocks.of(sourceCounts, sourceDisplacements, elementBytes));
        call.arriving = Blocks.of(targetCounts, targetDisplacements, elementBytes);
        return call;
    }

    // ---- checks

    /** What is thrown for a wrong argument. */
    ZipException bad(CollectiveOperation operation, String problem) {
        return complaint.of(operation.toString(), problem);
    }

    private void checkRoot(CollectiveOperation operation, int root) {
        if (root < 0 || root >= size) {
            throw bad(operation, "root " + root + ": expected 0 to " + (size - 1));
        }
    }

    private void checkSource(CollectiveOperation operation, Payload source) {
        if (source == null) {
            throw bad(operation, "the source is null");
        }
    }

    private void checkTarget(CollectiveOperation operation, Payload target) {
        if (target == null) {
            throw bad(operation, "the target is null");
        }
        if (target.isReadOnly()) {
            throw bad(operation, "the target is read-only");
        }
    }

    /** Source and target of one type that share no memory. */
    private void checkPair(CollectiveOperation operation, Payload source, Payload target) {
        if (source.type() != target.type()) {
            throw bad(operation, "the source has " + source.type() + " elements, the target " + target.type());
        }
        if (source.overlaps(target)) {
            throw bad(operation, "source and target overlap");
        }
    }

    private void checkSameCount(CollectiveOperation operation, Payload source, Payload target) {
        if (source.count() != target.count()) {
            throw bad(
                    operation,
                    "the source has " + source.count() + " elements, the target " + target.count()
                            + ": expected equally many");
        }
    }

    /** One payload that has a block for each rank, and one that is a block. */
    private void checkBlocks(CollectiveOperation operation, String name, Payload blocks, Payload block) {
        if (blocks.count() != block.count() * size) {
            throw bad(
                    operation,
                    "the " + name + " has " + blocks.count() + " elements: expected " + block.count() + " for each of "
                            + size + " ranks");
        }
    }

    private void checkDivisible(CollectiveOperation operation, Payload payload) {
        if (payload.count() % size != 0) {
            throw bad(operation, payload.count() + " elements: expected equally many for each of " + size + " ranks");
        }
    }

    private void checkReduction(CollectiveOperation operation, ReduceOp op, Payload payload) {
        if (op == null) {
            throw bad(operation, "the reduction is null");
        }
        if (!op.supports(payload.type())) {
            throw bad(operation, op + " of " + payload.type() + " elements is not defined");
        }
    }

    private void checkLayout(
            CollectiveOperation operation,
            String name,
            Payload payload,
            int[] counts,
            int[] displacements,
            boolean isWritten) {
        if (counts == null || counts.length != size) {
            String given = counts == null ? "no counts" : counts.length + " counts";
            throw bad(operation, given + " for the " + name + ": expected one for each of " + size + " ranks");
        }
        if (displacements != null && displacements.length != size) {
            throw bad(operation, displacements.length + " displacements for " + size + " ranks");
        }
        long from = 0;
        for (int i = 0; i < size; i++) {
            if (displacements != null) {
                from = displacements[i];
            }
            if (counts[i] < 0 || from < 0 || from + counts[i] > payload.count()) {
                throw bad(
                        operation,
                        "block " + i + " has " + counts[i] + " elements from " + from + ": outside of a " + name
                                + " of " + payload.count());
            }
            from += counts[i];
        }
        if (displacements != null && isWritten) {
            checkApart(operation, counts, displacements);
        }
    }

    private void checkApart(CollectiveOperation operation, int[] counts, int[] displacements) {
        long[] blocks = new long[size];
        int used = 0;
        for (int i = 0; i < size; i++) {
            if (counts[i] > 0) {
                blocks[used++] = (long) displacements[i] << Integer.SIZE | counts[i];
            }
        }
        Arrays.sort(blocks, 0, used);
        for (int i = 1; i < used; i++) {
            long end = (blocks[i - 1] >>> Integer.SIZE) + (int) blocks[i - 1];
            if (end > blocks[i] >>> Integer.SIZE) {
                throw bad(operation, "blocks of the target overlap at element " + (blocks[i] >>> Integer.SIZE));
            }
        }
    }

    /** This rank's own block must be as long as its count says. */
    private void checkOwnCount(CollectiveOperation operation, String name, Payload block, int count) {
        if (block.count() != count) {
            throw bad(
                    operation,
                    "the " + name + " has " + block.count() + " elements, but this rank's count is " + count);
        }
    }
}
