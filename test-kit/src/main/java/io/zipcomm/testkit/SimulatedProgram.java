package io.zipcomm.testkit;

import io.zipcomm.Communicator;
import java.util.concurrent.TimeUnit;

/**
 * One rank's program of blocking calls, on a thread of its own that runs only while the group's thread waits for it: so
 * blocking calls work in a simulation, and it stays as deterministic as one thread.
 */
final class SimulatedProgram {

    /** A program that runs so long without waiting for its peers hangs. */
    private static final long TURN_NS_MAX = TimeUnit.SECONDS.toNanos(60);

    /** Ends the program of a rank that was killed. */
    private static final class Killed extends Error {
        private static final long serialVersionUID = 1L;

        Killed() {
            super("this rank was killed", null, false, false);
        }
    }

    private final int rank;
    private final Thread thread;
    private final Baton go = new Baton();
    private final Baton back = new Baton();

    // Handed over with the batons.
    private boolean killed;
    private boolean done;
    private long waitsUntilNs = Long.MIN_VALUE;
    private Throwable failure;

    SimulatedProgram(int rank, Communicator communicator, SimulatedGroup.Program program) {
        this.rank = rank;
        thread = new Thread(() -> run(communicator, program), "zip-simulated-" + rank);
        thread.setDaemon(true);
        thread.start();
    }

    private void run(Communicator communicator, SimulatedGroup.Program program) {
        go.awaitUninterruptibly();
        try {
            if (!killed) {
                program.run(communicator);
            }
        } catch (Killed e) {
            // What the group wanted.
        } catch (Throwable e) {
            failure = e;
        } finally {
            done = true;
            back.pass();
        }
    }

    /** Runs the program until it waits or ends. The group's thread. */
    void resume() {
        go.pass();
        try {
            if (!back.await(TURN_NS_MAX)) {
                AssertionError hangs = new AssertionError("the program of rank " + rank + " hangs");
                hangs.setStackTrace(thread.getStackTrace());
                throw hangs;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted while the program of rank " + rank + " ran", e);
        }
    }

    /** Waits for the group's thread to resume this. The program's thread; false on another one. */
    boolean giveWay(long untilNs) {
        if (Thread.currentThread() != thread) {
            return false;
        }
        waitsUntilNs = untilNs;
        back.pass();
        go.awaitUninterruptibly();
        if (killed) {
            throw new Killed();
        }
        return true;
    }

    /** Ends the program where it waits. */
    void kill() {
        killed = true;
        if (!done) {
            resume();
        }
    }

    /** Whether the time for which it waits has not come. */
    boolean isWaiting(long nowNs) {
        return !done && nowNs < waitsUntilNs;
    }

    boolean isDone() {
        return done;
    }

    /** What it threw; null if nothing, or if it was killed. */
    Throwable failure() {
        return failure;
    }
}
