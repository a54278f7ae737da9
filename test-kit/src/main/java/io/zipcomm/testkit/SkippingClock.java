package io.zipcomm.testkit;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * Time as {@link System#nanoTime} has it, but for the pauses that a test skips: links wait for up to a minute before they connect again.
 * A clock that is only faster would shorten what has a short time, too, down to what a busy machine needs. Thread-safe.
 */
public final class SkippingClock implements LongSupplier {

    /** The longest pause of a link. */
    private static final long PAUSE_NS_MAX = Duration.ofMinutes(1).toNanos();

    /** A link that has lost its path has begun its pause by then. */
    private static final long BEGIN_NS = Duration.ofMillis(20).toNanos();

    /** How long one attempt to connect may take: longer than a link waits for the path to which its peer has moved. */
    private static final long ATTEMPT_NS = Duration.ofSeconds(5).toNanos();

    private final AtomicLong skippedNs = new AtomicLong();

    /** A clock that has skipped nothing yet. */
    public SkippingClock() {}

    /** Nanoseconds. */
    @Override
    public long getAsLong() {
        return System.nanoTime() + skippedNs.get();
    }

    /**
     * Waits for what happens after a pause, and skips that; and again one after each attempt that came to nothing.
     *
     * @throws AssertionError if the condition does not hold in time
     */
    public void awaitAfterPause(BooleanSupplier condition, Duration patience, String what) throws InterruptedException {
        long startedNs = System.nanoTime();
        long skipNs = startedNs + BEGIN_NS;
        while (!condition.getAsBoolean()) {
            long nowNs = System.nanoTime();
            if (nowNs - startedNs > patience.toNanos()) {
                throw new AssertionError("not in " + patience.toSeconds() + " s: " + what);
            }
            if (nowNs - skipNs >= 0) {
                skippedNs.addAndGet(PAUSE_NS_MAX);
                skipNs = nowNs + ATTEMPT_NS;
            }
            TimeUnit.MILLISECONDS.sleep(1);
        }
    }
}
