package io.zipcomm.relay;

import io.netty.buffer.ByteBuf;

/** One message on its way out, to one rank or to many; it counts as held, once, until all have it. Event loop only. */
final class ControlFrame {

    private final ByteBuf frame;
    private final int bytes;
    private final ControlBacklog backlog;
    private int holders = 1;

    /** Takes the frame over; the maker is its first holder. */
    ControlFrame(ByteBuf frame, ControlBacklog backlog) {
        this.frame = frame;
        this.backlog = backlog;
        bytes = frame.readableBytes();
        backlog.held(bytes);
    }

    int bytes() {
        return bytes;
    }

    /** A part of it, whose bytes it shares; the caller owns that. */
    ByteBuf slice(int from, int count) {
        return frame.retainedSlice(from, count);
    }

    ControlFrame retain() {
        holders++;
        return this;
    }

    void release() {
        if (--holders == 0) {
            frame.release();
            backlog.held(-bytes);
        }
    }
}
