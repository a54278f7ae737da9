package io.zipcomm.bench.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Samples of an hour, as they are without growth and with growth that was planted. */
final class SoakVerdictTest {

    private static final int COUNT = 60;
    private static final int INTERVAL_S = 60;

    private final Random random = new Random(5);

    /** Values that move as those of real processes do. */
    private Map<Quantity, Double> usual() {
        Map<Quantity, Double> values = new EnumMap<>(Quantity.class);
        values.put(Quantity.RSS, 150 + 6 * random.nextGaussian());
        values.put(Quantity.HEAP, 12 + random.nextGaussian());
        values.put(Quantity.DIRECT, 40.0);
        values.put(Quantity.DESCRIPTORS, 60.0 + random.nextInt(2));
        values.put(Quantity.THREADS, 15.0 + random.nextInt(2));
        values.put(Quantity.P50, 2 + 0.2 * random.nextGaussian());
        values.put(Quantity.P99, 8 * Math.exp(random.nextGaussian()));
        return values;
    }

    private List<Sample> samples(int process, int from, int to) {
        List<Sample> samples = new ArrayList<>();
        for (int i = from; i < to; i++) {
            samples.add(new Sample(process, i * (double) INTERVAL_S, usual()));
        }
        return samples;
    }

    private static List<Sample> plus(List<Sample> samples, Quantity quantity, IntToDoubleFunction growth) {
        List<Sample> grown = new ArrayList<>();
        for (int i = 0; i < samples.size(); i++) {
            Sample sample = samples.get(i);
            grown.add(sample.with(quantity, sample.values().get(quantity) + growth.applyAsDouble(i)));
        }
        return grown;
    }

    @Test
    void shouldCallItSteadyWhenNothingGrows() {
        SoakVerdict verdict = new SoakVerdict(samples(0, 0, COUNT));
        assertTrue(verdict.isSteady(), verdict.summary());
        assertEquals("steady", verdict.summary());
        assertEquals(1 + Quantity.values().length, verdict.table().size());
    }

    @ParameterizedTest
    @CsvSource({"RSS,1", "HEAP,0.3", "DIRECT,0.2", "DESCRIPTORS,0.2", "THREADS,0.2", "P50,0.05", "P99,1"})
    void shouldNameWhatGrows(Quantity quantity, double inAMinute) {
        List<Sample> samples = samples(Sample.RELAY, 0, COUNT);
        samples.addAll(plus(samples(3, 0, COUNT), quantity, i -> i * inAMinute));
        SoakVerdict verdict = new SoakVerdict(samples);
        assertFalse(verdict.isSteady());
        assertEquals(1, verdict.grown().size(), verdict.summary());
        assertTrue(verdict.grown().get(0).startsWith("process 3: " + quantity.label() + " by "), verdict.summary());
    }

    @Test
    void shouldNotJudgeTimesOfAShortRun() {
        List<Sample> samples = new ArrayList<>();
        plus(samples(0, 0, COUNT), Quantity.P50, i -> i)
                .forEach(sample ->
                        samples.add(new Sample(sample.process(), sample.atS() / INTERVAL_S, sample.values())));
        SoakVerdict verdict = new SoakVerdict(samples);
        assertTrue(verdict.isSteady(), verdict.summary());
        assertEquals(
                2,
                verdict.table().stream()
                        .filter(line -> line.endsWith("too short"))
                        .count(),
                verdict.table().toString());
    }

    @Test
    void shouldNameTheRelayToo() {
        SoakVerdict verdict = new SoakVerdict(plus(samples(Sample.RELAY, 0, COUNT), Quantity.DESCRIPTORS, i -> i));
        assertTrue(verdict.summary().startsWith("grew: relay: descriptors by 39"), verdict.summary());
    }

    @Test
    void shouldSeeWhatIsLeakedInStepsWhenAMemberIsReplaced() {
        SoakVerdict verdict = new SoakVerdict(plus(samples(1, 0, COUNT), Quantity.THREADS, i -> Math.floor(i / 5.0)));
        assertTrue(verdict.summary().contains("threads"), verdict.summary());
    }

    @ParameterizedTest
    @EnumSource(Quantity.class)
    void shouldNotCountTheWarmUp(Quantity quantity) {
        SoakVerdict verdict = new SoakVerdict(plus(samples(0, 0, COUNT), quantity, i -> Math.min(i, COUNT / 3) * 10.0));
        assertTrue(verdict.isSteady(), verdict.summary());
    }

    @ParameterizedTest
    @EnumSource(Quantity.class)
    void shouldNotBeMovedByAFewOutliers(Quantity quantity) {
        SoakVerdict verdict = new SoakVerdict(plus(samples(0, 0, COUNT), quantity, i -> i % 20 == 19 ? 500 : 0));
        assertTrue(verdict.isSteady(), verdict.summary());
    }

    @Test
    void shouldNotMindWhatShrinks() {
        SoakVerdict verdict = new SoakVerdict(plus(samples(0, 0, COUNT), Quantity.RSS, i -> -i));
        assertTrue(verdict.isSteady(), verdict.summary());
    }

    @Test
    void shouldLeaveOutWhoWasThereForAShortTimeOnly() {
        List<Sample> samples = samples(0, 0, COUNT);
        samples.addAll(plus(samples(7, COUNT - 12, COUNT), Quantity.RSS, i -> 20.0 * i));
        SoakVerdict verdict = new SoakVerdict(samples);
        assertTrue(verdict.isSteady(), verdict.summary());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 11})
    void shouldNotCallItSteadyWhenThereIsNothingToJudge(int count) {
        SoakVerdict verdict = new SoakVerdict(samples(0, 0, count));
        assertFalse(verdict.isSteady());
        assertTrue(verdict.summary().startsWith("too short to judge"), verdict.summary());
    }
}
