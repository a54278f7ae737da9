package io.zipcomm.testkit;

import java.util.function.LongSupplier;

/** A clock that stands still until it is told to go on. Starts away from 0, so that a forgotten unit shows. */
public final class FakeClock implements LongSupplier {

    private static final long START_NS = 1_000_000_000_000L;

    private volatile long nowNs = START_NS;

    /** A clock at its start. */
    public FakeClock() {}

    /** The present instant. */
    public long nowNs() {
        return nowNs;
    }

    @Override
    public long getAsLong() {
        return nowNs;
    }

    /** How much time has passed since the clock was made. */
    public long elapsedNs() {
        return nowNs - START_NS;
    }

    /**
     * Goes on.
     *
     * @param ns nanoseconds, not negative
     */
    public void advance(long ns) {
        advanceTo(nowNs + ns);
    }

    /**
     * Goes on to an instant.
     *
     * @param instantNs not before the present one
     */
    public void advanceTo(long instantNs) {
        if (instantNs < nowNs) {
            throw new IllegalArgumentException("back by " + (nowNs - instantNs) + " ns");
        }
        nowNs = instantNs;
    }
}
