package io.zipcomm.bench.cluster;

import io.zipcomm.bench.machine.ProcessStatus;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/** A server of somebody else's on a free port of loopback. It ends with this process, also if that is killed. */
final class ServerProcess implements AutoCloseable {

    /** Tells whether a server can be used. */
    interface Probe {

        /** Asked again and again from the start on. */
        boolean answers(InetSocketAddress address);
    }

    private static final Duration START_LIMIT = Duration.ofSeconds(10);
    private static final int ATTEMPTS = 3;
    private static final int LINES_KEPT = 20;
    private static final long PAUSE_MS = 10;

    /**
     * The server, and beside it a reader of the harness' end of the line, which ends the server when it is cut. The shell
     * waits for the server also when it is asked to end itself, so that nobody else has to.
     */
    private static final String WATCHED = """
            exec 3<&0
            "$@" </dev/null &
            server=$!
            trap 'kill $server' TERM
            { cat <&3 >/dev/null; kill $server; } &
            wait $server
            wait $server
            """;

    private final String program;
    private final ProcessGroup processes;
    private final Deque<String> lines = new ArrayDeque<>();
    private final int port;

    private ServerProcess(String program, IntFunction<List<String>> command, int port) throws IOException {
        this.program = program;
        this.port = port;
        String session = GroupEnvironment.randomSession(program);
        processes = new ProcessGroup(this::take, new GroupEnvironment("", session, 1, program, "").mark());
        List<String> watched = new ArrayList<>(List.of("sh", "-c", WATCHED, "sh"));
        watched.addAll(command.apply(port));
        processes.start(watched, Map.of());
    }

    /**
     * Starts a server and waits until it answers.
     *
     * @param program what it is called
     * @param command makes the command line for a port
     * @throws WorkerFailure with what it said last, if it does not in time
     */
    static ServerProcess start(String program, IntFunction<List<String>> command, Probe probe)
            throws WorkerFailure, InterruptedException {
        WorkerFailure last = null;
        // Between looking for a free port and taking it, somebody else may take it.
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            ServerProcess server = null;
            try {
                server = new ServerProcess(program, command, freePort());
                server.awaitAnswer(probe);
                return server;
            } catch (IOException e) {
                throw new WorkerFailure("cannot start " + program + ": " + e.getMessage());
            } catch (WorkerFailure e) {
                last = e;
                server.close();
            } catch (InterruptedException e) {
                server.close();
                throw e;
            }
        }
        throw last;
    }

    /** As {@link #start(String, IntFunction, Probe)}, on a port that is known to be free. */
    static ServerProcess startAt(int port, String program, IntFunction<List<String>> command, Probe probe)
            throws WorkerFailure, InterruptedException, IOException {
        ServerProcess server = new ServerProcess(program, command, port);
        try {
            server.awaitAnswer(probe);
            return server;
        } catch (WorkerFailure | InterruptedException e) {
            server.close();
            throw e;
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private void awaitAnswer(Probe probe) throws WorkerFailure, InterruptedException {
        long deadline = System.nanoTime() + START_LIMIT.toNanos();
        while (!probe.answers(address())) {
            ProcessGroup.Exit exit = processes.nextExit(Duration.ofMillis(PAUSE_MS));
            if (exit != null || System.nanoTime() > deadline) {
                processes.drainOutput();
                String how = exit == null
                        ? "does not answer on port " + port + " within " + START_LIMIT.toSeconds() + " s"
                        : "ended with exit code " + exit.exitCode();
                throw new WorkerFailure(program + " " + how + lastLines());
            }
        }
    }

    private void take(int rank, boolean error, byte[] line) {
        synchronized (lines) {
            if (lines.size() == LINES_KEPT) {
                lines.removeFirst();
            }
            lines.addLast(new String(line, StandardCharsets.UTF_8));
        }
    }

    private String lastLines() {
        synchronized (lines) {
            StringBuilder text = new StringBuilder();
            lines.forEach(line -> text.append("\n  | ").append(line));
            return text.toString();
        }
    }

    /** Where it listens. */
    InetSocketAddress address() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    /** Resident memory of the server at its peak; NaN if it cannot be read. */
    double peakMemoryBytes() {
        return processes
                .child(0)
                .descendants()
                .mapToDouble(one -> ProcessStatus.peakMemoryBytes(one.pid()))
                .max()
                .orElse(Double.NaN);
    }

    /** Kills the server without warning. */
    void kill() {
        processes.child(0).descendants().forEach(ProcessHandle::destroyForcibly);
    }

    @Override
    public void close() {
        processes.close();
    }
}
