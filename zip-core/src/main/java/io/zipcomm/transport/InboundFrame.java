package io.zipcomm.transport;

import io.zipcomm.buffer.Payload;

/** The payload of a frame on its way in. One object serves all frames of a connection, one after the other. */
public final class InboundFrame {

    /** Memory to receive into; null to throw the payload away. */
    public Payload payload;

    /** First byte in {@link #payload}. */
    public long offset;

    /** Payload bytes of this frame. */
    public int bytes;

    /** For the handler's own use. */
    public Object attachment;

    /** Zeroes. */
    public InboundFrame() {}

    /** Empties this frame. */
    public void clear() {
        payload = null;
        offset = 0;
        bytes = 0;
        attachment = null;
    }
}
