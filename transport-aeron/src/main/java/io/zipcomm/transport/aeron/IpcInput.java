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
 * The way into an {@link IpcPath}: each message of the stream is a frame as {@link IpcOutput} made it. Its payload is moved
 * from the stream, or from the peer's arena, straight to where it belongs.
 *
 * <p>Engine holder only. Nothing is allocated.
 */
final class IpcInput extends StreamInput {

    /** Messages handled in one turn, so that one busy path does not keep the others waiting. */
    private static final int MESSAGES_PER_TURN = 16;

    private final IpcPath path;
    private Image image;
    private final ArenaView arena;
    private final TransportCounters counters;
    private final InboundFrame frame = new InboundFrame();

    private final StreamMemory stream = new StreamMemory();

    IpcInput(IpcPath path, Image image, ArenaView arena, TransportCounters counters) {
        super(path);
        this.path = path;
        this.image = image;
        this.arena = arena;
        this.counters = counters;
    }

    /** Handles what has come in, as far as the path reads and its turn goes. Returns the number of messages. */
    int poll() {
        return image.controlledPoll(this, MESSAGES_PER_TURN);
    }

    /** Goes on in another stream if the one before has been read to its end. */
    boolean moveTo(Image next, long endedAt) {
        if (image.position() < endedAt) {
            return false;
        }
        image = next;
        return true;
    }

    /** Whether nothing more can come. */
    boolean isOver() {
        return image.isClosed() || image.isEndOfStream();
    }

    @Override
    void message(DirectBuffer buffer, int offset, int length, long where) {
        if (where == IpcOutput.END) {
            path.inputEnded();
            return;
        }
        Segment log = stream.of(buffer);
        int at = buffer.wrapAdjustment() + offset;
        checkHeader(log, at, length);
        int bytes = Frame.payloadBytes(log.bytes(), at);
        int slot = (int) (where - IpcOutput.FIRST_SLOT);
        boolean isInline = where == IpcOutput.INLINE;
        if (isInline
                ? bytes != length - Frame.HEADER_BYTES
                : where < 0 || slot >= arena.slots() || bytes > arena.slotBytes()) {
            throw new ZipException(
                    ErrorCode.PROTOCOL,
                    bytes + " payload bytes in slot " + slot + " and a message of " + length + " of rank "
                            + path.peer());
        }
        frame.clear();
        frame.bytes = bytes;
        path.headerReceived(log.bytes(), at, frame);
        if (!path.isOpen()) {
            return;
        }
        if (frame.payload != null && bytes > 0) {
            Segment from = isInline ? log : arena.memory();
            int begin = isInline ? at + Frame.HEADER_BYTES : arena.at(slot);
            frame.payload.copyIn(frame.offset, from, begin, bytes);
        }
        if (!isInline) {
            arena.giveBack();
            path.gaveBack();
        }
        counters.framesReceived++;
        counters.directBytesReceived += Frame.HEADER_BYTES + bytes;
        path.frameReceived(frame);
    }

    /** The rest of a frame is thrown away. Between two frames there is none. */
    void release(Object attachment) {
        if (attachment != null && frame.attachment == attachment) {
            frame.attachment = null;
            frame.payload = null;
        }
    }
}
