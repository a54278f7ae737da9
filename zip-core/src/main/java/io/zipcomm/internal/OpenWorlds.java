package io.zipcomm.internal;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.Incarnation;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** The groups that this process has joined, or is joining, so that a snapshot finds none of them open. Any thread. */
public final class OpenWorlds {

    /** Beyond the time in which a world closes by itself. */
    private static final long CLOSE_GRACE_MS = 5_000;

    private static final String REASON = "a snapshot of the process was taken: join again";

    // Guarded by the class.
    private static final Set<GroupCommunicator> WORLDS = new LinkedHashSet<>();
    private static int joining;
    private static boolean snapshot;

    private OpenWorlds() {}

    /** A process begins to join a group; {@link #opened} or {@link #joinFailed} follows. */
    static synchronized void joinBegins() {
        if (snapshot) {
            throw new ZipException(
                    ErrorCode.CLOSED, "a snapshot of the process is being taken: join when it is restored");
        }
        joining++;
    }

    static synchronized void joinFailed() {
        joining--;
    }

    static synchronized void opened(GroupCommunicator world) {
        joining--;
        WORLDS.add(world);
    }

    static synchronized void closed(GroupCommunicator world) {
        WORLDS.remove(world);
    }

    /** Closes all worlds, at the same time since they may be each other's peers, and lets no process join until {@link #restored}. */
    public static void closeAll() {
        List<Thread> closing = new ArrayList<>();
        long timeoutMs = CLOSE_GRACE_MS;
        for (GroupCommunicator world : suspend()) {
            timeoutMs = Math.max(
                    timeoutMs,
                    CLOSE_GRACE_MS
                            + world.settings().closeTimeout().multipliedBy(2).toMillis());
            Thread thread = new Thread(() -> world.closeFor(REASON), "zip-snapshot-" + world.rank());
            thread.start();
            closing.add(thread);
        }
        long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
        boolean interrupted = false;
        for (Thread thread : closing) {
            long leftNs = deadlineNs - System.nanoTime();
            while (thread.isAlive() && leftNs > 0) {
                try {
                    TimeUnit.NANOSECONDS.timedJoin(thread, leftNs);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
                leftNs = deadlineNs - System.nanoTime();
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        int left = openCount();
        if (left > 0) {
            resume();
            throw new ZipException(
                    ErrorCode.DEADLINE, left + " groups were not closed within " + timeoutMs + " ms: no snapshot now");
        }
    }

    private static synchronized List<GroupCommunicator> suspend() {
        if (joining > 0) {
            throw new ZipException(
                    ErrorCode.BAD_ARGUMENT,
                    "this process is joining a group: a snapshot has to wait until it has, or cannot");
        }
        snapshot = true;
        return List.copyOf(WORLDS);
    }

    /** The process was restored: it is another one now, and may join groups again. */
    public static void restored() {
        Incarnation.renew();
        resume();
    }

    private static synchronized void resume() {
        snapshot = false;
    }

    private static synchronized int openCount() {
        return WORLDS.size();
    }
}
