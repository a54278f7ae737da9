package io.zipcomm.transport.tcp;

import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import java.nio.ByteBuffer;

/** The path to the relay itself. Its handler keeps to what the relay grants, so it has no window of its own. */
final class HubPath extends RelayConnectionPath {

    private boolean queued;
    private boolean closed;

    HubPath(RelayConnection connection, int fragmentBytesMax) {
        super(connection, fragmentBytesMax);
    }

    @Override
    public int peer() {
        return -1;
    }

    @Override
    public String name() {
        return "hub";
    }

    @Override
    public void openInput() {
        // Nothing comes that was not asked for.
    }

    @Override
    public void flush() {
        if (!closed) {
            queued = true;
            connection().flushStream();
        }
    }

    @Override
    public void closeOutput() {
        closed = true;
    }

    @Override
    public void close() {
        closed = true;
    }

    void moveTo(RelayConnection next) {
        connection(next);
        queued = false;
    }

    /** Whether there may be frames. */
    boolean isQueued() {
        return queued;
    }

    boolean nextFrame(ByteBuffer header, int at, OutboundFrame frame) {
        queued = false;
        if (closed || !handler().nextFrame(this, header, at, frame)) {
            return false;
        }
        queued = true;
        return true;
    }

    void headerReceived(ByteBuffer header, int at, InboundFrame frame) {
        handler().headerReceived(this, header, at, frame);
    }

    void frameReceived(InboundFrame frame) {
        handler().frameReceived(this, frame);
    }
}
