package io.zipcomm.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.ZipFuture;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;

/** How operations ended. */
final class Outcome {

    private Outcome() {}

    /** Why an operation failed; null if it did not. It must have ended. */
    static ZipException failure(ZipFuture<?> operation) {
        assertTrue(operation.isDone(), "not ended");
        try {
            operation.getNow(null);
            return null;
        } catch (CancellationException e) {
            return new ZipException(ErrorCode.CANCELLED, e.getMessage(), e);
        } catch (CompletionException e) {
            return (ZipException) e.getCause();
        }
    }

    /** The code with which an operation failed; null if it did not. */
    static ErrorCode code(ZipFuture<?> operation) {
        ZipException failure = failure(operation);
        return failure == null ? null : failure.code();
    }

    static void assertSucceeded(ZipFuture<?> operation) {
        ZipException failure = failure(operation);
        if (failure != null) {
            throw new AssertionError("failed: " + failure.getMessage(), failure);
        }
    }

    static ZipException assertFailed(ErrorCode code, ZipFuture<?> operation) {
        ZipException failure = failure(operation);
        assertNotNull(failure, "succeeded, expected " + code);
        assertEquals(code, failure.code(), failure.getMessage());
        return failure;
    }

    /** Failed, and names the culprit. */
    static ZipException assertFailed(ErrorCode code, int peer, ZipFuture<?> operation) {
        ZipException failure = assertFailed(code, operation);
        assertEquals(peer, failure.peer(), failure.getMessage());
        return failure;
    }
}
