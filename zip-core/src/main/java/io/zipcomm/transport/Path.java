package io.zipcomm.transport;

/**
 * One way to one peer: a direct connection, or a flow through the relay. Delivers frames in order, each once, until it
 * ends. Engine holder only.
 */
public interface Path {

    /** Rank of the peer in the world. */
    int peer();

    /** Name of the kind of path: {@code tcp}, {@code relay}. */
    String name();

    /** Largest payload of a DATA frame on this path, in bytes. */
    int fragmentBytesMax();

    /**
     * Whether something between the two hosts may forget this path without a word to either end, as address translators do:
     * then it may end although both ends live, and what was sent last is in doubt. The same at both ends. True of paths
     * through the relay, which begin anew when a connection to it was lost ({@link PathEvents#flowBegan}).
     */
    default boolean isForgettable() {
        return false;
    }

    /**
     * Whether frames that lie one right behind the other in memory may be given out as one
     * ({@link OutboundFrame#followers}). Asked of paths that may be forgotten.
     */
    default boolean takesFollowers() {
        return isForgettable();
    }

    /** Says who makes and takes this path's frames. Called once, before anything else. */
    void bind(FrameHandler handler);

    /** Lets frames come in: until this is called none is read. */
    void openInput();

    /** Tells the path that its handler has frames. It takes them as soon as it can, possibly within this call. */
    void flush();

    /**
     * The handler wants back the memory of the frames that are under way with some attachment: what is left of outgoing ones is copied,
     * of an incoming one thrown away. {@link FrameHandler#payloadTaken} is not called for them.
     *
     * @param attachment of the frame; nothing happens if no frame under way has it
     */
    void release(Object attachment);

    /**
     * Payload bytes still to come of the frame whose header came in last: 0 if the whole of it is in. Also after the path has
     * broken, until it is closed or begins anew.
     *
     * @return -1 if this path cannot tell, as by default; forgettable paths can
     */
    default int missingBytes() {
        return -1;
    }

    /** After the handler's last frame: sends what is left, then tells the peer's end that no more comes. */
    void closeOutput();

    /** Ends the path at once. The handler is not told. */
    void close();
}
