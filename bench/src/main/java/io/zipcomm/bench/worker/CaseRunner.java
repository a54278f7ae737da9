package io.zipcomm.bench.worker;

import io.zipcomm.Communicator;
import io.zipcomm.buffer.Payload;
import io.zipcomm.collectives.Collectives;
import java.util.Objects;

/**
 * Measures one row on one rank of a group; all ranks run this together. Rank 0 leads: it decides when the warm-up ends and
 * how many iterations follow, and tells the others by messages of the library that is being measured.
 */
final class CaseRunner {

    private static final int STEP_TAG = 10;
    private static final int TIMES_TAG = 11;

    private final Communicator world;
    private final Collectives collectives;
    private final Progress progress = new Progress();
    private final long[] step = new long[2];
    private long[] timesNs = new long[Pace.ITERATIONS_MAX];
    private long[] othersNs = new long[Pace.ITERATIONS_MAX];

    CaseRunner(Communicator world) {
        this.world = world;
        collectives = Collectives.of(world);
    }

    /** Counts what is done. */
    Progress progress() {
        return progress;
    }

    CaseResult run(CaseOrder order) {
        Exercises exercises = new Exercises(world, collectives, progress, order);
        Exercise exercise = exercises.create();
        int timed = world.rank() == 0 ? lead(exercise, order) : follow(exercise);

        long sent = world.counters().bytesSent();
        exercise.run(timed, timesNs, true);
        sent = world.counters().bytesSent() - sent;

        Times times = slowest(timed);
        return new CaseResult(
                world.rank(),
                Objects.requireNonNullElse(exercise.mismatch(), ""),
                exercises.algorithm(),
                timed,
                times.p50Ns(),
                times.p99Ns(),
                sent,
                exercise.allocatedBytes());
    }

    /** Warms up, and tells the others each step. Returns the number of iterations to time. */
    private int lead(Exercise exercise, CaseOrder order) {
        Pace pace = new Pace(order.budgetNs(), order.iterations());
        while (!pace.isWarm()) {
            int count = pace.batch();
            announce(count, false);
            long began = System.nanoTime();
            exercise.run(count, timesNs, false);
            pace.batchDone(timesNs, count, System.nanoTime() - began);
        }
        int timed = pace.timedIterations();
        announce(timed, true);
        return timed;
    }

    private void announce(int count, boolean last) {
        step[0] = count;
        step[1] = last ? 1 : 0;
        for (int peer = 1; peer < world.size(); peer++) {
            world.send(peer, STEP_TAG, step);
        }
        makeRoom(count);
    }

    private int follow(Exercise exercise) {
        while (true) {
            world.receive(0, STEP_TAG, step);
            int count = (int) step[0];
            makeRoom(count);
            if (step[1] != 0) {
                return count;
            }
            exercise.run(count, timesNs, false);
        }
    }

    private void makeRoom(int count) {
        if (count > timesNs.length) {
            timesNs = new long[count];
            othersNs = new long[count];
        }
    }

    /** On rank 0, the times of the slowest rank of each iteration; elsewhere this rank's own. */
    private Times slowest(int count) {
        if (world.rank() > 0) {
            world.send(0, TIMES_TAG, Payload.of(timesNs, 0, count));
        } else {
            for (int peer = 1; peer < world.size(); peer++) {
                world.receive(peer, TIMES_TAG, Payload.of(othersNs, 0, count));
                for (int i = 0; i < count; i++) {
                    timesNs[i] = Math.max(timesNs[i], othersNs[i]);
                }
            }
        }
        Times times = new Times();
        times.add(timesNs, count);
        return times;
    }
}
