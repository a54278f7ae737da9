package io.zipcomm.transport.aeron;

import java.util.Optional;

/**
 * Sizes of the streams of one rank, by what its system gives.
 *
 * @param termBytes      term buffers of its streams; three make one stream
 * @param windowBytes    what one peer may have under way to it
 * @param receiveBytes   buffer of the socket at which it is sent to
 * @param localMtuBytes  datagrams to ranks of the same host
 * @param remoteMtuBytes datagrams to ranks of other hosts
 */
record UdpBudget(int termBytes, int windowBytes, int receiveBytes, int localMtuBytes, int remoteMtuBytes) {

    static final int TERM_BYTES_MAX = 1 << 20;
    private static final int TERM_BYTES_MIN = 128 << 10;

    private static final int WINDOW_BYTES_MAX = 256 << 10;
    private static final int WINDOW_BYTES_MIN = 64 << 10;

    /** Wanted; the system may give less. */
    static final int RECEIVE_BYTES = 2 << 20;

    /** What Ethernet carries without cutting it, headers of UDP, IPv6 and a tunnel included. */
    private static final int REMOTE_MTU_BYTES = 1408;

    private static final int LOCAL_MTU_BYTES_MAX = 65504;

    /** A term holds so many of the longest messages at least, by Aeron's rule. */
    private static final int MTUS_PER_TERM = 8;

    private static final int MTU_UNIT = 32;
    private static final int TERMS = 3;

    /** Peers among whom the memory is shared; a rank that uses more of them at once has less for the rest. */
    private static final int PEERS_MAX = 64;

    /** Peers that send to one rank at once, as a rule: their windows fit into its socket's buffer. */
    private static final int SENDERS_MAX = 4;

    /** What a media driver takes for itself, about. */
    private static final long DRIVER_BYTES = 8 << 20;

    /**
     * Shares half of what is there; streams that are cast take no more than a good part of the other.
     *
     * @param freeBytes    memory that may be taken
     * @param receiveBytes buffer that the system gives a socket
     * @param ranks        size of the group
     */
    static UdpBudget of(long freeBytes, int receiveBytes, int ranks) {
        int peers = Math.max(1, Math.min(PEERS_MAX, ranks - 1));
        long forTerm = (freeBytes - DRIVER_BYTES) / 2 / (2L * peers) / TERMS;
        int termBytes = (int) clamp(Long.highestOneBit(Math.max(1, forTerm)), TERM_BYTES_MIN, TERM_BYTES_MAX);
        int window = receiveBytes / Math.min(peers, SENDERS_MAX);
        int windowBytes = (int) clamp(Integer.highestOneBit(window), WINDOW_BYTES_MIN, WINDOW_BYTES_MAX);
        int windowUsed = Math.min(windowBytes, Math.min(receiveBytes, termBytes / 2));
        int mtu = Math.min(LOCAL_MTU_BYTES_MAX, Math.min(termBytes / MTUS_PER_TERM, windowUsed / 2));
        return new UdpBudget(termBytes, windowUsed, receiveBytes, mtu / MTU_UNIT * MTU_UNIT, REMOTE_MTU_BYTES);
    }

    private static long clamp(long value, long least, long most) {
        return Math.max(least, Math.min(most, value));
    }

    /**
     * Why there is too little memory for any stream.
     *
     * @param freeBytes memory that may be taken
     * @return empty if there is enough
     */
    static Optional<String> problem(long freeBytes) {
        long needed = DRIVER_BYTES + 2L * TERMS * TERM_BYTES_MIN;
        return freeBytes >= needed
                ? Optional.empty()
                : Optional.of(freeBytes / 1024 + " KiB are free, Aeron needs " + needed / 1024 + " KiB at least");
    }
}
