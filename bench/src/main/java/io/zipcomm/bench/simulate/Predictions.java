package io.zipcomm.bench.simulate;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.report.Prediction;
import java.util.ArrayList;
import java.util.List;

/** Predictions for a report. */
public final class Predictions {

    /** Lengths: one that is all latency, some between, one that is mostly bandwidth. */
    public static final List<Long> BYTES = List.of(8L, 64L << 10, 1L << 20, 16L << 20);

    private static final int RANKS_MAX = 4096;

    /** Steps of a simulation that take about a second. */
    private static final long STEPS_QUICK_MAX = 1_200_000;

    private Predictions() {}

    /**
     * All operations and algorithms for group sizes that are powers of two, in some seconds. Leaves out what takes
     * longer: of several thousand ranks, algorithms in which each does something else in thousands of steps.
     *
     * @param ranksMax largest group, 2 or more
     */
    public static List<Prediction> upTo(int ranksMax, NetworkModel model) {
        List<Prediction> predictions = new ArrayList<>();
        Sweep sweep = new Sweep(List.of(BenchOperation.values()), powersUpTo(ranksMax), BYTES, model, STEPS_QUICK_MAX);
        sweep.run(new Sweep.Listener() {
            @Override
            public void simulated(Scenario scenario, Outcome outcome, Prediction prediction) {
                predictions.add(prediction);
            }

            @Override
            public void leftOut(Scenario scenario, String reason) {
                // Missing in the list: there is nothing to plot.
            }
        });
        return predictions;
    }

    /** What {@link NetworkModel#functions} lets expect up to 4,096 ranks: some ten seconds of work. */
    public static List<Prediction> ofFunctions() {
        return upTo(RANKS_MAX, NetworkModel.functions());
    }

    /** 2, 4, 8 and so on. */
    public static List<Integer> powersUpTo(int max) {
        List<Integer> powers = new ArrayList<>();
        for (int size = 2; size <= max; size *= 2) {
            powers.add(size);
        }
        return powers;
    }
}
