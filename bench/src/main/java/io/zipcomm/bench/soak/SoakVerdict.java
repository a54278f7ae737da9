package io.zipcomm.bench.soak;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Says of samples whether all is steady, or what grew: of each process and quantity by itself. The first third of a run warms up
 * and does not count; neither do processes that were there for less than half of the rest. Times are judged in runs of a quarter of an hour
 * and more.
 */
final class SoakVerdict {

    /** Fewer samples than that say nothing. */
    static final int SAMPLES_MIN = 8;

    /** Over less than ten minutes times of rounds tell what else the machine does. */
    private static final double TIMES_S_MIN = 600;

    private static final double WARM_UP = 1.0 / 3;
    private static final double PRESENT = 0.5;

    private final List<String> grown = new ArrayList<>();
    private final List<String> table = new ArrayList<>();
    private int judged;

    /**
     * Judges.
     *
     * @param samples in the order of their times
     */
    SoakVerdict(List<Sample> samples) {
        double endS = samples.stream().mapToDouble(Sample::atS).max().orElse(0);
        double fromS = endS * WARM_UP;
        Map<Integer, List<Sample>> byProcess = new TreeMap<>();
        samples.stream()
                .filter(sample -> sample.atS() >= fromS)
                .forEach(sample -> byProcess
                        .computeIfAbsent(sample.process(), process -> new ArrayList<>())
                        .add(sample));
        byProcess.values().stream()
                .filter(of -> of.size() >= SAMPLES_MIN && span(of) >= PRESENT * (endS - fromS))
                .forEach(this::judge);
    }

    private static double span(List<Sample> of) {
        return of.get(of.size() - 1).atS() - of.get(0).atS();
    }

    private void judge(List<Sample> of) {
        judged++;
        for (Quantity quantity : Quantity.values()) {
            List<Sample> known = of.stream()
                    .filter(sample -> sample.values().containsKey(quantity))
                    .toList();
            if (known.size() >= SAMPLES_MIN) {
                judge(quantity, known);
            }
        }
    }

    private void judge(Quantity quantity, List<Sample> known) {
        double[] atS = known.stream().mapToDouble(Sample::atS).toArray();
        double[] values = known.stream()
                .mapToDouble(sample -> sample.values().get(quantity))
                .toArray();
        Trend trend = Trend.of(atS, values);
        double bound = quantity.bound(trend);
        double spanS = atS[atS.length - 1] - atS[0];
        boolean isJudged = !quantity.isTime() || spanS >= TIMES_S_MIN;
        boolean grew = isJudged && trend.isCertain() && trend.growth() > bound;
        String line = String.format(
                Locale.ROOT,
                "%-12s %-12s %14s %14s %14s %14s  %s",
                known.get(0).name(),
                quantity.label(),
                quantity.format(values[0]),
                quantity.format(values[values.length - 1]),
                quantity.format(trend.growth()),
                quantity.format(bound),
                grew ? "GREW" : isJudged ? "steady" : "too short");
        table.add(line);
        if (grew) {
            grown.add(known.get(0).name() + ": " + quantity.label() + " by " + quantity.format(trend.growth()) + " in "
                    + Math.round(spanS) + " s, and " + quantity.format(bound) + " is the bound");
        }
    }

    /** Whether there was anything to judge, and nothing grew. */
    boolean isSteady() {
        return judged > 0 && grown.isEmpty();
    }

    /** What grew: process, quantity, by how much. */
    List<String> grown() {
        return List.copyOf(grown);
    }

    /** A line for each process and quantity, with a head. */
    List<String> table() {
        List<String> lines = new ArrayList<>();
        lines.add(String.format(
                Locale.ROOT, "%-12s %-12s %14s %14s %14s %14s", "who", "what", "first", "last", "trend", "bound"));
        lines.addAll(table);
        return lines;
    }

    /** One line. */
    String summary() {
        if (judged == 0) {
            return "too short to judge: no process has " + SAMPLES_MIN + " samples behind the first third";
        }
        return isSteady() ? "steady" : "grew: " + String.join("; ", grown);
    }
}
