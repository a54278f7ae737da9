package io.zipcomm.transport;

import io.zipcomm.buffer.Payload;

/** The payload of a frame on its way out. One object serves all frames of a connection, one after the other. */
public final class OutboundFrame {

    /** Memory to send from; null in a frame without a payload. */
    public Payload payload;

    /** First byte in {@link #payload}. */
    public long offset;

    /** Payload bytes of this frame. */
    public int bytes;

    /** For the handler's own use. */
    public Object attachment;

    /** Zeroes. */
    public OutboundFrame() {}

    /** Empties this frame. */
    public void clear() {
        payload = null;
        offset = 0;
        bytes = 0;
        attachment = null;
    }
}
