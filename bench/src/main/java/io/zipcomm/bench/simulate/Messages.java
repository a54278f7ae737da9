package io.zipcomm.bench.simulate;

import java.util.Arrays;

/** The steps of a plan that send, or those that receive, by peer and number of the message. Immutable. */
final class Messages {

    /** No such message. */
    static final int NONE = -1;

    private final int[] peers;
    private final int[] from;
    private final int[] steps;

    /**
     * Sorts steps.
     *
     * @param steps   in the order of the plan, which is that of the numbers
     * @param peerOf  the peer of every step of the plan, in any way of counting peers
     */
    Messages(int[] steps, int[] peerOf) {
        long[] sorted = new long[steps.length];
        for (int i = 0; i < steps.length; i++) {
            sorted[i] = (long) peerOf[steps[i]] << Integer.SIZE | steps[i];
        }
        Arrays.sort(sorted);
        this.steps = new int[steps.length];
        int[] distinct = new int[steps.length];
        int[] starts = new int[steps.length + 1];
        int count = 0;
        for (int i = 0; i < sorted.length; i++) {
            int peer = (int) (sorted[i] >>> Integer.SIZE);
            if (count == 0 || distinct[count - 1] != peer) {
                distinct[count] = peer;
                starts[count++] = i;
            }
            this.steps[i] = (int) sorted[i];
        }
        starts[count] = sorted.length;
        peers = Arrays.copyOf(distinct, count);
        from = Arrays.copyOf(starts, count + 1);
    }

    /** The step of the n-th message of a peer, or {@link #NONE}. */
    int step(int peer, int ordinal) {
        int index = peers.length == 1 && peers[0] == peer ? 0 : Arrays.binarySearch(peers, peer);
        if (index < 0 || ordinal >= from[index + 1] - from[index]) {
            return NONE;
        }
        return steps[from[index] + ordinal];
    }

    /** How many messages there are. */
    int count() {
        return steps.length;
    }

    /** How many messages a peer has. */
    int count(int peer) {
        int index = Arrays.binarySearch(peers, peer);
        return index < 0 ? 0 : from[index + 1] - from[index];
    }
}
