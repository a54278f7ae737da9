package io.zipcomm.bench.cluster;

/** A worker died, hung or reported an error: which, and what it said last. */
public final class WorkerFailure extends Exception {

    private static final long serialVersionUID = 1L;

    WorkerFailure(String message) {
        super(message);
    }
}
