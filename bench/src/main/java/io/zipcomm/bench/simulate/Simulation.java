package io.zipcomm.bench.simulate;

import java.util.Arrays;

/**
 * Plays the plans of a group in virtual time, all ranks starting at once. One run each; the same plans and model always
 * give the same.
 *
 * <p>A send waits for its rank's port out, or before that, if it is long, for the word that its receive is posted. The
 * message then passes the relay, if there is one, and the receiver's port in. Each serves in the order of arrival, at one
 * time by step, then rank. The network between holds what has not been served.
 */
final class Simulation {

    // Kinds of events, in the lowest bits of their key; above it rank, then step.
    private static final int SENT = 0;
    private static final int CLEARED = 1;
    private static final int AT_RELAY = 2;
    private static final int ARRIVED = 3;
    private static final int LANDED = 4;
    private static final int DONE = 5;
    private static final int KIND_BITS = 3;
    private static final int KIND_MASK = (1 << KIND_BITS) - 1;
    private static final int RANK_MASK = (1 << (Integer.SIZE - KIND_BITS)) - 1;

    // What is known of a step that has not ended.
    private static final byte IS_READY = 1;
    private static final byte IS_CLEARED = 2;
    private static final byte HAS_LANDED = 4;

    private static final double SECONDS_PER_PS = 1e-12;

    /** Of a plan that is kept with an execution, as {@code PlanCache} has it. */
    private static final long PLAN_BYTES_PER_STEP = 100;

    private final GroupPlans plans;
    private final NetworkModel model;
    private final int simulated;
    private final long overheadPs;

    private final EventQueue events = new EventQueue();
    private final int[][] waits;
    private final byte[][] states;
    private final int[] ended;

    /** Until when ports are busy: those of ranks, or where ranks share a host, behind them those of hosts. */
    private final long[] outFree;

    private final long[] inFree;
    private final long[] processorFree;
    private long relayFree;

    private final long[] unexpected;
    private final long[] unexpectedMax;

    /** Steps of the rank at work that may start. */
    private int[] ready = new int[64];

    private int readyCount;
    private long now;
    private long end;

    Simulation(GroupPlans plans, NetworkModel model) {
        this.plans = plans;
        this.model = model;
        simulated = plans.simulated();
        overheadPs = model.overheadPs();
        waits = new int[simulated][];
        states = new byte[simulated][];
        ended = new int[simulated];
        int ports = model.hosts() == null ? simulated : simulated + model.host(simulated - 1) + 1;
        outFree = new long[ports];
        inFree = new long[ports];
        processorFree = new long[simulated];
        unexpected = new long[simulated];
        unexpectedMax = new long[simulated];
    }

    /**
     * Runs all plans to their end.
     *
     * @param bytes what the plans are for, to be handed on
     * @throws IllegalStateException that names rank, step and peer, if they do not fit together
     */
    Outcome run(long bytes) {
        for (int rank = 0; rank < simulated; rank++) {
            RankPlan plan = plans.of(rank);
            waits[rank] = plan.waits.clone();
            states[rank] = new byte[plan.steps()];
        }
        for (int rank = 0; rank < simulated; rank++) {
            RankPlan plan = plans.of(rank);
            for (int step = 0; step < plan.steps(); step++) {
                if (plan.waits[step] == 0) {
                    addReady(step);
                }
            }
            startReady(rank);
        }
        while (!events.isEmpty()) {
            now = events.time();
            happen(events.removeFirst());
        }
        for (int rank = 0; rank < simulated; rank++) {
            if (ended[rank] < plans.of(rank).steps()) {
                throw stuck(rank);
            }
        }
        return outcome(bytes);
    }

    private void happen(long key) {
        int kind = (int) key & KIND_MASK;
        int rank = (int) (key >>> KIND_BITS) & RANK_MASK;
        int step = (int) (key >>> Integer.SIZE);
        switch (kind) {
            case CLEARED -> cleared(rank, step);
            case AT_RELAY -> relay(rank, step);
            case ARRIVED -> arrived(rank, step);
            case LANDED -> landed(rank, step);
            default -> end(rank, step); // SENT, DONE
        }
        startReady(rank);
    }

    private void add(long time, int kind, int rank, int step) {
        events.add(time, (long) step << Integer.SIZE | (long) rank << KIND_BITS | kind);
    }

    // ---- steps

