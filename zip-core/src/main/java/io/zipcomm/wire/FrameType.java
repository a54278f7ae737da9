package io.zipcomm.wire;

/**
 * Kinds of frame. The number is the frame's second byte.
 *
 * <p><em>Link frames</em> belong to the ordered channel between two ranks; all but ACK, RESUME and SEALED carry its
 * sequence number. The others belong to one connection. What is not numbered has sequence number 0, but SEALED a
 * number of its own.
 */
public enum FrameType {
    /** Handshake of a direct connection; see {@link Hello}. */
    HELLO(1, false),
    /** A Protocol Buffers message between a rank and the relay. */
    CONTROL(2, false),
    /** A whole message that travels with its header. */
    EAGER(3, true),
    /** Rendezvous: a message is waiting at its sender. */
    REQUEST(4, true),
    /** Rendezvous: the receiver has posted a buffer and the sender may go; may come before the request. */
    CLEAR(5, true),
    /** Rendezvous: a fragment of the message. */
    DATA(6, true),
    /** Returns credit when no other frame does. */
    CREDIT(7, true),
    /** The last link frame on this connection: later ones come on another. */
    SWITCH(8, true),
    /** The last link frame of all: the sender leaves the group cleanly. */
    BYE(9, true),
    /** Asks a peer that keeps us waiting whether it runs the same operation. */
    PROBE(10, true),
    /** The sender withdrew a message that it had announced. */
    CANCEL(11, true),
    /** Relayed connections: how much of a flow its receiver has taken. */
    FLOW(12, false),
    /** The highest frame that came in whole, on a connection that may be forgotten. Not numbered. */
    ACK(13, true),
    /** The link goes back to the relay: what came in before its direct connection was lost. Not numbered. */
    RESUME(14, true),
    /** The rest of a frame of which some bytes came in before its connection was lost. */
    REST(15, true),
    /** Direct connections: is the other end there? */
    PING(16, false),
    /** Direct connections: it is. */
    PONG(17, false),
    /** Rank to relay: takes part in an operation that the relay does a part of. */
    ENTER(18, false),
    /** A part of what a rank gives to such an operation, or of what it gets from it. */
    PART(19, false),
    /** Relay to rank: how much of its contribution may be sent. */
    GRANT(20, false),
    /** Relay to rank: such an operation fails. */
    VERDICT(21, false),
    /** Rank to relay: takes no more part. */
    WITHDRAW(22, false),
    /**
     * Relay to rank: the flows to and from a rank begin anew, since its connection is a new one. The answer has the same number:
     * what comes behind it belongs to the new flow.
     */
    RESET(23, false),
    /** A link frame, encrypted, on a path through the relay. Numbered for itself. */
    SEALED(24, true);

    private static final FrameType[] BY_NUMBER = new FrameType[32];

    static {
        for (FrameType type : values()) {
            BY_NUMBER[type.number] = type;
        }
    }

    private final int number;
    private final boolean link;

    FrameType(int number, boolean link) {
        this.number = number;
        this.link = link;
    }

    /**
     * The byte that stands for this type on the wire.
     *
     * @return 1 to 31
     */
    public int number() {
        return number;
    }

    /**
     * Whether frames of this type belong to the link between two ranks, on whatever path.
     *
     * @return true for link frames
     */
    public boolean isLinkFrame() {
        return link;
    }

    /**
     * Whether frames of this type are numbered in their link's sequence.
     *
     * @return true for all link frames but those that say how far the sequence has come, and the wrapping of others
     */
    public boolean isNumbered() {
        return link && this != ACK && this != RESUME && this != SEALED;
    }

    /**
     * Whether frames of this type are between a rank and the hub in its relay.
     *
     * @return true for ENTER, PART, GRANT, VERDICT and WITHDRAW
     */
    public boolean isHubFrame() {
        return number >= ENTER.number && number <= WITHDRAW.number;
    }

    /**
     * The type for a byte read from the wire.
     *
     * @param number any value
     * @return the type, or null if there is none with this number
     */
    public static FrameType of(int number) {
        return number >= 0 && number < BY_NUMBER.length ? BY_NUMBER[number] : null;
    }
}
