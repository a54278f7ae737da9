package io.zipcomm.simulation;

import io.netty.buffer.PooledByteBufAllocator;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.relay.RelayStats;
import io.zipcomm.relay.SimulatedRelay;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.settings.ZipSettings.WaitChoice;
import io.zipcomm.testkit.Seeds;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;

/** A relay and some ranks, each on a host of its own, that run one random program while random faults strike. */
final class Cluster {

    private static final int RELAY_PORT = 7000;
    private static final int RANKS_MAX = 6;
    private static final int NEWCOMERS_MAX = 2;
    private static final int STEPS_MAX = 12;
    private static final int FAULTS_MAX = 4;
    private static final long START_NS_MAX = 200_000_000;

    /** What is called where much is decided. */
    private static final List<String> AIMS =
            List.of(Rank.JOIN, Rank.REVOKE, Rank.AGREE, Rank.SHRINK, Rank.GROW, Rank.WHERE, Rank.CLOSE);

    private static final Duration JOIN_TIMEOUT = Duration.ofSeconds(20);
    private static final String SECRET = "what only members know";

    /** What is still running then hangs. */
    private static final long LIMIT_NS = Duration.ofMinutes(30).toNanos();

    /** After the last rank has ended, the relay has so long to find that out, and what ranks have closed to end, if nobody stands still. */
    private static final long AFTERMATH_NS = Duration.ofSeconds(30).toNanos();

    private final long seed;
    private final VirtualTime time;
    private final Network network;
    private final PooledByteBufAllocator allocator;
    private final Host relayHost;
    private final RelaySettings relaySettings;
    private final List<Rank> ranks = new ArrayList<>();
    private final int[] machines;
    private final Map<Fault, Integer> struck = new EnumMap<>(Fault.class);
    private final List<Trouble> troubles = new ArrayList<>();
    private final List<Aimed> aimed = new ArrayList<>();
    private final boolean combines;
    private final boolean secedes;
    private final boolean grows;
    private SimulatedRelay relay;

    /** A fault that strikes when ranks have begun some call so many times. */
    private static final class Aimed {
        final String call;
        final Runnable strike;
        int left;

        Aimed(String call, int left, Runnable strike) {
            this.call = call;
            this.left = left;
            this.strike = strike;
        }
    }

