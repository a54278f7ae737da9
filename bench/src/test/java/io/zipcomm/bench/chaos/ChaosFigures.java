package io.zipcomm.bench.chaos;

import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** What a run of many rounds saw: how many of each kind, how fast failures were known, and how often one was seen where there was none. */
final class ChaosFigures {

    private static final long HIGHEST_US = TimeUnit.MINUTES.toMicros(10);
    private static final int DIGITS = 3;
    private static final double US_PER_MS = 1e3;

    /** Times since a fault, in microseconds. */
    private static final class Times {
        private final Histogram noticed = new Histogram(HIGHEST_US, DIGITS);
        private final Histogram agreed = new Histogram(HIGHEST_US, DIGITS);
        private final Histogram wentOn = new Histogram(HIGHEST_US, DIGITS);
        private final Histogram knew = new Histogram(HIGHEST_US, DIGITS);
    }

    private final Map<String, Map<Fault, Integer>> rounds = new TreeMap<>();
    private final Map<Fault, Times> times = new EnumMap<>(Fault.class);
    private int harmless;
    private int falsePositives;

    /** Counts a round that nobody died of. */
    void addHarmless(String where, Fault fault, int failuresSeen) {
        count(where, fault);
        harmless++;
        falsePositives += failuresSeen;
    }

    /** Counts a round that was deadly. */
    void addDeadly(String where, Fault fault, long faultNs, List<Report> reports, List<Membership> joined) {
        count(where, fault);
        Times of = times.computeIfAbsent(fault, key -> new Times());
        // Of two that died one after the other the first counts: when the second did depends on the schedule.
        int first = reports.stream().mapToInt(Report::epoch).min().orElse(0);
        reports.stream().filter(report -> report.epoch() == first).forEach(report -> {
            add(of.noticed, report.noticedNs() - faultNs);
            add(of.agreed, report.agreedNs() - faultNs);
        });
        joined.stream().mapToLong(Membership::atNs).max().ifPresent(lastNs -> add(of.wentOn, lastNs - faultNs));
    }

    /** Counts one that was given up and saw that it was. */
    void addOut(Fault fault, long sinceEndOfFaultNs) {
        add(times.computeIfAbsent(fault, key -> new Times()).knew, sinceEndOfFaultNs);
    }

    /** Counts a round in which the group ended. */
    void addEnd(String where, Fault fault, Collection<Long> sinceFaultNs) {
        count(where, fault);
        Times of = times.computeIfAbsent(fault, key -> new Times());
        sinceFaultNs.forEach(ns -> add(of.knew, ns));
    }

    private void count(String where, Fault fault) {
        rounds.computeIfAbsent(where, key -> new EnumMap<>(Fault.class)).merge(fault, 1, Integer::sum);
    }

    private static void add(Histogram histogram, long ns) {
        histogram.recordValue(Math.min(HIGHEST_US, Math.max(0, TimeUnit.NANOSECONDS.toMicros(ns))));
    }

    int falsePositives() {
        return falsePositives;
    }

    int rounds() {
        return rounds.values().stream()
                .flatMap(one -> one.values().stream())
                .mapToInt(Integer::intValue)
                .sum();
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("chaos: " + rounds() + " rounds\n");
        rounds.forEach((where, kinds) ->
                text.append("  ").append(where).append(": ").append(kinds).append('\n'));
        times.forEach((fault, of) -> {
            line(text, fault + " to the exception", of.noticed);
            line(text, fault + " to the agreement", of.agreed);
            line(text, fault + " to the next epoch, all members", of.wentOn);
            line(text, fault + (fault.deadly() ? ", its end until the victim knew" : " until all knew"), of.knew);
        });
        return text.append("  false positives: ")
                .append(falsePositives)
                .append(" in ")
                .append(harmless)
                .append(" harmless rounds")
                .toString();
    }

    private static void line(StringBuilder text, String what, Histogram histogram) {
        if (histogram.getTotalCount() == 0) {
            return;
        }
        text.append(String.format(
                Locale.ROOT,
                "  %-48s p50 %,.1f ms, p99 %,.1f ms, max %,.1f ms, %d times%n",
                what,
                histogram.getValueAtPercentile(50) / US_PER_MS,
                histogram.getValueAtPercentile(99) / US_PER_MS,
                histogram.getMaxValue() / US_PER_MS,
                histogram.getTotalCount()));
    }
}
