package io.zipcomm.relay;

import java.util.List;

/**
 * A session as it was at one moment. Holds nothing that admits anybody.
 *
 * @param name         of the session
 * @param size         ranks that it is for at first
 * @param epoch        of the group; 0 while there is none
 * @param ageMs        since it was opened
 * @param waitingBytes that wait for its ranks to read them
 * @param ranks        that are there: those that gather, or the members, and then newcomers that wait
 */
public record SessionView(String name, int size, int epoch, long ageMs, long waitingBytes, List<RankView> ranks) {

    /** Copies the list. */
    public SessionView {
        ranks = List.copyOf(ranks);
    }

    /**
     * A rank of a session.
     *
     * @param rank           its number; -1 until it has one
     * @param address        from which it came, with port
     * @param attached       whether it has a data connection
     * @param ageMs          since it joined
     * @param bytesForwarded from it to others
     * @param waitingBytes   that wait for it to read them
     * @param flows          ranks to which it has sent anything through the relay
     */
    public record RankView(
            int rank,
            String address,
            boolean attached,
            long ageMs,
            long bytesForwarded,
            long waitingBytes,
            int flows) {}
}
