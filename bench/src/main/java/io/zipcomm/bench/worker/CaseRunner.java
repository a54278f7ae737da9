package io.zipcomm.bench.worker;

import io.zipcomm.bench.plan.BenchOperation;
import java.lang.management.ManagementFactory;
import java.util.Objects;

/**
 * Measures one row on one rank of a group; all ranks run this together. Rank 0 leads: it decides when the warm-up ends and
 * how many iterations follow, and tells the others by messages of what is being measured.
 */
final class CaseRunner {

    private static final int FURTHER = -1;
    private static final int SMALL_BYTES = 8;
    private static final int MIDDLE_BYTES = 64 << 10;
    private static final int WARM_UP_ROUND_TRIPS = 500;

    private final Team team;
    private final Runnable barrier;
    private final Progress progress = new Progress();
    private final long[] step = new long[2];
    private long[] timesNs = new long[Pace.ITERATIONS_MAX];
    private long[] othersNs = new long[Pace.ITERATIONS_MAX];

    CaseRunner(Team team) {
        this.team = team;
        barrier = team.operations(CaseOrder.AUTO, 0).barrier();
    }

    /** Counts what is done. */
    Progress progress() {
        return progress;
    }

    /**
     * Runs small and middle messages until rank 0's code for them is compiled: the first rows would otherwise tell of the
     * compiler, and the calibration too.
     */
    void warmUp() {
        if (team.size() == 1) {
            return;
        }
        Exercise[] exercises = {
            exercise(BenchOperation.PINGPONG, SMALL_BYTES),
            exercise(BenchOperation.ALLREDUCE, SMALL_BYTES),
            exercise(BenchOperation.ALLREDUCE, MIDDLE_BYTES)
        };
        if (team.rank() > 0) {
            for (int i = 0; followOnce(exercises[i]) == FURTHER; i = (i + 1) % exercises.length) {}
            return;
        }
        JitWatch jit =
                new JitWatch(System::nanoTime, ManagementFactory.getCompilationMXBean()::getTotalCompilationTime);
        int[] counts = {WARM_UP_ROUND_TRIPS, WARM_UP_ROUND_TRIPS / 10, WARM_UP_ROUND_TRIPS / 20};
        for (int i = 0; i > 0 || !jit.isQuiet(); i = (i + 1) % exercises.length) {
            announce(counts[i], false);
            exercises[i].run(counts[i], timesNs, false);
        }
        announce(0, true);
    }

    private Exercise exercise(BenchOperation operation, int bytes) {
        CaseOrder order = new CaseOrder(operation.label(), bytes, CaseOrder.AUTO, 0, 0, false);
        return new Exercises(team, progress, order).create();
    }

    CaseResult run(CaseOrder order) {
        Exercises exercises = new Exercises(team, progress, order);
        Exercise exercise = exercises.create();
        int timed = team.rank() == 0 ? lead(exercise, order) : follow(exercise);

        UsageMeter meter = UsageMeter.start();
        // Whoever is done with looking first must not time how long the others look.
        barrier.run();
        double sent = team.sentBytes();
        exercise.run(timed, timesNs, true);
        sent = team.sentBytes() - sent;
        Usage usage = meter.read((double) exercise.allocatedBytes(), sent);

        return new CaseResult(
                team.rank(),
                Objects.requireNonNullElse(exercise.mismatch(), ""),
                exercises.algorithm(),
                slowest(timed),
                usage);
    }

    /** Warms up, and tells the others each step. Returns the number of iterations to time. */
    private int lead(Exercise exercise, CaseOrder order) {
        Pace pace = new Pace(order.budgetNs(), order.iterations(), order.warm());
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
        for (int peer = 1; peer < team.size(); peer++) {
            team.send(peer, step, step.length);
        }
        makeRoom(count);
    }

    private int follow(Exercise exercise) {
        int timed = FURTHER;
        while (timed == FURTHER) {
            timed = followOnce(exercise);
        }
        return timed;
    }

    /** Takes a step of the warm-up; after the last, returns the number of iterations to time. */
    private int followOnce(Exercise exercise) {
        team.receive(0, step, step.length);
        int count = (int) step[0];
        makeRoom(count);
        if (step[1] != 0) {
            return count;
        }
        exercise.run(count, timesNs, false);
        return FURTHER;
    }

    private void makeRoom(int count) {
        if (count > timesNs.length) {
            timesNs = new long[count];
            othersNs = new long[count];
        }
    }

    /** On rank 0, the times of the slowest rank of each iteration; elsewhere none. */
    private Times slowest(int count) {
        if (team.rank() > 0) {
            team.send(0, timesNs, count);
            return new Times();
        }
        for (int peer = 1; peer < team.size(); peer++) {
            team.receive(peer, othersNs, count);
            for (int i = 0; i < count; i++) {
                timesNs[i] = Math.max(timesNs[i], othersNs[i]);
            }
        }
        return new Times().add(timesNs, count);
    }
}
