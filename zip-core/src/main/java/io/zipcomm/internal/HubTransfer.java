package io.zipcomm.internal;

import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
import io.zipcomm.error.ZipException;
import io.zipcomm.wire.Enter;

/**
 * This rank's part in one operation of the hub: what it contributes, what it gets, or both. Pooled by the {@link Hub}, so
 * whoever posts one keeps no reference after its completion. Engine holder only.
 */
public final class HubTransfer {

    /**
     * Contributions up to this length are kept here until the relay has done with them, so that this rank is through when they have
     * left; of longer ones it keeps the caller's memory until then.
     */
    static final int KEPT_BYTES_MAX = 64 << 10;

    private static final int KEPT_BYTES_MIN = 64;

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

    /** Enters again, on another connection, or what begins anew. */
    boolean again;

    /** The relay has said that it needs no more. */
    boolean finished;

    /** Memory for what is contributed; made on first use. */
    private Segment kept;

    private Payload keptPayload;

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
        again = false;
        finished = false;
        held = false;
        queued = false;
    }

    /** Whether it can be done once more from the start. */
    boolean repeats() {
        return Enter.repeats(kind, bytes);
    }

    /** Whether the contribution may be wanted once more. */
    private boolean isKept() {
        return source != null && Enter.isConfirmed(kind, bytes);
    }

    boolean hasAll() {
        boolean keepsCallers = isKept() && bytes > KEPT_BYTES_MAX;
        boolean given = source == null || finished || (!keepsCallers && taken == bytes);
        boolean got = target == null || (bytes == 0 ? receivedNothing : received == bytes);
        return entered && given && got;
    }

    /** Whether all of its contribution has left. */
    boolean hasGiven() {
        return source == null || taken == bytes;
    }

    /** Goes on without the caller's memory. */
    void keepSource() {
        if (!isKept()) {
            source = null;
            return;
        }
        int count = (int) bytes;
        if (kept == null || kept.capacity() < count) {
            // Few sizes: what is kept for one is of use to another.
            kept = Segment.allocate(Math.max(KEPT_BYTES_MIN, Integer.highestOneBit(count - 1) << 1));
            keptPayload = Payload.of(kept.bytes());
        }
        source.copyOut(sourceOffset, kept, 0, count);
        source = keptPayload;
        sourceOffset = 0;
    }

    /** Nothing of it counts any more. */
    void restart(int windowBytes) {
        again = true;
        entered = false;
        granted = Math.min(bytes, windowBytes);
        framed = 0;
        taken = 0;
        received = 0;
        receivedNothing = false;
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
