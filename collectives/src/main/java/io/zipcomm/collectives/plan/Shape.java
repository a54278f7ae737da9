package io.zipcomm.collectives.plan;

import io.zipcomm.buffer.DataType;
import io.zipcomm.collectives.CollectiveOperation;
import java.util.Objects;

/**
 * Everything about one call on which its plan depends: equal shapes and algorithms have equal plans.
 *
 * @param operation    what is done
 * @param rank         this rank in the communicator
 * @param size         number of ranks
 * @param root         the one rank in one-to-all and all-to-one; 0 elsewhere
 * @param type         type of the elements of a reduction; null where data only moves
 * @param bytes        length of this rank's contribution (or result) where it is one piece: a whole message in broadcast,
 *                     reduce and all-reduce, this rank's block in scatter, gather, all-gather and reduce-scatter
 * @param blocks       how the memory that has a block for each rank is divided: the source in scatter, reduce-scatter and
 *                     all-to-all, the target in gather and all-gather; null where there is none, or this rank need not
 *                     know
 * @param arriving     how the target of all-to-all is divided; null elsewhere
 * @param inPlace      first byte of the source in the target where they are the same memory; {@link #TWO_BUFFERS} if not
 * @param segmentBytes in which pieces large messages travel
 */
public record Shape(
        CollectiveOperation operation,
        int rank,
        int size,
        int root,
        DataType type,
        long bytes,
        Blocks blocks,
        Blocks arriving,
        long inPlace,
        int segmentBytes) {

    /**
     * A call with two buffers, root 0 and, where there are blocks, blocks of one length; numbers are FLOAT32.
     *
     * @param messageBytes length of the message, or of all blocks together, of which what does not divide is left out
     */
    public static Shape usual(CollectiveOperation operation, int rank, int size, long messageBytes, int segmentBytes) {
        long bytes = switch (operation) {
            case BARRIER -> 0;
            case BROADCAST, REDUCE, ALL_REDUCE -> messageBytes;
            default -> messageBytes / size / Long.BYTES * Long.BYTES;
        };
        DataType type = switch (operation) {
            case REDUCE, ALL_REDUCE, REDUCE_SCATTER -> DataType.FLOAT32;
            default -> null;
        };
        boolean hasBlocks = switch (operation) {
            case BARRIER, BROADCAST, REDUCE, ALL_REDUCE -> false;
            default -> true;
        };
        Blocks blocks = hasBlocks ? Blocks.even(size, bytes) : null;
        return new Shape(operation, rank, size, 0, type, bytes, blocks, blocks, TWO_BUFFERS, segmentBytes);
    }

    /** Value of {@link #inPlace} if source and target do not overlap. */
    public static final long TWO_BUFFERS = -1;

    /**
     * Memory may be cut at multiples of this: the length of an element, or where data only moves, and ranks may think of
     * it as different types, that of the longest element.
     */
    public int unitBytes() {
        return type == null ? Long.BYTES : type.bytes();
    }

    /** Whether source and target are the same memory. */
    public boolean isInPlace() {
        return inPlace != TWO_BUFFERS;
    }

    /** This rank renumbered so that the root is 0. */
    public int vrank() {
        return Math.floorMod(rank - root, size);
    }

    /** The rank that {@link #vrank} gives a number. */
    public int rankOf(int vrank) {
        return (vrank + root) % size;
    }

    // Written out: what the compiler generates for records costs milliseconds at the first call in a process.

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape shape
                && operation == shape.operation
                && rank == shape.rank
                && size == shape.size
                && root == shape.root
                && type == shape.type
                && bytes == shape.bytes
                && inPlace == shape.inPlace
                && segmentBytes == shape.segmentBytes
                && Objects.equals(blocks, shape.blocks)
                && Objects.equals(arriving, shape.arriving);
    }

    @Override
    public int hashCode() {
        int hash = operation.number() * 31 + root;
        hash = hash * 31 + Long.hashCode(bytes);
        hash = hash * 31 + (type == null ? 0 : type.number());
        hash = hash * 31 + (blocks == null ? 0 : blocks.hashCode());
        hash = hash * 31 + (arriving == null ? 0 : arriving.hashCode());
        return hash * 31 + Long.hashCode(inPlace) + segmentBytes;
    }
}
