package io.zipcomm.bench.report;

import io.zipcomm.bench.plan.Means;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * When a machine is too noisy to tell a difference of some per cent: each rule gives a line with the number and its bound,
 * or nothing if all is well or nothing is known. Pure arithmetic.
 */
public final class NoiseRules {

    /** Load of others at the start, in running processes for each core. */
    static final double LOAD_MAX = 0.25;

    /** Share of the processors' time that the hypervisor gave to others. */
    static final double STEAL_MAX = 0.01;

    /** Spread of a row. */
    static final double SPREAD_MAX = 0.2;

    /** Share of rows that may have a larger spread. */
    static final double SPREAD_ROWS_MAX = 0.1;

    /** By how much the floor may differ between the beginning and the end. */
    static final double DRIFT_MAX = 0.15;

    private NoiseRules() {}

    /** Judges the load average at the start, before the run has added to it, over the number of cores. */
    public static Optional<String> load(double perCore) {
        return above(
                perCore,
                LOAD_MAX,
                "at the start %.2f processes for each core wanted to run (bound: %.2f)",
                perCore,
                LOAD_MAX);
    }

    /** Judges the share of time that was stolen during the run. */
    public static Optional<String> steal(double share) {
        return above(
                share,
                STEAL_MAX,
                "%.1f %% of the processors' time went to other machines (bound: %.0f %%)",
                100 * share,
                100 * STEAL_MAX);
    }

    /** Judges how far the slices of rows lie apart. Rows of one slice say nothing. */
    public static Optional<String> spread(List<Row> rows) {
        List<Row> sliced = rows.stream()
                .filter(row -> row.isMeasured() && row.cost().spread() > 0)
                .toList();
        double many =
                sliced.stream().filter(row -> row.cost().spread() > SPREAD_MAX).count();
        return above(
                many / sliced.size(),
                SPREAD_ROWS_MAX,
                "%.0f of %d rows have slices that lie more than %.0f %% apart (bound: %.0f %% of the rows)",
                many,
                sliced.size(),
                100 * SPREAD_MAX,
                100 * SPREAD_ROWS_MAX);
    }

    /** Judges the floor at the beginning and at the end. */
    public static Optional<String> drift(Means means, double firstUs, double lastUs) {
        double drift = Math.max(firstUs, lastUs) / Math.min(firstUs, lastUs) - 1;
        return above(
                drift,
                DRIFT_MAX,
                "ping-pong of 8 B over %s took %.2f us at the beginning, %.2f us at the end (bound: %.0f %%)",
                means.noun(),
                firstUs,
                lastUs,
                100 * DRIFT_MAX);
    }

    /** NaN is above nothing. */
    private static Optional<String> above(double value, double bound, String format, Object... numbers) {
        return value > bound ? Optional.of(String.format(Locale.ROOT, format, numbers)) : Optional.empty();
    }
}