    private void addReady(int step) {
        if (readyCount == ready.length) {
            ready = Arrays.copyOf(ready, 2 * readyCount);
        }
        ready[readyCount++] = step;
    }

    /** Starts what is ready at a rank; what ends by that may make more ready. */
    private void startReady(int rank) {
        for (int i = 0; i < readyCount; i++) {
            start(rank, ready[i]);
        }
        readyCount = 0;
    }

    private void start(int rank, int step) {
        RankPlan plan = plans.of(rank);
        byte[] state = states[rank];
        long bytes = plan.bytes[step];
        if (plan.kinds[step] == RankPlan.COPY) {
            process(rank, step, bytes);
        } else if (plan.kinds[step] == RankPlan.SEND) {
            if (bytes <= model.eagerBytesMax() || (state[step] & IS_CLEARED) != 0) {
                send(rank, step);
            } else {
                state[step] |= IS_READY;
            }
        } else if ((state[step] & HAS_LANDED) != 0) {
            unexpected[rank] -= bytes;
            process(rank, step, plan.kinds[step] == RankPlan.RECEIVE_REDUCE ? 2 * bytes : bytes);
        } else {
            state[step] |= IS_READY;
            if (bytes > model.eagerBytesMax()) {
                clear(rank, step);
            }
        }
    }

    /** Keeps the processor busy, then ends the step. */
    private void process(int rank, int step, long bytes) {
        long time = model.processorPs(bytes);
        if (time == 0) {
            end(rank, step);
        } else {
            processorFree[rank] = Math.max(now, processorFree[rank]) + time;
            add(processorFree[rank], DONE, rank, step);
        }
    }

    private void end(int rank, int step) {
        RankPlan plan = plans.of(rank);
        ended[rank]++;
        end = Math.max(end, now);
        int to = plan.dependentsFrom[step + 1];
        for (int i = plan.dependentsFrom[step]; i < to; i++) {
            int dependent = plan.dependents[i];
            if (--waits[rank][dependent] == 0) {
                addReady(dependent);
            }
        }
    }

    // ---- messages

    private int peer(int rank, int step) {
        int difference = plans.of(rank).peers[step];
        return plans.isOneForAll ? 0 : plans.symmetry.peer(rank, difference, plans.size);
    }

    private boolean isLocal(int rank, int peer) {
        return model.hosts() != null && model.host(rank) == model.host(peer);
    }

    /** The port of a rank that a message goes through. */
    private int port(int rank, boolean isLocal) {
        return model.hosts() == null || isLocal ? rank : simulated + model.host(rank);
    }

    /** Tells the sender that a long message may come. */
    private void clear(int rank, int step) {
        RankPlan plan = plans.of(rank);
        int peer = peer(rank, step);
        int back = plans.symmetry.inverse(plan.peers[step], plans.size);
        int sending = plans.of(peer).sends.step(back, plan.ordinals[step]);
        if (sending == Messages.NONE) {
            throw new IllegalStateException(describe(rank, step) + ": it sends only "
                    + plans.of(peer).sends.count(back) + " to that rank");
        }
        boolean isLocal = isLocal(rank, peer);
        long relayed = model.relay() == null || isLocal ? 0 : model.relayLatencyPs();
        add(now + model.latencyPs(isLocal) + relayed, CLEARED, peer, sending);
    }

    private void cleared(int rank, int step) {
        byte[] state = states[rank];
        if ((state[step] & IS_READY) != 0) {
            state[step] = IS_CLEARED;
            send(rank, step);
        } else {
            state[step] |= IS_CLEARED;
        }
    }

    private void send(int rank, int step) {
        RankPlan plan = plans.of(rank);
        int peer = peer(rank, step);
        int receiving = receivingStep(rank, step, peer);
        boolean isLocal = isLocal(rank, peer);
        int port = port(rank, isLocal);
        long begin = Math.max(now, outFree[port]);
        outFree[port] = begin + overheadPs + model.bytesPs(plan.bytes[step], isLocal);
        if (plan.hasDependents(step)) {
            add(outFree[port], SENT, rank, step);
        } else {
            // Nobody waits for it: spares an event for most sends.
            ended[rank]++;
            end = Math.max(end, outFree[port]);
        }
        boolean isRelayed = model.relay() != null && !isLocal;
        // The overhead is part of the latency, and comes again at the receiver's port.
        add(begin + model.latencyPs(isLocal) - overheadPs, isRelayed ? AT_RELAY : ARRIVED, peer, receiving);
    }

