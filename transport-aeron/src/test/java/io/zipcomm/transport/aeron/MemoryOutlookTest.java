package io.zipcomm.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class MemoryOutlookTest {

    /** What containers have unless they ask for more. */
    @Test
    void shouldSayWhichGroupsFitIntoLittleMemory() {
        String words = MemoryOutlook.words(64 << 20);
        assertTrue(words.matches("64 MiB free: a group of 2 here would take up to \\d+ MiB, .*"), words);
        assertTrue(words.contains("a group of 8 here would take up to "), words);
        assertTrue(words.contains("a group of 64 here would share none (65536 KiB are free, 64 ranks need "), words);
    }

    @Test
    void shouldSayWhyMemoryIsNotUsed() {
        assertEquals("not used: ZIP_SHARED_MEMORY is none", MemoryOutlook.of(""));
        assertEquals(
                "not used: ZIP_SHARED_MEMORY is '/no/such', which is not a directory that this process may write to",
                MemoryOutlook.of("/no/such"));
    }
}
