package io.zipcomm.simulation;

import io.zipcomm.Agreement;
import io.zipcomm.Communicator;
import io.zipcomm.buffer.Payload;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.collectives.ReduceOp;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.DeadWorlds;
import io.zipcomm.internal.Engine;
import io.zipcomm.internal.Joining;
import io.zipcomm.settings.ZipSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * One process: joins, runs the steps of its program, and leaves. When something fails it revokes, agrees with the others, and goes on
 * with those that live. What came of it is for the {@link Checker}.
 */
final class Rank {

    /** How a call is named that takes the rank into a group. */
    static final String JOIN = "join";

    static final String SHRINK = "shrink";
    static final String GROW = "grow";
    static final String REVOKE = "revoke";
    static final String AGREE = "agree";
    static final String WHERE = "where to go on";
    static final String CLOSE = "close";

    /** After so many epochs a rank leaves: each takes a failure, and faults are few. */
    private static final int EPOCHS_MAX = 12;

    /** How asking for an epoch ends that a rank may ask for again. */
    private static final Set<ErrorCode> MAY_BE_REPEATED =
            EnumSet.of(ErrorCode.JOIN_TIMEOUT, ErrorCode.RELAY_LOST, ErrorCode.RELAY_UNREACHABLE, ErrorCode.RANK_TAKEN);

    /** How often a rank asks again for an epoch that did not come about. */
    private static final int TRIES_MAX = 3;

    /** The relay is given so much longer than the join timeout to say who is missing, and an agreement so much to come. */
    private static final long ANSWER_NS = 2_000_000_000;

    /** Closing connections whose other ends do not answer. */
    private static final long CLOSE_NS = 2_300_000_000L;

    /** Members that have asked for the next epoch and are not attached get the heartbeat timeout more. */
    private static final long STRAGGLERS_NS = Fault.HEARTBEAT_TIMEOUT_NS + 1_000_000_000;

    /**
     * How long a rank gives what it calls. Ranks differ. Who could not take part in an agreement asks for the next epoch at once, and must
     * not leave out those that still wait in an operation and then for the agreement: so the time for an epoch is longer than both.
     *
     * @param agree of an agreement
     * @param next  of the next epoch
     */
    record Times(Duration agree, Duration next) {

        static Times random(RandomGenerator random) {
            // That of the first to ask counts for all: who has less gives up when that time is not over yet, and is
            // left out.
            return new Times(seconds(random, 10, 30), seconds(random, 84, 90));
        }

        /** Of an operation; short ones are over before anybody can tell who is dead. */
        static Duration operation(RandomGenerator random, boolean hasty) {
            return hasty ? seconds(random, 3, 8) : seconds(random, 20, 40);
        }

        private static Duration seconds(RandomGenerator random, int from, int to) {
            return Duration.ofMillis(random.nextInt(1000 * from, 1000 * to));
        }
    }

    /**
     * How a call ended.
     *
     * @param call    which
     * @param epoch   in which it was called; 0 for none
     * @param failure null if it went well, or never ended
     * @param beganNs instant at which it began
     * @param endedNs instant at which it ended; the longest there is if it never did, since its process was killed
     * @param tookNs  how long it took, without the time for which its process stood still
     * @param limitNs how long it may take
     */
    record Outcome(
            String call, int epoch, ZipException failure, long beganNs, long endedNs, long tookNs, long limitNs) {

        boolean hasEnded() {
            return endedNs < Long.MAX_VALUE;
        }
    }

    /**
     * This rank's part of an agreement.
     *
     * @param rank   of this process in the epoch
     * @param number of the agreement in its epoch
     * @param said    its part
     * @param answer  null if there was none
     * @param failure why; null while there may be one
     */
    record Part(int epoch, int rank, int number, boolean said, Agreement answer, ZipException failure) {}

    /** A group that this rank was in, as it saw it. */
    record Seen(int epoch, int rank, int size, List<Integer> ranksBefore) {}

