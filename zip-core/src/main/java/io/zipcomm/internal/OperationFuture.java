package io.zipcomm.internal;

import io.zipcomm.ZipFuture;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Future of one run of an operation. */
final class OperationFuture<T> extends ZipFuture<T> {

    private final Engine engine;
    private final Operation operation;

    OperationFuture(Engine engine, Operation operation) {
        this.engine = engine;
        this.operation = operation;
    }

    /** Makes the outcome visible and runs dependent stages. Outside of the engine; again has no effect. */
    @SuppressWarnings("unchecked")
    void finish() {
        if (!operation.isDone() || isDone()) {
            return;
        }
        ZipException failure = operation.failure();
        if (failure == null) {
            complete((T) operation.result());
        } else if (failure.code() == ErrorCode.CANCELLED) {
            completeExceptionally(new CancellationException(failure.getMessage()));
        } else {
            completeExceptionally(failure);
        }
    }

    @Override
    public T await() {
        return await(Long.MAX_VALUE);
    }

    @Override
    public T await(Duration timeout) {
        return await(timeout.toNanos());
    }

    private T await(long timeoutNs) {
        if (!isDone() && !waitFor(timeoutNs)) {
            throw engine.gaveUp(operation, timeoutNs);
        }
        try {
            return super.getNow(null);
        } catch (CancellationException e) {
            throw operation.failure() != null
                    ? operation.failure()
                    : new ZipException(ErrorCode.CANCELLED, operation.describe() + " was cancelled", e);
        } catch (java.util.concurrent.CompletionException e) {
            throw e.getCause() instanceof ZipException failure
                    ? failure
                    : new ZipException(ErrorCode.INTERNAL, "unexpected outcome", e.getCause());
        }
    }

    private boolean waitFor(long timeoutNs) {
        boolean done = engine.await(operation, timeoutNs);
        if (done) {
            finish();
        }
        return done;
    }

    @Override
    public T get() throws InterruptedException, ExecutionException {
        waitFor(Long.MAX_VALUE);
        return super.get();
    }

    @Override
    public T get(long timeout, TimeUnit unit) throws InterruptedException, ExecutionException, TimeoutException {
        if (!isDone() && !waitFor(unit.toNanos(timeout))) {
            throw new TimeoutException(operation.describe() + " has not ended");
        }
        return super.get();
    }

    @Override
    public T join() {
        waitFor(Long.MAX_VALUE);
        return super.join();
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        if (isDone() || !engine.cancel(operation)) {
            return false;
        }
        finish();
        return true;
    }
}
