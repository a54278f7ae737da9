package io.zipcomm.transport.aeron;

import io.aeron.Image;
import io.zipcomm.buffer.Segment;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.TransportCounters;
import io.zipcomm.wire.Frame;
import org.agrona.DirectBuffer;

/**
 * The way into a {@link UdpPath}: messages as {@link UdpOutput} made them. Payloads are moved from the stream straight to where
 * they belong, as they come. Of a frame that is cast the payload is in another stream; until it is all in, nothing further is read.
 *
 * <p>Engine holder only. Nothing is allocated.
 */
final class UdpInput extends StreamInput {

    /** Messages handled in one turn, so that one busy path does not keep the others waiting. */
    private static final int MESSAGES_PER_TURN = 64;

    private final UdpPath path;
    private final Image image;
    private final TransportCounters counters;
    private final InboundFrame frame = new InboundFrame();
    private final StreamMemory stream = new StreamMemory();

    /** A header has been handled, and its frame is not all in. */
    private boolean amidFrame;

    /** Payload bytes of the frame that have landed. */
    private int moved;

    private int bytes;

    private final UdpCastInput cast;

    UdpInput(UdpPath path, Image image, UdpEndpoint endpoint, TransportCounters counters) {
        super(path);
        this.path = path;
        this.image = image;
        this.counters = counters;
        cast = new UdpCastInput(path, this, endpoint);
    }

    /** Handles what has come in, as far as the path reads and its turn goes. Returns the number of messages. */
    int poll() {
        int messages = cast.isDue() ? cast.poll() : 0;
        if (!cast.isDue() && path.reads()) {
            messages += image.controlledPoll(this, MESSAGES_PER_TURN);
            messages += cast.isDue() && path.reads() ? cast.poll() : 0;
        }
        return messages;
    }

    /** Whether a payload that the peer has cast does not come in. */
    boolean isStuck(long nowNs) {
        return cast.isStuck(nowNs);
    }

    /** Handles what has come in. Returns whether there was nothing: who passes the empty end of a term has had no message either. */
    boolean isDrained() {
        long before = image.position();
        return poll() == 0 && image.position() == before;
    }

    /** Whether nothing more can come. */
    boolean isOver() {
        return image.isClosed() || image.isEndOfStream() || (cast.isDue() && cast.isOver());
    }

    @Override
    boolean mayGoOn() {
        return super.mayGoOn() && !cast.isDue();
    }

    @Override
    void message(DirectBuffer buffer, int offset, int length, long kind) {
        if (kind == UdpOutput.SO_FAR) {
            return;
        }
        if (kind == UdpOutput.HEARD) {
            path.heard();
            return;
        }
        boolean inTurn = !path.isInputEnded() && (kind == UdpOutput.MORE) == amidFrame;
        if (!inTurn || kind < UdpOutput.FRAME || kind > UdpOutput.CAST) {
            throw new ZipException(
                    ErrorCode.PROTOCOL, "a message of kind " + kind + " in the stream of rank " + path.peer());
        }
        if (kind == UdpOutput.END) {
            path.inputEnded();
            return;
        }
        Segment log = stream.of(buffer);
        int at = buffer.wrapAdjustment() + offset;
        int rest = length;
        if (kind == UdpOutput.CAST) {
            reference(log, at, length);
            return;
        }
        if (kind == UdpOutput.FRAME) {
            header(log, at, length);
            at += Frame.HEADER_BYTES;
            rest -= Frame.HEADER_BYTES;
        }
        if (path.isOpen()) {
            land(log, at, rest);
        }
    }

    /** A header, and where its payload begins in what the peer casts. */
    private void reference(Segment log, int at, int length) {
        if (length != UdpOutput.REFERENCE_BYTES || Frame.payloadBytes(log.bytes(), at) == 0) {
            throw new ZipException(
                    ErrorCode.PROTOCOL, "a reference of " + length + " bytes in the stream of rank " + path.peer());
        }
        header(log, at, length);
        if (path.isOpen()) {
            cast.expect(log.bytes().getLong(at + Frame.HEADER_BYTES));
        }
    }

    private void header(Segment log, int at, int length) {
        checkHeader(log, at, length);
        bytes = Frame.payloadBytes(log.bytes(), at);
        moved = 0;
        amidFrame = true;
        frame.clear();
        frame.bytes = bytes;
        path.headerReceived(log.bytes(), at, frame);
    }

    /** Moves a piece of the payload to where it belongs. */
    void land(Segment log, int at, int length) {
        int left = bytes - moved;
        // No element is in two messages.
        if (length > left || (length < left && length % Long.BYTES != 0)) {
            throw new ZipException(
                    ErrorCode.PROTOCOL,
                    length + " payload bytes in a message of rank " + path.peer() + ", " + left + " were to come");
        }
        if (frame.payload != null && length > 0) {
            frame.payload.copyIn(frame.offset + moved, log, at, length);
        }
        moved += length;
        if (moved == bytes) {
            amidFrame = false;
            cast.landed();
            counters.framesReceived++;
            counters.directBytesReceived += Frame.HEADER_BYTES + bytes;
            path.frameReceived(frame);
        }
    }

    /** As {@link UdpPath#missingBytes}. */
    int missingBytes() {
        return amidFrame ? bytes - moved : 0;
    }

    /** The rest of a frame is thrown away. */
    void release(Object attachment) {
        if (amidFrame && attachment != null && frame.attachment == attachment) {
            frame.attachment = null;
            frame.payload = null;
        }
    }
}
