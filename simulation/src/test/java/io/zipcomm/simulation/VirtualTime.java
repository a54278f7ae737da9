package io.zipcomm.simulation;

import io.netty.util.concurrent.Ticker;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * Time and threads of one simulation. Nothing takes time but waiting: what can run now runs, one {@link Fiber} or event at a time,
 * and when nothing can, the clock goes on to the next event. The random numbers decide which of several fibers is first, so the same
 * seed gives the same run.
 *
 * <p>Thread: the one that calls {@link #runUntil}, and the fiber that it runs.
 */
public final class VirtualTime implements LongSupplier {

    /** Away from 0, so that a forgotten unit shows. */
    private static final long START_NS = 1_000_000_000_000L;

    /** So many steps without any time passing are a program that turns for ever. */
    private static final int STEPS_AT_ONCE_MAX = 2_000_000;

    private record Event(long atNs, long number, Runnable action) {}

    private final RandomGenerator random;
    private final PriorityQueue<Event> events =
            new PriorityQueue<>(Comparator.comparingLong(Event::atNs).thenComparingLong(Event::number));
    private final List<Fiber> ready = new ArrayList<>();
    private long nowNs = START_NS;
    private long numbers;
    private int stepsAtOnce;
    private long steps;

    /**
     * Makes a clock at its start.
     *
     * @param random decides what is left to chance
     */
    public VirtualTime(RandomGenerator random) {
        this.random = random;
    }

    /** Decides everything in this simulation that is left to chance. */
    public RandomGenerator random() {
        return random;
    }

    /** The present instant in ns. */
    public long nowNs() {
        return nowNs;
    }

    @Override
    public long getAsLong() {
        return nowNs;
    }

    /** Time since the start in ns. */
    public long elapsedNs() {
        return nowNs - START_NS;
    }

    /** Time from the start to an instant in ns. */
    long sinceStartNs(long instantNs) {
        return instantNs - START_NS;
    }

    /** How many events and turns of fibers there were: two runs with one seed are the same if this is. */
    public long steps() {
        return steps;
    }

    /** Does something at an instant, or at once if that is over. */
    public void at(long instantNs, Runnable action) {
        events.add(new Event(Math.max(nowNs, instantNs), numbers++, action));
    }

    /** Does something in a while. */
    public void after(long ns, Runnable action) {
        at(nowNs + ns, action);
    }

    void ready(Fiber fiber) {
        ready.add(fiber);
    }

    void notReady(Fiber fiber) {
        ready.remove(fiber);
    }

    /**
     * Runs events and fibers until a condition holds.
     *
     * @return false if the limit came first, or nothing can happen any more
     */
    public boolean runUntil(BooleanSupplier done, long limitNs) {
        while (!done.getAsBoolean()) {
            if (nowNs >= limitNs || !step()) {
                return done.getAsBoolean();
            }
        }
        return true;
    }

    private boolean step() {
        steps++;
        stepsAtOnce++;
        if (stepsAtOnce > STEPS_AT_ONCE_MAX) {
            throw new AssertionError("no time passes: " + ready);
        }
        Event next = events.peek();
        boolean due = next != null && next.atNs <= nowNs;
        if (!ready.isEmpty() && (!due || random.nextBoolean())) {
            int index = random.nextInt(ready.size());
            Fiber fiber = ready.get(index);
            ready.set(index, ready.get(ready.size() - 1));
            ready.remove(ready.size() - 1);
            fiber.runSome();
            return true;
        }
        if (next == null) {
            return false;
        }
        if (next.atNs > nowNs) {
            nowNs = next.atNs;
            stepsAtOnce = 0;
        }
        events.remove();
        next.action.run();
        return true;
    }

    /** This clock for event loops. */
    public Ticker ticker() {
        return new Ticker() {
            @Override
            public long initialNanoTime() {
                return START_NS;
            }

            @Override
            public long nanoTime() {
                return nowNs;
            }

            @Override
            public void sleep(long delay, TimeUnit unit) {
                throw new IllegalStateException("an event loop sleeps");
            }
        };
    }
}
