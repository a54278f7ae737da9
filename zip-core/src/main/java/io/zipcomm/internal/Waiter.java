package io.zipcomm.internal;

import io.zipcomm.settings.ZipSettings;

/**
 * How a driving thread waits when there is nothing to do. Spinning spares the 25 microseconds of a wake-up but needs a
 * core for each rank: with fewer it takes the core from the very rank it waits for.
 *
 * <p>Where there seem to be cores enough, others may still want them. A spinning thread that finds itself taken off its core
 * blocks instead for a while, then tries again: the scheduler serves those first who sleep. The while doubles as long as
 * the core is soon lost again, and is short after a disturbance now and then.
 *
 * <p>Engine holder only.
 */
public final class Waiter {

    /** Longest sleep, so that deadlines and stalled operations are looked at. */
    private static final long SLEEP_NS_MAX = 20_000_000;

    /** Between two looks of a spinning thread there are less than two microseconds, unless it lost its core. */
    private static final long PREEMPTED_NS = 100_000;

    /** How long a thread that lost its core blocks before it spins again. */
    private static final long BLOCK_NS_MIN = 1_000_000;

    private static final long BLOCK_NS_MAX = 64_000_000;

    /** A core that is lost again so soon is one that others need. */
    private static final long CALM_NS = 20_000_000;

    private final long spinNs;
    private final String reason;

    private long lastLookNs;
    private long blockUntilNs;
    private long blockNs = BLOCK_NS_MIN;

    private boolean blocks;

    /** The last look was followed by another at once. */
    private boolean spun;

    private Waiter(long spinNs, String reason) {
        this.spinNs = spinNs;
        this.reason = reason;
        blocks = spinNs == 0;
    }

    /** The policy for a process: as the settings ask, or by whether each rank of its host has a core. */
    public static Waiter choose(ZipSettings settings, int ranksOnThisHost, int cores) {
        long spinNs = settings.spinTime().toNanos();
        return switch (settings.waiting()) {
            case SPIN -> new Waiter(spinNs, "asked for");
            case BLOCK -> new Waiter(0, "asked for");
            case AUTO -> {
                String reason = ranksOnThisHost + " ranks on this host, " + cores + " cores";
                yield new Waiter(ranksOnThisHost <= cores ? spinNs : 0, reason);
            }
        };
    }

    /** Whether this thread spins for now. */
    boolean isSpinning() {
        return !blocks;
    }

    /**
     * Whether to look again at once.
     *
     * @param idleNs how long there has been no work; 0 at the first look of a wait
     * @param nowNs  instant
     */
    boolean spins(long idleNs, long nowNs) {
        boolean spinning = spun;
        spun = false;
        if (blocks && (spinNs == 0 || nowNs - blockUntilNs < 0)) {
            return false;
        }
        blocks = spinning && idleNs > 0 && nowNs - lastLookNs > PREEMPTED_NS;
        if (blocks) {
            boolean contended = nowNs - blockUntilNs < CALM_NS;
            blockNs = contended ? Math.min(BLOCK_NS_MAX, 2 * blockNs) : BLOCK_NS_MIN;
            blockUntilNs = nowNs + blockNs;
        }
        if (blocks || idleNs >= spinNs) {
            return false;
        }
        lastLookNs = nowNs;
        spun = true;
        Thread.onSpinWait();
        return true;
    }

    long sleepNsMax() {
        return SLEEP_NS_MAX;
    }

    @Override
    public String toString() {
        return (spinNs > 0 ? "spin for " + spinNs / 1000 + " us, then block" : "block at once") + " (" + reason + ")";
    }
}
