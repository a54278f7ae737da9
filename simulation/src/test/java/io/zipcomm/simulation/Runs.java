package io.zipcomm.simulation;

import io.netty.buffer.PooledByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/** Runs programs, and counts what they saw. */
final class Runs {

    /** Programs between two lines on how far it is. */
    private static final int PROGRESS = 1000;

    /** The checks found something in one program. */
    static final class Violation extends AssertionError {
        private static final long serialVersionUID = 1L;

        private final transient List<String> problems;

        Violation(List<String> problems, String text) {
            super(String.join("\n", problems) + "\n" + text);
            this.problems = problems;
        }

        List<String> problems() {
            return problems;
        }
    }

    private final Set<Fault> faults;
    private final Supplier<Plant> plant;
    private final String test;
    private final Map<String, Long> counts = new TreeMap<>();
    private long programs;
    private long steps;
    private long virtualMs;
    private AssertionError failure;

    /**
     * Nothing has run yet.
     *
     * @param faults what may strike
     * @param plant  makes what is planted in a program
     * @param test   whose replay the text of a failure names
     */
    Runs(Set<Fault> faults, Supplier<Plant> plant, String test) {
        this.faults = faults;
        this.plant = plant;
        this.test = test;
    }

    /**
     * Runs programs with the seeds of a range; the first that fails ends it.
     *
     * @param threads  how many run side by side
     * @param progress whether to print now and then how far it is
     */
    void each(long from, long to, int threads, boolean progress) {
        AtomicLong next = new AtomicLong(from);
        List<Thread> all = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            Thread thread = new Thread(() -> work(next, to, progress), "simulation-" + i);
            thread.start();
            all.add(thread);
        }
        for (Thread thread : all) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                next.set(Long.MAX_VALUE / 2);
                Thread.currentThread().interrupt();
                throw new AssertionError("interrupted", e);
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    private void work(AtomicLong next, long to, boolean progress) {
        PooledByteBufAllocator allocator = newAllocator();
        for (long seed = next.getAndIncrement(); seed <= to && !failed(); seed = next.getAndIncrement()) {
            try {
                one(seed, allocator);
            } catch (AssertionError | RuntimeException e) {
                fail(seed, e);
                return;
            }
            if (progress && seed % PROGRESS == 0) {
                System.out.println(this);
            }
        }
    }

    private synchronized boolean failed() {
        return failure != null;
    }

    private synchronized void fail(long seed, Throwable cause) {
        if (failure == null) {
            failure = new AssertionError(
                    "program " + seed + " failed; to replay it: mvn test -pl simulation -am -Dtest=" + test
                            + " -Dsurefire.failIfNoSpecifiedTests=false -Dzip.test.args='-Dzip.simulation.from=" + seed
                            + " -Dzip.simulation.to=" + seed + "'\n" + cause.getMessage(),
                    cause);
        }
    }

    /** Without caches of threads, which would keep what was released. */
    static PooledByteBufAllocator newAllocator() {
        return new PooledByteBufAllocator(true, 0, 1, 8 << 10, 7, 0, 0, false);
    }

    /**
     * Runs one program, and checks it.
     *
     * @return what it came to, which is the same each time
     * @throws Violation if the checks found something
     */
    String one(long seed, PooledByteBufAllocator allocator) {
        Cluster cluster = new Cluster(seed, faults, plant.get(), allocator);
        List<String> problems;
        String text;
        try {
            boolean ended = cluster.run();
            problems = Checker.problems(cluster, ended);
            text = cluster.toString();
        } finally {
            cluster.close();
        }
        if (!problems.isEmpty()) {
            throw new Violation(problems, text);
        }
        count(cluster);
        return cluster.time().steps() + " steps, " + text;
    }

    private synchronized void count(Cluster cluster) {
        programs++;
        steps += cluster.time().steps();
        virtualMs += cluster.time().elapsedNs() / 1_000_000;
        add("overtakings", cluster.network().overtakings());
        cluster.strikes().forEach((fault, times) -> add("fault " + fault, times));
        for (Rank rank : cluster.ranks()) {
            add("epochs", rank.seen().size());
            for (Rank.Outcome outcome : rank.outcomes()) {
                if (Step.isStep(outcome.call()) && outcome.failure() == null) {
                    add("step " + Step.kindOf(outcome.call()), 1);
                }
                add(
                        "outcome "
                                + (outcome.failure() == null
                                        ? "ok"
                                        : outcome.failure().code()),
                        1);
            }
            add("resumptions", rank.resumptions());
            rank.parts().forEach(part -> add(part.answer() == null ? "agreements failed" : "agreements", 1));
        }
    }

    private void add(String what, long times) {
        if (times > 0) {
            counts.merge(what, times, Long::sum);
        }
    }

    /** How often something was seen, by its name in {@link #toString}. */
    synchronized long seen(String what) {
        return counts.getOrDefault(what, 0L);
    }

    @Override
    public synchronized String toString() {
        return programs + " programs, " + steps + " steps, " + virtualMs / 1000 + " s of virtual time: " + counts;
    }
}
