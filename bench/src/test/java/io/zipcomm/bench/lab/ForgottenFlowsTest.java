package io.zipcomm.bench.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.bench.cluster.GroupEnvironment;
import io.zipcomm.settings.Setting;
import io.zipcomm.testkit.lab.LabNat;
import io.zipcomm.testkit.lab.NatFlavour;
import io.zipcomm.testkit.lab.NetworkLab;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Gateways forget the direct connections of a group again and again while all of them are loaded both ways: each goes on by
 * the relay and becomes direct again, and not one byte is lost, repeated or out of place.
 */
@Tag("once")
final class ForgottenFlowsTest {

    /**
     * Some reset what they do not know; one drops it silently, so that links end by their silence; one gives forgotten flows a
     * new port, which the other end resets.
     */
    private static final List<NatFlavour> GATEWAYS = List.of(
            NatFlavour.CONE_RESET, NatFlavour.CONE_RESET, NatFlavour.SHORT_IDLE, NatFlavour.ENDPOINT_INDEPENDENT);

    /** Of six links: 6 losses and 6 upgrades. Pauses before an upgrade double, so more take longer. */
    private static final int ROUNDS = 1;

    private static final int MANY_ROUNDS = 4;

    private static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(60);
    private static final long PAUSE_MS = 200;

    private final List<Links> links = new ArrayList<>();

    /** What a rank has told of its links. */
    private record Links(int direct, int resumed) {
        private static Links of(String line) {
            String[] words = line.split(" ", -1);
            return new Links(Integer.parseInt(words[1]), Integer.parseInt(words[2]));
        }
    }

    @Test
    void shouldMoveDownAndUpUnderLoad() throws Exception {
        moveDownAndUp(ROUNDS);
    }

    @Test
    @Tag("long")
    void shouldMoveDownAndUpManyTimesUnderLoad() throws Exception {
        moveDownAndUp(MANY_ROUNDS);
    }

    private void moveDownAndUp(int rounds) throws Exception {
        assumeTrue(NetworkLab.unavailabilityReason() == null, NetworkLab.unavailabilityReason());
        try (NetworkLab lab = NetworkLab.open()) {
            String relay = LabGroup.startRelay(lab.publicHost("relay"));
            List<LabNat> nats = new ArrayList<>();
            List<LabNode> nodes = new ArrayList<>();
            for (int i = 0; i < GATEWAYS.size(); i++) {
                nats.add(lab.nat("nat" + i, GATEWAYS.get(i)));
                nodes.add(LabNode.start(nats.get(i).host("host" + i)));
            }
            int size = nodes.size();
            List<CompletableFuture<List<String>>> stories = begin(relay, nodes);
            await("all links direct", one -> one.direct == size - 1, stories);
            for (int round = 1; round <= rounds; round++) {
                TimeUnit.MILLISECONDS.sleep(PAUSE_MS);
                for (LabNat nat : nats) {
                    for (LabNat other : nats) {
                        if (other != nat) {
                            nat.forget(other.publicAddress());
                        }
                    }
                }
                int resumed = round * (size - 1);
                await("all links resumed, round " + round, one -> one.resumed >= resumed, stories);
                await("all links direct again, round " + round, one -> one.direct == size - 1, stories);
            }
            for (LabNode node : nodes) {
                node.stop();
            }
            compare(stories);
        }
    }

    private List<CompletableFuture<List<String>>> begin(String relay, List<LabNode> nodes) {
        GroupEnvironment environment = new GroupEnvironment(relay, "forgotten", nodes.size(), "auto", "");
        List<CompletableFuture<List<String>>> stories = new ArrayList<>();
        for (int rank = 0; rank < nodes.size(); rank++) {
            links.add(new Links(0, 0));
            int of = rank;
            Map<String, String> variables = environment.forRank(rank);
            variables.remove(Setting.TOKEN.variable());
            stories.add(nodes.get(rank).run(LabRank.LOAD, variables, line -> {
                if (line.startsWith("links ")) {
                    set(of, Links.of(line));
                }
            }));
        }
        return stories;
    }

    private synchronized void set(int rank, Links now) {
        links.set(rank, now);
        notifyAll();
    }

    /** Until it is so at all ranks. */
    private synchronized void await(
            String what, Predicate<Links> condition, List<CompletableFuture<List<String>>> stories)
            throws InterruptedException {
        long beganNs = System.nanoTime();
        while (!links.stream().allMatch(condition)) {
            long leftMs = TimeUnit.NANOSECONDS.toMillis(beganNs + LIMIT_NS - System.nanoTime());
            assertTrue(leftMs > 0, () -> "not in time: " + what + ": " + links);
            for (CompletableFuture<List<String>> story : stories) {
                assertTrue(!story.isDone(), () -> what + ": " + story);
            }
            wait(Math.min(leftMs, 1000));
        }
        System.out.printf("%s after %d ms%n", what, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - beganNs));
    }

    private void compare(List<CompletableFuture<List<String>>> stories)
            throws InterruptedException, ExecutionException, TimeoutException, IOException {
        int size = stories.size();
        String[][] sent = new String[size][size];
        String[][] received = new String[size][size];
        long bytes = 0;
        for (int rank = 0; rank < size; rank++) {
            List<String> lines = stories.get(rank).get(LIMIT_NS, TimeUnit.NANOSECONDS);
            assertEquals("ok", lines.get(lines.size() - 1));
            for (String line : lines) {
                if (line.startsWith("edge ")) {
                    String[] words = line.split(" ", -1);
                    int peer = Integer.parseInt(words[1]);
                    bytes += Long.parseLong(words[2]);
                    sent[rank][peer] = words[3];
                    received[peer][rank] = words[4];
                }
            }
        }
        for (int from = 0; from < size; from++) {
            for (int to = 0; to < size; to++) {
                assertEquals(sent[from][to], received[from][to], "from rank " + from + " to rank " + to);
                assertEquals(from != to, sent[from][to] != null);
            }
        }
        int resumed = links.stream().mapToInt(Links::resumed).sum();
        System.out.printf(
                "%,d bytes over %d links, which were lost %d times: every sum is right%n",
                bytes, size * (size - 1) / 2, resumed / 2);
    }
}