    /**
     * What all processes of a program do.
     *
     * @param steps  one after the other
     * @param growAt step before which the group grows once; -1 for none
     * @param size   ranks that are wanted then
     * @param growsAfterFailures whether the group grows, and does not only shrink, when somebody is lost
     */
    record Plan(List<Step> steps, int growAt, int size, boolean growsAfterFailures) {}

    private final Cluster cluster;
    private final Host host;
    private final ZipSettings settings;
    private final Plan plan;
    private final Times times;
    private final boolean newcomer;
    private final SimulatedProvider provider;
    private final Fiber fiber;
    private final List<Outcome> outcomes = new ArrayList<>();
    private final List<Part> parts = new ArrayList<>();
    private final List<Seen> seen = new ArrayList<>();
    private Communicator world;
    private int next;

    Rank(Cluster cluster, Host host, ZipSettings settings, Plan plan, Times times, boolean newcomer, Plant plant) {
        this.cluster = cluster;
        this.times = times;
        this.host = host;
        this.settings = settings;
        this.plan = plan;
        this.newcomer = newcomer;
        provider = new SimulatedProvider(host, plant);
        fiber = new Fiber(host, this::run, newcomer ? "newcomer" : "program");
    }

    Host host() {
        return host;
    }

    Fiber fiber() {
        return fiber;
    }

    boolean isNewcomer() {
        return newcomer;
    }

    List<Outcome> outcomes() {
        return outcomes;
    }

    List<Part> parts() {
        return parts;
    }

    List<Seen> seen() {
        return seen;
    }

    List<Engine> engines() {
        return provider.engines();
    }

    // ---- the program

    private void run() {
        long joinNs = settings.joinTimeout().toNanos() + Fault.HEARTBEAT_TIMEOUT_NS + ANSWER_NS + CLOSE_NS;
        if (!goTo(JOIN, joinNs, () -> Joining.join(settings, provider, host.time()))) {
            return;
        }
        for (int epochs = 1; epochs < EPOCHS_MAX; epochs++) {
            if (runSteps() || !recover()) {
                break;
            }
        }
        long closeNs = timeoutNs() + settings.closeTimeout().toNanos() + ANSWER_NS + CLOSE_NS;
        call(CLOSE, closeNs, () -> world.close());
    }

    private long timeoutNs() {
        return settings.operationTimeout().toNanos();
    }

    long closeTimeoutNs() {
        return settings.closeTimeout().toNanos();
    }

    /** Goes on from where the group is; false if something failed. */
    private boolean runSteps() {
        List<Integer> before = world.view().ranksBefore();
        if (!before.isEmpty()) {
            long[] first = {before.get(world.rank()) < 0 ? Long.MAX_VALUE : next};
            boolean met =
                    call(WHERE, timeoutNs(), () -> Collectives.of(world).allReduce(Payload.of(first), ReduceOp.MIN));
            if (!met) {
                return false;
            }
            next = (int) Math.min(first[0], plan.steps.size());
        }
        while (next < plan.steps.size()) {
            Step step = plan.steps.get(next);
            if (next == plan.growAt && before.isEmpty()) {
                return false;
            }
            if (!call(
                    step.toString(),
                    step.calls() * timeoutNs(),
                    () -> step.inEpoch(world.view().epoch()).run(world))) {
                return false;
            }
            next++;
        }
        return true;
    }

