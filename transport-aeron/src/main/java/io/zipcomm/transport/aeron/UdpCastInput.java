package io.zipcomm.transport.aeron;

import io.aeron.Image;
import io.aeron.logbuffer.ControlledFragmentHandler;
import io.aeron.logbuffer.Header;
import io.zipcomm.buffer.Segment;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import org.agrona.DirectBuffer;

/**
 * What a peer casts, read as its frames refer to it: {@link UdpInput} says where a payload begins, and gets it piece by piece.
 *
 * <p>Engine holder only. Nothing is allocated.
 */
final class UdpCastInput implements ControlledFragmentHandler {

    private static final int MESSAGES_PER_TURN = 64;

    /** How long what is due may take to come in: as long as a peer may be frozen. */
    private static final long STUCK_NS_MAX = UdpEndpoint.SILENCE_NS_MAX;

    private final UdpPath path;
    private final UdpInput input;
    private final UdpEndpoint endpoint;
    private final StreamMemory stream = new StreamMemory();

    /** Null until found. */
    private Image image;

    /** A payload is not all in. */
    private boolean due;

    /** It has begun. */
    private boolean begun;

    private long from;

    /** Messages that have come in. */
    private long messages;

    private final Standstill standstill = new Standstill();

    UdpCastInput(UdpPath path, UdpInput input, UdpEndpoint endpoint) {
        this.path = path;
        this.input = input;
        this.endpoint = endpoint;
    }

    /** A payload begins at a position, if it is not in already. */
    void expect(long position) {
        if (image != null && position < image.position()) {
            throw new ZipException(
                    ErrorCode.PROTOCOL, "rank " + path.peer() + " refers to what it sent to all peers before");
        }
        due = true;
        begun = false;
        from = position;
    }

    /** Whether a payload is not all in. */
    boolean isDue() {
        return due;
    }

    /** The payload is all in. */
    void landed() {
        due = false;
    }

    /** Whether nothing more can come. */
    boolean isOver() {
        return image != null && image.isClosed();
    }

    /** Moves what has come in to where it belongs. Returns the number of messages. */
    int poll() {
        if (image == null) {
            image = find();
        }
        int polled = image == null ? 0 : image.controlledPoll(this, MESSAGES_PER_TURN);
        messages += polled;
        return polled;
    }

    /** Looks whether what is due comes in; to be called every few milliseconds. Returns whether it does not any more. */
    boolean isStuck(long nowNs) {
        return standstill.look(due, messages, nowNs) > STUCK_NS_MAX;
    }

    private Image find() {
        Image found = endpoint.cast(path.peer());
        if (found == null) {
            // The driver has it, or will have it soon: the client is to hear of that.
            path.lookSoon();
        }
        return found;
    }

    @Override
    public Action onFragment(DirectBuffer buffer, int offset, int length, Header message) {
        try {
            message(buffer, offset, length, message.position() - UdpCastStream.logBytes(length));
        } catch (ZipException e) {
            path.end(e);
        } catch (RuntimeException e) {
            path.end(new ZipException(
                    ErrorCode.INTERNAL, "what rank " + path.peer() + " casts could not be handled: " + e, e));
        }
        return due && path.reads() ? Action.CONTINUE : Action.BREAK;
    }

    private void message(DirectBuffer buffer, int offset, int length, long position) {
        if (position < from) {
            return;
        }
        if (!begun && position > from) {
            throw new ZipException(
                    ErrorCode.PROTOCOL,
                    "rank " + path.peer() + " refers to position " + from + " of what it casts, which is at "
                            + position);
        }
        begun = true;
        Segment log = stream.of(buffer);
        input.land(log, buffer.wrapAdjustment() + offset, length);
    }
}
