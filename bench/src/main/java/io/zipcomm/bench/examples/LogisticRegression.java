package io.zipcomm.bench.examples;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.collectives.Prepared;
import io.zipcomm.collectives.ReduceOp;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Tells two kinds of iris from each other by the lengths and widths of their leaves: logistic regression, trained by
 * gradient descent over all rows. The root reads the data and gives them to all; each rank computes the gradient of some of
 * the rows; an all-reduce in each step adds the gradients up.
 *
 * <pre>
 * ./zip run --ranks 4 -- java io.zipcomm.bench.examples.LogisticRegression
 * </pre>
 *
 * <p>The numbers are added in an order that depends on the number of ranks, so the weights differ in their last bits:
 * {@link #TOLERANCE} bounds that, and six decimals are printed.
 */
public final class LogisticRegression {

    /** Weights with different numbers of ranks differ by less than this. */
    static final double TOLERANCE = 1e-9;

    private static final int ROOT = 0;
    private static final String DATA = "iris.csv";
    private static final List<String> SPECIES = List.of("versicolor", "virginica");
    private static final String[] FEATURES = {"sepal length", "sepal width", "petal length", "petal width"};
    static final int COLUMNS = FEATURES.length + 1;
    static final int STEPS = 2000;
    private static final double RATE = 0.5;
    private static final double DECAY = 0.01;

    /** What training gives. */
    static final class Model {

        /** One for each feature, and the offset. */
        final double[] weights;

        /** Share of the rows that are told right. */
        final double accuracy;

        /** Mean negative log-likelihood. */
        final double loss;

        Model(double[] weights, double accuracy, double loss) {
            this.weights = weights;
            this.accuracy = accuracy;
            this.loss = loss;
        }
    }

    private final Communicator world;
    private final Collectives collectives;

    LogisticRegression(Communicator world) {
        this.world = world;
        collectives = Collectives.of(world);
    }

    /**
     * Joins the group and trains.
     *
     * @param args none
     */
    public static void main(String[] args) throws IOException {
        try (Communicator world = Zip.join()) {
            LogisticRegression regression = new LogisticRegression(world);
            Model model = regression.train();
            if (world.rank() == ROOT) {
                print(model, STEPS, System.out);
            }
        }
    }

    static void print(Model model, int steps, PrintStream out) {
        out.printf(
                Locale.ROOT,
                "%s against %s: accuracy %.2f %%, loss %.6f after %d steps%n",
                SPECIES.get(1),
                SPECIES.get(0),
                100 * model.accuracy,
                model.loss,
                steps);
        for (int i = 0; i < FEATURES.length; i++) {
            out.printf(Locale.ROOT, "%14s %10.6f%n", FEATURES[i], model.weights[i]);
        }
        out.printf(Locale.ROOT, "%14s %10.6f%n", "offset", model.weights[FEATURES.length]);
    }

    /** Trains on all ranks of the group together; all get the same model. */
    Model train() throws IOException {
        double[] rows = share(world.rank() == ROOT ? read() : null);
        standardize(rows);
        double[] weights = new double[COLUMNS];
        // The gradient, and behind it the loss and the number of rows told right.
        double[] sums = new double[COLUMNS + 2];
        int count = rows.length / COLUMNS;
        try (Prepared addUp = collectives.prepare().allReduce(sums, ReduceOp.SUM)) {
            for (int step = 0; step <= STEPS; step++) {
                Arrays.fill(sums, 0);
                for (int row = world.rank(); row < count; row += world.size()) {
                    add(rows, row * COLUMNS, weights, sums);
                }
                addUp.run();
                if (step < STEPS) {
                    descend(weights, sums, count);
                }
            }
        }
        return new Model(weights, sums[COLUMNS + 1] / count, sums[COLUMNS] / count);
    }

    /** Rows of the two species, each its features and behind them 0 or 1. */
    static double[] read() throws IOException {
        try (InputStream in = LogisticRegression.class.getResourceAsStream(DATA);
                BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            return lines.lines()
                    .skip(1)
                    .map(line -> line.split(",", -1))
                    .filter(fields -> SPECIES.contains(fields[FEATURES.length]))
                    .flatMapToDouble(fields -> IntStream.range(0, COLUMNS)
                            .mapToDouble(i -> i < FEATURES.length
                                    ? Double.parseDouble(fields[i])
                                    : SPECIES.indexOf(fields[FEATURES.length])))
                    .toArray();
        }
    }

    /** Gives the root's rows to all: how many numbers, then the numbers. */
    private double[] share(double[] rows) {
        int[] length = {rows == null ? 0 : rows.length};
        collectives.broadcast(length, ROOT);
        double[] mine = rows == null ? new double[length[0]] : rows;
        collectives.broadcast(mine, ROOT);
        return mine;
    }

    /** Brings every feature to mean 0 and variance 1. */
    static void standardize(double[] rows) {
        int count = rows.length / COLUMNS;
        for (int column = 0; column < FEATURES.length; column++) {
            double sum = 0;
            double squares = 0;
            for (int at = column; at < rows.length; at += COLUMNS) {
                sum += rows[at];
                squares += rows[at] * rows[at];
            }
            double mean = sum / count;
            double deviation = Math.sqrt(squares / count - mean * mean);
            for (int at = column; at < rows.length; at += COLUMNS) {
                rows[at] = (rows[at] - mean) / deviation;
            }
        }
    }

    /** Adds a row's part to the gradient, the loss and the number of rows told right. */
    static void add(double[] rows, int at, double[] weights, double[] sums) {
        double score = weights[FEATURES.length];
        for (int i = 0; i < FEATURES.length; i++) {
            score += weights[i] * rows[at + i];
        }
        double label = rows[at + FEATURES.length];
        double probability = 1 / (1 + Math.exp(-score));
        double error = probability - label;
        for (int i = 0; i < FEATURES.length; i++) {
            sums[i] += error * rows[at + i];
        }
        sums[FEATURES.length] += error;
        sums[COLUMNS] -= Math.log(label > 0 ? probability : 1 - probability);
        sums[COLUMNS + 1] += probability > 0.5 == label > 0 ? 1 : 0;
    }

    static void descend(double[] weights, double[] gradient, int count) {
        for (int i = 0; i < weights.length; i++) {
            double decay = i < FEATURES.length ? DECAY * weights[i] : 0;
            weights[i] -= RATE * (gradient[i] / count + decay);
        }
    }
}
