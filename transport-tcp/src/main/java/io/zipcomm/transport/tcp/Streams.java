package io.zipcomm.transport.tcp;

import io.zipcomm.transport.TransportCounters;

/** What the connections of one transport share. */
final class Streams {

    final TransportCounters counters = new TransportCounters();

    /** The connection that had bytes last: the next ones are most likely to come there too. */
    FrameStream latest;

    private int blocked;

    /** A connection takes no more output for now, or does again. */
    void blocked(boolean now) {
        blocked += now ? 1 : -1;
    }

    /** Whether any connection has output that it could not take. */
    boolean hasBlockedOutput() {
        return blocked > 0;
    }
}
