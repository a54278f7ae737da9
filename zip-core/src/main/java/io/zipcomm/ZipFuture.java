package io.zipcomm;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/**
 * The outcome of an asynchronous operation. Waiting for it, by whichever method, drives the I/O on the waiting thread.
 *
 * <p>Dependent stages run on the thread that finds the operation ended, outside of the engine: they may start and await
 * operations. Give long work to an executor, with the {@code Async} forms.
 *
 * @param <T> what the operation gives
 */
public abstract class ZipFuture<T> extends CompletableFuture<T> {

    /** For the library only. */
    protected ZipFuture() {}

    /**
     * Waits until the operation ended; its own deadline bounds the wait.
     *
     * @return the result
     * @throws io.zipcomm.error.ZipException if the operation failed, passed its deadline or was cancelled
     */
    public abstract T await();

    /**
     * Waits, but no longer than given. The operation goes on if the time passes.
     *
     * @param timeout positive
     * @return the result
     * @throws io.zipcomm.error.ZipException with code DEADLINE if the time passed, otherwise as {@link #await()}
     */
    public abstract T await(Duration timeout);

    /**
     * Ends the operation with CANCELLED, unless it has ended: its memory is free afterwards. Waits for no peer.
     *
     * <p>A collective is over for all members. At this rank, others that are under way on the same communicator and all later ones
     * fail with COMMUNICATOR_FAILED. The other members hear of it through the relay: what is under way there on this communicator fails
     * with PEER_FAILED, whose {@code peer()} is this rank, and all later ones with COMMUNICATOR_FAILED. A member that has done its part
     * by then keeps its result. Messages and other communicators go on. Who has the answer of a {@link Communicator#agree} that this rank
     * took part in after it cancelled has heard of it. After {@link Communicator#revoke} and {@link Communicator#shrink} the next epoch has the
     * same ranks, and runs collectives.
     *
     * @param mayInterruptIfRunning of no effect
     * @return true if the operation had not ended
     */
    @Override
    public abstract boolean cancel(boolean mayInterruptIfRunning);
}
