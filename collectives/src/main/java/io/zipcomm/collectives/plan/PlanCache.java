package io.zipcomm.collectives.plan;

import io.zipcomm.internal.GroupCommunicator;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The plans that a communicator used last, each with executions that are ready to run: an operation that was run before
 * builds nothing. Any thread.
 */
public final class PlanCache {

    /** Plans that are kept. */
    static final int PLANS_MAX = 64;

    /** Steps of all plans that are kept: some 50 bytes each, twice that with an execution. */
    static final int STEPS_MAX = 1 << 18;

    /** Executions kept for a plan: the same operation in flight so many times at once. */
    static final int IDLE_MAX = 4;

    private static final class Entry {
        final Plan plan;
        final Shape shape;
        final ArrayDeque<Lease> idle = new ArrayDeque<>();

        Entry(Plan plan, Shape shape) {
            this.plan = plan;
            this.shape = shape;
        }
    }

    /** An execution that is in use by one call, until it is given back. */
    public static final class Lease {
        private final Entry home;
        private final PlanExecution execution;

        private Lease(Entry home, PlanExecution execution) {
            this.home = home;
            this.execution = execution;
        }

        /** What to run. */
        public PlanExecution execution() {
            return execution;
        }
    }

    private static final class Key {
        private Algorithm algorithm;
        private Shape shape;

        Key(Algorithm algorithm, Shape shape) {
            this.algorithm = algorithm;
            this.shape = shape;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Key key && algorithm == key.algorithm && shape.equals(key.shape);
        }

        @Override
        public int hashCode() {
            return shape.hashCode() * 31 + System.identityHashCode(algorithm);
        }
    }

    private final GroupCommunicator communicator;
    private final Workspace workspace;

    /** Least recently used first. */
    private final Map<Key, Entry> entries = new LinkedHashMap<>(PLANS_MAX, 0.75f, true);

    /** To look for an entry with; never in the map. */
    private final Key sought = new Key(null, null);

    private int steps;

    /**
     * An empty cache.
     *
     * @param communicator on which its executions will run
     * @param workspace    of the communicator
     */
    public PlanCache(GroupCommunicator communicator, Workspace workspace) {
        this.communicator = communicator;
        this.workspace = workspace;
    }

    /**
     * An execution of a plan, which nobody else uses until it is given back.
     *
     * @param algorithm one instance for each algorithm: it is told from others by identity
     * @param shape     what to do
     */
    public synchronized Lease take(Algorithm algorithm, Shape shape) {
        sought.algorithm = algorithm;
        sought.shape = shape;
        Entry entry = entries.get(sought);
        if (entry == null) {
            entry = new Entry(PlanBuilder.build(algorithm, shape), shape);
            entries.put(new Key(algorithm, shape), entry);
            steps += entry.plan.steps();
            evict(entry);
        }
        Lease lease = entry.idle.poll();
        return lease != null
                ? lease
                : new Lease(entry, new PlanExecution(communicator, entry.plan, entry.shape, workspace));
    }

    /** Keeps an execution, which has ended and is unbound, for the next call. */
    public synchronized void giveBack(Lease lease) {
        if (lease.home.idle.size() < IDLE_MAX) {
            lease.home.idle.push(lease);
        }
    }

    private void evict(Entry newest) {
        Iterator<Entry> oldest = entries.values().iterator();
        while (entries.size() > PLANS_MAX || steps > STEPS_MAX) {
            Entry entry = oldest.next();
            if (entry == newest) {
                return;
            }
            steps -= entry.plan.steps();
            oldest.remove();
        }
    }

    synchronized int plans() {
        return entries.size();
    }
}
