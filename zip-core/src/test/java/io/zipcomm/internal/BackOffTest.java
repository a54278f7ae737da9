package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class BackOffTest {

    private static final long S = 1_000_000_000;

    private final BackOff backOff = new BackOff();
    private long nowNs = -5 * S;

    /** Seconds until the link may ask again, to a tenth. */
    private long pauseTenths() {
        long tenths = 0;
        while (backOff.look(nowNs)) {
            assertFalse(backOff.isDue());
            nowNs += S / 10;
            tenths++;
        }
        assertTrue(backOff.isDue());
        backOff.asked();
        return tenths;
    }

    private long useFor(long seconds) {
        backOff.used(nowNs);
        nowNs += seconds * S;
        backOff.lost(nowNs);
        return pauseTenths();
    }

    @Test
    void shouldAskOnceAndNotAgainUnlessAPathIsLost() {
        assertTrue(backOff.isDue());
        backOff.asked();
        assertFalse(backOff.isDue());
        assertFalse(backOff.look(nowNs + 1000 * S));
        assertFalse(backOff.isDue());
    }

    @Test
    void shouldWaitTwiceAsLongAfterEachLossUpToAMinute() {
        List<Long> pauses = new ArrayList<>();
        for (int i = 0; i < 9; i++) {
            pauses.add(useFor(i % 2 == 0 ? 1 : 29));
        }
        assertEquals(List.of(10L, 20L, 40L, 80L, 160L, 320L, 600L, 600L, 600L), pauses);
    }

    @Test
    void shouldBeginAnewAfterAPathThatLivedLong() {
        useFor(1);
        useFor(1);
        assertEquals(40, useFor(1));
        assertEquals(10, useFor(30));
        assertEquals(20, useFor(1));
    }

    @Test
    void shouldWaitLongerWhenNoPathEverOpened() {
        backOff.asked();
        List<Long> pauses = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            backOff.neverMet();
            backOff.pause(nowNs);
            pauses.add(pauseTenths());
        }
        assertEquals(List.of(100L, 200L, 400L, 600L, 600L), pauses);
    }

    @Test
    void shouldForgetThatNoPathOpenedWhenOneHas() {
        backOff.asked();
        backOff.neverMet();
        backOff.pause(nowNs);
        assertEquals(100, pauseTenths());
        assertEquals(10, useFor(1));
        assertEquals(20, useFor(1));
    }
}
