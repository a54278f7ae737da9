package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.transport.aeron.AeronIpcProvider;
import java.util.Optional;

/** Whether ranks can share memory here. */
final class SharedMemory {

    private SharedMemory() {}

    /**
     * Skips a test that needs it on a system that has none.
     *
     * @param needed whether the test needs it
     */
    static void assumeAvailable(boolean needed) {
        Optional<String> reason = needed ? new AeronIpcProvider().unavailabilityReason() : Optional.empty();
        assumeTrue(reason.isEmpty(), () -> "no shared memory: " + reason.orElseThrow());
    }
}
