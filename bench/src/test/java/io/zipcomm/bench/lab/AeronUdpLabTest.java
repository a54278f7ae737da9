package io.zipcomm.bench.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.settings.Setting;
import io.zipcomm.testkit.SharedMemoryFolder;
import io.zipcomm.testkit.lab.LabHost;
import io.zipcomm.testkit.lab.NetworkLab;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aeron's streams over UDP between hosts, one rank on each: on a good network, on one that loses packets, where a pair is cut off
 * for UDP alone, and when a rank is killed. Hosts of a lab have one kernel, so a directory for each stands for its memory.
 */
@Tag("once")
final class AeronUdpLabTest {

    private static final int HOSTS = 4;
    private static final int COLLECTIVES = 2 * 13;
    private static final String UDP = "aeron-udp";

    /** One way over the two wires between two hosts: half of it on each. */
    private static final Duration DELAY = Duration.ofMillis(1);

    private static final double LOST_PERCENT = 1;

    private static final Map<Setting, String> TCP_ONLY = Map.of(Setting.TRANSPORT, "tcp");
    private static final Map<Setting, String> UDP_ONLY = Map.of(Setting.TRANSPORT, UDP);
    private static final Map<Setting, String> AUTO_WITH_UDP = Map.of(Setting.AERON_UDP, "on");

    /** For paths that cannot open, and those that are tried behind them. */
    private static final long SETTLE_MS = 20_000;

    private static final long LIMIT_S = 60;

    /** Since a rank has joined: 10 s for a path to open, and what a media driver takes to start while eight JVMs do so on a few cores. */
    private static final long UNREACHABLE_MS_MAX = 15_000;

    private static final long ERROR_MS_MAX = 5_000;

    /** Some rounds of sums. */
    private static final long AMID_MS = 200;

    @TempDir(factory = SharedMemoryFolder.class)
    private Path memory;

    private NetworkLab lab;
    private String relay;
    private final List<LabHost> hosts = new ArrayList<>();
    private final List<LabNode> nodes = new ArrayList<>();

    @BeforeEach
    void open() throws IOException {
        assumeTrue(NetworkLab.unavailabilityReason() == null, NetworkLab.unavailabilityReason());
        lab = NetworkLab.open();
        LabHost first = lab.publicHost("relay");
        first.link().delay(DELAY.dividedBy(2));
        relay = LabGroup.startRelay(first);
        for (int i = 0; i < HOSTS; i++) {
            hosts.add(lab.publicHost("host-" + i));
            hosts.get(i).link().delay(DELAY.dividedBy(2));
            Files.createDirectory(memoryOf(i));
            nodes.add(LabNode.start(hosts.get(i), memoryOf(i)));
        }
    }

    @AfterEach
    void close() {
        if (lab != null) {
            lab.close();
        }
    }

    private Path memoryOf(int host) {
        return memory.resolve("host-" + host);
    }

    private List<LabGroup.Rank> run(String name, long settleMs, Map<Setting, String> settings)
            throws InterruptedException {
        return await(LabGroup.start(relay, name, nodes, settleMs, settings));
    }

