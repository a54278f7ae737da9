package io.zipcomm.bench.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.bench.cluster.GroupEnvironment;
import io.zipcomm.settings.Setting;
import io.zipcomm.testkit.lab.NatFlavour;
import io.zipcomm.testkit.lab.NetworkLab;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * From joining to the end of the first all-reduce, all ranks behind NATs: the result comes through the relay and waits for no
 * direct connection. Ranks of one gateway share a process, each as if on a host of its own.
 */
@Tag("once")
final class FirstResultTest {

    private static final int GATEWAYS = 8;
    private static final long LIMIT_S = 60;

    @Test
    void shouldAddUpBeforeAnythingIsPunched()
            throws IOException, InterruptedException, ExecutionException, TimeoutException {
        addUp(4, 16);
    }

    @Test
    @Tag("long")
    void shouldAddUpBeforeAnythingIsPunchedInALargeGroup()
            throws IOException, InterruptedException, ExecutionException, TimeoutException {
        addUp(64);
    }

    private static void addUp(int... sizes)
            throws IOException, InterruptedException, ExecutionException, TimeoutException {
        assumeTrue(NetworkLab.unavailabilityReason() == null, NetworkLab.unavailabilityReason());
        try (NetworkLab lab = NetworkLab.open()) {
            String relay = LabGroup.startRelay(lab.publicHost("relay"));
            List<LabNode> nodes = new ArrayList<>();
            for (int gateway = 0; gateway < GATEWAYS; gateway++) {
                nodes.add(
                        LabNode.start(lab.nat("nat-" + gateway, NatFlavour.CONE).host("host-" + gateway)));
            }
            // The first group finds classes loaded nowhere.
            run(relay, "cold", GATEWAYS, nodes);
            for (int size : sizes) {
                List<long[]> ranks = run(relay, "first-" + size, size, nodes);
                System.out.printf(
                        Locale.ROOT,
                        "%2d ranks behind %d NATs, 10 ms to the relay: joined after %d ms, first all-reduce done %d ms after"
                                + " joining began (slowest rank); direct links by then: %d of %d%n",
                        size,
                        Math.min(size, GATEWAYS),
                        ranks.stream().mapToLong(rank -> rank[0]).max().orElseThrow(),
                        ranks.stream().mapToLong(rank -> rank[1]).max().orElseThrow(),
                        ranks.stream().mapToLong(rank -> rank[2]).sum(),
                        size * (size - 1));
                // Those of one gateway reach each other at once, by their private addresses.
                int neighbours = (size - 1) / GATEWAYS;
                assertTrue(
                        ranks.stream().anyMatch(rank -> rank[2] <= neighbours),
                        "every rank had waited for a punched connection");
            }
        }
    }

    /** Time to be joined, time to the first result, and direct links by then, of each rank. */
    private static List<long[]> run(String relay, String session, int size, List<LabNode> nodes)
            throws InterruptedException, ExecutionException, TimeoutException {
        GroupEnvironment environment = new GroupEnvironment(relay, session, size, "auto", "");
        List<CompletableFuture<List<String>>> stories = new ArrayList<>();
        for (int rank = 0; rank < size; rank++) {
            Map<String, String> variables = environment.forRank(rank);
            variables.remove(Setting.TOKEN.variable());
            variables.put(Setting.HOST_ID.variable(), "host-of-rank-" + rank);
            stories.add(nodes.get(rank % nodes.size()).run(LabRank.FIRST_RESULT, variables));
        }
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_S);
        List<long[]> ranks = new ArrayList<>();
        for (CompletableFuture<List<String>> story : stories) {
            List<String> lines = story.get(Math.max(1, deadlineNs - System.nanoTime()), TimeUnit.NANOSECONDS);
            assertEquals("ok", lines.get(lines.size() - 1), () -> String.join("; ", lines));
            String[] first = lines.get(1).split(" ", -1);
            ranks.add(new long[] {
                Long.parseLong(lines.get(0).split(" ", -1)[1]), Long.parseLong(first[1]), Long.parseLong(first[2])
            });
        }
        return ranks;
    }
}
