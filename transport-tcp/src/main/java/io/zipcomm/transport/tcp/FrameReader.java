package io.zipcomm.transport.tcp;

import io.zipcomm.buffer.Segment;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.wire.Frame;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The way in of a {@link FrameStream}: what comes is read into a staging segment, except a payload for direct memory, which
 * is read to where it belongs. While such payloads come one after the other, only headers are read into the staging segment,
 * so that they are not copied.
 */
final class FrameReader {

    /** Remaining payloads for direct memory from this length are read there directly. */
    private static final int DIRECT_READ_BYTES_MIN = 4 << 10;

    /** After payloads of this length to direct memory only the next header is read. */
    private static final int BULK_BYTES_MIN = 16 << 10;

    private final FrameStream stream;
    private final Streams streams;
    private final InboundFrame frame = new InboundFrame();
    private Segment staging;

    // Staged bytes from readAt to writeAt have not been handled.
    private int readAt;
    private int writeAt;

    /** A header has been handled, and its frame is not all in. */
    private boolean amidFrame;

    /** Payload bytes of the frame still to come, and those that have landed. */
    private int left;

    private long moved;
    private boolean bulk;

    FrameReader(FrameStream stream, Streams streams) {
        this.stream = stream;
        this.streams = streams;
    }

    /** Before anything else in a turn. */
    void begin(boolean large) {
        staging = streams.staging.fitting(staging, writeAt, large);
    }

    private boolean readsDirectly() {
        return amidFrame
                && readAt == writeAt
                && left >= DIRECT_READ_BYTES_MIN
                && frame.payload != null
                && frame.payload.direct() != null;
    }

    /** How many bytes the next {@link #read} is to ask for. */
    int wanted() {
        if (readsDirectly()) {
            return left;
        }
        if (readAt == writeAt) {
            readAt = 0;
            writeAt = 0;
            if (bulk) {
                // What is left may be long all the same if nobody wants it any more.
                int rest = amidFrame ? Math.min(left, staging.capacity() - Frame.HEADER_BYTES) : 0;
                return rest + Frame.HEADER_BYTES;
            }
        }
        return staging.capacity() - writeAt;
    }

    /** One call of the operating system. Returns how many bytes came in, 0 if there are none now, -1 at the end. */
    int read(StreamSocket socket, int wanted) throws IOException {
        int bytes;
        if (readsDirectly()) {
            int position = (int) (frame.offset + moved);
            ByteBuffer target = frame.payload.direct();
            bytes = socket.read(target, position, position + wanted);
            target.clear();
            if (bytes > 0) {
                moved += bytes;
                left -= bytes;
            }
        } else {
            bytes = socket.read(staging.bytes(), writeAt, writeAt + wanted);
            staging.bytes().clear();
            if (bytes > 0) {
                writeAt += bytes;
            }
        }
        return bytes;
    }

    /** Handles what is staged, as far as the stream takes frames. */
    void handleStaged() {
        while (stream.takesFrames()) {
            if (amidFrame) {
                if (left > 0 && !landStaged()) {
                    break;
                }
                amidFrame = false;
                streams.counters.framesReceived++;
                stream.frameReceived(frame);
            } else {
                if (writeAt - readAt < Frame.HEADER_BYTES || !header()) {
                    break;
                }
            }
        }
        makeRoom();
    }

    /** Begins a frame; false if it cannot be taken now. */
    private boolean header() {
        ByteBuffer bytes = staging.bytes();
        int at = readAt;
        String problem = Frame.problem(bytes, at);
        if (problem != null) {
            throw new ZipException(ErrorCode.PROTOCOL, problem + " on the connection of " + stream.describe());
        }
        if (!stream.accepts(bytes, at)) {
            stream.setInputOpen(false);
            return false;
        }
        readAt += Frame.HEADER_BYTES;
        frame.clear();
        frame.bytes = Frame.payloadBytes(bytes, at);
        amidFrame = true;
        left = frame.bytes;
        moved = 0;
        stream.headerReceived(bytes, at, frame);
        bulk = frame.bytes >= BULK_BYTES_MIN && frame.payload != null && frame.payload.direct() != null;
        return true;
    }

    /** Moves staged bytes of the payload to where they belong; false if more have to come. */
    private boolean landStaged() {
        int staged = writeAt - readAt;
        int bytes = Math.min(staged, left);
        if (frame.payload == null) {
            readAt += bytes;
            left -= bytes;
            return left == 0;
        }
        if (bytes < left) {
            bytes -= (int) ((moved + bytes) % frame.payload.type().bytes());
            if (bytes <= 0) {
                return false;
            }
        }
        frame.payload.copyIn(frame.offset + moved, staging, readAt, bytes);
        readAt += bytes;
        moved += bytes;
        left -= bytes;
        return left == 0;
    }

    /** Moves a rest of a header or an element to the front, so that what follows it fits. */
    private void makeRoom() {
        if (readAt == writeAt) {
            readAt = 0;
            writeAt = 0;
        } else if (stream.takesInput() && readAt > 0) {
            ByteBuffer bytes = staging.bytes();
            bytes.limit(writeAt).position(readAt);
            bytes.compact();
            bytes.clear();
            writeAt -= readAt;
            readAt = 0;
        }
    }

    /** Throws away what is still to come of the payload with an attachment. */
    void release(Object attachment) {
        if (amidFrame && frame.attachment != null && frame.attachment == attachment) {
            drop();
        }
    }

    /** Throws away what is still to come of the frame that is coming in. */
    void drop() {
        frame.attachment = null;
        frame.payload = null;
    }

    /** Payload bytes still to come of the frame that is coming in. */
    int missing() {
        return amidFrame ? left : 0;
    }

    /** Whether something of a frame has come in, and not all of it. */
    boolean isAmidFrame() {
        return amidFrame || writeAt > readAt;
    }

    /** The stream has ended, and nobody works with the staging segment. */
    void giveBack() {
        if (staging != null) {
            streams.staging.give(staging);
            staging = null;
        }
    }
}
