package io.zipcomm.simulation;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;

/** What can go wrong. Each kind is a switch: programs are given those that are on. */
enum Fault {
    /** What two hosts send each other stays on its way for some time, less than anybody takes for an end. */
    PAUSE_LINK(Effect.NONE),
    /** A process stands still for less than the heartbeat timeout. */
    FREEZE_SHORT(Effect.NONE),
    /** The relay stands still for less than the heartbeat timeout. */
    FREEZE_RELAY(Effect.NONE),
    /** A direct connection between two hosts is reset. */
    RESET_DIRECT(Effect.NONE),
    /** A direct connection between two hosts is forgotten by something on the way. */
    FORGET_DIRECT(Effect.NONE),
    /** Nothing passes between two hosts for some seconds; both reach the relay. */
    CUT_DIRECT(Effect.NONE),
    /** Some attempts to connect take seconds, so that old ones arrive late. */
    LATE_ATTEMPTS(Effect.NONE),
    /** A process's data connection to the relay is reset, perhaps several times. */
    RESET_DATA(Effect.AWAY),
    /** A process's control connection to the relay is reset, perhaps several times. */
    RESET_CONTROL(Effect.AWAY),
    /** All connections of a process to the relay are reset, perhaps several times. */
    RESET_RELAYED(Effect.AWAY),
    /** The relay's process ends, and another one is started at its place a moment later. */
    RESTART_RELAY(Effect.AWAY),
    /**
     * Something on the way says once more, on connections of its own, what was said at the beginning of others, to the relay or to a rank that
     * listens. What was said for an epoch that is over may come in the next.
     */
    REPEAT_OPENING(Effect.AWAY),
    /** A process ends. */
    KILL(Effect.HARM),
    /** A machine is gone: nobody is told. */
    VANISH(Effect.HARM),
    /** A process stands still for longer than the heartbeat timeout, and goes on. */
    FREEZE_LONG(Effect.HARM),
    /** A host does not reach the relay for longer than the heartbeat timeout. */
    CUT_RELAY(Effect.HARM),
    /** A machine stands still, its system too, perhaps for longer than anybody waits for it, and goes on with what it knew. */
    FREEZE_HOST(Effect.HARM),
    /** Some machines reach none of the others, and perhaps not the relay either, for some time. */
    PARTITION(Effect.HARM);

    /** What may come of it. */
    enum Effect {
        /** Nothing may fail. */
        NONE,
        /** A rank is away, and back before anybody takes it for dead, if nothing else hinders it. */
        AWAY,
        /** Some rank may be taken for dead. */
        HARM
    }

    /** The heartbeat timeout of the relays here. */
    static final long HEARTBEAT_TIMEOUT_NS = 5_000_000_000L;

    private static final long MS = 1_000_000;
    private static final long SECOND_NS = 1000 * MS;
    private static final int RESETS_MAX = 4;
    private static final int REPEATS_MAX = 4;
    private static final int LATEST = 4;

    /** After so long the ends of a direct connection see that nothing is acknowledged. */
    private static final long FORGOTTEN_NS = 3 * SECOND_NS;

    /** Long after {@link Cluster} has ended. */
    private static final long FOR_EVER = Long.MAX_VALUE;

    private final Effect effect;

    Fault(Effect effect) {
        this.effect = effect;
    }

    Effect effect() {
        return effect;
    }

    /** Whether nothing may fail for it. */
    boolean isHarmless() {
        return effect == Effect.NONE;
    }

    /** Those for which nothing may fail. */
    static Set<Fault> harmless() {
        EnumSet<Fault> all = EnumSet.allOf(Fault.class);
        all.removeIf(fault -> !fault.isHarmless());
        return all;
    }

    /** Those that take connections to the relay away, and others that do not keep a rank from coming back. */
    static Set<Fault> resets() {
        return EnumSet.of(
                RESET_DATA,
                RESET_CONTROL,
                RESET_RELAYED,
                RESTART_RELAY,
                RESET_DIRECT,
                FORGET_DIRECT,
                CUT_DIRECT,
                FREEZE_RELAY);
    }

    static Set<Fault> all() {
        return EnumSet.allOf(Fault.class);
    }

