package io.zipcomm.transport.tcp;

/**
 * Finds out whether a connection on which nothing comes in is still there. What is between two hosts may forget a connection
 * and tell nobody: whatever is sent then vanishes. A peer that computes, or stands still, is silent too, but its operating
 * system acknowledges what comes. Engine holder only.
 */
final class Silence {

    /** Silence after which the other end is asked whether it is there, and again after each further such time. */
    static final long PING_AFTER_NS = 1_000_000_000;

    /** Silence after which a connection is lost whose other system has acknowledged nothing since it was asked. */
    static final long LOST_AFTER_NS = 3_000_000_000L;

    /**
     * The same where there is no other way to the peer: its end is the end of the link. A host that has no network for as long as the relay puts
     * up with is heard again after twice that, since its system pauses for twice as long each time that it sends again.
     */
    static final long ONLY_WAY_LOST_AFTER_NS = 10_000_000_000L;

    /** More time than this between two looks: it was this process that stood still. */
    private static final long PAUSE_NS = 1_500_000_000;

    /** What a look found. */
    enum Finding {
        /** Nothing to be done. */
        NOTHING,
        /** The other end is to be asked. */
        PING,
        /** Nobody is there any more. */
        LOST
    }

    /** Asks the operating system, which costs a call. */
    @FunctionalInterface
    interface Acknowledgement {

        /** As {@link StreamSocket#unacknowledgedMs}. */
        long unacknowledgedMs();
    }

    private final long lostAfterNs;
    private long receivedBytes = -1;
    private long lookedNs;
    private long sinceNs;
    private long pingedNs;

    /**
     * Begins to watch a connection.
     *
     * @param onlyWay whether there is no other to the peer
     */
    Silence(boolean onlyWay) {
        lostAfterNs = onlyWay ? ONLY_WAY_LOST_AFTER_NS : LOST_AFTER_NS;
    }

    /** Silence after which it is lost, in ns. */
    long lostAfterNs() {
        return lostAfterNs;
    }

    /**
     * Looks.
     *
     * @param nowNs    now
     * @param bytes    received so far
     * @param awaiting whether anything should come
     * @param system   what the operating system knows
     */
    Finding look(long nowNs, long bytes, boolean awaiting, Acknowledgement system) {
        boolean silent = awaiting && bytes == receivedBytes && nowNs - lookedNs <= PAUSE_NS;
        receivedBytes = bytes;
        lookedNs = nowNs;
        if (!silent) {
            sinceNs = nowNs;
            pingedNs = nowNs;
            return Finding.NOTHING;
        }
        if (nowNs - sinceNs >= lostAfterNs) {
            long unacknowledgedMs = system.unacknowledgedMs();
            if (unacknowledgedMs < 0 || unacknowledgedMs * 1_000_000 >= lostAfterNs - PING_AFTER_NS) {
                return Finding.LOST;
            }
        }
        if (nowNs - pingedNs >= PING_AFTER_NS) {
            pingedNs = nowNs;
            return Finding.PING;
        }
        return Finding.NOTHING;
    }
}
