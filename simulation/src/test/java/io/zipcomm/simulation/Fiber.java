package io.zipcomm.simulation;

import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * A thread of a simulated process. It runs only while the simulation's thread waits for it, so there is one at a time, and it waits in
 * virtual time.
 */
public final class Fiber extends Thread {

    /** Who runs so long without waiting hangs. */
    private static final long TURN_SECONDS_MAX = 60;

    /** Ends the fiber of a process that was killed. */
    private static final class Killed extends Error {
        private static final long serialVersionUID = 1L;

        Killed() {
            super("this process was killed", null, false, false);
        }
    }

    private final Host host;
    private final VirtualTime time;
    private final Runnable task;
    private final Semaphore go = new Semaphore(0);
    private final Semaphore back = new Semaphore(0);

    // Handed over with the permits.
    private boolean ready;
    private boolean running;
    private boolean begun;
    private boolean killed;
    private boolean done;
    private long parks;
    private long turns;
    private Runnable whenDone = () -> {};
    private Throwable failure;

    /** A thread of a host's process that has not begun. */
    public Fiber(Host host, Runnable task, String name) {
        super(name + "@" + host);
        this.host = host;
        this.task = task;
        time = host.time();
        setDaemon(true);
    }

    /** Where it runs. */
    Host host() {
        return host;
    }

    /** The fiber that runs now; null on the simulation's thread. */
    public static Fiber current() {
        return Thread.currentThread() instanceof Fiber fiber ? fiber : null;
    }

    @Override
    @SuppressWarnings("UnsynchronizedOverridesSynchronized") // one thread at a time
    public void start() {
        begun = true;
        host.add(this);
        super.start();
        wake();
    }

    @Override
    public void run() {
        go.acquireUninterruptibly();
        try {
            if (!killed) {
                task.run();
            }
        } catch (Killed e) {
            // What was wanted.
        } catch (Throwable e) {
            failure = e;
        } finally {
            done = true;
            back.release();
        }
    }

    /** Runs it until it waits or ends. The simulation's thread. */
    void runSome() {
        ready = false;
        if (done || (host.isFrozen() && !killed)) {
            return;
        }
        turns++;
        running = true;
        go.release();
        try {
            if (!back.tryAcquire(TURN_SECONDS_MAX, TimeUnit.SECONDS)) {
                AssertionError hangs = new AssertionError(getName() + " hangs");
                hangs.setStackTrace(getStackTrace());
                throw hangs;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted while " + getName() + " ran", e);
        }
        running = false;
        if (done) {
            host.remove(this);
            whenDone.run();
        }
    }

    /** Lets it run, if it waits. */
    public void wake() {
        if (begun && !ready && !running && !done) {
            ready = true;
            time.ready(this);
        }
    }

    /** Waits until somebody wakes this fiber, or an instant has come. This fiber itself. */
    public void park(long untilNs) {
        long number = ++parks;
        time.at(untilNs, () -> {
            if (parks == number) {
                wake();
            }
        });
        handOver();
        parks++;
    }

    /** Lets some time pass. This fiber itself. */
    public void rest(long ns) {
        long untilNs = time.nowNs() + ns;
        while (time.nowNs() < untilNs) {
            park(untilNs);
        }
    }

    private void handOver() {
        if (Thread.currentThread() != this) {
            throw new IllegalStateException("another thread waits as " + getName());
        }
        if (killed) {
            throw new Killed();
        }
        back.release();
        go.acquireUninterruptibly();
        if (killed) {
            throw new Killed();
        }
    }

    /** Waits until another fiber has ended, or some time is over. This fiber itself. */
    public void join(Fiber other, long timeoutNs) {
        long untilNs = time.nowNs() + timeoutNs;
        while (!other.done && other.begun && time.nowNs() < untilNs) {
            other.whenDone = this::wake;
            park(untilNs);
        }
    }

    /** Ends it where it waits. The simulation's thread. */
    void kill() {
        killed = true;
        while (!done) {
            time.notReady(this);
            runSome();
        }
    }

    boolean isDone() {
        return done;
    }

    /** How often it ran. */
    long turns() {
        return turns;
    }

    /** What it threw; null if nothing, or if it was killed. */
    Throwable failure() {
        return failure;
    }

    @Override
    public String toString() {
        return getName() + (done ? " done" : ready ? " ready" : " waiting");
    }
}
