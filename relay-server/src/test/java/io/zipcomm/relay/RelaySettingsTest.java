package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.util.internal.PlatformDependent;
import org.junit.jupiter.api.Test;

final class RelaySettingsTest {

    /** What waits, what is under way and control messages together leave as much for everything else. */
    @Test
    void shouldLeaveHalfOfDirectMemoryByDefault() {
        RelaySettings settings = RelaySettings.builder().insecure(true).build();
        long limited = 2 * settings.memoryBytes() + settings.limits().controlMemory();
        assertTrue(limited <= PlatformDependent.maxDirectMemory() / 2, limited + " bytes");
        assertTrue(limited > PlatformDependent.maxDirectMemory() / 4, limited + " bytes");
    }
}
