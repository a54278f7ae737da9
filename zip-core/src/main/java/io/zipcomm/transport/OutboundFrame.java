package io.zipcomm.transport;

import io.zipcomm.buffer.Payload;

/** The payload of a frame on its way out. One object serves all frames of a connection, one after the other. */
public final class OutboundFrame {

    /** Memory to send from; null in a frame without a payload. */
    public Payload payload;

    /** First byte in {@link #payload}. */
    public long offset;

    /** Payload bytes of this frame; with {@link #followers} also the bytes of those. */
    public int bytes;

    /**
     * How many whole frames, header and payload, are in {@link #payload} right behind the payload of this frame, to be sent
     * with it. Other than 0 only on paths that take them ({@link Path#takesFollowers}), which send a stream of bytes.
     */
    public int followers;

    /**
     * Frames to several peers with the same number, other than 0, the same {@link #shareOffset} and the same {@link #bytes} carry the
     * same bytes: a path that keeps them in memory which these peers share needs to place them once. Never used again.
     */
    public long share;

    /** Where the bytes begin in what the peers get alike; {@link #offset}, but for a copy that is kept until the peer has it. */
    public long shareOffset;

    /** How many peers get frames with that number. */
    public int sharers;

    /** For the handler's own use. */
    public Object attachment;

    /** Zeroes. */
    public OutboundFrame() {}

    /** Empties this frame. */
    public void clear() {
        payload = null;
        offset = 0;
        bytes = 0;
        followers = 0;
        share = 0;
        shareOffset = 0;
        sharers = 0;
        attachment = null;
    }
}
