package io.zipcomm.internal;

import io.zipcomm.settings.ZipSettings;

/**
 * How a driving thread waits when there is nothing to do. Spinning spares the 25 microseconds of a wake-up but needs a
 * core for each rank: with fewer it takes the core from the very rank it waits for.
 */
public final class Waiter {

    /** Longest sleep, so that deadlines and stalled operations are looked at. */
    private static final long SLEEP_NS_MAX = 20_000_000;

    private final long spinNs;
    private final String reason;

    private Waiter(long spinNs, String reason) {
        this.spinNs = spinNs;
        this.reason = reason;
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

    boolean isSpinning() {
        return spinNs > 0;
    }

    /** Whether to look again at once after so much time without work. */
    boolean spins(long idleNs) {
        if (idleNs >= spinNs) {
            return false;
        }
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
