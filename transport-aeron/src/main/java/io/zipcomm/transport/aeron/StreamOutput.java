package io.zipcomm.transport.aeron;

import io.aeron.ExclusivePublication;
import io.aeron.Publication;
import io.aeron.logbuffer.BufferClaim;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.TransportCounters;
import io.zipcomm.wire.Frame;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * The way out of a {@link StreamPath}: takes one frame at a time from the path's handler and writes it to a stream.
 *
 * <p>Engine holder only. Nothing is allocated.
 */
abstract class StreamOutput {

    /** A claim that meets the end of a term is repeated; that it meets another at once cannot be. */
    private static final int CLAIMS_MAX = 3;

    private final StreamPath path;
    private final TransportCounters counters;

    final BufferClaim claim = new BufferClaim();
    final OutboundFrame frame = new OutboundFrame();
    private final ByteBuffer header =
            ByteBuffer.allocateDirect(Frame.HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    final UnsafeBuffer headerBytes = new UnsafeBuffer(header);
    final StreamMemory stream = new StreamMemory();

    ExclusivePublication publication;

    /** There is a frame that has not left. */
    boolean pending;

    /** Its payload, or the rest of it, is still in its owner's memory. */
    boolean owes;

    /** There is no room. */
    boolean blocked;

    boolean ending;
    boolean ended;
    private boolean flushing;
    private boolean flushAgain;

    StreamOutput(StreamPath path, ExclusivePublication publication, TransportCounters counters) {
        this.path = path;
        this.publication = publication;
        this.counters = counters;
    }

    /** Whether the last message is in the stream. */
    final boolean isEnded() {
        return ended;
    }

    /** Takes frames and writes them until there are none, there is no room, or the turn is over. */
    final void flush() {
        if (flushing) {
            flushAgain = true;
            return;
        }
        flushing = true;
        try {
            do {
                flushAgain = false;
                writeAll();
            } while (flushAgain && mayGoOn() && path.isWritable());
        } catch (ZipException e) {
            path.end(e);
        } catch (RuntimeException e) {
            path.end(new ZipException(
                    ErrorCode.INTERNAL, "a frame for rank " + path.peer() + " could not be made: " + e, e));
        } finally {
            flushing = false;
        }
        flushed();
    }

    /** Writes all that there is, as far as it may. */
    abstract void writeAll();

    /** Whether more can be written in this turn. */
    boolean mayGoOn() {
        return !blocked;
    }

    /** Everything is written that can be for now. */
    void flushed() {}

    /** After the frames that are queued, no more. */
    final void end() {
        ending = true;
        flush();
    }

    /** Takes the next frame; its payload stays where it is. Returns false if there is none. */
    final boolean takeNext() {
        frame.clear();
        if (ending || !path.handler().nextFrame(path, header, 0, frame)) {
            return false;
        }
        pending = true;
        owes = frame.payload != null;
        return true;
    }

    /** The payload has left its owner's memory. */
    final void taken() {
        if (owes) {
            owes = false;
            path.handler().payloadTaken(frame);
        }
    }

    /** The frame is in the stream. */
    final void written() {
        pending = false;
        counters.framesSent++;
        counters.directBytesSent += Frame.HEADER_BYTES + frame.bytes;
    }

    /** Writes a message that says nothing but its kind. Returns false if there is no room. */
    final boolean mark(long kind) {
        boolean isClaimed = claim(Long.BYTES);
        if (isClaimed) {
            claim.reservedValue(kind).commit();
        }
        return isClaimed;
    }

    /** Takes room for a message. Returns false if there is none. */
    final boolean claim(int bytes) {
        for (int i = 0; i < CLAIMS_MAX; i++) {
            long position = publication.tryClaim(bytes, claim);
            if (position > 0) {
                return true;
            }
            if (position == Publication.BACK_PRESSURED) {
                return false;
            }
            if (position != Publication.ADMIN_ACTION) {
                throw new ZipException(
                        ErrorCode.PEER_LOST,
                        "the stream to rank " + path.peer() + " cannot be written: "
                                + Publication.errorString(position));
            }
        }
        return false;
    }
}
