package io.zipcomm.bench.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class TrendTest {

    private static final double[] TIMES =
            IntStream.range(0, 20).mapToDouble(i -> 10 * i).toArray();

    private static double[] values(double slope, double noise, long seed) {
        Random random = new Random(seed);
        return IntStream.range(0, TIMES.length)
                .mapToDouble(i -> 100 + slope * TIMES[i] + noise * random.nextGaussian())
                .toArray();
    }

    @Test
    void shouldGiveTheSlopeOfALine() {
        Trend trend = Trend.of(TIMES, values(0.5, 0, 0));
        assertEquals(0.5 * 190, trend.growth(), 1e-9);
        assertEquals(100, trend.beginning(), 1e-9);
        assertTrue(trend.isCertain());
    }

    @Test
    void shouldNotBeCertainOfWhatStaysOrFalls() {
        assertFalse(Trend.of(TIMES, values(0, 0, 0)).isCertain());
        assertFalse(Trend.of(TIMES, values(-0.5, 0, 0)).isCertain());
    }

    @Test
    void shouldSeldomBeCertainOfNoise() {
        long certain = IntStream.range(0, 1000)
                .filter(seed -> Trend.of(TIMES, values(0, 5, seed)).isCertain())
                .count();
        assertTrue(certain <= 25, certain + " of 1000, expected some 10");
    }

    @Test
    void shouldSeeASlopeInNoise() {
        long certain = IntStream.range(0, 1000)
                .filter(seed -> Trend.of(TIMES, values(0.1, 5, seed)).isCertain())
                .count();
        assertTrue(certain >= 950, certain + " of 1000");
    }

    @Test
    void shouldWantAValueForEachTime() {
        assertThrows(IllegalArgumentException.class, () -> Trend.of(new double[] {1, 2}, new double[] {1}));
        assertThrows(IllegalArgumentException.class, () -> Trend.of(new double[] {1}, new double[] {1}));
    }
}
