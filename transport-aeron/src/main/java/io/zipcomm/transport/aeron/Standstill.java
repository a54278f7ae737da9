package io.zipcomm.transport.aeron;

/**
 * For how long something has not moved that is to move. Times do not count in which nobody looked: this process may have been
 * frozen.
 *
 * <p>Engine holder only. Nothing is allocated.
 */
final class Standstill {

    /** Longest time between two looks that counts. */
    private static final long LOOK_NS_MAX = 100_000_000;

    /** Before the first look, which says nothing yet. */
    private static final long NOWHERE = -1;

    private long position = NOWHERE;
    private long lookedNs;
    private long standsNs;

    /**
     * Looks; to be called every few milliseconds.
     *
     * @param isDue whether it is to move
     * @param now   where it is
     * @return for how long it has stood, in nanoseconds
     */
    long look(boolean isDue, long now, long nowNs) {
        boolean stands = isDue && now == position;
        standsNs = stands ? standsNs + Math.min(nowNs - lookedNs, LOOK_NS_MAX) : 0;
        position = now;
        lookedNs = nowNs;
        return standsNs;
    }
}
