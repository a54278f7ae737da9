package io.zipcomm.internal;

import io.zipcomm.buffer.Payload;
import io.zipcomm.wire.FrameType;

/**
 * One message on its way between this process and a peer: posted, under way, or ended. Pooled by the engine, so whoever
 * posts one keeps no reference after its completion. Engine holder only.
 */
public final class Transfer {

    /** Where a transfer stands. */
    enum State {
        /** In the pool. */
        FREE,
        /** Sending: in the link's message queue, as EAGER or REQUEST. */
        QUEUED,
        /** Sending: announced, waits for CLEAR. */
        ANNOUNCED,
        /** Sending: DATA frames may go. */
        CLEARED,
        /** Receiving: no message matched yet. */
        POSTED,
        /** Receiving: matched with a message that is coming in. */
        MATCHED
    }

    State state = State.FREE;
    Link link;
    Transfer next;

    int context;
    long tag;
    int signature;
    boolean exact;

    Payload payload;
    long offset;
    /** Sending: length of the message. Receiving: room for it, and its length once matched. */
    long bytes;
    /** Sending: number of what goes to several peers alike, and to how many; 0 if it does not. */
    long share;

    int sharers;

    /** Bytes that have left or reached the payload. */
    long moved;

    Completion completion;
    int cookie;

    /** Sending: number by which the peer knows it. Receiving: number that DATA frames carry. */
    int number;

    /** Receiving: the sender's number for the message that was announced; 0 if none was. */
    int announced;

    /** Sending: the receiver's number for its buffer. */
    int clearance;

    /** Sending: the first frame, EAGER or REQUEST. */
    FrameType announcement;

    /** Receiving: CLEAR was queued or sent before a request came. */
    boolean clearedEarly;

    /** Receiving: CLEAR is queued. */
    boolean clearQueued;

    Transfer() {}

    void reset() {
        state = State.FREE;
        link = null;
        next = null;
        payload = null;
        completion = null;
        announcement = null;
        clearedEarly = false;
        clearQueued = false;
        moved = 0;
        share = 0;
        sharers = 0;
        number = 0;
        announced = 0;
    }

    boolean isSend() {
        return switch (state) {
            case QUEUED, ANNOUNCED, CLEARED -> true;
            case POSTED, MATCHED -> false;
            case FREE -> throw new IllegalStateException("this transfer has ended");
        };
    }

    boolean isFor(int frameContext, long frameTag) {
        return tag == frameTag && context == frameContext;
    }
}
