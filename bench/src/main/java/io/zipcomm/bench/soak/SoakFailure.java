package io.zipcomm.bench.soak;

/** A run that cannot go on: which process, and why. */
public final class SoakFailure extends Exception {

    private static final long serialVersionUID = 1L;

    SoakFailure(String message) {
        super(message);
    }
}
