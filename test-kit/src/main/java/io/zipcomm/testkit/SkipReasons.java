package io.zipcomm.testkit;

import java.util.Optional;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.LifecycleMethodExecutionExceptionHandler;
import org.junit.jupiter.api.extension.TestWatcher;
import org.opentest4j.TestAbortedException;

/**
 * Prints why a test, or all of a class, was skipped, for all tests with this module on their class path: it is found by
 * {@link java.util.ServiceLoader}, where {@code junit.jupiter.extensions.autodetection.enabled} is set.
 */
public final class SkipReasons implements TestWatcher, LifecycleMethodExecutionExceptionHandler {

    /** For the service loader. */
    public SkipReasons() {}

    @Override
    public void testDisabled(ExtensionContext context, Optional<String> reason) {
        print(context, reason.orElse("disabled without a reason"));
    }

    @Override
    public void testAborted(ExtensionContext context, Throwable cause) {
        print(context, cause.getMessage());
    }

    @Override
    public void handleBeforeAllMethodExecutionException(ExtensionContext context, Throwable cause) throws Throwable {
        if (cause instanceof TestAbortedException) {
            print(context, cause.getMessage());
        }
        throw cause;
    }

    private static void print(ExtensionContext context, String reason) {
        String name = context.getRequiredTestClass().getSimpleName();
        String test = context.getTestMethod().isPresent() ? "." + context.getDisplayName() : "";
        System.out.println("SKIPPED " + name + test + ": " + reason);
    }
}
