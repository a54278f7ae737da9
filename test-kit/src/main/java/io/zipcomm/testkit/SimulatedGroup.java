package io.zipcomm.testkit;

import io.zipcomm.Communicator;
import io.zipcomm.ZipFuture;
import io.zipcomm.internal.Engine;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.settings.ZipSettings.WaitChoice;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * A whole group in one process: a communicator for each rank over one {@link SimulatedNetwork}, driven by one thread, in
 * virtual time. The seed decides which rank has its turn when, and everything the network leaves to chance.
 *
 * <p>There are two ways to use it. Either start asynchronous operations and {@link #await} them:
 *
 * <pre>{@code
 * try (SimulatedGroup group = SimulatedGroup.of(2, seed)) {
 *     ZipFuture<Void> sent = group.communicator(0).sendAsync(1, 7, Payload.of(bytes));
 *     ZipFuture<Long> received = group.communicator(1).receiveAsync(0, 7, Payload.of(room));
 *     group.await(sent, received);
 * }
 * }</pre>
 *
 * or {@link #run} a program of blocking calls on every rank. A blocking call on the test's own thread is an error.
 */
public final class SimulatedGroup implements AutoCloseable {

    /** Virtual time after which a wait has failed, if none is given. */
    public static final Duration PATIENCE = Duration.ofSeconds(100);

    /** Every rank has a turn at least this often, in virtual time, to look at its deadlines. */
    private static final long SWEEP_NS_MIN = 1_000_000;

    private static final long SWEEP_NS_PER_RANK = 20_000;

    /** One turn in so many goes to a rank that has nothing to do. */
    private static final int SPURIOUS = 8;

    private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(30);

    /** What one rank does, with blocking calls. */
    @FunctionalInterface
    public interface Program {

        /**
         * Runs on one rank.
         *
         * @param world the rank's communicator
         * @throws Exception to fail
         */
        void run(Communicator world) throws Exception;
    }

    private final SimulatedNetwork network;
    private final RandomGenerator random;
    private final List<Engine> engines = new ArrayList<>();
    private final List<Communicator> worlds = new ArrayList<>();
    private final SimulatedProgram[] programs;
    private final long sweepNs;
    private long nextSweepNs;
    private boolean closed;

    private SimulatedGroup(SimulatedNetwork network, UnaryOperator<ZipSettings.Builder> options) {
        this.network = network;
        int size = network.size();
        random = Seeds.random(network.seed() ^ Long.MIN_VALUE);
        programs = new SimulatedProgram[size];
        sweepNs = Math.max(SWEEP_NS_MIN, SWEEP_NS_PER_RANK * size);
        network.onAwait(
                (rank, timeoutNs) -> programs[rank] != null && programs[rank].giveWay(network.nowNs() + timeoutNs));
        for (int rank = 0; rank < size; rank++) {
            ZipSettings.Builder settings = ZipSettings.builder()
                    .session("simulated")
                    .size(size)
                    .rank(rank)
                    .transport(TransportChoice.AUTO)
                    .waiting(WaitChoice.BLOCK);
            Engine engine = new Engine(
                    network.view(rank),
                    network.transport(rank),
                    network.control(rank),
                    options.apply(settings).build(),
                    network.clock(),
                    false);
            network.control(rank).listen(engine);
            engines.add(engine);
        }
        engines.forEach(engine -> worlds.add(engine.start()));
    }

    /**
     * A group in conditions that depend on the seed.
     *
     * @param size ranks
     * @param seed decides everything
     */
    public static SimulatedGroup of(int size, long seed) {
        return of(new SimulatedNetwork(size, seed), options -> options);
    }

    /**
     * A group.
     *
     * @param size       ranks
     * @param seed       decides everything
     * @param conditions what the network is like
     */
    public static SimulatedGroup of(int size, long seed, Conditions conditions) {
        return of(new SimulatedNetwork(size, seed, conditions), options -> options);
    }

    /**
     * A group over a network, with settings.
     *
     * @param network a new network
     * @param options changes the settings of each rank
     */
    public static SimulatedGroup of(SimulatedNetwork network, UnaryOperator<ZipSettings.Builder> options) {
        return new SimulatedGroup(network, options);
    }

    /** Number of ranks. */
    public int size() {
        return worlds.size();
    }

    /** A rank's communicator of the whole group. */
    public Communicator communicator(int rank) {
        return worlds.get(rank);
    }

    /** A rank's engine. */
    Engine engine(int rank) {
        return engines.get(rank);
    }

    /** Name of the path on which a rank's frames to a peer go now; null before there is one. */
    public String pathTo(int rank, int peer) {
        return engines.get(rank).pathTo(peer);
    }

    /** How often a rank's link to a peer has lost a direct path and gone on through the relay. */
    public int resumptions(int rank, int peer) {
        return engines.get(rank).resumptions(peer);
    }

    /** Memory that a rank's links hold for frames that were not acknowledged, in chunks. */
    public int replayChunks(int rank) {
        return engines.get(rank).replayChunks();
    }

    /** Bytes that a rank keeps for a peer because nobody has asked for them. */
    public long keptBytes(int rank, int peer) {
        return engines.get(rank).keptBytes(peer);
    }

    /** The network: for faults and its clock. */
    public SimulatedNetwork network() {
        return network;
    }

    /** Chance that depends on the seed, for tests. */
    public RandomGenerator random() {
        return random;
    }

    // Running.

    /** Runs the group until every one of the operations ended, in success or failure. */
    public void await(ZipFuture<?>... operations) {
        await(List.of(operations));
    }

    /** Runs the group until every one of the operations ended, in success or failure. */
    public void await(Collection<? extends ZipFuture<?>> operations) {
        List<ZipFuture<?>> open = new ArrayList<>(operations);
        runUntil(
                () -> {
                    while (!open.isEmpty() && open.get(open.size() - 1).isDone()) {
                        open.remove(open.size() - 1);
                    }
                    return open.isEmpty();
                },
                PATIENCE);
    }

    /**
     * Runs the group until a condition holds.
     *
     * @param done     the condition
     * @param patience virtual time after which this fails
     */
    public void runUntil(BooleanSupplier done, Duration patience) {
        long limitNs = network.nowNs() + patience.toNanos();
        while (!done.getAsBoolean()) {
            if (network.nowNs() - limitNs > 0) {
                throw new AssertionError("not done within " + patience + " of virtual time: " + network.state());
            }
            step();
        }
    }

    /** Runs the group for some virtual time. */
    public void runFor(Duration time) {
        long untilNs = network.nowNs() + time.toNanos();
        while (network.nowNs() - untilNs < 0) {
            step();
        }
    }

    /** Runs the group for a number of turns. */
    public void turns(int count) {
        for (int i = 0; i < count; i++) {
            step();
        }
    }

    /**
     * Runs a program on every rank that is alive and not frozen, to its end.
     *
     * @param program what each rank does
     */
    public void run(Program program) {
        Throwable[] failures = outcomes(program, PATIENCE);
        AssertionError first = null;
        for (int rank = 0; rank < failures.length; rank++) {
            if (failures[rank] != null) {
                AssertionError failed = new AssertionError(
                        "rank " + rank + ": " + failures[rank].getMessage() + " (seed " + network.seed() + ")",
                        failures[rank]);
                if (first == null) {
                    first = failed;
                } else {
                    first.addSuppressed(failed);
                }
            }
        }
        if (first != null) {
            throw first;
        }
    }

    /**
     * Runs a program on every rank that is alive and not frozen, to its end.
     *
     * @param program  what each rank does
     * @param patience virtual time after which this fails
     * @return what each rank's program threw; null where it ended well or the rank was killed
     */
    public Throwable[] outcomes(Program program, Duration patience) {
        for (int rank = 0; rank < size(); rank++) {
            if (programs[rank] != null) {
                throw new IllegalStateException("rank " + rank + " runs a program already");
            }
            if (!network.isSilent(rank) && !network.isFrozen(rank)) {
                programs[rank] = new SimulatedProgram(rank, worlds.get(rank), program);
            }
        }
        try {
            runUntil(this::programsDone, patience);
            Throwable[] failures = new Throwable[size()];
            for (int rank = 0; rank < size(); rank++) {
                failures[rank] = programs[rank] == null ? null : programs[rank].failure();
            }
            return failures;
        } finally {
            for (int rank = 0; rank < size(); rank++) {
                if (programs[rank] != null && !programs[rank].isDone()) {
                    programs[rank].kill();
                }
                programs[rank] = null;
            }
        }
    }

    private boolean programsDone() {
        for (int rank = 0; rank < size(); rank++) {
            SimulatedProgram program = programs[rank];
            if (program != null && !program.isDone() && !isKilled(rank) && !network.isFrozen(rank)) {
                return false;
            }
        }
        return true;
    }

    /** One rank has its turn, or time goes on. */
    private void step() {
        long nowNs = network.nowNs();
        if (nowNs - nextSweepNs >= 0) {
            nextSweepNs = nowNs + sweepNs;
            sweep();
        } else if (random.nextInt(SPURIOUS) == 0) {
            turn(random.nextInt(size()));
        } else if (network.readyCount() > 0) {
            turn(network.takeReady());
        } else {
            network.advance(nextSweepNs - nowNs);
        }
    }

    private void sweep() {
        List<Integer> ranks = new ArrayList<>(IntStream.range(0, size()).boxed().toList());
        for (int left = ranks.size(); left > 0; left--) {
            Collections.swap(ranks, left - 1, random.nextInt(left));
            SimulatedProgram program = programs[ranks.get(left - 1)];
            if (program == null || !program.isWaiting(network.nowNs())) {
                turn(ranks.get(left - 1));
            }
        }
    }

    private void turn(int rank) {
        if (network.isFrozen(rank) || isKilled(rank)) {
            return;
        }
        SimulatedProgram program = programs[rank];
        if (program != null && !program.isDone()) {
            program.resume();
        } else if (!network.isSilent(rank)) {
            engines.get(rank).tryTurn();
        }
    }

    // The end.

    private boolean isKilled(int rank) {
        return network.isKilled(rank);
    }

    /**
     * What the engines still hold, for the end of a test in which every message was received.
     *
     * @return nothing for each rank that holds nothing
     */
    public List<String> leaks() {
        List<String> leaks = new ArrayList<>();
        for (int rank = 0; rank < size(); rank++) {
            String left = engines.get(rank).leaks();
            if (!network.isKilled(rank) && left.matches(".*[1-9].*")) {
                leaks.add("rank " + rank + ": " + left);
            }
        }
        return leaks;
    }

    /** Closes the communicators of all ranks that are alive, all at once; every one leaves. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        for (int rank = 0; rank < size(); rank++) {
            network.thaw(rank);
        }
        Throwable[] failures = outcomes(Communicator::close, CLOSE_PATIENCE);
        for (Throwable failure : failures) {
            if (failure != null) {
                throw new AssertionError("closing failed (seed " + network.seed() + ")", failure);
            }
        }
    }
}
