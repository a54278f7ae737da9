package io.zipcomm.internal;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;

/**
 * A message, or the announcement of one, that came before its receiver asked for it. Pooled with its memory.
 */
final class Unexpected {

    final Segment memory;
    final Payload payload;

    Unexpected next;
    int context;
    long tag;
    int signature;
    long bytes;

    /** Announcement only: the message is still at its sender, under this number. */
    boolean request;

    int number;

    /** Of the bytes, by their sender, if payloads carry checksums. */
    int checksum;

    /** All bytes are in {@link #memory}. */
    boolean complete;

    /** A receive that was posted while the bytes were still coming in. */
    Transfer claimedBy;

    /** Nobody wants it any more. */
    boolean dropped;

    Unexpected(int capacity) {
        memory = capacity == 0 ? null : Segment.allocate(capacity);
        payload = capacity == 0
                ? Payload.empty(DataType.INT8)
                : Payload.of(memory.bytes().clear(), DataType.INT8);
    }

    int capacity() {
        return memory == null ? 0 : memory.capacity();
    }

    boolean isFor(int wantedContext, long wantedTag) {
        return tag == wantedTag && context == wantedContext;
    }
}
