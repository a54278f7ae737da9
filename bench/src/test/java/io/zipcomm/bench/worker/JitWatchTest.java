package io.zipcomm.bench.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class JitWatchTest {

    private static final long MS = 1_000_000;

    private long nowNs = 5;
    private long compiledMs = 70;
    private final JitWatch watch = new JitWatch(() -> nowNs, () -> compiledMs, 2);

    private boolean quietAfter(long passedMs, long workedMs) {
        nowNs += passedMs * MS;
        compiledMs += workedMs;
        return watch.isQuiet();
    }

    @Test
    void shouldBeQuietOnceTheCompilerHasDoneNearlyNothingForAWhile() {
        assertFalse(quietAfter(100, 0), "too early to say");
        assertFalse(quietAfter(200, 90));
        assertFalse(quietAfter(299, 0), "too early to say");
        assertTrue(quietAfter(1, 14));
    }

    @Test
    void shouldGiveUpOnACompilerThatNeverRests() {
        int looks = 0;
        while (!quietAfter(300, 100)) {
            looks++;
        }
        assertEquals((2 * JitWatch.LIMIT_NS - 1) / (300 * MS), looks, "looks before the limit");
    }
}
