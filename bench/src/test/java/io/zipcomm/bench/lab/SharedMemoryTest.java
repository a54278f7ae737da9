package io.zipcomm.bench.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.settings.Setting;
import io.zipcomm.testkit.SharedMemoryFolder;
import io.zipcomm.testkit.lab.LabHost;
import io.zipcomm.testkit.lab.LabNat;
import io.zipcomm.testkit.lab.NatFlavour;
import io.zipcomm.testkit.lab.NetworkLab;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Ranks of which some share memory. Hosts of a lab have one kernel, so a directory for each stands for the memory of a host,
 * and one for two hosts is a volume that two containers have in common.
 */
@Tag("once")
final class SharedMemoryTest {

    /** For links that are to become direct; those that cannot wait as long: longer than a try. */
    private static final long SETTLE_MS = 8000;

    private static final long LIMIT_S = 60;
    private static final int COLLECTIVES = 2 * 13;

    @TempDir(factory = SharedMemoryFolder.class)
    private Path oneMemory;

    @TempDir(factory = SharedMemoryFolder.class)
    private Path otherMemory;

    private NetworkLab lab;
    private String relay;

    @BeforeEach
    void open() throws IOException {
        assumeTrue(NetworkLab.unavailabilityReason() == null, NetworkLab.unavailabilityReason());
        lab = NetworkLab.open();
        relay = LabGroup.startRelay(lab.publicHost("relay"));
    }

    @AfterEach
    void close() {
        if (lab != null) {
            lab.close();
        }
    }

    private static List<LabGroup.Rank> await(LabGroup group) throws InterruptedException {
        return group.await(System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_S));
    }

    /** Which paths each rank has to the others, and that all it did was right. */
    private static void verify(String name, List<LabGroup.Rank> ranks, String[][] expected) {
        System.out.println(name + ": path, and when it became direct (ms), from each rank (rows) to each");
        for (int rank = 0; rank < ranks.size(); rank++) {
            System.out.println(row(rank, ranks.get(rank)));
        }
        for (int rank = 0; rank < ranks.size(); rank++) {
            LabGroup.Rank one = ranks.get(rank);
            assertNull(one.failure(), "rank " + rank);
            assertEquals(COLLECTIVES, one.collectives(), "rank " + rank);
            List<String> found = IntStream.range(0, ranks.size())
                    .mapToObj(peer -> one.paths().containsKey(peer)
                            ? one.paths().get(peer).name()
                            : "")
                    .toList();
            assertEquals(List.of(expected[rank]), found, "paths of rank " + rank);
        }
    }

    private static String row(int rank, LabGroup.Rank one) {
        StringBuilder row = new StringBuilder().append(rank).append(": ");
        for (int peer = 0; peer <= one.paths().size(); peer++) {
            LabGroup.Path path = one.paths().get(peer);
            row.append(String.format(
                    "%-16s", path == null ? "-" : path.name() + (path.isDirect() ? " " + path.directMs() : "")));
        }
        return row.append(one.collectives())
                .append(" collectives right in ")
                .append(one.collectivesMs())
                .append(" ms")
                .append(one.failure() == null ? "" : ", " + one.failure())
                .toString();
    }

    /** Two hosts of one site, which connect by its private network, and two that nothing but the relay reaches. */
    @Test
    void shouldUseMemoryTcpAndTheRelayInOneGroup() throws InterruptedException, IOException {
        LabNat site = lab.nat("site", NatFlavour.SYMMETRIC);
        LabHost one = site.host("one");
        LabHost other = site.host("other");
        List<LabNode> nodes = List.of(
                LabNode.start(one, oneMemory),
                LabNode.start(one, oneMemory),
                LabNode.start(other, otherMemory),
                LabNode.start(other, otherMemory),
                LabNode.start(lab.nat("far-1", NatFlavour.SYMMETRIC).host("alone-1")),
                LabNode.start(lab.nat("far-2", NatFlavour.SYMMETRIC).host("alone-2")));
        List<LabGroup.Rank> ranks = await(LabGroup.start(relay, "both-kinds", nodes, SETTLE_MS));
        String memory = "aeron-ipc";
        verify("memory, TCP and relay", ranks, new String[][] {
            {"", memory, "tcp", "tcp", "relay", "relay"},
            {memory, "", "tcp", "tcp", "relay", "relay"},
            {"tcp", "tcp", "", memory, "relay", "relay"},
            {"tcp", "tcp", memory, "", "relay", "relay"},
            {"relay", "relay", "relay", "relay", "", "relay"},
            {"relay", "relay", "relay", "relay", "relay", ""}
        });
        assertEquals(List.of(), SharedMemoryFolder.leftIn(oneMemory));
        assertEquals(List.of(), SharedMemoryFolder.leftIn(otherMemory));
    }

    @Test
    void shouldMeetInACommonDirectoryWithoutARoute() throws InterruptedException, IOException {
        LabHost one = lab.publicHost("one");
        LabHost other = lab.publicHost("other");
        forget(one, other);
        forget(other, one);
        List<LabNode> nodes = List.of(LabNode.start(one, oneMemory), LabNode.start(other, oneMemory));
        LabGroup common = LabGroup.start(relay, "common-volume", nodes, SETTLE_MS);
        LabGroup apart = LabGroup.start(relay, "no-volume", nodes, SETTLE_MS, Map.of(Setting.SHARED_MEMORY, "none"));
        verify("common volume", await(common), new String[][] {{"", "aeron-ipc"}, {"aeron-ipc", ""}});
        verify("no volume", await(apart), new String[][] {{"", "relay"}, {"relay", ""}});
        assertEquals(List.of(), SharedMemoryFolder.leftIn(oneMemory));
    }

    /** Takes the route to a host from another one. */
    private static void forget(LabHost host, LabHost target) throws IOException, InterruptedException {
        run(host, "ip", "route", "add", "unreachable", target.address().getHostAddress() + "/32");
        run(
                host,
                "ip",
                "-6",
                "route",
                "add",
                "unreachable",
                target.addressV6().orElseThrow().getHostAddress() + "/128");
    }

    private static void run(LabHost host, String... command) throws IOException, InterruptedException {
        Process process = host.start(List.of(command), Map.of());
        assertTrue(process.waitFor(10, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), String.join(" ", command));
    }
}
