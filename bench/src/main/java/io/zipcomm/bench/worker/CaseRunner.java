package io.zipcomm.bench.worker;

import io.zipcomm.bench.plan.BenchOperation;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Measures one row on one rank of a group; all ranks run this together. Rank 0 leads: it decides when the warm-up ends and
 * how many iterations follow, and tells the others by messages of what is being measured.
 */
final class CaseRunner {

    private static final int FURTHER = -1;

    /** In place of a number of iterations: {@link Rest}. */
    private static final int REST = -2;

    private static final int SMALL_BYTES = 8;
    private static final int MIDDLE_BYTES = 64 << 10;
    private static final int LARGE_BYTES = 1 << 20;

    /** Operations of a batch of the warm-up: about a millisecond of each. */
    private static final int SMALL_BATCH = 100;

    private static final int LARGE_BATCH = 5;

    /** Shortest row whose memory is given back as soon as it is over. */
    private static final long RELEASED_BYTES_MIN = 4 << 20;

    /** Between them they use all that long messages need. */
    private static final List<BenchOperation> LONG_ONES =
            List.of(BenchOperation.BROADCAST, BenchOperation.REDUCE, BenchOperation.ALLREDUCE, BenchOperation.ALLTOALL);

    private final Team team;
    private final Runnable barrier;
    private final Progress progress = new Progress();
    private final long[] step = new long[2];
    private long[] timesNs = new long[Pace.ITERATIONS_MAX];
    private long[] othersNs = new long[Pace.ITERATIONS_MAX];
    private final Map<String, Exercise> streams = new HashMap<>();

    CaseRunner(Team team) {
        this.team = team;
        barrier = team.operations(CaseOrder.AUTO, 0).barrier();
    }

    /** Counts what is done. */
    Progress progress() {
        return progress;
    }

    /**
     * Gives back the memory of a row, or a slice, that is over: the groups of all contestants live side by side, and what
     * they leave to a collector that sees no reason to work adds up to more than there is. To be called before the harness is
     * told, so that it costs this rank time and not the contestant that comes next. Short rows leave little.
     *
     * @param bytes M of the row
     */
    static void releaseMemory(long bytes) {
        if (bytes >= RELEASED_BYTES_MIN) {
            System.gc();
        }
    }

    /**
     * Runs all operations, the long ones of them with several lengths, until the code for them is compiled on all ranks: the first rows would otherwise
     * tell of the compiler, and the calibration too. When all have run, the ranks {@link Rest}.
     */
    void warmUp() {
        if (team.size() == 1) {
            return;
        }
        List<Exercise> exercises = new ArrayList<>();
        for (BenchOperation operation : BenchOperation.values()) {
            exercises.add(exercise(operation, SMALL_BYTES));
        }
        int small = exercises.size();
        for (int bytes : new int[] {MIDDLE_BYTES, LARGE_BYTES}) {
            for (BenchOperation operation : LONG_ONES) {
                exercises.add(exercise(operation, bytes));
            }
        }
        JitWatch jit = new JitWatch(System::nanoTime, this::compiledMs, team.size());
        boolean quiet = false;
        boolean done = false;
        for (int next = 0; !done; next = (next + 1) % exercises.size()) {
            Exercise exercise = exercises.get(next);
            if (team.rank() > 0) {
                followOnce(exercise);
                if (next == exercises.size() - 1) {
                    followOnce(exercise);
                }
                done = !compiles();
                continue;
            }
            int count = next < small ? SMALL_BATCH : LARGE_BATCH;
            announce(count, false);
            exercise.run(count, timesNs, false);
            boolean isRound = next == exercises.size() - 1;
            if (isRound) {
                rest();
            }
            quiet |= jit.isQuiet();
            // All of them have run, unless there is no time for that.
            done = quiet && (isRound || jit.isOver());
            announce(0, done);
        }
    }

    /** Rank 0: how long the compilers of all ranks have worked, which the others tell in {@link #compiles}. */
    private long compiledMs() {
        long sum = ownCompiledMs();
        for (int peer = 1; peer < team.size(); peer++) {
            team.receive(peer, step, 1);
            sum += step[0];
        }
        return sum;
    }

    /** Tells rank 0 how long this rank's compiler has worked. Returns whether the warm-up goes on. */
    private boolean compiles() {
        step[0] = ownCompiledMs();
        team.send(0, step, 1);
        team.receive(0, step, step.length);
        return step[1] == 0;
    }

    private static long ownCompiledMs() {
        return ManagementFactory.getCompilationMXBean().getTotalCompilationTime();
    }

    private Exercise exercise(BenchOperation operation, int bytes) {
        CaseOrder order = new CaseOrder(operation.label(), bytes, CaseOrder.AUTO, 0, 0, false);
        return new Exercises(team, progress, order).create();
    }

    CaseResult run(CaseOrder order) {
        Exercises exercises = new Exercises(team, progress, order);
        Exercise exercise = isStream(order) ? stream(order.operation()) : exercises.create();
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

    /** Asked for again and again, between the rows, whose memory it must not add to. */
    private Exercise stream(String label) {
        return streams.computeIfAbsent(label, known -> team.stream(known.equals(CaseOrder.DUPLEX), progress));
    }

    private static boolean isStream(CaseOrder order) {
        return order.operation().equals(CaseOrder.STREAM) || order.operation().equals(CaseOrder.DUPLEX);
    }

    /**
     * Warms up, and tells the others each step. What a row that is new gives the compilers to do, they do before it goes on. Returns the
     * number of iterations to time.
     */
    private int lead(Exercise exercise, CaseOrder order) {
        if (!order.warm()) {
            warmUp(exercise, order);
            rest();
        }
        Pace pace = warmUp(exercise, order);
        int timed = pace.timedIterations();
        announce(timed, true);
        return timed;
    }

    private Pace warmUp(Exercise exercise, CaseOrder order) {
        Pace pace = new Pace(order.budgetNs(), order.iterations(), order.warm());
        while (!pace.isWarm()) {
            int count = pace.batch();
            announce(count, false);
            long began = System.nanoTime();
            exercise.run(count, timesNs, false);
            pace.batchDone(timesNs, count, System.nanoTime() - began);
        }
        return pace;
    }

    /** Rank 0: lets all ranks rest. */
    private void rest() {
        announce(REST, false);
        Rest.untilIdle();
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
        if (count == REST) {
            Rest.untilIdle();
        } else {
            exercise.run(count, timesNs, false);
        }
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