    /** Takes this rank to the next epoch; false if there is none for it. */
    private boolean recover() {
        int epoch = world.view().epoch();
        call(REVOKE, 0, () -> world.revoke());
        int rank = world.rank();
        int number = 1;
        boolean said = Math.floorMod(epoch * 31 + host.number(), 3) != 0;
        int at = parts.size();
        parts.add(new Part(epoch, rank, number, said, null, null));
        boolean agreed = call(AGREE, times.agree.toNanos() + ANSWER_NS, () -> {
            Agreement answer = world.withTimeout(times.agree).agree(said);
            parts.set(at, new Part(epoch, rank, number, said, answer, null));
        });
        if (!agreed) {
            parts.set(at, new Part(epoch, rank, number, said, null, lastFailure()));
        }
        long limitNs = times.next.toNanos() + STRAGGLERS_NS + ANSWER_NS + CLOSE_NS;
        for (int tries = 0; tries < TRIES_MAX; tries++) {
            // The same on all members.
            boolean first = world.view().ranksBefore().isEmpty();
            boolean grows = plan.growAt >= 0 && (plan.growsAfterFailures || first);
            boolean went = grows
                    ? goTo(GROW, limitNs, () -> world.withTimeout(times.next).grow(plan.size))
                    : goTo(SHRINK, limitNs, () -> world.withTimeout(times.next).shrink());
            if (went) {
                return true;
            }
            if (!MAY_BE_REPEATED.contains(lastFailure().code())) {
                return false;
            }
        }
        return false;
    }

    private ZipException lastFailure() {
        return outcomes.get(outcomes.size() - 1).failure;
    }

    private boolean goTo(String name, long limitNs, Supplier<Communicator> step) {
        return call(name, limitNs, () -> {
            Communicator group = step.get();
            if (world != null) {
                world.close();
            }
            world = group;
            seen.add(new Seen(
                    group.view().epoch(),
                    group.rank(),
                    group.size(),
                    List.copyOf(group.view().ranksBefore())));
        });
    }

    private boolean call(String name, long limitNs, Runnable action) {
        long beganNs = host.time().nowNs();
        long frozenNs = host.frozenNs();
        int epoch = world == null ? 0 : world.view().epoch();
        ZipException failure = null;
        int at = outcomes.size();
        outcomes.add(new Outcome(name, epoch, null, beganNs, Long.MAX_VALUE, 0, limitNs));
        cluster.begins(name);
        try {
            action.run();
        } catch (ZipException e) {
            failure = e;
        }
        long tookNs = host.time().nowNs() - beganNs - (host.frozenNs() - frozenNs);
        outcomes.set(at, new Outcome(name, epoch, failure, beganNs, host.time().nowNs(), tookNs, limitNs));
        return failure == null;
    }

    // ---- for the checks

    /** How often a link of it went on through the relay after a direct path was lost. */
    int resumptions() {
        int sum = 0;
        for (int i = 0; i < seen.size() && i < engines().size(); i++) {
            for (int peer = 0; peer < seen.get(i).size; peer++) {
                sum += peer == seen.get(i).rank ? 0 : engines().get(i).resumptions(peer);
            }
        }
        return sum;
    }

    /** Whether nothing has failed here. */
    boolean isWhole() {
        return outcomes.stream().allMatch(outcome -> outcome.failure == null);
    }

    /** Whether it has run to its end. */
    boolean hasEnded() {
        return fiber.isDone() && !host.isDead();
    }

    /** It is over, and may not have closed what it had. */
    void forget() {
        if (world != null) {
            DeadWorlds.forget(world);
        }
    }

    /** For the text of a failed run. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        text.append(fiber).append(host.isDead() ? ", killed" : "");
        for (Outcome outcome : outcomes) {
            text.append("\n    epoch ").append(outcome.epoch).append(", ").append(outcome.call);
            long atNs = host.time().sinceStartNs(outcome.beganNs);
            text.append(", at ")
                    .append(atNs / 1000)
                    .append(", ")
                    .append(outcome.tookNs / 1000)
                    .append(" us: ");
            String well = outcome.hasEnded() ? "ok" : "never ended";
            text.append(outcome.failure == null ? well : outcome.failure.getMessage());
        }
        if (!parts.isEmpty()) {
            text.append("\n    ").append(parts);
        }
        return text.append("\n    ").append(seen).toString();
    }
}
