package io.zipcomm.transport.aeron;

import java.util.Optional;
import org.agrona.concurrent.UnsafeBuffer;

/** What Agrona, and with it Aeron, needs of the Java platform. */
final class OpenPackage {

    private static final String NAME = "jdk.internal.misc";

    private OpenPackage() {}

    /** Why Aeron cannot be used in this JVM; empty if it can. */
    static Optional<String> problem() {
        return Object.class.getModule().isOpen(NAME, UnsafeBuffer.class.getModule())
                ? Optional.empty()
                : Optional.of("the JVM was started without --add-opens java.base/" + NAME + "=ALL-UNNAMED");
    }
}