    /**
     * Sets everything up; nothing runs yet.
     *
     * @param seed      decides everything
     * @param faults    what may strike
     * @param plant     what is planted
     * @param allocator of the relay's memory; nothing of it is in use
     */
    Cluster(long seed, Set<Fault> faults, Plant plant, PooledByteBufAllocator allocator) {
        this.seed = seed;
        this.allocator = allocator;
        RandomGenerator random = Seeds.random(seed);
        time = new VirtualTime(random);
        network = new Network(time);
        relayHost = network.newHost();
        relaySettings = RelaySettings.builder()
                .insecure(true)
                .listen("127.0.0.1:" + RELAY_PORT)
                .threads(1)
                .heartbeat(Duration.ofSeconds(1), Duration.ofNanos(Fault.HEARTBEAT_TIMEOUT_NS))
                .build();
        relay = new SimulatedRelay(relayHost, RELAY_PORT, relaySettings, allocator);
        int size = random.nextInt(2, RANKS_MAX + 1);
        boolean changes = !Fault.harmless().containsAll(faults);
        List<Step> steps = steps(random, changes);
        int newcomers = changes && random.nextInt(3) == 0 ? random.nextInt(1, NEWCOMERS_MAX + 1) : 0;
        grows = newcomers > 0;
        int growAt = newcomers > 0 ? random.nextInt(steps.size()) : -1;
        Rank.Plan plan = new Rank.Plan(steps, growAt, size + newcomers, random.nextBoolean());
        boolean hasty = changes && random.nextInt(4) == 0;
        secedes = random.nextInt(3) > 0;
        boolean checksum = random.nextInt(4) == 0;
        boolean sealed = random.nextInt(4) == 0;
        String relayDoes = sealed || random.nextInt(3) == 0 ? "off" : random.nextBoolean() ? "multicast" : "reduce";
        combines = relayDoes.equals("reduce") && !checksum;
        machines = new int[size + newcomers];
        TransportChoice transport = random.nextInt(4) == 0 ? TransportChoice.RELAY : TransportChoice.AUTO;
        int eagerBytes = 1 << random.nextInt(6, 17);
        int windowBytes = Math.max(4 * eagerBytes, 16 << random.nextInt(10, 16));
        for (int rank = 0; rank < machines.length; rank++) {
            machines[rank] = random.nextInt(3) == 0 ? random.nextInt(size) : rank;
            Host host = network.newHost();
            ZipSettings.Builder settings = ZipSettings.builder()
                    .relay(relayHost.address().getHostAddress() + ":" + RELAY_PORT)
                    .session("simulated")
                    .size(size)
                    .rank(rank >= size || random.nextInt(4) == 0 ? -1 : rank)
                    .set(Setting.SIZE_MIN, secedes ? "1" : "0")
                    .set(Setting.SIZE_MAX, String.valueOf(machines.length))
                    .transport(transport)
                    .set(Setting.BIND, host.address().getHostAddress())
                    .set(Setting.HOST_ID, "machine-" + machines[rank])
                    .eagerBytes(eagerBytes)
                    .windowBytes(windowBytes)
                    .set(Setting.CHECKSUM, checksum ? "on" : "off")
                    .set(Setting.ENCRYPTION, sealed ? "relayed" : "off")
                    .set(Setting.RELAY_COLLECTIVES, relayDoes)
                    .joinTimeout(JOIN_TIMEOUT)
                    .operationTimeout(Rank.Times.operation(random, hasty))
                    .waiting(WaitChoice.BLOCK);
            if (sealed) {
                settings.set(Setting.SECRET, SECRET);
            }
            ranks.add(new Rank(this, host, settings.build(), plan, Rank.Times.random(random), rank >= size, plant));
        }
        for (Rank rank : ranks) {
            long ns = rank.isNewcomer() ? 2 * START_NS_MAX + random.nextLong(1L << 31) : random.nextLong(START_NS_MAX);
            time.after(ns, () -> {
                if (!rank.host().isDead()) {
                    rank.fiber().start();
                }
            });
        }
        List<Fault> kinds = List.copyOf(faults).stream().sorted().toList();
        int count = kinds.isEmpty() ? 0 : random.nextInt(1, FAULTS_MAX + 1);
        for (int i = 0; i < count; i++) {
            Fault fault = kinds.get(random.nextInt(kinds.size()));
            // Ranks come in the first moments; then programs take some ms to some seconds.
            long ns = 1L << random.nextInt(20, 31);
            switch (random.nextInt(8)) {
                case 0 -> time.after(random.nextLong(START_NS_MAX), () -> fault.strike(this));
                case 1, 2 -> {
                    String call = AIMS.get(random.nextInt(AIMS.size()));
                    long laterNs = random.nextLong(ns) / 8;
                    Runnable strike = () -> time.after(laterNs, () -> fault.strike(this));
                    aimed.add(new Aimed(call, random.nextInt(1, size + 1), strike));
                }
                default -> time.after(START_NS_MAX + random.nextLong(ns), () -> fault.strike(this));
            }
        }
    }

    private static List<Step> steps(RandomGenerator random, boolean changes) {
        List<Step> steps = new ArrayList<>();
        int count = random.nextInt(1, STEPS_MAX + 1);
        for (int i = 0; i < count; i++) {
            steps.add(Step.random(random, i, changes));
        }
        // Who has ended its program must not leave while others wait for something else.
        steps.add(new Step(Step.Kind.BARRIER, 0, 0, count, 0));
        return steps;
    }

    /** Runs everything to its end; false if something hangs. */
    boolean run() {
        boolean ended = time.runUntil(this::isOver, time.nowNs() + LIMIT_NS);
        awaitRest();
        return ended;
    }

    private boolean isOver() {
        for (Rank rank : ranks) {
            if (!rank.fiber().isDone() && !rank.host().isDead()) {
                return false;
            }
        }
        return true;
    }

