package io.zipcomm.transport.aeron;

import io.aeron.ExclusivePublication;
import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
import io.zipcomm.transport.TransportCounters;
import io.zipcomm.wire.Frame;
import java.nio.ByteOrder;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.status.ReadablePosition;

/**
 * The way out of a {@link UdpPath}: a frame is cut into messages that fit into a datagram each. The first has the header and
 * the beginning of the payload, those behind it have payload only; what a message is, its reserved value says. Payloads are
 * copied straight into the stream, from where the driver sends them, and sends them again until they have arrived. What all
 * peers get alike is cast, if it can be: then only the header is in this stream, with word of where the payload is.
 *
 * <p>Engine holder only. Nothing is allocated but for a frame that is released on its way.
 */
final class UdpOutput extends StreamOutput implements UdpCast.Way {

    // What a message is.

    /** A header, and behind it as much of the payload as fits. */
    static final long FRAME = 0;

    /** The payload goes on. */
    static final long MORE = 1;

    /** There will be no further frame. */
    static final long END = 2;

    /** The peer's {@link #END} has been read. */
    static final long HEARD = 3;

    /** A header, and the position in what this rank casts at which its payload begins. */
    static final long CAST = 4;

    /** Length of such a message. */
    static final int REFERENCE_BYTES = Frame.HEADER_BYTES + Long.BYTES;

    /** In place of such a position. */
    private static final long NOT_CAST = -1;

    /** Nothing, but whoever reads it knows that there is nothing before it that it lacks: see {@link UdpTail}. */
    static final long SO_FAR = 5;

    private final UdpPath path;
    private final ReadablePosition sent;
    private final ReadablePosition limit;
    private final int messageBytesMax;
    private final UdpCast cast;

    /** The frame's header has left, and so much of its payload. */
    private boolean begun;

    private int moved;

    /** It waits for others with the same payload. */
    private boolean waits;

    /** Where its payload was cast. */
    private long castAt;

    private boolean answering;
    private boolean telling;

    /** How far the driver had sent at the last look. */
    private long sentBefore;

    /**
     * The way out over a stream.
     *
     * @param sent how far the driver has sent what is in the stream
     * @param limit how far it may
     * @param cast where it meets the others; null if nothing is cast
     */
    UdpOutput(
            UdpPath path,
            ExclusivePublication publication,
            ReadablePosition sent,
            ReadablePosition limit,
            UdpCast cast,
            TransportCounters counters) {
        super(path, publication, counters);
        this.path = path;
        this.sent = sent;
        this.limit = limit;
        this.cast = cast;
        messageBytesMax = publication.maxPayloadLength();
    }

    /** Whether something waits for room in the stream. */
    boolean isWaiting() {
        return pending || (ending && !ended) || answering || telling;
    }

    /** Whether the driver has not sent all that is in the stream. */
    boolean isUnsent() {
        return sent.getVolatile() < publication.position();
    }

    /** Whether there is something that the peer has room for, and the driver has not sent: it sends whole messages. */
    boolean isDue() {
        long from = sent.getVolatile();
        long left = publication.position() - from;
        return left > 0 && limit.getVolatile() - from >= Math.min(left, UdpCastStream.logBytes(messageBytesMax));
    }

    /** How far the driver has sent. */
    long sentPosition() {
        return sent.getVolatile();
    }

    /** Whether the driver has sent something since this was asked last. */
    boolean hasMoved() {
        long now = sent.getVolatile();
        boolean moved = now != sentBefore;
        sentBefore = now;
        return moved;
    }

    /** Tells the peer that its last frame has been read. */
    void answer() {
        answering = true;
        flush();
    }

    /** Tells the peer how far the stream goes. */
    void tellSoFar() {
        telling = true;
        flush();
    }

    @Override
    void writeAll() {
        blocked = false;
        while (path.isWritable() && (pending || take())) {
            blocked = !write();
            if (blocked) {
                return;
            }
        }
        if (ending && !ended && path.isWritable()) {
            ended = mark(END);
            blocked = !ended;
        }
        if (answering && !blocked && path.isWritable()) {
            answering = !mark(HEARD);
            blocked = answering;
        }
        if (telling && !blocked && path.isWritable()) {
            telling = !mark(SO_FAR);
            blocked = telling;
        }
    }

    private boolean take() {
        if (!takeNext()) {
            return false;
        }
        begun = false;
        moved = 0;
        castAt = NOT_CAST;
        waits = cast != null && cast.joins(frame);
        return true;
    }

    /** Writes the frame, or what is left of it, as far as there is room. Returns whether it is all written. */
    private boolean write() {
        if (waits) {
            cast.look(frame);
        }
        boolean isWritten = !waits && (castAt == NOT_CAST ? writeWhole() : writeReference());
        if (isWritten) {
            written();
            taken();
        }
        return isWritten;
    }

    private boolean writeReference() {
        if (!claim(REFERENCE_BYTES)) {
            return false;
        }
        claim.putBytes(headerBytes, 0, Frame.HEADER_BYTES);
        claim.buffer().putLong(claim.offset() + Frame.HEADER_BYTES, castAt, ByteOrder.LITTLE_ENDIAN);
        claim.reservedValue(CAST).commit();
        return true;
    }

    private boolean writeWhole() {
        while (!begun || moved < frame.bytes) {
            int before = begun ? 0 : Frame.HEADER_BYTES;
            int bytes = Math.min(messageBytesMax - before, frame.bytes - moved);
            if (!claim(before + bytes)) {
                return false;
            }
            MutableDirectBuffer buffer = claim.buffer();
            if (!begun) {
                buffer.putBytes(claim.offset(), headerBytes, 0, Frame.HEADER_BYTES);
            }
            if (bytes > 0) {
                int at = buffer.wrapAdjustment() + claim.offset() + before;
                frame.payload.copyOut(frame.offset + moved, stream.of(buffer), at, bytes);
            }
            claim.reservedValue(begun ? MORE : FRAME).commit();
            begun = true;
            moved += bytes;
        }
        return true;
    }

    @Override
    public void cast(long position) {
        waits = false;
        castAt = position;
    }

    @Override
    public void alone() {
        waits = false;
    }

    @Override
    public void goOn() {
        path.flush();
    }

    /** Copies what is left of a released frame. */
    void release(Object attachment) {
        if (!pending || !owes || frame.attachment != attachment) {
            return;
        }
        owes = false;
        frame.attachment = null;
        if (castAt != NOT_CAST) {
            return;
        }
        if (waits) {
            cast.pass();
        }
        int left = frame.bytes - moved;
        Segment copy = Segment.allocate((left + Long.BYTES - 1) / Long.BYTES * Long.BYTES);
        frame.payload.copyOut(frame.offset + moved, copy, 0, left);
        frame.payload = Payload.of(copy.bytes(), 0, left, DataType.INT8);
        // The payload's byte 0 is what comes next.
        frame.offset = -moved;
    }
}
