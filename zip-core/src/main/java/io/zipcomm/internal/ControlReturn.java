package io.zipcomm.internal;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.ControlChannel;
import io.zipcomm.wire.proto.Agreed;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.Recall;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens the control connection of a complete group again after it was lost, on a thread of its own, and says that this rank
 * comes back to its place. Tries again, with pauses, until the relay timeout is over or the relay says that the place is given
 * away; and for a while more if this process stood still, and the time ran out meanwhile or just after. What the rank says
 * meanwhile is kept, and said then. Any thread.
 */
final class ControlReturn {

    private static final Logger LOG = LoggerFactory.getLogger(ControlReturn.class);

    private static final long PAUSE_MS_MIN = 20;
    private static final long PAUSE_MS_MAX = 500;

    /** Longest time for one attempt, from connecting to the relay's answer. */
    private static final long ATTEMPT_NS = 3_000_000_000L;

    /** A connection that lived for less is opened again after a pause: what ends it may end the next one, too. */
    private static final long LIVED_NS_MIN = 3_000_000_000L;

    /** Longest time that a relay may take to find the other members. */
    private static final long RESTORING_NS_MAX = 600_000_000_000L;

    /** Messages kept; of what is said above that something is lost, as it is where a relay dies. */
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

        /** The time is over, or the relay has said that there is nothing to wait for. */
        void gaveUp(String reason);
    }

    /** In place of an answer. */
    private static final ToRank NO_ANSWER = ToRank.getDefaultInstance();

    private final Opener opener;
    private final ToRelay join;
    private final Outcome outcome;
    private final long timeoutNs;
    private final Unconfirmed unconfirmed = new Unconfirmed(); // this object's lock
    private final ArrayDeque<ToRelay> unsaid = new ArrayDeque<>(); // this object's lock
    private Thread thread; // this object's lock
    private boolean closed; // this object's lock

    // The thread's that tries.
    private long pauseMs = PAUSE_MS_MIN;
    private long untilNs;
    private boolean extended;
    private boolean returned;
    private long returnedNs;
    private boolean hasLogged;

    private String lost; // this object's lock

    /** Why a connection that was just opened has ended, before the thread that opened it has. */
    private String lostAgain; // this object's lock

    private CompletableFuture<ToRank> answer; // this object's lock

    /** On the latest connection the relay has taken the rank back. */
    private boolean admitted = true; // this object's lock

    /** On which the answer is awaited. */
    private ControlChannel opening; // this object's lock

    /** Until when it is, on the opener's clock. */
    private long answerUntilNs; // this object's lock

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
            lost = reason;
            // It was said before what is unsaid.
            List<ToRelay> again = unconfirmed.take();
            for (int i = again.size() - 1; i >= 0; i--) {
                unsaid.addFirst(again.get(i));
            }
            thread = opener.thread(() -> run(reason), "zip-control-return");
            thread.start();
        }
    }

    /** Whether the connection is being opened again. */
    synchronized boolean isUnderWay() {
        return thread != null && !closed;
    }

    /** Why the connection ended that is being opened again; null if none is. */
    synchronized String lost() {
        return isUnderWay() ? lost : null;
    }

    /** Keeps a message until the rank is back; answers false if it is not away. */
    synchronized boolean keep(ToRelay message) {
        if (thread == null || closed) {
            return false;
        }
        if (unsaid.size() >= UNSAID_MAX) {
            makeRoom();
        }
        unsaid.add(message);
        return true;
    }

    /** What others wait for stays before the rest, and the latest before what was earlier. */
    private void makeRoom() {
        ToRelay least = unsaid.stream()
                .filter(message -> !Unconfirmed.isKept(message))
                .findFirst()
                .orElse(unsaid.peek());
        unsaid.remove(least);
    }

    /** The relay has answered an agreement: this rank's part of it need not be said again. */
    synchronized void answered(Agreed agreed) {
        unconfirmed.answered(agreed);
        unsaid.removeIf(message -> GroupMemory.isAnsweredBy(message, agreed));
    }

    /** Something was said on the connection, which may have broken before that. */
    synchronized void said(ToRelay message) {
        if (thread == null) {
            unconfirmed.add(message);
        } else if (Unconfirmed.isKept(message)) {
            keep(message);
        }
    }

    /** A heartbeat is about to be said. */
    synchronized void beats(long number) {
        unconfirmed.beats(number);
    }

    /** The relay has answered a heartbeat. */
    synchronized void confirmed(long number) {
        unconfirmed.confirmed(number);
    }

    /** The relay has said something; true if it was the answer to coming back, also one that comes when nobody waits for it. */
    synchronized boolean heard(ToRank message) {
        if (answer == null) {
            return message.hasRefused() && thread != null && !admitted;
        }
        boolean answers = message.hasAdmitted() || message.hasRefused();
        if (answers) {
            answer.complete(message);
            // What comes after it is for the rank.
            answer = null;
            admitted = message.hasAdmitted();
            LockSupport.unpark(thread);
        }
        return answers;
    }

    /**
     * The relay was started again, and asks what this rank knows of its group before it answers.
     *
     * @param recall    what this rank has said and heard until now: what of that was kept need not be said again
     * @param timeoutNs how long the answer may take
     */
    synchronized void restores(Recall recall, long timeoutNs) {
        if (answer == null || closed) {
            return;
        }
        int rank = join.getJoin().getContinues().getRank();
        unsaid.removeIf(message -> GroupMemory.isIn(recall, rank, message));
        opening.send(ToRelay.newBuilder().setRecall(recall).build().toByteArray());
        answerUntilNs = opener.nowNs() + Math.min(RESTORING_NS_MAX, timeoutNs) + ATTEMPT_NS;
    }

    /** The relay asks whether this rank is there; true if that was before the rank was back. */
    synchronized boolean pinged(ToRelay pong) {
        if (opening == null) {
            return false;
        }
        opening.send(pong.toByteArray());
        return true;
    }

    /** A channel that was opened here has ended; true if it was before the answer. */
    synchronized boolean ended(String reason) {
        boolean early = answer != null && answer.completeExceptionally(new ZipException(ErrorCode.RELAY_LOST, reason));
        if (early) {
            LockSupport.unpark(thread);
        }
        return early;
    }

    private void run(String reason) {
        long startedNs = opener.nowNs();
        untilNs = startedNs + timeoutNs;
        extended = false;
        if (returned && startedNs - returnedNs < LIVED_NS_MIN) {
            pause();
        } else {
            pauseMs = PAUSE_MS_MIN;
        }
        String problem = reason;
        int tries = 0;
        for (long leftNs = untilNs - opener.nowNs(); leftNs > 0; leftNs = untilNs - opener.nowNs()) {
            tries++;
            problem = attempt(Math.min(ATTEMPT_NS, leftNs));
            if (problem == null) {
                return;
            }
            pause();
        }
        if (stop()) {
            long ms = (opener.nowNs() - startedNs) / 1_000_000;
            outcome.gaveUp(reason + "; not opened again in " + ms + " ms, " + tries + " tries: " + problem);
        }
    }

    /** Waits longer each time, or until nobody wants the connection any more. */
    private void pause() {
        long nextNs = opener.nowNs() + TimeUnit.MILLISECONDS.toNanos(pauseMs);
        pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX);
        for (long leftNs = nextNs - opener.nowNs(); leftNs > 0 && !isClosed(); leftNs = nextNs - opener.nowNs()) {
            pause(leftNs);
        }
    }

    private void pause(long ns) {
        long plannedNs = opener.nowNs() + ns;
        opener.pause(ns);
        awake(plannedNs);
    }

    private ControlChannel open(long ns) {
        long plannedNs = opener.nowNs() + ns;
        try {
            return opener.open(ns);
        } finally {
            awake(plannedNs);
        }
    }

    /**
     * After a wait that was to be over by then. If this process stood still, the relay may be there again, and know what became of the
     * group; a process that is only slow is given time once.
     */
    private void awake(long plannedNs) {
        long nowNs = opener.nowNs();
        boolean still = extended ? nowNs - plannedNs > ATTEMPT_NS : Freeze.isBetween(plannedNs, nowNs);
        if (still && untilNs - nowNs < ATTEMPT_NS) {
            untilNs = nowNs + ATTEMPT_NS;
            extended = true;
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
            admitted = false;
            opening = null;
            lostAgain = null;
            answerUntilNs = opener.nowNs() + timeoutNs;
        }
        ControlChannel channel = null;
        String problem;
        try {
            channel = open(timeoutNs);
            synchronized (this) {
                opening = channel;
            }
            channel.send(join.toByteArray());
            for (long leftNs = answerLeftNs(); !said.isDone() && leftNs > 0 && !isClosed(); leftNs = answerLeftNs()) {
                pause(leftNs);
            }
            ToRank first = said.getNow(NO_ANSWER);
            if (first.hasAdmitted()) {
                back(channel);
                return null;
            }
            problem = first.hasRefused() ? first.getRefused().getReason() : "the relay did not answer";
            Finality finality = finality(first);
            if (finality != Finality.NONE) {
                channel.close();
                if (stop()) {
                    tell(finality, first);
                }
                return null;
            }
        } catch (ZipException e) {
            problem = e.reason();
        } catch (CompletionException e) {
            problem = e.getCause().getMessage();
        } catch (RuntimeException | Error e) {
            problem = unexpected(e);
        } finally {
            over(said, channel);
        }
        if (channel != null) {
            channel.close();
        }
        return problem;
    }

    private String unexpected(Throwable failure) {
        if (!hasLogged) {
            hasLogged = true;
            LOG.error("the control connection could not be opened again", failure);
        }
        return "failed: " + failure;
    }

    /** An attempt is over; if the connection broke at once, the next one has begun on another thread. */
    private synchronized void over(CompletableFuture<ToRank> said, ControlChannel channel) {
        if (answer == said) {
            answer = null;
        }
        if (opening == channel) {
            opening = null;
        }
    }

    private synchronized long answerLeftNs() {
        return answerUntilNs - opener.nowNs();
    }

    /** What a refusal says of later attempts: limits and rights may be others by then. */
    private enum Finality {
        NONE,
        PLACE_IS_GONE,
        RELAY_IS_ANOTHER
    }

    private static Finality finality(ToRank answer) {
        if (!answer.hasRefused()) {
            return Finality.NONE;
        }
        return switch (ErrorCode.of(answer.getRefused().getCode())) {
            case EXPELLED, STALE_EPOCH -> Finality.PLACE_IS_GONE;
            case BAD_SETTING, SIZE_MISMATCH, VERSION_MISMATCH -> Finality.RELAY_IS_ANOTHER;
            default -> Finality.NONE;
        };
    }

    private void tell(Finality finality, ToRank refusal) {
        if (finality == Finality.PLACE_IS_GONE) {
            outcome.refused(refusal);
        } else {
            ErrorCode code = ErrorCode.of(refusal.getRefused().getCode());
            outcome.gaveUp(code + ": " + refusal.getRefused().getReason());
        }
    }

    private void back(ControlChannel channel) {
        returned = true;
        returnedNs = opener.nowNs();
        outcome.returned(channel);
        // In their order, and before what is said from now on.
        for (ToRelay message = nextUnsaid(); message != null; message = nextUnsaid()) {
            channel.send(message.toByteArray());
            saidAgain(message);
        }
        if (isClosed()) {
            channel.close();
        }
    }

    private synchronized void saidAgain(ToRelay message) {
        unconfirmed.add(message);
    }

    /** Null if all is said, and the rank is back; or if the connection has ended, and what is left is for the next one. */
    private synchronized ToRelay nextUnsaid() {
        if (lostAgain != null) {
            thread = null;
            begin(lostAgain);
            return null;
        }
        ToRelay message = unsaid.poll();
        if (message == null) {
            thread = null;
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
