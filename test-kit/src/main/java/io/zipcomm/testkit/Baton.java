package io.zipcomm.testkit;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * What one thread passes to another, so that one of the two runs at a time; the way back is a baton of its own. Who waits stays awake
 * for a moment, longer than most turns last: to wake a processor that sleeps takes longer than the turn itself.
 */
final class Baton {

    private static final long AWAKE_NS = 50_000;

    /** An unpark cannot be missed, so this is only how long a mistake in that would cost. */
    private static final long PARKED_NS_MAX = TimeUnit.SECONDS.toNanos(1);

    private volatile boolean passed;
    private volatile Thread sleeper;

    /** Does not wait. Whoever passed it before has to wait until it was taken. */
    void pass() {
        passed = true;
        LockSupport.unpark(sleeper);
    }

    /**
     * Waits until it is passed; one thread at a time.
     *
     * @return false if it was not passed in that time
     * @throws InterruptedException if the thread is interrupted; the baton is not taken then
     */
    @SuppressWarnings("ThreadPriorityCheck") // without it, too, it would only be slower
    boolean await(long timeoutNs) throws InterruptedException {
        long sinceNs = System.nanoTime();
        for (long waitedNs = 0; !passed; waitedNs = System.nanoTime() - sinceNs) {
            if (Thread.interrupted()) {
                throw new InterruptedException("while another thread ran");
            }
            if (waitedNs >= timeoutNs) {
                return false;
            }
            if (waitedNs < AWAKE_NS) {
                Thread.yield();
            } else {
                sleep(timeoutNs - waitedNs);
            }
        }
        passed = false;
        return true;
    }

    /** Waits until it is passed, without limit; one thread at a time. A thread that is interrupted meanwhile stays so. */
    void awaitUninterruptibly() {
        boolean interrupted = false;
        boolean taken = false;
        while (!taken) {
            try {
                taken = await(Long.MAX_VALUE);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void sleep(long ns) {
        sleeper = Thread.currentThread();
        if (!passed) {
            LockSupport.parkNanos(this, Math.min(ns, PARKED_NS_MAX));
        }
        sleeper = null;
    }
}
