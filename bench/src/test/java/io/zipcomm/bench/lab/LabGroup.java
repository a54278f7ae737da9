package io.zipcomm.bench.lab;

import io.zipcomm.bench.Main;
import io.zipcomm.bench.cluster.ChildJvm;
import io.zipcomm.bench.cluster.GroupEnvironment;
import io.zipcomm.settings.Setting;
import io.zipcomm.testkit.lab.LabHost;
import io.zipcomm.testkit.lab.NatFlavour;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A group of ranks in a lab, on its way. */
public final class LabGroup {

    /** Where relays of labs listen: behind some gateways nothing else can be reached. */
    private static final int RELAY_PORT = NatFlavour.HTTPS_PORT;

    private static final Duration RELAY_START = Duration.ofSeconds(30);

    private final String name;
    private final List<LabNode> nodes;
    private final List<CompletableFuture<List<String>>> stories = new ArrayList<>();

    private LabGroup(String name, List<LabNode> nodes) {
        this.name = name;
        this.nodes = nodes;
    }

    /**
     * How a rank fared.
     *
     * @param joinedMs      since it began to join
     * @param messageMs     from then on to the first message
     * @param paths         of each peer
     * @param collectives   how many gave the right result
     * @param collectivesMs how long they took
     * @param timesUs       see {@link LabTimes#measure}; empty if nobody asked
     * @param failure       what went wrong; null if nothing
     */
    record Rank(
            long joinedMs,
            long messageMs,
            Map<Integer, Path> paths,
            int collectives,
            long collectivesMs,
            List<Long> timesUs,
            String failure) {

        private static Rank of(List<String> lines) {
            Map<String, long[]> numbers = new LinkedHashMap<>();
            Map<Integer, Path> paths = new TreeMap<>();
            String failure = null;
            for (String line : lines) {
                String[] words = line.split(" ", -1);
                switch (words[0]) {
                    case "path" -> paths.put(Integer.parseInt(words[1]), new Path(words[2], Long.parseLong(words[3])));
                    case "failed" -> failure = line.substring("failed ".length());
                    default -> numbers.put(words[0], longs(words));
                }
            }
            long[] collectives = numbers.getOrDefault("collectives", new long[2]);
            return new Rank(
                    numbers.getOrDefault("joined", new long[] {-1})[0],
                    numbers.getOrDefault("message", new long[] {-1})[0],
                    paths,
                    (int) collectives[0],
                    collectives[1],
                    Arrays.stream(numbers.getOrDefault("times", new long[0]))
                            .boxed()
                            .toList(),
                    failure);
        }

        private static long[] longs(String[] words) {
            return List.of(words).stream().skip(1).mapToLong(Long::parseLong).toArray();
        }

        /** One that told nothing more. */
        private static Rank lost(String why) {
            return new Rank(-1, -1, Map.of(), 0, 0, List.of(), why);
        }
    }

    /**
     * How frames to a peer go.
     *
     * @param name     {@code relay}, or that of a direct path
     * @param directMs when it became direct, since this rank had joined; -1 if never
     */
    record Path(String name, long directMs) {

        boolean isDirect() {
            return !name.equals("relay");
        }
    }

    /**
     * Starts a relay that admits everybody. It ends with the lab.
     *
     * @return its address, as {@code HOST:PORT}
     */
    public static String startRelay(LabHost host) throws IOException {
        startRelay(host, "0.0.0.0:" + RELAY_PORT);
        return host.address().getHostAddress() + ":" + RELAY_PORT;
    }

    /** The same by IPv6. */
    static String startRelayV6(LabHost host) throws IOException {
        startRelay(host, "[::]:" + RELAY_PORT);
        return "[" + host.addressV6().orElseThrow().getHostAddress() + "]:" + RELAY_PORT;
    }

    private static void startRelay(LabHost host, String listen) throws IOException {
        List<String> command =
                ChildJvm.command(ChildJvm.flags(), Main.class, "relay", "--listen", listen, "--insecure");
        Process process = new ProcessBuilder(host.command(command))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        // Its output stays open: nothing more is written there until it ends.
        BufferedReader lines = process.inputReader(StandardCharsets.UTF_8);
        CompletableFuture<String> first = CompletableFuture.supplyAsync(() -> {
            try {
                return lines.readLine();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        String line = first.completeOnTimeout("nothing", RELAY_START.toMillis(), TimeUnit.MILLISECONDS)
                .join();
        if (line == null || !line.contains("listening")) {
            throw new IOException("the relay did not start within " + RELAY_START + ", it said: " + line);
        }
    }

    /**
     * Starts a group.
     *
     * @param relay    its address
     * @param name     of the session
     * @param nodes    where its ranks are, in rank order
     * @param settleMs how long to wait for direct paths
     */
    static LabGroup start(String relay, String name, List<LabNode> nodes, long settleMs) {
        return start(relay, name, nodes, settleMs, Map.of());
    }

    /** The same with further settings. */
    static LabGroup start(
            String relay, String name, List<LabNode> nodes, long settleMs, Map<Setting, String> settings) {
        return start(relay, name, nodes, settleMs, settings, (rank, line) -> {});
    }

    /** Hears what ranks tell, on threads of their nodes. */
    interface Listener {

        /** A rank has told something. */
        void told(int rank, String line);
    }

    /** The same, heard while it happens. */
    static LabGroup start(
            String relay,
            String name,
            List<LabNode> nodes,
            long settleMs,
            Map<Setting, String> settings,
            Listener listener) {
        LabGroup group = new LabGroup(name, nodes);
        GroupEnvironment environment = new GroupEnvironment(relay, name, nodes.size(), "auto", "", settings);
        for (int rank = 0; rank < nodes.size(); rank++) {
            Map<String, String> variables = environment.forRank(rank);
            variables.remove(Setting.TOKEN.variable());
            int of = rank;
            group.stories.add(nodes.get(rank).run(settleMs, variables, line -> listener.told(of, line)));
        }
        return group;
    }

    String name() {
        return name;
    }

    /**
     * Waits for the end of all ranks.
     *
     * @param deadlineNs instant after which a rank counts as failed
     */
    List<Rank> await(long deadlineNs) throws InterruptedException {
        List<Rank> ranks = new ArrayList<>();
        for (int rank = 0; rank < stories.size(); rank++) {
            long leftNs = Math.max(1, deadlineNs - System.nanoTime());
            try {
                ranks.add(Rank.of(stories.get(rank).get(leftNs, TimeUnit.NANOSECONDS)));
            } catch (TimeoutException e) {
                ranks.add(Rank.lost(nodes.get(rank).host() + " is not done in time"));
            } catch (ExecutionException e) {
                ranks.add(Rank.lost(e.getCause().toString()));
            }
        }
        return ranks;
    }
}
