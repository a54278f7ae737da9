package io.zipcomm.bench.examples;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.bench.examples.LogisticRegression.Model;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.collectives.Prepared;
import io.zipcomm.collectives.ReduceOp;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;

/**
 * Trains the model of {@link LogisticRegression} while ranks die and others come in their place. There is no checkpoint: what is
 * lost with a rank is its share of the sum in one step, which the others add up again.
 *
 * <pre>
 * ./zip run --ranks 8 --respawn 2 -- java io.zipcomm.bench.examples.ElasticRegression
 * </pre>
 *
 * <p>In each epoch the lowest rank, which has seen all of the run, tells the others how far it is and the weights; rows are dealt out by
 * rank and size, so that the sums are over all rows whatever the group. An epoch ends with an agreement: if every rank is done, all
 * are; if one saw a failure, all go on in the next epoch.
 */
public final class ElasticRegression {

    private static final int ROOT = 0;
    private static final int REPORT_STEPS = 2000;

    /** How long those that live wait for those that are to come. Then they go on without. */
    private static final Duration NEWCOMERS_TIME = Duration.ofSeconds(10);

    private final int sizeWanted;
    private final int steps;
    private final double[] rows;
    private final double[] weights = new double[LogisticRegression.COLUMNS];

    /** The gradient, and behind it the loss and the number of rows told right. */
    private final double[] sums = new double[LogisticRegression.COLUMNS + 2];

    private int step;
    private int epochs;

    private ElasticRegression(int sizeWanted, int steps) throws IOException {
        this.sizeWanted = sizeWanted;
        this.steps = steps;
        rows = LogisticRegression.read();
        LogisticRegression.standardize(rows);
    }

    /**
     * Joins the group, or one that is under way, and trains.
     *
     * @param args number of steps; {@code LogisticRegression}'s if there is none
     */
    public static void main(String[] args) throws IOException {
        ZipSettings settings = ZipSettings.fromEnvironment();
        int steps = args.length > 0 ? Integer.parseInt(args[0]) : LogisticRegression.STEPS;
        new ElasticRegression(settings.size(), steps).run(Zip.join(settings));
    }

    private void run(Communicator first) {
        Communicator world = first;
        while (!world.agree(train(world)).value()) {
            world = world.withTimeout(NEWCOMERS_TIME).grow(sizeWanted);
        }
        if (world.rank() == ROOT) {
            int count = rows.length / LogisticRegression.COLUMNS;
            Model model = new Model(
                    weights, sums[LogisticRegression.COLUMNS + 1] / count, sums[LogisticRegression.COLUMNS] / count);
            LogisticRegression.print(model, steps, System.out);
        }
        world.close();
    }

    /** Returns whether this rank is done; if not, it saw a failure, and has seen to it that the others do. */
    private boolean train(Communicator world) {
        try {
            share(world);
            report(world);
            descend(world);
            return true;
        } catch (ZipException e) {
            if (e.code() == ErrorCode.EXPELLED) {
                throw e;
            }
            System.err.println(e.getMessage());
            world.revoke();
            return false;
        }
    }

    /** Members keep their order from epoch to epoch, and newcomers come behind them: the lowest rank knows most. */
    private void share(Communicator world) {
        double[] state = new double[weights.length + 2];
        state[0] = step;
        state[1] = epochs + 1;
        System.arraycopy(weights, 0, state, 2, weights.length);
        Collectives.of(world).broadcast(state, ROOT);
        step = (int) state[0];
        epochs = (int) state[1];
        System.arraycopy(state, 2, weights, 0, weights.length);
    }

    private void report(Communicator world) {
        if (world.rank() == ROOT) {
            System.out.println("epoch " + epochs + " of the run: " + world.size() + " ranks, step " + step);
        }
    }

    private void descend(Communicator world) {
        int count = rows.length / LogisticRegression.COLUMNS;
        try (Prepared addUp = Collectives.of(world).prepare().allReduce(sums, ReduceOp.SUM)) {
            while (true) {
                Arrays.fill(sums, 0);
                for (int row = world.rank(); row < count; row += world.size()) {
                    LogisticRegression.add(rows, row * LogisticRegression.COLUMNS, weights, sums);
                }
                addUp.run();
                if (step == steps) {
                    return;
                }
                LogisticRegression.descend(weights, sums, count);
                step++;
                if (step % REPORT_STEPS == 0) {
                    report(world);
                }
            }
        }
    }
}
