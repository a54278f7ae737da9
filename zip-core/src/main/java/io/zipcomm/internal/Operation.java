package io.zipcomm.internal;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;

/**
 * Something a caller waits for: a send, a receive, a collective. A state machine that the engine's holder moves on from
 * callbacks; it never blocks. An instance may be run again after it ended.
 *
 * <p>Thread: the engine holder, except {@link #isDone}.
 */
public abstract class Operation {

    private final GroupCommunicator communicator;

    long startedNs;
    long deadlineNs;
    long probedNs;
    Thread waiter;

    /** Threads that sleep until this has ended. */
    int waiters;

    OperationFuture<?> future;

    /** Started by a caller who does not wait here. */
    boolean asynchronous;

    boolean active;

    private ZipException failure;
    private volatile boolean done = true;

    /**
     * For subclasses.
     *
     * @param communicator on which this runs
     */
    protected Operation(GroupCommunicator communicator) {
        this.communicator = communicator;
    }

    /** The communicator on which this runs. */
    public final GroupCommunicator communicator() {
        return communicator;
    }

    /** Whether this ended, in success or failure. Any thread. */
    public final boolean isDone() {
        return done;
    }

    /** Posts the first transfers. May end the operation at once. */
    protected abstract void begin();

    /** Takes back every transfer that is still posted: after this the user's memory is not touched again. */
    protected abstract void withdraw();

    /** For errors: name and number, such as {@code all-reduce #7}. */
    public abstract String describe();

    /** For errors: what has not happened yet, such as {@code segment 5 of 8 from rank 3}; null if nothing. */
    protected abstract String awaited();

    /** For errors: how far it is, such as {@code step 4 of 12}; null if there is nothing to say. */
    protected String phase() {
        return null;
    }

    /** Whether every member of the communicator takes part: one that dies then fails this. */
    protected abstract boolean isCollective();

    /** Whether this goes on, or may begin, on a communicator that was revoked. */
    protected boolean outlivesRevocation() {
        return false;
    }

    /** World rank of a peer that is being waited for, or -1. */
    protected int awaitedPeer() {
        return -1;
    }

    /**
     * World rank of a peer to probe when the wait is long, or -1.
     *
     * @param index of the probe among those that go now, from 0
     */
    protected int toProbe(int index) {
        return index == 0 ? awaitedPeer() : -1;
    }

    /** What a probe says of this operation; 0 if it is not probed. */
    protected int signature() {
        return 0;
    }

    /** Number of this collective on its communicator; only if {@link #signature} is not 0. */
    protected int number() {
        return 0;
    }

    /** Called every few milliseconds while this is under way. */
    protected void timer(long nowNs) {}

    /** The result of an asynchronous run. */
    protected Object result() {
        return null;
    }

    final void start(long nowNs, long timeoutNs) {
        startedNs = nowNs;
        probedNs = nowNs;
        deadlineNs = nowNs + timeoutNs;
        failure = null;
        done = false;
        begin();
    }

    /** Ends this in success. */
    protected final void succeed() {
        end(null);
    }

    /**
     * Ends this in failure, unless it ended before: takes back what is posted and tells the peers of a collective.
     *
     * @param code   what kind of failure
     * @param peer   world rank of the culprit, or {@link ZipException#NONE}
     * @param reason the facts, as a phrase
     * @param cause  what was caught, or null
     */
    protected final void fail(ErrorCode code, int peer, String reason, Throwable cause) {
        if (done) {
            return;
        }
        Engine engine = communicator.engine();
        ZipException described = engine.failure(code, reason)
                .peer(peer)
                .operation(describe())
                .phase(phase())
                .elapsedMs((engine.nowNs() - startedNs) / 1_000_000)
                .awaited(awaited())
                .build(cause);
        withdraw();
        end(described);
        if (isCollective()) {
            communicator.collectiveFailed(described);
        }
    }

    /** Ends this in the failure of one of its transfers. */
    protected final void fail(ZipException cause) {
        fail(cause.code(), cause.peer(), reasonOf(cause), cause.getCause());
    }

    /** The facts of a failure without the prefix that names its code. */
    public static String reasonOf(ZipException failure) {
        String message = failure.getMessage();
        String prefix = failure.code() + ": ";
        return message.startsWith(prefix) ? message.substring(prefix.length()) : message;
    }

    private void end(ZipException how) {
        failure = how;
        done = true;
        communicator.engine().ended(this);
    }

    /** Why this failed; null if it succeeded. */
    final ZipException failure() {
        return failure;
    }
}
