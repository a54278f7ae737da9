package io.zipcomm.transport.aeron;

import io.zipcomm.membership.GroupView;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.DirectWiring;
import io.zipcomm.transport.DirectTransport;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.tcp.TcpTransportProvider;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

/** A rank that shares memory with others, without engine or relay: driven turn by turn here, or in a process of its own. */
final class MemoryRank implements PathEvents, AutoCloseable {

    private static final long SEED = 7;

    private final Transport base;
    final DirectTransport transport;
    private final List<Outcomes> outcomes = new ArrayList<>();

    MemoryRank(java.nio.file.Path directory, int size, int rank) {
        ZipSettings settings =
                AeronWiring.settings(size, rank, TransportChoice.AERON_IPC, directory.toString(), "auto");
        base = new TcpTransportProvider().open(settings);
        transport = new AeronIpcProvider().open(settings, base).get(0);
        Stream.generate(Outcomes::new).limit(size).forEach(outcomes::add);
        // All publish the same.
        List<GroupView> views = DirectWiring.views(SEED, Collections.nCopies(size, transport.candidates()));
        transport.start(views.get(rank), this);
    }

    /** What it was told of a peer. */
    Outcomes of(int peer) {
        return outcomes.get(peer);
    }

    @Override
    public void opened(Path path) {
        of(path.peer()).opened(path);
    }

    @Override
    public void unreachable(int peer, String reason) {
        of(peer).unreachable(peer, reason);
    }

    @Override
    public void punchWanted(int peer) {
        throw new AssertionError("nobody is behind a NAT here");
    }

    @Override
    public void relayLost(String reason) {
        throw new AssertionError(reason);
    }

    @Override
    public void close() {
        transport.close();
        base.close();
    }

    @Override
    public String toString() {
        return outcomes.toString();
    }

    /** Starts a process that is one rank, until it is killed. */
    static Process start(java.nio.file.Path directory, int size, int rank) throws IOException {
        Process process = new ProcessBuilder(
                        java.nio.file.Path.of(System.getProperty("java.home"), "bin", "java")
                                .toString(),
                        "-XX:+IgnoreUnrecognizedVMOptions",
                        "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-Xmx128m",
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        MemoryRank.class.getName(),
                        directory.toString(),
                        Integer.toString(size),
                        Integer.toString(rank))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        if (!"in".equals(process.inputReader(StandardCharsets.US_ASCII).readLine())) {
            throw new IOException("rank " + rank + " did not start");
        }
        return process;
    }

    /** Such a process. */
    public static void main(String[] args) throws InterruptedException {
        try (MemoryRank rank =
                new MemoryRank(java.nio.file.Path.of(args[0]), Integer.parseInt(args[1]), Integer.parseInt(args[2]))) {
            System.out.println("in");
            while (true) {
                rank.transport.poll();
                Thread.sleep(0, 100_000);
            }
        }
    }
}
