package io.zipcomm.collectives;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.collectives.plan.Blocks;
import io.zipcomm.collectives.plan.Shape;

/** One call of an operation, its arguments checked. */
final class Call {

    final CollectiveOperation operation;
    int root;
    Payload source;
    Payload target;
    ReduceOp op;

    /** See {@link Shape#bytes}. */
    long bytes;

    /** Length on which all ranks agree, with the blocks of all ranks where there are blocks; 0 where there is none. */
    long totalBytes;

    /** See {@link Shape#blocks}. */
    Blocks blocks;

    /** See {@link Shape#arriving}. */
    Blocks arriving;

    /** See {@link Shape#inPlace}. */
    long inPlace = Shape.TWO_BUFFERS;

    Call(CollectiveOperation operation) {
        this.operation = operation;
    }

    Call root(int rank) {
        root = rank;
        return this;
    }

    Call memory(Payload from, Payload to) {
        source = from;
        target = to;
        return this;
    }

    Call op(ReduceOp how) {
        op = how;
        return this;
    }

    /** A message in one piece. */
    Call message(long length) {
        bytes = length;
        totalBytes = length;
        return this;
    }

    /** A block of one length for each rank. */
    Call evenBlocks(int size, long blockBytes) {
        bytes = blockBytes;
        totalBytes = size * blockBytes;
        blocks = Blocks.even(size, blockBytes);
        return this;
    }

    /** Blocks of any lengths, where only this rank need know them. */
    Call blocks(long ownBytes, Blocks all) {
        bytes = ownBytes;
        blocks = all;
        return this;
    }

    Call inPlace(long sourceInTarget) {
        inPlace = sourceInTarget;
        return this;
    }

    /** Type of what is reduced; null if nothing is. */
    DataType reducedType() {
        return op == null ? null : source.type();
    }

    /** What the plan of this call depends on. */
    Shape shape(int rank, int size, int segmentBytes) {
        return new Shape(operation, rank, size, root, reducedType(), bytes, blocks, arriving, inPlace, segmentBytes);
    }
}
