package io.zipcomm.transport.aeron;

/**
 * Signs of life of each peer: datagrams of the streams that it sends to this rank. As long as its driver has turns there is one every
 * 100 ms, whether it has something to say or not.
 *
 * <p>Engine holder only. Nothing is allocated.
 */
final class UdpSigns {

    private final UdpNames names;
    private final long[] counts;

    UdpSigns(UdpNames names) {
        this.names = names;
        counts = new long[names.ranks()];
    }

    /** A datagram came in, in one of the group's sessions. */
    void came(int stream, int session) {
        int sender = stream == names.stream() ? names.sender(session) : -1;
        if (sender >= 0) {
            counts[sender]++;
        }
    }

    /**
     * How many have come.
     *
     * @param peer rank in the world
     */
    long of(int peer) {
        return counts[peer];
    }
}
