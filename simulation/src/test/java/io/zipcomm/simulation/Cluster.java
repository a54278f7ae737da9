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
    private static final Duration OPERATION_TIMEOUT = Duration.ofSeconds(30);
    private static final Duration JOIN_TIMEOUT = Duration.ofSeconds(20);

    /** What is still running then hangs. */
    private static final long LIMIT_NS = Duration.ofMinutes(15).toNanos();

    /** After the last rank has ended, the relay has so long to find that out. */
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
    private SimulatedRelay relay;

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
        List<Step> steps = steps(random);
        boolean changes = !Fault.harmless().containsAll(faults);
        int newcomers = changes && random.nextInt(3) == 0 ? random.nextInt(1, NEWCOMERS_MAX + 1) : 0;
        int growAt = newcomers > 0 ? random.nextInt(steps.size()) : -1;
        Rank.Plan plan = new Rank.Plan(steps, growAt, size + newcomers, random.nextBoolean());
        machines = new int[size + newcomers];
        TransportChoice transport = random.nextInt(4) == 0 ? TransportChoice.RELAY : TransportChoice.AUTO;
        int eagerBytes = 1 << random.nextInt(6, 17);
        int windowBytes = Math.max(4 * eagerBytes, 16 << random.nextInt(10, 16));
        for (int rank = 0; rank < machines.length; rank++) {
            machines[rank] = random.nextInt(3) == 0 ? random.nextInt(size) : rank;
            Host host = network.newHost();
            ZipSettings settings = ZipSettings.builder()
                    .relay(relayHost.address().getHostAddress() + ":" + RELAY_PORT)
                    .session("simulated")
                    .size(size)
                    .rank(rank >= size || random.nextInt(4) == 0 ? -1 : rank)
                    .set(Setting.SIZE_MIN, "1")
                    .set(Setting.SIZE_MAX, String.valueOf(machines.length))
                    .transport(transport)
                    .set(Setting.BIND, host.address().getHostAddress())
                    .set(Setting.HOST_ID, "machine-" + machines[rank])
                    .eagerBytes(eagerBytes)
                    .windowBytes(windowBytes)
                    .joinTimeout(JOIN_TIMEOUT)
                    .operationTimeout(OPERATION_TIMEOUT)
                    .waiting(WaitChoice.BLOCK)
                    .build();
            ranks.add(new Rank(host, settings, plan, rank >= size, plant));
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
            long ns = random.nextInt(8) == 0
                    ? random.nextLong(START_NS_MAX)
                    : START_NS_MAX + random.nextLong(1L << random.nextInt(20, 31));
            time.after(ns, () -> fault.strike(this));
        }
    }

    private static List<Step> steps(RandomGenerator random) {
        List<Step> steps = new ArrayList<>();
        int count = random.nextInt(1, STEPS_MAX + 1);
        for (int i = 0; i < count; i++) {
            steps.add(Step.random(random, i));
        }
        // Who has ended its program must not leave while others wait for something else.
        steps.add(new Step(Step.Kind.BARRIER, 0, 0, count));
        return steps;
    }

    /** Runs everything to its end; false if something hangs. */
    boolean run() {
        boolean ended = time.runUntil(this::isOver, time.nowNs() + LIMIT_NS);
        time.runUntil(this::isEmpty, time.nowNs() + AFTERMATH_NS);
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

    private boolean isEmpty() {
        RelayStats stats = relay.stats();
        return stats.connections() == 0 && stats.sessions() == 0;
    }

    /** Ends what still runs. */
    void close() {
        ranks.forEach(rank -> rank.host().kill(true));
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
        return machines[one.number() - 1] == machines[other.number() - 1];
    }

    // ---- faults

    void kill(Host host, boolean silently) {
        host.kill(silently);
    }

    void suspect(Host host) {
        ranks.get(host.number() - 1).suspect();
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

    /** Whether the group changes by itself, so that what is under way is revoked. */
    boolean grows() {
        return machines.length > 0 && ranks.get(ranks.size() - 1).isNewcomer();
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
        text.append("\n  relay ").append(relay.stats());
        return text.toString();
    }
}
