package io.zipcomm.collectives;

import io.zipcomm.internal.Signature;

/** The collective operations. */
public enum CollectiveOperation {
    /** Nobody leaves before everybody came. */
    BARRIER(Signature.BARRIER),
    /** The root's data to all. */
    BROADCAST(Signature.BROADCAST),
    /** All ranks' data combined, at the root. */
    REDUCE(Signature.REDUCE),
    /** All ranks' data combined, at all. */
    ALL_REDUCE(Signature.ALL_REDUCE),
    /** The root's blocks, one to each rank. */
    SCATTER(Signature.SCATTER),
    /** A block of each rank, to the root. */
    GATHER(Signature.GATHER),
    /** A block of each rank, to all. */
    ALL_GATHER(Signature.ALL_GATHER),
    /** All ranks' data combined, one block at each. */
    REDUCE_SCATTER(Signature.REDUCE_SCATTER),
    /** A block from each rank to each other. */
    ALL_TO_ALL(Signature.ALL_TO_ALL),
    /** {@link #SCATTER} with blocks of any lengths. */
    SCATTER_V(Signature.SCATTER_V),
    /** {@link #GATHER} with blocks of any lengths. */
    GATHER_V(Signature.GATHER_V),
    /** {@link #ALL_GATHER} with blocks of any lengths. */
    ALL_GATHER_V(Signature.ALL_GATHER_V),
    /** {@link #ALL_TO_ALL} with blocks of any lengths. */
    ALL_TO_ALL_V(Signature.ALL_TO_ALL_V);

    private final int number;

    CollectiveOperation(int number) {
        this.number = number;
    }

    /** The number that stands for this on the wire. */
    public int number() {
        return number;
    }

    /** Name for people: {@code all-reduce}. */
    @Override
    public String toString() {
        return Signature.operationName(number);
    }
}
