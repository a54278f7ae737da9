package io.zipcomm.internal;

import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;

/**
 * What a link has sent on a path that may be forgotten, until the peer says that it came in: whole frames in the order of
 * their sequence, to be sent again on another path. They leave from here, too, so the caller's memory is free at once.
 * Engine holder only.
 */
final class Replay {

    private final ReplayPool pool;
    private final long bytesMax;

    private ReplayPool.Chunk oldest;
    private ReplayPool.Chunk newest;

    /** Where the first frame begins in {@link #oldest}. */
    private int first;

    private long bytes;

    /** Sequence of the frame whose payload is leaving; 0 if there is none. */
    private long leaving;

    /**
     * @param bytesMax bytes of frames kept at most, headers included
     */
    Replay(ReplayPool pool, long bytesMax) {
        this.pool = pool;
        this.bytesMax = bytesMax;
    }

    boolean isEmpty() {
        return bytes == 0;
    }

    /** Whether a frame of some length, header included, can be recorded. */
    boolean hasRoom(int frameBytes) {
        return bytes + frameBytes <= bytesMax;
    }

    /** Sequence of the frame whose payload has not been taken by its path; 0 if there is none. */
    long leaving() {
        return leaving;
    }

    /** The payload last given out was taken. */
    void taken() {
        leaving = 0;
    }

    /** Copies a frame that is about to leave, and lets it leave from here. */
    void record(ByteBuffer header, int at, OutboundFrame frame) {
        int length = Frame.HEADER_BYTES + frame.bytes;
        if (newest == null || ReplayPool.CHUNK_BYTES - newest.end < length) {
            append(pool.take());
        }
        int begin = newest.end;
        newest.bytes.put(begin, header, at, Frame.HEADER_BYTES);
        newest.end = end(begin, frame.bytes);
        bytes += length;
        if (frame.bytes > 0) {
            frame.payload.copyOut(frame.offset, newest.memory, begin + Frame.HEADER_BYTES, frame.bytes);
            give(newest, begin + Frame.HEADER_BYTES, frame.bytes, Frame.sequence(header, at), frame);
        }
    }

    private void append(ReplayPool.Chunk chunk) {
        if (newest == null) {
            oldest = chunk;
            first = 0;
        } else {
            newest.next = chunk;
        }
        newest = chunk;
    }

    /** Frames begin where every type of element can. */
    private static int end(int begin, int payloadBytes) {
        return (begin + Frame.HEADER_BYTES + payloadBytes + Long.BYTES - 1) / Long.BYTES * Long.BYTES;
    }

    private void give(ReplayPool.Chunk chunk, int index, int length, long sequence, OutboundFrame frame) {
        frame.payload = chunk.payload;
        frame.offset = index;
        frame.bytes = length;
        frame.attachment = this;
        leaving = sequence;
    }

    /** Drops what came in at the peer. */
    void acknowledged(long sequence) {
        while (bytes > 0 && oldestSequence() <= sequence) {
            dropOldest();
        }
    }

    /** Sequence of the oldest frame. There must be one. */
    long oldestSequence() {
        return Frame.sequence(oldest.bytes, first);
    }

    /** Payload bytes of the oldest frame. There must be one. */
    int oldestPayloadBytes() {
        return Frame.payloadBytes(oldest.bytes, first);
    }

    void dropOldest() {
        int payloadBytes = oldestPayloadBytes();
        bytes -= Frame.HEADER_BYTES + payloadBytes;
        first = end(first, payloadBytes);
        if (first == oldest.end) {
            ReplayPool.Chunk empty = oldest;
            oldest = empty.next;
            newest = oldest == null ? null : newest;
            first = 0;
            pool.give(empty);
        }
    }

    /** Gives out the oldest frame as it was. It stays until it is dropped. */
    void oldest(ByteBuffer header, int at, OutboundFrame frame) {
        header.put(at, oldest.bytes, first, Frame.HEADER_BYTES);
        int payloadBytes = oldestPayloadBytes();
        if (payloadBytes > 0) {
            give(oldest, first + Frame.HEADER_BYTES, payloadBytes, oldestSequence(), frame);
        }
    }

    /** Gives out what is left of the oldest frame after its first payload bytes. It stays until it is dropped. */
    void restOfOldest(int landedBytes, ByteBuffer header, int at, OutboundFrame frame) {
        int rest = oldestPayloadBytes() - landedBytes;
        Frame.begin(header, at, FrameType.REST);
        Frame.payloadBytes(header, at, rest);
        Frame.sequence(header, at, oldestSequence());
        if (rest > 0) {
            give(oldest, first + Frame.HEADER_BYTES + landedBytes, rest, oldestSequence(), frame);
        }
    }

    /** Drops all. No path may be sending from here any more. */
    void clear() {
        while (bytes > 0) {
            dropOldest();
        }
        leaving = 0;
    }
}