    private int receivingStep(int rank, int step, int peer) {
        RankPlan plan = plans.of(rank);
        RankPlan other = plans.of(peer);
        int back = plans.symmetry.inverse(plan.peers[step], plans.size);
        int receiving = other.receives.step(back, plan.ordinals[step]);
        if (receiving == Messages.NONE) {
            throw new IllegalStateException(
                    describe(rank, step) + ": it receives only " + other.receives.count(back) + " from that rank");
        }
        if (other.bytes[receiving] != plan.bytes[step]) {
            throw new IllegalStateException(describe(rank, step) + ": it expects " + other.bytes[receiving] + " bytes");
        }
        return receiving;
    }

    private void relay(int rank, int step) {
        long bytes = plans.of(rank).bytes[step];
        long begin = Math.max(now, relayFree);
        long served = begin + model.relayPs(bytes);
        relayFree = served;
        if (plans.isOneForAll) {
            // This is the first of as many equal messages as there are ranks; the end is that of the last.
            relayFree = begin + plans.size * model.relayPs(bytes);
            end = Math.max(end, relayFree + model.relayLatencyPs());
        }
        long first = Math.max(begin, served - model.bytesPs(bytes, false));
        add(first + model.relayLatencyPs(), ARRIVED, rank, step);
    }

    /** The first byte is there: from now on, the message waits for the port in. */
    private void arrived(int rank, int step) {
        boolean isLocal = isLocal(rank, peer(rank, step));
        int port = port(rank, isLocal);
        long landing = Math.max(now, inFree[port]) + overheadPs + model.bytesPs(plans.of(rank).bytes[step], isLocal);
        inFree[port] = landing;
        add(landing, LANDED, rank, step);
    }

    private void landed(int rank, int step) {
        RankPlan plan = plans.of(rank);
        byte[] state = states[rank];
        if ((state[step] & IS_READY) != 0) {
            state[step] = HAS_LANDED;
            process(rank, step, plan.kinds[step] == RankPlan.RECEIVE_REDUCE ? plan.bytes[step] : 0);
            return;
        }
        state[step] |= HAS_LANDED;
        unexpected[rank] += plan.bytes[step];
        unexpectedMax[rank] = Math.max(unexpectedMax[rank], unexpected[rank]);
        end = Math.max(end, now);
    }

    // ---- results

    private Outcome outcome(long bytes) {
        long messages = 0;
        long sent = 0;
        long steps = 0;
        long scratch = 0;
        long memory = 0;
        for (int rank = 0; rank < simulated; rank++) {
            RankPlan plan = plans.of(rank);
            messages += plan.sends.count();
            sent = Math.max(sent, plan.sentBytes);
            steps = Math.max(steps, plan.steps());
            scratch = Math.max(scratch, plan.scratchBytes);
            memory = Math.max(memory, plan.scratchBytes + unexpectedMax[rank]);
        }
        return new Outcome(
                bytes,
                end * SECONDS_PER_PS,
                sent,
                plans.isOneForAll ? messages * plans.size : messages,
                scratch,
                Arrays.stream(unexpectedMax).max().orElse(0),
                memory,
                steps * PLAN_BYTES_PER_STEP,
                plans.isOneForAll);
    }

    private IllegalStateException stuck(int rank) {
        RankPlan plan = plans.of(rank);
        String progress = "rank " + rank + " is stuck after " + ended[rank] + " of " + plan.steps() + " steps; ";
        for (int step = 0; step < plan.steps(); step++) {
            if (states[rank][step] == IS_READY) {
                return new IllegalStateException(progress + describe(rank, step) + " waits");
            }
        }
        return new IllegalStateException(progress + "none of the others may start");
    }

    private String describe(int rank, int step) {
        RankPlan plan = plans.of(rank);
        boolean sends = plan.kinds[step] == RankPlan.SEND;
        // Where one rank stands for all, this names the peer of rank 0.
        return "rank " + rank + ", step " + step + ": message " + plan.ordinals[step] + " of " + plan.bytes[step]
                + " bytes " + (sends ? "to" : "from") + " rank "
                + plans.symmetry.peer(rank, plan.peers[step], plans.size);
    }
}