    /** Lets what is left end. A process that stands still ends nothing: all have the whole time when it goes on. */
    private void awaitRest() {
        long limitNs = time.nowNs() + LIMIT_NS;
        do {
            time.runUntil(() -> isEmpty() || !standsStill(), limitNs);
            time.runUntil(() -> isEmpty() || standsStill(), time.nowNs() + AFTERMATH_NS);
        } while (!isEmpty() && standsStill() && time.nowNs() < limitNs);
    }

    private boolean standsStill() {
        return relayHost.isFrozen() || hosts().stream().anyMatch(host -> host.isFrozen() && !host.isDead());
    }

    private boolean isEmpty() {
        RelayStats stats = relay.stats();
        return stats.connections() == 0
                && stats.sessions() == 0
                && hosts().stream()
                        .allMatch(host -> host.ends().isEmpty() && host.fibers().isEmpty());
    }

    /** Ends what still runs. */
    void close() {
        ranks.forEach(rank -> {
            rank.host().kill(true);
            rank.forget();
        });
        relay.stop();
        relayHost.kill(true);
    }

    long seed() {
        return seed;
    }

    VirtualTime time() {
        return time;
    }

    Network network() {
        return network;
    }

    Host relayHost() {
        return relayHost;
    }

    RelayStats relayStats() {
        return relay.stats();
    }

    PooledByteBufAllocator allocator() {
        return allocator;
    }

    List<Rank> ranks() {
        return ranks;
    }

    List<Host> hosts() {
        return ranks.stream().map(Rank::host).toList();
    }

    /** Whether two processes are on one machine, as they say. */
    boolean shareMachine(Host one, Host other) {
        return machine(one) == machine(other);
    }

    /** On which of the machines a process is, as it says; fewer than there are processes. */
    int machine(Host host) {
        return machines[host.number() - 1];
    }

    // ---- faults

    /** A rank begins a call: what was aimed at that strikes. */
    void begins(String call) {
        for (Aimed one : List.copyOf(aimed)) {
            if (one.call.equals(call) && --one.left == 0) {
                aimed.remove(one);
                one.strike.run();
            }
        }
    }

    /** Something begins now, and goes on for some time. */
    void trouble(Fault fault, Host host, long ns) {
        long nowNs = time.nowNs();
        troubles.add(new Trouble(fault, host, nowNs, ns > Long.MAX_VALUE - nowNs ? Long.MAX_VALUE : nowNs + ns));
    }

    /** All that was done, in the order of time. */
    List<Trouble> troubles() {
        return troubles;
    }

    /** Whether the group leaves an epoch to grow where nothing has failed. */
    boolean grows() {
        return grows;
    }

    /** Whether the relay may combine what ranks contribute: that is not taken up again. */
    boolean combines() {
        return combines;
    }

    /**
     * Whether ranks that a relay has given up, and that come back to the one after it, may be a group of their own: it knows only what they
     * tell, and the session says that so few are enough.
     */
    boolean mayPart() {
        return secedes && troubles.stream().anyMatch(Trouble::isRestart);
    }

    void restartRelay(long pauseNs) {
        if (relay.isStopped()) {
            return;
        }
        relay.stop();
        relayHost.ends().forEach(StreamEnd::abort);
        time.after(pauseNs, () -> relay = new SimulatedRelay(relayHost, RELAY_PORT, relaySettings, allocator));
    }

    void struck(Fault fault) {
        struck.merge(fault, 1, Integer::sum);
    }

    /** How often each fault has struck. */
    Map<Fault, Integer> strikes() {
        return struck;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("seed ").append(seed);
        text.append(", after ")
                .append(time.elapsedNs() / 1_000_000)
                .append(" ms, faults ")
                .append(struck);
        for (Rank rank : ranks) {
            text.append("\n  ").append(rank);
        }
        for (Trouble trouble : troubles) {
            text.append("\n  ").append(trouble.fault());
            text.append(trouble.host() == null ? "" : " " + trouble.host());
            text.append(" from ")
                    .append(time.sinceStartNs(trouble.fromNs()) / 1000)
                    .append(" us");
            boolean over = trouble.untilNs() < Long.MAX_VALUE;
            text.append(over ? " to " + time.sinceStartNs(trouble.untilNs()) / 1000 + " us" : "");
        }
        text.append("\n  relay ").append(relay.stats());
        return text.toString();
    }
}
