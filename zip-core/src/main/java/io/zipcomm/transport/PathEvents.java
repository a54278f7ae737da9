package io.zipcomm.transport;

/** What a transport tells its engine, during a turn of I/O. */
public interface PathEvents {

    /**
     * A direct path is open: both ends have proved that they belong to the group. The engine binds it.
     *
     * @param path the new path
     */
    void opened(Path path);

    /**
     * No direct path to a peer could be opened.
     *
     * @param peer   rank in the world
     * @param reason what was tried and what came of it
     */
    void unreachable(int peer, String reason);

    /**
     * A direct path to a peer wants both ends to begin at the same instant, which the relay can tell them. The answer, if
     * there is one, is {@link Transport#punch}.
     *
     * @param peer rank in the world
     */
    void punchWanted(int peer);

    /**
     * The connection to the relay ended, and is being opened again. Nothing goes out or comes in on relayed paths until
     * {@link #flowBegan} or {@link #relayLost}; what was under way on them is in doubt. Never told by a transport without a relay.
     *
     * @param reason as a phrase
     */
    default void relayAway(String reason) {}

    /**
     * The relayed path to a peer begins anew: whatever was sent on it and has not come in never will, and what comes in from now on
     * was sent afterwards. Because the connection to the relay is open again, this rank's or the peer's.
     *
     * @param peer rank in the world
     */
    default void flowBegan(int peer) {}

    /** The path to the hub is there again after {@link #relayAway}. */
    default void hubBack() {}

    /** The connection to the relay ended for good: all relayed paths are gone. */
    void relayLost(String reason);
}
