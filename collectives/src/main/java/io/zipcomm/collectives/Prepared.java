package io.zipcomm.collectives;

import io.zipcomm.collectives.plan.PlanCache;
import io.zipcomm.collectives.plan.PlanExecution;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.CallTime;
import io.zipcomm.internal.GroupCommunicator;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A collective operation whose arguments are given once and that runs as often as it is asked to: a persistent operation,
 * for the inside of loops. Plan, scratch memory and bookkeeping are there from the start; a run moves bytes and allocates
 * nothing. Made by {@link Collectives#prepare()}.
 *
 * <pre>{@code
 * try (Prepared sum = collectives.prepare().allReduce(gradient, ReduceOp.SUM)) {
 *     for (int step = 0; step < steps; step++) {
 *         compute(gradient);
 *         sum.run();
 *     }
 * }
 * }</pre>
 *
 * <p>Preparing is a local affair. Running counts as calling the operation, so the order of all members' runs and other calls
 * must be the same, and ranks that disagree find out as in {@link Collectives}. A rank may run an operation prepared while
 * another calls it the ordinary way.
 *
 * <p>One run at a time: between {@link #start} and the {@link #await} that sees its end, another start or run throws
 * BAD_ARGUMENT, sends nothing and leaves the first as it is. Different operations may be under way at once. Each run has the deadline of the {@link Collectives} from which
 * this comes, counted from its own start.
 *
 * <p>Thread: any, but one after the other. Ownership: the memory is the caller's between runs, to read and change, and the
 * operation's during each. What the operation needs besides, its scratch memory among that, it keeps until it is closed.
 *
 * <p>Errors: {@link ZipException}. After a run that failed the target's content is undefined, and the communicator runs no
 * further collectives, prepared or not. A run when the communicator is closed gives CLOSED.
 */
public final class Prepared implements AutoCloseable {

    private enum State {
        IDLE,
        /** Started, and nobody has seen the end. */
        STARTED,
        CLOSED
    }

    private final Context context;
    private final GroupCommunicator communicator;
    private final CollectiveOperation operation;
    private final PlanCache.Lease lease;
    private final PlanExecution execution;
    private final CallTime time;
    private final AtomicReference<State> state = new AtomicReference<>(State.IDLE);
    private boolean failed;

    /**
     * @param lease bound to its memory
     */
    Prepared(Context context, CollectiveOperation operation, PlanCache.Lease lease, CallTime time) {
        this.context = context;
        communicator = context.communicator();
        this.operation = operation;
        this.lease = lease;
        execution = lease.execution();
        this.time = time;
    }

    /** Runs the operation and returns when this rank's part is done. */
    public void run() {
        begin();
        boolean succeeded = false;
        try {
            communicator.run(execution, time.forCollective(communicator, operation));
            succeeded = true;
        } finally {
            ended(succeeded);
        }
    }

    /**
     * Starts a run and returns. It goes on while the program computes, on a thread of the library's, and on the caller's
     * while that waits for anything.
     */
    public void start() {
        begin();
        boolean started = false;
        try {
            communicator.launch(execution, time.forCollective(communicator, operation));
            started = true;
        } finally {
            if (!started) {
                ended(false);
            }
        }
    }

    /**
     * Waits until the run that was started has ended; its own deadline bounds the wait. Returns at once if there is none.
     */
    public void await() {
        await(Long.MAX_VALUE);
    }

    /**
     * Waits, but no longer than given: then it throws DEADLINE, and the run goes on and has to be awaited again.
     *
     * @param timeout positive
     */
    public void await(Duration timeout) {
        await(timeout.toNanos());
    }

    private void await(long waitNs) {
        if (state.get() != State.STARTED) {
            return;
        }
        boolean succeeded = false;
        try {
            communicator.await(execution, waitNs);
            succeeded = true;
        } finally {
            if (execution.isDone()) {
                ended(succeeded);
            }
        }
    }

    /** Whether no run is under way: {@link #await()} would not wait. Never blocks. */
    public boolean isDone() {
        return execution.isDone();
    }

    private void begin() {
        if (!state.compareAndSet(State.IDLE, State.STARTED)) {
            boolean closed = state.get() == State.CLOSED;
            throw communicator.refusal(
                    closed ? ErrorCode.CLOSED : ErrorCode.BAD_ARGUMENT,
                    operation.toString(),
                    closed
                            ? "the prepared operation is closed"
                            : "the prepared operation was started before, and has to be awaited first");
        }
    }

    private void ended(boolean succeeded) {
        failed |= !succeeded;
        state.set(State.IDLE);
    }

    /**
     * Lets go of the memory, after waiting for a run that is under way. If that fails, its failure is thrown. Again has no
     * effect.
     */
    @Override
    public void close() {
        if (state.get() == State.CLOSED) {
            return;
        }
        try {
            await();
        } finally {
            // Where waiting was refused, as in a function that the library calls, it is still under way.
            if (execution.isDone()) {
                state.set(State.CLOSED);
                execution.unbind();
                if (!failed) {
                    context.giveBack(lease);
                }
            }
        }
    }
}
