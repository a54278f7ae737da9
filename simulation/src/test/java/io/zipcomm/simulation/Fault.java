package io.zipcomm.simulation;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;

/** What can go wrong. Each kind is a switch: programs are given those that are on. */
enum Fault {
    /** What two hosts send each other stays on its way for some time, less than anybody takes for an end. */
    PAUSE_LINK(true),
    /** A process stands still for less than the heartbeat timeout. */
    FREEZE_SHORT(true),
    /** The relay stands still for less than the heartbeat timeout. */
    FREEZE_RELAY(true),
    /** A direct connection between two hosts is reset. */
    RESET_DIRECT(true),
    /** A direct connection between two hosts is forgotten by something on the way. */
    FORGET_DIRECT(true),
    /** Nothing passes between two hosts for some seconds; both reach the relay. */
    CUT_DIRECT(true),
    /** Some attempts to connect take seconds, so that old ones arrive late. */
    LATE_ATTEMPTS(true),
    /** A process ends. */
    KILL(false),
    /** A machine is gone: nobody is told. */
    VANISH(false),
    /** A process stands still for longer than the heartbeat timeout, and goes on. */
    FREEZE_LONG(false),
    /** A host does not reach the relay for longer than the heartbeat timeout. */
    CUT_RELAY(false),
    /** One of a process's connections to the relay is reset. */
    RESET_RELAYED(false),
    /** The relay's process ends, and another one is started at its place a moment later. */
    RESTART_RELAY(false);

    /** The heartbeat timeout of the relays here. */
    static final long HEARTBEAT_TIMEOUT_NS = 5_000_000_000L;

    private static final long MS = 1_000_000;
    private static final long SECOND_NS = 1000 * MS;

    /** Nothing may fail for it. */
    private final boolean harmless;

    Fault(boolean harmless) {
        this.harmless = harmless;
    }

    boolean isHarmless() {
        return harmless;
    }

    static Set<Fault> harmless() {
        EnumSet<Fault> all = EnumSet.allOf(Fault.class);
        all.removeIf(fault -> !fault.harmless);
        return all;
    }

    /** Those for which there is an answer today: a relay that starts anew knows nobody yet. */
    static Set<Fault> usual() {
        return EnumSet.complementOf(EnumSet.of(RESTART_RELAY));
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
            case PAUSE_LINK -> {
                Host end = random.nextBoolean() ? relay : other;
                cutFor(network, one, end, random.nextLong(500 * MS));
            }
            case FREEZE_SHORT -> freeze(one, random.nextLong(1, 2000) * MS);
            case FREEZE_RELAY -> freeze(relay, random.nextLong(1, 2000) * MS);
            case RESET_DIRECT -> {
                if (apart) {
                    network.between(one, other).forEach(StreamEnd::reset);
                }
            }
            case FORGET_DIRECT -> {
                if (apart) {
                    network.between(one, other).forEach(StreamEnd::forget);
                }
            }
            case CUT_DIRECT -> {
                if (apart) {
                    cutFor(network, one, other, random.nextLong(10 * SECOND_NS));
                }
            }
            case LATE_ATTEMPTS -> network.lateAttempts();
            case KILL -> cluster.kill(one, false);
            case VANISH -> cluster.kill(one, true);
            case FREEZE_LONG -> {
                cluster.suspect(one);
                freeze(one, HEARTBEAT_TIMEOUT_NS + random.nextLong(1, 10_000) * MS);
            }
            case CUT_RELAY -> {
                cluster.suspect(one);
                cutFor(network, one, relay, HEARTBEAT_TIMEOUT_NS + random.nextLong(20_000) * MS);
            }
            case RESET_RELAYED -> {
                List<StreamEnd> ends = network.between(one, relay);
                if (!ends.isEmpty()) {
                    cluster.suspect(one);
                    ends.get(random.nextInt(ends.size())).reset();
                }
            }
            case RESTART_RELAY -> cluster.restartRelay(random.nextLong(3000) * MS);
        }
        cluster.struck(this);
    }

    private static void freeze(Host host, long ns) {
        host.freeze();
        host.time().after(ns, host::thaw);
    }

    private static void cutFor(Network network, Host one, Host other, long ns) {
        if (one != other) {
            network.cut(one, other);
            network.time().after(ns, () -> network.heal(one, other));
        }
    }
}
