package io.zipcomm.internal;

import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;

/**
 * What a link has sent on a path that may be forgotten, until the peer says that it came in: whole frames in the order of
 * their sequence, to be sent again on another path. They leave from here, too, so the caller's memory is free at once, and
 * frames that are recorded one right behind the other leave together. Engine holder only.
 */
final class Replay {

    private final ReplayPool pool;
    private final long bytesMax;

    private ReplayPool.Chunk oldest;
    private ReplayPool.Chunk newest;

    /** Where the first frame begins in {@link #oldest}. */
    private int first;

    private long bytes;

    /** Sequence of the last of the frames that are leaving; 0 if there are none. */
    private long leaving;

    /** End of the last frame in {@link #newest}, before it is rounded up. */
    private int tail;

    /** Where the frame is that is to be sent once more; null if there is none. */
    private ReplayPool.Chunk again;

    private int againAt;

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

    /** Chunks of memory that the frames are in. */
    int chunks() {
        int count = 0;
        for (ReplayPool.Chunk chunk = oldest; chunk != null; chunk = chunk.next) {
            count++;
        }
        return count;
    }

    /** Whether a frame of some length, header included, can be recorded. */
    boolean hasRoom(int frameBytes) {
        return bytes + frameBytes <= bytesMax;
    }

    /** Sequence of the last frame that has not been taken by its path; 0 if there is none. */
    long leaving() {
        return leaving;
    }

    /** The payload last given out was taken. */
    void taken() {
        leaving = 0;
    }

    /**
     * Copies a frame that is about to leave, and lets it leave from here.
     *
     * @param messageLeftBytes what its message has not sent yet, this frame included
     */
    void record(ByteBuffer header, int at, OutboundFrame frame, long messageLeftBytes) {
        int length = Frame.HEADER_BYTES + frame.bytes;
        makeRoom(length, messageLeftBytes);
        int begin = newest.end;
        newest.bytes.put(begin, header, at, Frame.HEADER_BYTES);
        boolean carries = frame.bytes > 0;
        append(frame);
        if (carries) {
            give(
                    newest,
                    begin + Frame.HEADER_BYTES,
                    tail - begin - Frame.HEADER_BYTES,
                    Frame.sequence(header, at),
                    frame);
        }
    }

    /** Where the header of a frame is to be written that leaves together with the one recorded last. */
    ByteBuffer nextHeader() {
        return newest.bytes;
    }

    /** Index of the first byte in {@link #nextHeader}. */
    int nextHeaderAt() {
        return newest.end;
    }

    /** Whether a frame of some length, header included, can be recorded right behind the last one, and leave with it. */
    boolean takesFollower(int frameBytes) {
        return leaving != 0 && tail == newest.end && newest.room() >= frameBytes && hasRoom(frameBytes);
    }

    /**
     * Copies the payload of a frame whose header was written to {@link #nextHeader}: it leaves together with those before.
     *
     * @param follower the frame; becomes that which is leaving, all of them
     * @param begin    where the payload of the first of them begins
     * @param count    how many follow that one
     */
    void recordFollower(OutboundFrame follower, int begin, int count) {
        long sequence = Frame.sequence(newest.bytes, newest.end);
        append(follower);
        give(newest, begin, tail - begin, sequence, follower);
        follower.followers = count;
    }

    private void append(OutboundFrame frame) {
        int begin = newest.end;
        tail = begin + Frame.HEADER_BYTES + frame.bytes;
        newest.end = end(begin, frame.bytes);
        bytes += Frame.HEADER_BYTES + frame.bytes;
        if (frame.bytes > 0) {
            frame.payload.copyOut(frame.offset, newest.memory, begin + Frame.HEADER_BYTES, frame.bytes);
        }
    }

    private void makeRoom(int length, long messageLeftBytes) {
        boolean isLong = messageLeftBytes > ReplayPool.CHUNK_BYTES && bytesMax >= 2L * ReplayPool.LONG_CHUNK_BYTES;
        int wanted = length;
        if (isLong) {
            // Many frames are to leave together, but no more than a quarter of a chunk is left empty for that.
            wanted = (int) Math.min(messageLeftBytes, ReplayPool.LONG_CHUNK_BYTES / 4);
        }
        if (newest == null || newest.room() < Math.max(length, wanted) || (isLong && !newest.isLong())) {
            append(pool.take(isLong));
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
        frame.followers = 0;
        leaving = sequence;
    }

    /** Whether nothing up to some frame is kept. */
    boolean isAcknowledged(long sequence) {
        return bytes == 0 || oldestSequence() > sequence;
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

    private void dropOldest() {
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

    // ---- once more

    /** All that is kept is to be sent once more, from the oldest on. */
    void sendAgain() {
        again = bytes > 0 ? oldest : null;
        againAt = first;
    }

    /** Nothing is to be sent once more, for now. */
    void stopSendingAgain() {
        again = null;
    }

    boolean isSendingAgain() {
        return again != null;
    }

    /** Sequence of the frame that is next to be sent once more. There must be one. */
    long againSequence() {
        return Frame.sequence(again.bytes, againAt);
    }

    /** Gives out the next frame as it was. It stays until the peer has it. */
    void nextAgain(ByteBuffer header, int at, OutboundFrame frame) {
        header.put(at, again.bytes, againAt, Frame.HEADER_BYTES);
        int payloadBytes = Frame.payloadBytes(again.bytes, againAt);
        if (payloadBytes > 0) {
            give(again, againAt + Frame.HEADER_BYTES, payloadBytes, againSequence(), frame);
        }
        stepAgain(payloadBytes);
    }

    /** Gives out what is left of the next frame after its first payload bytes. It stays until the peer has it. */
    void restOfNextAgain(int landedBytes, ByteBuffer header, int at, OutboundFrame frame) {
        int payloadBytes = Frame.payloadBytes(again.bytes, againAt);
        int rest = payloadBytes - landedBytes;
        Frame.begin(header, at, FrameType.REST);
        Frame.payloadBytes(header, at, rest);
        Frame.sequence(header, at, againSequence());
        if (rest > 0) {
            give(again, againAt + Frame.HEADER_BYTES + landedBytes, rest, againSequence(), frame);
        }
        stepAgain(payloadBytes);
    }

    private void stepAgain(int payloadBytes) {
        againAt = end(againAt, payloadBytes);
        if (againAt == again.end) {
            again = again.next;
            againAt = 0;
        }
    }

    /** Drops all. No path may be sending from here any more. */
    void clear() {
        again = null;
        while (bytes > 0) {
            dropOldest();
        }
        leaving = 0;
    }
}