    private static List<LabGroup.Rank> await(LabGroup group) throws InterruptedException {
        return group.await(System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_S));
    }

    private static void print(String format, Object... args) {
        System.out.println(String.format(Locale.ROOT, format, args));
    }

    /** Everything was right, over these paths from rank to rank. */
    private void verify(String name, List<LabGroup.Rank> ranks, String path, Map<String, String> others)
            throws IOException {
        for (int rank = 0; rank < HOSTS; rank++) {
            LabGroup.Rank one = ranks.get(rank);
            print("%s, rank %d: %s", name, rank, one);
            assertNull(one.failure(), name + ", rank " + rank);
            assertEquals(COLLECTIVES, one.collectives(), name + ", rank " + rank);
            for (int peer = 0; peer < HOSTS; peer++) {
                if (peer != rank) {
                    String pair = Math.min(rank, peer) + "-" + Math.max(rank, peer);
                    assertEquals(
                            others.getOrDefault(pair, path),
                            one.paths().get(peer).name(),
                            name + ", from rank " + rank + " to rank " + peer);
                }
            }
        }
        assertNothingLeft(IntStream.range(0, HOSTS));
    }

    private void assertNothingLeft(IntStream ofHosts) throws IOException {
        for (int host : ofHosts.toArray()) {
            assertEquals(List.of(), SharedMemoryFolder.leftIn(memoryOf(host)), "left at host " + host);
        }
    }

    @Test
    void shouldUseUdpForEveryPairIfItIsAskedFor() throws InterruptedException, IOException {
        verify("aeron-udp", run("only", SETTLE_MS, UDP_ONLY), UDP, Map.of());
        verify("auto, UDP on", run("auto", SETTLE_MS, AUTO_WITH_UDP), UDP, Map.of());
        verify("auto", run("default", SETTLE_MS, Map.of()), "tcp", Map.of());
    }

    @Test
    void shouldBeRightOnANetworkThatLosesPackets() throws InterruptedException, IOException {
        printSlowDown(UDP, UDP_ONLY);
    }

    @Test
    @Tag("long")
    void shouldBeRightOnANetworkThatLosesPacketsAsTcpIs() throws InterruptedException, IOException {
        printSlowDown("tcp", TCP_ONLY);
        printSlowDown(UDP, UDP_ONLY);
    }

    private void printSlowDown(String path, Map<Setting, String> settings) throws InterruptedException, IOException {
        print("median and mean of the slowest rank: all-reduce of 64 B, of 1 MiB, broadcast of 1 MiB");
        List<Long> quiet = times(path, settings, 0);
        print("%s: times that of no loss: %s", path, ratios(times(path, settings, LOST_PERCENT), quiet));
    }

    private List<Long> times(String path, Map<Setting, String> settings, double lostPercent)
            throws InterruptedException, IOException {
        for (int i = 0; i < HOSTS; i++) {
            // A packet crosses two wires.
            hosts.get(i).link().lossy(lostPercent / 2, 23 + i);
        }
        long lostBefore = lost();
        String name = path + ", " + lostPercent + " % lost";
        List<LabGroup.Rank> ranks = run(path + "-" + lostPercent, LabRank.TIMES, settings);
        long lost = lost() - lostBefore;
        verify(name, ranks, path, Map.of());
        List<Long> slowest = IntStream.range(0, ranks.get(0).timesUs().size())
                .mapToObj(i -> ranks.stream()
                        .map(one -> one.timesUs().get(i))
                        .max(Long::compare)
                        .orElseThrow())
                .toList();
        print("%s: %s us, %d packets lost", name, slowest, lost);
        assertEquals(lostPercent > 0, lost > 0, name + ": packets lost");
        return slowest;
    }

    private long lost() {
        return hosts.stream()
                .map(host -> host.link().counts())
                .mapToLong(counts -> counts.sentLost() + counts.receivedLost())
                .sum();
    }

    private static List<String> ratios(List<Long> times, List<Long> of) {
        return IntStream.range(0, times.size())
                .mapToObj(i -> String.format(Locale.ROOT, "%.1f", (double) times.get(i) / of.get(i)))
                .toList();
    }

    /** Between two hosts nothing comes in over UDP, and nobody is told. */
    @Test
    void shouldGoOnOverTcpWhereUdpIsFilteredAndSaySoWhereNothingElseIsLeft() throws Exception {
        drop(hosts.get(0), hosts.get(1));
        drop(hosts.get(1), hosts.get(0));
        LabGroup auto = LabGroup.start(relay, "filtered-auto", nodes, SETTLE_MS, AUTO_WITH_UDP);
        Map<Integer, Long> joinedNs = new ConcurrentHashMap<>();
        Map<Integer, Long> failedMs = new ConcurrentHashMap<>();
        LabGroup only = LabGroup.start(relay, "filtered-only", nodes, SETTLE_MS, UDP_ONLY, (rank, line) -> {
            if (line.startsWith("joined ")) {
                joinedNs.put(rank, System.nanoTime());
            } else if (line.startsWith("failed ")) {
                failedMs.put(rank, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - joinedNs.get(rank)));
            }
        });
        List<LabGroup.Rank> failed = await(only);
        for (int rank = 0; rank < HOSTS; rank++) {
            print(
                    "filtered, aeron-udp, rank %d %d ms after it had joined: %s",
                    rank, failedMs.get(rank), failed.get(rank));
        }
        // Rank 0 sends to rank 1, which hears by the relay what came of it.
        assertTrue(failed.get(0).failure().contains("UNREACHABLE"), failed.toString());
        String address = hosts.get(1).address().getHostAddress();
        for (int rank = 0; rank < 2; rank++) {
            String said = failed.get(rank).failure();
            assertTrue(said.contains("rank 1 cannot be reached directly") && said.contains(address), said);
            assertTrue(failedMs.get(rank) < UNREACHABLE_MS_MAX, failedMs.toString());
        }
        verify("filtered, auto", await(auto), UDP, Map.of("0-1", "tcp"));
    }

    private static void drop(LabHost at, LabHost from) throws IOException, InterruptedException {
        run(at, "add", "table", "inet", "strict");
        run(at, "add", "chain", "inet", "strict", "in", "{ type filter hook input priority 0 ; }");
        dropFrom(at, "ip", from.address());
        dropFrom(at, "ip6", from.addressV6().orElseThrow());
    }

    private static void dropFrom(LabHost at, String family, InetAddress from) throws IOException, InterruptedException {
        String source = family + " saddr " + from.getHostAddress();
        run(at, "add", "rule", "inet", "strict", "in", source, "meta l4proto udp drop");
    }

    private static void run(LabHost at, String... rule) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("nft"));
        command.addAll(List.of(rule));
        Process process = at.start(command, Map.of());
        assertTrue(process.waitFor(10, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), String.join(" ", command));
    }

    @Test
    void shouldNameTheDeadRankAndLeaveNothing() throws InterruptedException, IOException {
        int victim = 2;
        CountDownLatch summing = new CountDownLatch(HOSTS);
        Map<Integer, Long> failedNs = new ConcurrentHashMap<>();
        LabGroup group = LabGroup.start(relay, "killed", nodes, LabRank.SUMS, UDP_ONLY, (rank, line) -> {
            if (line.equals("summing")) {
                summing.countDown();
            } else if (line.startsWith("failed ")) {
                failedNs.put(rank, System.nanoTime());
            }
        });
        assertTrue(summing.await(LIMIT_S, TimeUnit.SECONDS), "sums");
        TimeUnit.MILLISECONDS.sleep(AMID_MS);
        assertEquals(Map.of(), failedNs);
        long killedNs = System.nanoTime();
        nodes.get(victim).kill();
        List<LabGroup.Rank> ranks = await(group);
        Map<Integer, Long> tookMs = new HashMap<>();
        failedNs.forEach((rank, ns) -> tookMs.put(rank, TimeUnit.NANOSECONDS.toMillis(ns - killedNs)));
        int[] survivors =
                IntStream.range(0, HOSTS).filter(rank -> rank != victim).toArray();
        for (int rank : survivors) {
            print(
                    "rank %d killed, rank %d after %s ms: %s",
                    victim, rank, tookMs.get(rank), ranks.get(rank).failure());
        }
        for (int rank : survivors) {
            String said = ranks.get(rank).failure();
            assertTrue(said.contains("PEER_LOST") && said.contains("rank " + victim), said);
            assertTrue(said.contains("all-reduce"), said);
            assertTrue(tookMs.get(rank) <= ERROR_MS_MAX, tookMs.toString());
        }
        assertNothingLeft(IntStream.of(survivors));
        assertFalse(SharedMemoryFolder.leftIn(memoryOf(victim)).isEmpty(), "who is killed removes nothing");
        nodes.set(victim, LabNode.start(hosts.get(victim), memoryOf(victim)));
        verify("the next group of this name", run("killed", SETTLE_MS, UDP_ONLY), UDP, Map.of());
    }
}
