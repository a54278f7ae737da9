package io.zipcomm.transport.tcp;

import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.wire.Frame;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The way out of a {@link FrameStream}: headers and short or heap payloads are gathered in a staging segment and leave
 * together; a long payload in direct memory leaves from where it is, in the same call of the operating system as what is
 * staged before it.
 */
final class FrameWriter {

    /** Payloads in direct memory up to this length are copied into the staging segment: cheaper than gathering. */
    private static final int GATHER_BYTES_MIN = 4 << 10;

    private final FrameStream stream;
    private final Streams streams;
    private final OutboundFrame frame = new OutboundFrame();
    private final ByteBuffer[] gather = new ByteBuffer[2];
    private Segment staging;

    // Staged bytes from readAt to writeAt wait.
    private int readAt;
    private int writeAt;

    // What is left of the frame's payload.
    private Payload payload;
    private long offset;
    private int left;

    FrameWriter(FrameStream stream, Streams streams) {
        this.stream = stream;
        this.streams = streams;
    }

    /** Whether there is something of the frames taken so far that the socket has not taken yet. */
    boolean hasOutput() {
        return writeAt > readAt || left > 0;
    }

    /** Bytes that the next {@link #write} offers. */
    long offered() {
        return (long) writeAt - readAt + (isGathered() ? left : 0);
    }

    /**
     * Takes frames until there is no more room to stage them, a payload is to leave from where it is, or there are none.
     *
     * @param large whether the staging segment may be large
     */
    void fill(boolean large) {
        staging = streams.staging.fitting(staging, writeAt, large);
        while (!stream.isEnded()) {
            if (left > 0) {
                if (isGathered() || !stagePayload()) {
                    return;
                }
                continue;
            }
            if (stream.isOutputClosing() || staging.capacity() - writeAt < Frame.HEADER_BYTES) {
                return;
            }
            frame.clear();
            if (!stream.nextFrame(staging.bytes(), writeAt, frame)) {
                return;
            }
            writeAt += Frame.HEADER_BYTES;
            streams.counters.framesSent += 1 + frame.followers;
            if (frame.bytes > 0) {
                payload = frame.payload;
                offset = frame.offset;
                left = frame.bytes;
            }
        }
    }

    private boolean isGathered() {
        return left >= GATHER_BYTES_MIN && payload.direct() != null;
    }

    /** Copies as much of the payload as there is room for; false if some is left. */
    private boolean stagePayload() {
        int room = staging.capacity() - writeAt;
        int bytes = left <= room ? left : room - room % payload.type().bytes();
        if (bytes > 0) {
            payload.copyOut(offset, staging, writeAt, bytes);
            writeAt += bytes;
            payloadMoved(bytes);
        }
        return left == 0;
    }

    private void payloadMoved(int bytes) {
        offset += bytes;
        left -= bytes;
        if (left == 0) {
            payload = null;
            if (frame.attachment != null) {
                stream.payloadTaken(frame);
            }
            frame.clear();
        }
    }

    /** One call of the operating system. Returns how many bytes the socket took. */
    long write(StreamSocket socket) throws IOException {
        int count = 0;
        int staged = writeAt - readAt;
        if (staged > 0) {
            gather[count++] = staging.bytes().limit(writeAt).position(readAt);
        }
        if (isGathered()) {
            int position = (int) offset;
            gather[count++] = payload.direct().limit(position + left).position(position);
        }
        long written = socket.write(gather, count);
        // Absolute access observes the limit, too.
        for (int i = 0; i < count; i++) {
            gather[i].clear();
            gather[i] = null;
        }
        int fromStaging = (int) Math.min(written, staged);
        readAt += fromStaging;
        if (readAt == writeAt) {
            readAt = 0;
            writeAt = 0;
        }
        if (written > fromStaging) {
            payloadMoved((int) (written - fromStaging));
        }
        return written;
    }

    /** Lets go of a payload: what is left of its frame is copied. */
    void release(Object attachment) {
        if (frame.attachment == null || frame.attachment != attachment) {
            return;
        }
        frame.attachment = null;
        frame.payload = null;
        if (left > 0) {
            Segment copy = Segment.allocate((left + Long.BYTES - 1) / Long.BYTES * Long.BYTES);
            payload.copyOut(offset, copy, 0, left);
            payload = Payload.of(copy.bytes());
            offset = 0;
        }
    }

    /** As {@link #release}, whoever's the payload is. */
    void detach() {
        release(frame.attachment);
    }

    /** The stream has ended, and nobody works with the staging segment. */
    void giveBack() {
        if (staging != null) {
            streams.staging.give(staging);
            staging = null;
        }
    }
}
