package io.zipcomm.internal;

/**
 * A process that was stopped, or got no processor for long: its waits are over, though nothing was tried and nothing was read meanwhile.
 * Who gives up then would name the wrong reason, so it looks once more.
 */
final class Freeze {

    /** So much later than a wait was to end. */
    private static final long NS_MIN = 200_000_000;

    /** Enough to read what has come meanwhile. */
    static final long READ_NS = 300_000_000;

    private Freeze() {}

    /** Whether this process stood still when a wait was to end. */
    static boolean isBetween(long plannedNs, long nowNs) {
        return nowNs - plannedNs > NS_MIN;
    }
}
