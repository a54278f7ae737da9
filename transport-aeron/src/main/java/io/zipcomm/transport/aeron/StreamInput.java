package io.zipcomm.transport.aeron;

import io.aeron.logbuffer.ControlledFragmentHandler;
import io.aeron.logbuffer.Header;
import io.zipcomm.buffer.Segment;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.wire.Frame;
import org.agrona.DirectBuffer;

/**
 * The way into a {@link StreamPath}: what is wrong with a message ends the path.
 *
 * <p>Engine holder only. Nothing is allocated.
 */
abstract class StreamInput implements ControlledFragmentHandler {

    private final StreamPath path;

    StreamInput(StreamPath path) {
        this.path = path;
    }

    /**
     * Handles a message.
     *
     * @param kind its reserved value
     */
    abstract void message(DirectBuffer buffer, int offset, int length, long kind);

    /** Whether the next message may be handled. */
    boolean mayGoOn() {
        return path.reads();
    }

    @Override
    public final Action onFragment(DirectBuffer buffer, int offset, int length, Header message) {
        try {
            message(buffer, offset, length, message.reservedValue());
        } catch (ZipException e) {
            path.end(e);
        } catch (RuntimeException e) {
            path.end(new ZipException(
                    ErrorCode.INTERNAL, "a frame of rank " + path.peer() + " could not be handled: " + e, e));
        }
        return mayGoOn() ? Action.CONTINUE : Action.BREAK;
    }

    /**
     * Refuses what is no header of a frame.
     *
     * @param length of the message that begins with it
     */
    final void checkHeader(Segment log, int at, int length) {
        String problem = length < Frame.HEADER_BYTES ? "a header cut off" : Frame.problem(log.bytes(), at);
        if (problem != null) {
            throw new ZipException(ErrorCode.PROTOCOL, problem + " in the stream of rank " + path.peer());
        }
    }
}
