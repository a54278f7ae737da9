package io.zipcomm.testkit;

import java.util.Optional;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestWatcher;

/**
 * Prints why a test was skipped, for all tests with this module on their class path: it is found by
 * {@link java.util.ServiceLoader}, where {@code junit.jupiter.extensions.autodetection.enabled} is set.
 */
public final class SkipReasons implements TestWatcher {

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

    private static void print(ExtensionContext context, String reason) {
        System.out.println("SKIPPED " + context.getRequiredTestClass().getSimpleName() + "." + context.getDisplayName()
                + ": " + reason);
    }
}
