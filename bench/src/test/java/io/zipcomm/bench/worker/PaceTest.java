package io.zipcomm.bench.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class PaceTest {

    private static final long MS = 1_000_000;

    /** Runs a batch of iterations of equal length. */
    private static void batch(Pace pace, long iterationNs) {
        int count = pace.batch();
        long[] timesNs = new long[count];
        Arrays.fill(timesNs, iterationNs);
        pace.batchDone(timesNs, count, count * iterationNs);
    }

    @Test
    void shouldBeWarmWhenTwoMediansAreAlike() {
        Pace pace = new Pace(400 * MS, 0, false);
        batch(pace, 10 * MS);
        batch(pace, 2 * MS);
        assertFalse(pace.isWarm());
        batch(pace, MS);
        assertFalse(pace.isWarm(), "half the time of before is not stable");
        batch(pace, MS - MS / 20);
        assertTrue(pace.isWarm());
    }

    @Test
    void shouldStopWarmingUpWhenTheTimeIsOver() {
        Pace pace = new Pace(10 * MS, 0, false);
        batch(pace, 100 * MS);
        assertTrue(pace.isWarm());
        assertEquals(Pace.ITERATIONS_MIN, pace.timedIterations());
    }

    @Test
    void shouldEndForTimesThatNeverSettle() {
        Pace pace = new Pace(100 * MS, 0, false);
        long iterationNs = MS;
        for (int i = 0; i < 1000 && !pace.isWarm(); i++) {
            batch(pace, iterationNs);
            iterationNs = iterationNs == MS ? 2 * MS : MS;
        }
        assertTrue(pace.isWarm());
    }

    @Test
    void shouldGiveRanksTimeToWake() {
        Pace pace = new Pace(200 * MS, 0, true);
        batch(pace, 5 * MS);
        long spentNs = 10 * MS;
        while (!pace.isWarm()) {
            spentNs += pace.batch() * MS;
            batch(pace, MS);
        }
        assertTrue(spentNs > Pace.WAKING_SHARE * 200 * MS, "after " + spentNs / MS + " ms");
        assertTrue(spentNs < 100 * MS, "after " + spentNs / MS + " ms");
        assertEquals(100, pace.timedIterations());
    }

    @Test
    void shouldFitIterationsIntoTheBudget() {
        Pace pace = new Pace(400 * MS, 0, false);
        batch(pace, MS);
        batch(pace, MS);
        batch(pace, MS);
        assertTrue(pace.isWarm());
        assertEquals(200, pace.timedIterations());
    }

    @Test
    void shouldTimeAsManyAsTheUserWants() {
        Pace pace = new Pace(400 * MS, 7, false);
        batch(pace, MS);
        assertEquals(7, pace.timedIterations());
    }
}
