package io.zipcomm.internal;

import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ZipException;

/**
 * This rank's part in one operation of the hub: what it contributes, what it gets, or both. Pooled by the {@link Hub}, so
 * whoever posts one keeps no reference after its completion. Engine holder only.
 */
public final class HubTransfer {

    /** By which the relay names it to this rank, once it has entered. */
    int number;

    int context;
    long tag;
    int kind;
    int root;
    int signature;
    HubTurns turns;

    /** Number of the collective on its communicator. */
    int collective;

    /** Null if this rank contributes nothing. */
    Payload source;

    long sourceOffset;

    /** Null if this rank gets nothing. */
    Payload target;

    long targetOffset;
    long bytes;

    /** Up to where the contribution may be sent. */
    long granted;

    /** Bytes of the contribution that are in frames. */
    long framed;

    /** Bytes of the contribution that have left its memory. */
    long taken;

    /** Bytes of the result that have come. */
    long received;

    /** The result of an empty message has come. */
    boolean receivedNothing;

    Completion completion;
    int cookie;

    boolean active;
    boolean entered;
    boolean withdrawn;

    /** Waits until fewer collectives of its communicator are under way. */
    boolean held;

    /** Is in the queue of those that have frames. */
    boolean queued;

    /** As {@link #awaitedRank()}. It stays after the end, for the error that tells of it. */
    int awaitedRank = ZipException.NONE;

    HubTransfer() {}

    /**
     * Of which rank the relay said last that it holds up the others.
     *
     * @return world rank; {@link ZipException#NONE} if it has said nothing
     */
    public int awaitedRank() {
        return awaitedRank;
    }

    void reset() {
        number = 0;
        turns = null;
        source = null;
        target = null;
        completion = null;
        granted = 0;
        framed = 0;
        taken = 0;
        received = 0;
        receivedNothing = false;
        active = false;
        entered = false;
        withdrawn = false;
        held = false;
        queued = false;
    }

    boolean hasAll() {
        boolean given = source == null || taken == bytes;
        boolean got = target == null || (bytes == 0 ? receivedNothing : received == bytes);
        return entered && given && got;
    }

    /** Bytes of the next part that may go; 0 if none may. */
    int sendable(int partBytes) {
        if (source == null) {
            return 0;
        }
        long part = Math.min(partBytes, bytes - framed);
        return framed + part <= granted ? (int) part : 0;
    }
}
