package io.zipcomm.membership;

/**
 * An address at which a rank may be reached without the relay.
 *
 * @param kind      who can use it
 * @param transport name of the path it leads to, such as {@code tcp}
 * @param host      literal IPv4 or IPv6 address
 * @param port      port
 */
public record Candidate(Kind kind, String transport, String host, int port) {

    /** Who can use an address. */
    public enum Kind {
        /** An address of one of the rank's own interfaces. */
        PRIVATE,
        /** Ranks with the same host id only. */
        LOOPBACK,
        /** Where the relay saw the rank come from, with the port that the rank listens on. */
        OBSERVED
    }

    @Override
    public String toString() {
        return host + ":" + port;
    }
}
