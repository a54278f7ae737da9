package io.zipcomm.bench.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.bench.cluster.GroupEnvironment;
import io.zipcomm.settings.Setting;
import io.zipcomm.testkit.SharedMemoryFolder;
import io.zipcomm.testkit.lab.LabNat;
import io.zipcomm.testkit.lab.NatFlavour;
import io.zipcomm.testkit.lab.NetworkLab;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A gateway drops the datagrams of its host in the middle of messages and sums both ways: the links go on by the relay and move to UDP
 * again, and not one byte is lost, repeated or out of place.
 */
@Tag("once")
final class ForgottenUdpTest {

    private static final int HOSTS = 3;
    private static final int ROUNDS = 1;
    private static final int MANY_ROUNDS = 4;

    private static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(60);
    private static final long PAUSE_MS = 200;

    @TempDir(factory = SharedMemoryFolder.class)
    private Path memory;

    private final Links[] links = new Links[HOSTS];

    /** What a rank has told of its links. */
    private record Links(int direct, int resumed, int overUdp) {
        private static Links of(String line) {
            String[] words = line.split(" ", -1);
            return new Links(Integer.parseInt(words[1]), Integer.parseInt(words[2]), Integer.parseInt(words[3]));
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
        Arrays.fill(links, new Links(0, 0, 0));
        try (NetworkLab lab = NetworkLab.open()) {
            String relay = LabGroup.startRelay(lab.publicHost("relay"));
            List<LabNat> gateways = new ArrayList<>();
            List<LabNode> nodes = new ArrayList<>();
            for (int i = 0; i < HOSTS; i++) {
                gateways.add(lab.nat("gateway" + i, NatFlavour.PUBLIC));
                Path own = Files.createDirectory(memory.resolve("host" + i));
                nodes.add(LabNode.start(gateways.get(i).host("host" + i), own));
            }
            List<CompletableFuture<List<String>>> stories = begin(relay, nodes);
            await("all links over UDP", one -> one.overUdp == HOSTS - 1, stories);
            for (int round = 0; round < rounds; round++) {
                TimeUnit.MILLISECONDS.sleep(PAUSE_MS);
                // All links of one host.
                int cut = round % HOSTS;
                int[] before = Arrays.stream(links()).mapToInt(Links::resumed).toArray();
                gateways.get(cut).cutUdp();
                await("links of rank " + cut + " resumed, round " + round, before, cut, stories);
                gateways.get(cut).healUdp();
                await("all links over UDP again, round " + round, one -> one.overUdp == HOSTS - 1, stories);
            }
            for (LabNode node : nodes) {
                node.stop();
            }
            compare(stories);
        }
    }

    private List<CompletableFuture<List<String>>> begin(String relay, List<LabNode> nodes) {
        Map<Setting, String> settings = Map.of(Setting.AERON_UDP, "on");
        GroupEnvironment environment = new GroupEnvironment(relay, "forgotten-udp", HOSTS, "auto", "", settings);
        List<CompletableFuture<List<String>>> stories = new ArrayList<>();
        for (int rank = 0; rank < HOSTS; rank++) {
            int of = rank;
            Map<String, String> variables = environment.forRank(rank);
            variables.remove(Setting.TOKEN.variable());
            stories.add(nodes.get(rank).run(LabRank.FEW_LENGTHS, variables, line -> {
                if (line.startsWith("links ")) {
                    set(of, Links.of(line));
                }
            }));
        }
        return stories;
    }

    private synchronized Links[] links() {
        return links.clone();
    }

    private synchronized void set(int rank, Links now) {
        links[rank] = now;
        notifyAll();
    }

    /** Until all links of one rank have been lost once more. */
    private void await(String what, int[] before, int cut, List<CompletableFuture<List<String>>> stories)
            throws InterruptedException {
        await(
                what,
                () -> {
                    boolean all = true;
                    for (int rank = 0; rank < HOSTS; rank++) {
                        all &= links[rank].resumed >= before[rank] + (rank == cut ? HOSTS - 1 : 1);
                    }
                    return all;
                },
                stories);
    }

    /** Until it is so at all ranks. */
    private void await(String what, Predicate<Links> condition, List<CompletableFuture<List<String>>> stories)
            throws InterruptedException {
        await(what, () -> Arrays.stream(links).allMatch(condition), stories);
    }

    private synchronized void await(
            String what, BooleanSupplier condition, List<CompletableFuture<List<String>>> stories)
            throws InterruptedException {
        long beganNs = System.nanoTime();
        while (!condition.getAsBoolean()) {
            long leftMs = TimeUnit.NANOSECONDS.toMillis(beganNs + LIMIT_NS - System.nanoTime());
            assertTrue(leftMs > 0, () -> "not in time: " + what + ": " + Arrays.toString(links));
            for (CompletableFuture<List<String>> story : stories) {
                assertTrue(!story.isDone(), () -> what + ": " + story);
            }
            wait(Math.min(leftMs, 1000));
        }
        System.out.printf("%s after %d ms%n", what, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - beganNs));
    }

    private void compare(List<CompletableFuture<List<String>>> stories)
            throws InterruptedException, ExecutionException, TimeoutException, IOException {
        String[][] sent = new String[HOSTS][HOSTS];
        String[][] received = new String[HOSTS][HOSTS];
        long bytes = 0;
        for (int rank = 0; rank < HOSTS; rank++) {
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
        for (int from = 0; from < HOSTS; from++) {
            for (int to = 0; to < HOSTS; to++) {
                if (from != to) {
                    assertNotNull(sent[from][to]);
                    assertEquals(sent[from][to], received[from][to], "from rank " + from + " to rank " + to);
                }
            }
        }
        int resumed = Arrays.stream(links()).mapToInt(Links::resumed).sum();
        System.out.printf(
                "%,d bytes over %d links, which were lost %d times: every sum is right%n",
                bytes, HOSTS * (HOSTS - 1) / 2, resumed / 2);
    }
}
