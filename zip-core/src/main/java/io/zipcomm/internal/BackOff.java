package io.zipcomm.internal;

/**
 * When a link asks for a direct path: with its first frame, and after the loss of a path not before some time has passed,
 * which doubles with each loss. Engine holder only.
 */
final class BackOff {

    private static final long PAUSE_NS_MIN = 1_000_000_000;
    private static final long PAUSE_NS_MAX = 60_000_000_000L;

    /** A pair that never met is likely never to meet: an attempt takes seconds, and packets. */
    private static final long NEVER_MET_PAUSE_NS_MIN = 10_000_000_000L;

    /** A path that was used for so long was worth its opening: the next pause is the shortest again. */
    private static final long LIVED_LONG_NS = 30_000_000_000L;

    private boolean asked;
    private boolean pausing;
    private boolean neverMet;
    private long pauseNs = PAUSE_NS_MIN;
    private long pauseUntilNs;
    private long usedSinceNs;

    /** Whether the next frame is to ask. */
    boolean isDue() {
        return !asked;
    }

    void asked() {
        asked = true;
    }

    /** A path is used from now on: pauses that grew because none had ever opened say nothing of its life. */
    void used(long nowNs) {
        usedSinceNs = nowNs;
        if (neverMet) {
            neverMet = false;
            pauseNs = PAUSE_NS_MIN;
        }
    }

    /** A path that was used is lost. */
    void lost(long nowNs) {
        if (nowNs - usedSinceNs >= LIVED_LONG_NS) {
            pauseNs = PAUSE_NS_MIN;
        }
        pause(nowNs);
    }

    /** No path has ever opened: the next pause is a long one. */
    void neverMet() {
        neverMet = true;
        pauseNs = Math.max(pauseNs, NEVER_MET_PAUSE_NS_MIN);
    }

    /** Nothing came of a path. */
    void pause(long nowNs) {
        asked = true;
        pausing = true;
        pauseUntilNs = nowNs + pauseNs;
        pauseNs = Math.min(2 * pauseNs, PAUSE_NS_MAX);
    }

    /** Time passes. Returns whether a pause goes on. */
    boolean look(long nowNs) {
        if (pausing && nowNs - pauseUntilNs >= 0) {
            pausing = false;
            asked = false;
        }
        return pausing;
    }
}