    /** Has it happen at random. */
    void strike(Cluster cluster) {
        VirtualTime time = cluster.time();
        RandomGenerator random = time.random();
        Network network = cluster.network();
        Host relay = cluster.relayHost();
        List<Host> hosts = cluster.hosts();
        Host one = hosts.get(random.nextInt(hosts.size()));
        Host other = hosts.get(random.nextInt(hosts.size()));
        if (one.isDead()) {
            return;
        }
        boolean apart = one != other && !cluster.shareMachine(one, other);
        switch (this) {
            case PAUSE_LINK -> cutFor(cluster, one, random.nextBoolean() ? relay : other, random.nextLong(500 * MS));
            case FREEZE_SHORT -> freeze(cluster, one, random.nextLong(1, 2000) * MS);
            case FREEZE_RELAY -> freeze(cluster, relay, random.nextLong(1, 2000) * MS);
            case RESET_DIRECT -> {
                if (apart) {
                    cluster.trouble(this, null, 0);
                    network.between(one, other).forEach(end -> end.reset(true, true));
                }
            }
            case FORGET_DIRECT -> {
                if (apart) {
                    cluster.trouble(this, null, FORGOTTEN_NS);
                    network.between(one, other).forEach(StreamEnd::forget);
                }
            }
            case CUT_DIRECT -> {
                if (apart) {
                    cutFor(cluster, one, other, random.nextLong(10 * SECOND_NS));
                }
            }
            case LATE_ATTEMPTS -> {
                network.lateAttempts();
                cluster.trouble(this, null, FOR_EVER);
            }
            case RESET_DATA, RESET_CONTROL, RESET_RELAYED -> {
                reset(cluster, one);
                for (int more = random.nextBoolean() ? 0 : random.nextInt(RESETS_MAX); more > 0; more--) {
                    time.after(random.nextLong(3 * SECOND_NS), () -> reset(cluster, one));
                }
            }
            case KILL, VANISH -> {
                cluster.trouble(this, one, FOR_EVER);
                one.kill(this == VANISH);
            }
            case FREEZE_LONG -> freeze(cluster, one, HEARTBEAT_TIMEOUT_NS + random.nextLong(1, 10_000) * MS);
            case CUT_RELAY -> cutFor(cluster, one, relay, HEARTBEAT_TIMEOUT_NS + random.nextLong(20_000) * MS);
            case FREEZE_HOST -> {
                long ns = random.nextLong(1, 90_000) * MS;
                cluster.trouble(this, one, ns);
                network.stop(one);
                time.after(ns, () -> network.resume(one));
            }
            case PARTITION -> part(cluster, random.nextLong(25 * SECOND_NS));
            case REPEAT_OPENING -> {
                for (int times = random.nextInt(1, REPEATS_MAX + 1); times > 0; times--) {
                    long ns = random.nextBoolean() ? random.nextLong(50 * MS) : random.nextLong(20 * SECOND_NS);
                    time.after(ns, () -> repeat(cluster));
                }
            }
            case RESTART_RELAY -> {
                long pauseNs = random.nextLong(3000) * MS;
                cluster.trouble(this, null, pauseNs);
                cluster.restartRelay(pauseNs);
            }
        }
        if (this != PARTITION && this != REPEAT_OPENING) {
            cluster.struck(this);
        }
    }

    private void reset(Cluster cluster, Host one) {
        if (one.isDead()) {
            return;
        }
        List<StreamEnd> ends = cluster.network().between(one, cluster.relayHost()).stream()
                .filter(end -> this == RESET_RELAYED || end.isControl() == (this == RESET_CONTROL))
                .toList();
        if (!ends.isEmpty()) {
            cluster.trouble(this, one, 0);
            boolean both = cluster.time().random().nextInt(4) > 0;
            boolean rank = cluster.time().random().nextBoolean();
            // On the control connection the relay says that the data connection has ended; nobody says it of the
            // control connection.
            ends.forEach(end -> end.reset(both || rank || end.isControl(), both || !rank));
        }
    }

    private void repeat(Cluster cluster) {
        List<Opening> all = cluster.network().openings();
        if (all.isEmpty()) {
            return;
        }
        RandomGenerator random = cluster.time().random();
        int from = random.nextBoolean() ? 0 : Math.max(0, all.size() - LATEST);
        Opening opening = all.get(random.nextInt(from, all.size()));
        long holdNs = random.nextLong(10 * SECOND_NS);
        boolean toRelay = opening.to().getAddress().equals(cluster.relayHost().address());
        // To a rank that listens it is at most a direct connection that comes to nothing.
        cluster.trouble(toRelay ? this : FORGET_DIRECT, toRelay ? opening.from() : null, holdNs);
        cluster.network().repeat(opening, holdNs);
        cluster.struck(this);
    }

    /** Whole machines are cut off. */
    private void part(Cluster cluster, long ns) {
        RandomGenerator random = cluster.time().random();
        List<Host> hosts = cluster.hosts();
        boolean[] chosen = new boolean[hosts.size()];
        for (int i = 0; i < chosen.length; i++) {
            chosen[i] = random.nextBoolean();
        }
        boolean relayToo = random.nextBoolean();
        List<Host> away =
                hosts.stream().filter(host -> chosen[cluster.machine(host)]).toList();
        List<Host> rest = new ArrayList<>(hosts);
        rest.removeAll(away);
        if (relayToo) {
            rest.add(cluster.relayHost());
        }
        if (away.isEmpty() || rest.isEmpty()) {
            return;
        }
        if (relayToo) {
            away.forEach(host -> cluster.trouble(PARTITION, host, ns));
        } else {
            // Who reaches the relay has a way to all others.
            cluster.trouble(CUT_DIRECT, null, ns);
        }
        Network network = cluster.network();
        away.forEach(one -> rest.forEach(other -> network.cut(one, other)));
        network.time().after(ns, () -> away.forEach(one -> rest.forEach(other -> network.heal(one, other))));
        cluster.struck(PARTITION);
    }

    private void freeze(Cluster cluster, Host host, long ns) {
        cluster.trouble(this, host, ns);
        host.freeze();
        host.time().after(ns, host::thaw);
    }

    private void cutFor(Cluster cluster, Host one, Host other, long ns) {
        Network network = cluster.network();
        if (one != other) {
            // Who is not cut off from the relay has a way to all others.
            cluster.trouble(this, other == cluster.relayHost() ? one : null, ns);
            network.cut(one, other);
            network.time().after(ns, () -> network.heal(one, other));
        }
    }
}
