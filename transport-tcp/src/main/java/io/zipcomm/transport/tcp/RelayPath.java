package io.zipcomm.transport.tcp;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.GroupView;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;

/**
 * A flow to one peer through the relay. At most a window of bytes is under way that the peer has not acknowledged (FLOW),
 * so that the relay keeps no more than that for a peer that does not read, and others are not held up.
 */
final class RelayPath extends RelayConnectionPath {

    private final int peer;
    private final long windowBytes;
    private final int frameBytesMax;

    private boolean open;
    private boolean queued;
    private boolean outputClosed;
    private boolean closed;

    private long sentBytes;
    private long acknowledgedBytes;
    private long takenBytes;
    private long toldBytes;
    private int arrivingBytes;
    private boolean acknowledging;

    /** Number of the RESET that is to be answered, and whether there is one: the latest answers for those before. */
    private int resetNumber;

    private boolean answering;

    /** What was missing of a frame when the connection that it came on ended. */
    private int missing;

    /**
     * @param eagerBytes longest payload of a frame that is not a fragment, if the relay forwards that
     */
    RelayPath(RelayConnection connection, GroupView view, int peer, int eagerBytes) {
        super(connection, fragmentBytesMax(view));
        this.peer = peer;
        windowBytes = view.flowWindowBytes();
        frameBytesMax =
                Frame.HEADER_BYTES + Math.max(fragmentBytesMax(), Math.min(eagerBytes, view.fragmentBytesMax()));
    }

    /** A multiple of the longest element, and small enough for several to be under way. */
    private static int fragmentBytesMax(GroupView view) {
        long fragment = Math.min(view.fragmentBytesMax(), view.flowWindowBytes() / 2 - Frame.HEADER_BYTES);
        return (int) (fragment / Long.BYTES * Long.BYTES);
    }

    @Override
    public int peer() {
        return peer;
    }

    @Override
    public String name() {
        return "relay";
    }

    @Override
    public boolean isForgettable() {
        return true;
    }

    @Override
    public int missingBytes() {
        return connection().isArriving(this) ? connection().missingInbound() : missing;
    }

    @Override
    public void openInput() {
        open = true;
        connection().opened();
    }

    @Override
    public void flush() {
        if (!closed) {
            connection().flush(this);
        }
    }

    @Override
    public void closeOutput() {
        // The connection serves the other paths too; the link's last frame says that it is the last.
        outputClosed = true;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            connection().closed(this);
            // What still comes is thrown away, so that frames for other paths get past it.
            openInput();
        }
    }

    /**
     * Its connection has ended amid a frame for this path.
     *
     * @param bytes payload bytes that did not come in
     */
    void interrupted(int bytes) {
        missing = bytes;
    }

    /** A new flow, of which nothing has been sent and nothing taken. */
    void beginAnew() {
        sentBytes = 0;
        acknowledgedBytes = 0;
        takenBytes = 0;
        toldBytes = 0;
    }

    /**
     * The flow begins anew because the peer has another connection.
     *
     * @param number of the RESET that says so
     * @return whether {@link #writeReset} is to be called that was not before
     */
    boolean resetBy(int number) {
        boolean first = !answering;
        answering = true;
        resetNumber = number;
        beginAnew();
        return first;
    }

    /** Makes the answer to a RESET. */
    void writeReset(ByteBuffer header, int at, int epoch, int rank) {
        answering = false;
        Frame.begin(header, at, FrameType.RESET);
        Frame.epoch(header, at, epoch);
        Frame.source(header, at, rank);
        Frame.destination(header, at, peer);
        Frame.transfer(header, at, resetNumber);
    }

    /** The flow goes on, as a new one, on another connection. */
    void moveTo(RelayConnection next) {
        connection(next);
        queued = false;
        acknowledging = false;
        answering = false;
        beginAnew();
    }

    /** Whether frames are taken. */
    boolean isOpen() {
        return open;
    }

    boolean isQueued() {
        return queued;
    }

    void setQueued(boolean now) {
        queued = now;
    }

    boolean nextFrame(ByteBuffer header, int at, OutboundFrame frame) {
        long free = windowBytes - (sentBytes - acknowledgedBytes);
        if (closed || outputClosed || free < frameBytesMax) {
            return false;
        }
        if (!handler().nextFrame(this, header, at, frame)) {
            return false;
        }
        sentBytes += Frame.HEADER_BYTES + Frame.payloadBytes(header, at);
        return true;
    }

    /** The peer has taken so many bytes in all. */
    void acknowledged(long bytes) {
        if (bytes > acknowledgedBytes && bytes <= sentBytes) {
            acknowledgedBytes = bytes;
            flush();
        }
    }

    void writeFlow(ByteBuffer header, int at, int epoch, int rank) {
        acknowledging = false;
        toldBytes = takenBytes;
        Frame.begin(header, at, FrameType.FLOW);
        Frame.epoch(header, at, epoch);
        Frame.source(header, at, rank);
        Frame.destination(header, at, peer);
        Frame.credit(header, at, takenBytes);
    }

    void headerReceived(ByteBuffer header, int at, InboundFrame frame) {
        arrivingBytes = Frame.HEADER_BYTES + frame.bytes;
        missing = 0;
        if (closed) {
            return;
        }
        try {
            handler().headerReceived(this, header, at, frame);
            if (closed) {
                frame.clear();
            }
        } catch (ZipException e) {
            refused(frame, e);
        } catch (RuntimeException e) {
            refused(frame, new ZipException(ErrorCode.INTERNAL, "a frame of rank " + peer + " failed: " + e, e));
        }
    }

    /** One peer's frame breaks the protocol: its path ends, and the others stay. */
    private void refused(InboundFrame frame, ZipException reason) {
        close();
        frame.clear();
        handler().ended(this, reason);
    }

    void frameReceived(InboundFrame frame) {
        takenBytes += arrivingBytes;
        if (!acknowledging && takenBytes - toldBytes >= windowBytes / 4) {
            acknowledging = true;
            connection().acknowledge(this);
        }
        if (!closed) {
            handler().frameReceived(this, frame);
        }
    }
}
