package io.zipcomm.internal;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.ControlChannel;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Opens the control connection of a complete group again after it was lost, on a thread of its own, and says that this rank
 * comes back to its place. Tries again, with pauses, until the relay timeout is over or the relay says that the place is given
 * away. What the rank says meanwhile is kept, and said then. Any thread.
 */
final class ControlReturn {

    private static final long PAUSE_MS_MIN = 20;
    private static final long PAUSE_MS_MAX = 500;

    /** Longest time for one attempt, from connecting to the relay's answer. */
    private static final long ATTEMPT_NS = 3_000_000_000L;

    /** Messages kept; what is said above that is lost, as it is where a relay dies. */
    private static final int UNSAID_MAX = 1024;

    /** Opens channels; and how who does so waits. */
    interface Opener {

        /** A channel whose listener tells of what comes in. Blocks. */
        ControlChannel open(long timeoutNs);

        /** A daemon thread, not started, that may {@link #pause}. */
        Thread thread(Runnable task, String name);

        /** Blocks for some time, or until the thread is unparked or interrupted, whose flag stays set. */
        void pause(long ns);

        /** Now, on the clock by which it pauses. */
        long nowNs();
    }

    /** What came of it, told on the thread that tries. */
    interface Outcome {

        /** The rank is back: this is its channel from now on. */
        void returned(ControlChannel channel);

        /** There is no such place any more: what the relay said. */
        void refused(ToRank message);

        /** The time is over. */
        void gaveUp(String reason);
    }

    /** In place of an answer. */
    private static final ToRank NO_ANSWER = ToRank.getDefaultInstance();

    private final Opener opener;
    private final ToRelay join;
    private final Outcome outcome;
    private final long timeoutNs;
    private final ArrayDeque<byte[]> unsaid = new ArrayDeque<>(); // this object's lock
    private Thread thread; // this object's lock
    private boolean closed; // this object's lock

    /** Why a connection that was just opened has ended, before the thread that opened it has. */
    private String lostAgain; // this object's lock

    private CompletableFuture<ToRank> answer; // this object's lock

    ControlReturn(Opener opener, Join join, long timeoutNs, Outcome outcome) {
        this.opener = opener;
        this.join = ToRelay.newBuilder().setJoin(join).build();
        this.timeoutNs = timeoutNs;
        this.outcome = outcome;
    }

    /** The connection has ended. */
    synchronized void begin(String reason) {
        lostAgain = reason;
        if (!closed && thread == null) {
            lostAgain = null;
            thread = opener.thread(() -> run(reason), "zip-control-return");
            thread.start();
        }
    }

    /** Whether the connection is being opened again. */
    synchronized boolean isUnderWay() {
        return thread != null && !closed;
    }

    /** Keeps a message until the rank is back; answers false if it is not away. */
    synchronized boolean keep(byte[] message) {
        if (thread == null || closed) {
            return false;
        }
        if (unsaid.size() < UNSAID_MAX) {
            unsaid.add(message);
        }
        return true;
    }

    /** The relay has said something; true if it was the answer to coming back. */
    synchronized boolean heard(ToRank message) {
        boolean answers = answer != null && (message.hasAdmitted() || message.hasRefused());
        if (answers) {
            answer.complete(message);
            LockSupport.unpark(thread);
        }
        return answers;
    }

    /** A channel that was opened here has ended; true if it was before the answer. */
    synchronized boolean ended(String reason) {
        boolean early = answer != null && answer.completeExceptionally(new ZipException(ErrorCode.RELAY_LOST, reason));
        if (early) {
            LockSupport.unpark(thread);
        }
        return early;
    }

    private void run(String lost) {
        long startedNs = opener.nowNs();
        long pauseMs = PAUSE_MS_MIN;
        String problem = lost;
        int tries = 0;
        while (opener.nowNs() - startedNs < timeoutNs) {
            tries++;
            problem = attempt(Math.min(ATTEMPT_NS, timeoutNs - (opener.nowNs() - startedNs)));
            if (problem == null) {
                return;
            }
            pause(opener.nowNs() + TimeUnit.MILLISECONDS.toNanos(pauseMs));
            pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX);
        }
        if (stop()) {
            long ms = (opener.nowNs() - startedNs) / 1_000_000;
            outcome.gaveUp(lost + "; not opened again in " + ms + " ms, " + tries + " tries: " + problem);
        }
    }

    /** Waits until an instant, or until nobody wants the connection any more. */
    private void pause(long untilNs) {
        for (long leftNs = untilNs - opener.nowNs(); leftNs > 0 && !isClosed(); leftNs = untilNs - opener.nowNs()) {
            opener.pause(leftNs);
        }
    }

    private synchronized boolean isClosed() {
        return closed;
    }

    /** Answers whether this was still under way. */
    private synchronized boolean stop() {
        boolean open = !closed;
        closed = true;
        unsaid.clear();
        return open;
    }

    /** Answers why it came to nothing; null if it is decided. */
    private String attempt(long timeoutNs) {
        CompletableFuture<ToRank> said = new CompletableFuture<>();
        synchronized (this) {
            if (closed) {
                return null;
            }
            answer = said;
            lostAgain = null;
        }
        long untilNs = opener.nowNs() + timeoutNs;
        ControlChannel channel = null;
        String problem;
        try {
            channel = opener.open(timeoutNs);
            channel.send(join.toByteArray());
            while (!said.isDone() && untilNs - opener.nowNs() > 0 && !isClosed()) {
                opener.pause(untilNs - opener.nowNs());
            }
            ToRank first = said.getNow(NO_ANSWER);
            if (first.hasAdmitted()) {
                back(channel);
                return null;
            }
            problem = first.hasRefused() ? first.getRefused().getReason() : "the relay did not answer";
            if (isFinal(first)) {
                channel.close();
                if (stop()) {
                    outcome.refused(first);
                }
                return null;
            }
        } catch (ZipException e) {
            problem = e.reason();
        } catch (CompletionException e) {
            problem = e.getCause().getMessage();
        } finally {
            synchronized (this) {
                answer = null;
            }
        }
        if (channel != null) {
            channel.close();
        }
        return problem;
    }

    /** Whether it says that there will never be such a place again. */
    private static boolean isFinal(ToRank answer) {
        int code = answer.getRefused().getCode();
        return answer.hasRefused() && (code == ErrorCode.EXPELLED.number() || code == ErrorCode.STALE_EPOCH.number());
    }

    private void back(ControlChannel channel) {
        outcome.returned(channel);
        // In their order, and before what is said from now on.
        for (byte[] message = nextUnsaid(); message != null; message = nextUnsaid()) {
            channel.send(message);
        }
        if (isClosed()) {
            channel.close();
        }
    }

    /** Null if all is said: then the rank is back. */
    private synchronized byte[] nextUnsaid() {
        byte[] message = unsaid.poll();
        if (message == null) {
            thread = null;
            if (lostAgain != null) {
                begin(lostAgain);
            }
        }
        return message;
    }

    /** Gives up; nothing is told any more. */
    synchronized void close() {
        stop();
        if (thread != null && thread != Thread.currentThread()) {
            thread.interrupt();
        }
    }
}
