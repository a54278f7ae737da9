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

    /** The connection to the relay ended: all relayed paths are gone. */
    void relayLost(String reason);
}
