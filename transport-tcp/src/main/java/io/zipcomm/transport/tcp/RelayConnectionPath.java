package io.zipcomm.transport.tcp;

import io.zipcomm.transport.FrameHandler;
import io.zipcomm.transport.Path;

/** A path that shares the data connection to the relay with others. */
abstract class RelayConnectionPath implements Path {

    private RelayConnection connection;
    private final int fragmentBytesMax;
    private FrameHandler handler;

    RelayConnectionPath(RelayConnection connection, int fragmentBytesMax) {
        this.connection = connection;
        this.fragmentBytesMax = fragmentBytesMax;
    }

    final RelayConnection connection() {
        return connection;
    }

    final void connection(RelayConnection next) {
        connection = next;
    }

    final FrameHandler handler() {
        return handler;
    }

    @Override
    public final int fragmentBytesMax() {
        return fragmentBytesMax;
    }

    @Override
    public final void bind(FrameHandler frames) {
        handler = frames;
    }

    @Override
    public final void release(Object attachment) {
        connection.releaseOutbound(attachment);
        connection.releaseInbound(attachment);
    }
}
