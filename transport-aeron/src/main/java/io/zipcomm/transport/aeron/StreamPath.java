package io.zipcomm.transport.aeron;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.FrameHandler;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.Path;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;

/** A path of Aeron streams, as what reads and writes its frames sees it. */
abstract class StreamPath implements Path {

    private final int peer;
    private FrameHandler handler;

    StreamPath(int peer) {
        this.peer = peer;
    }

    @Override
    public final int peer() {
        return peer;
    }

    @Override
    public void bind(FrameHandler frames) {
        handler = frames;
    }

    final FrameHandler handler() {
        return handler;
    }

    /** Whether the handshake is over, and the path is not. */
    abstract boolean isOpen();

    abstract boolean isWritable();

    /** Whether the next message is to be read. */
    abstract boolean reads();

    /** The path is over. */
    abstract void end(ZipException failure);

    final void headerReceived(ByteBuffer header, int at, InboundFrame frame) {
        FrameType type = FrameType.of(Frame.type(header, at));
        if (!type.isLinkFrame()) {
            throw new ZipException(ErrorCode.PROTOCOL, "not a link frame: " + Frame.describe(header, at));
        }
        handler.headerReceived(this, header, at, frame);
    }

    final void frameReceived(InboundFrame frame) {
        handler.frameReceived(this, frame);
    }
}
