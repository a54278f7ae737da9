package io.zipcomm.internal;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Drives the engine when nobody waits for an operation: after a short grace while asynchronous operations are under way,
 * and for a single turn now and then otherwise, to answer peers while this process computes.
 */
final class BackgroundDriver implements Runnable {

    private static final Logger LOG = LoggerFactory.getLogger(BackgroundDriver.class);

    /** Time given to the caller to wait for its operation itself. */
    private static final long GRACE_NS = 50_000;

    /** Time between turns when there is nothing to move on. */
    private static final long TICK_NS = 20_000_000;

    private final Engine engine;
    private final Thread thread;
    private volatile boolean sleeping;
    private volatile boolean wanted;
    private volatile boolean closed;

    BackgroundDriver(Engine engine, String name) {
        this.engine = engine;
        thread = new Thread(this, name);
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** There is something to drive. Any thread. */
    void wake() {
        wanted = true;
        if (sleeping) {
            sleeping = false;
            LockSupport.unpark(thread);
        }
    }

    @Override
    public void run() {
        while (!closed) {
            sleeping = true;
            if (!wanted) {
                LockSupport.parkNanos(this, TICK_NS);
            }
            sleeping = false;
            wanted = false;
            drive();
        }
    }

    private void drive() {
        boolean more = true;
        while (more && !closed) {
            LockSupport.parkNanos(this, GRACE_NS);
            more = false;
            if (engine.tryEnter()) {
                try {
                    engine.driveBackground();
                    more = engine.hasBackgroundWork();
                } catch (RuntimeException e) {
                    LOG.error("a turn in the background failed", e);
                } finally {
                    engine.leave();
                }
            }
        }
    }

    /**
     * Ends the thread, and waits until it has, or for some time: it may stand in a stage of a future, which is the program's
     * code and may wait for whoever closes. Then it ends after that.
     */
    void close(Duration timeout) {
        closed = true;
        LockSupport.unpark(thread);
        if (thread == Thread.currentThread()) {
            return;
        }
        long deadlineNs = System.nanoTime() + timeout.toNanos();
        long leftNs = timeout.toNanos();
        boolean interrupted = false;
        while (thread.isAlive() && leftNs > 0) {
            try {
                TimeUnit.NANOSECONDS.timedJoin(thread, leftNs);
            } catch (InterruptedException e) {
                interrupted = true;
            }
            leftNs = deadlineNs - System.nanoTime();
        }
        if (thread.isAlive()) {
            LOG.warn(
                    "{} has not ended after {} ms: a stage of a future, or what it calls, does not return",
                    thread.getName(),
                    timeout.toMillis());
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
