package io.zipcomm.bench.cluster;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;

/** A Redis server of the harness's own: on a free port of loopback, and without a trace on disk. */
final class RedisServer implements AutoCloseable {

    private static final String PROGRAM = "redis-server";
    private static final Duration START_LIMIT = Duration.ofSeconds(10);
    private static final Duration TURN = Duration.ofMillis(50);
    private static final int CONNECT_TIMEOUT_MS = 1000;
    private static final int LINES_KEPT = 20;

    private final Deque<String> lastLines = new ArrayDeque<>();
    private final ProcessGroup processes = new ProcessGroup(
            (rank, error, line) -> keep(new String(line, StandardCharsets.UTF_8)),
            new EnvironmentMark("ZIP_SESSION", GroupEnvironment.randomSession("redis")));
    private final InetSocketAddress address;

    private RedisServer(InetSocketAddress address) {
        this.address = address;
    }

    /**
     * Starts a server and waits until it takes connections.
     *
     * @throws WorkerFailure if it cannot be started: why, and what it said
     */
    static RedisServer start() throws WorkerFailure, InterruptedException {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, loopback)) {
            port = free.getLocalPort();
        } catch (IOException e) {
            throw new WorkerFailure(PROGRAM + ": there is no free port: " + e.getMessage());
        }
        RedisServer server = new RedisServer(new InetSocketAddress(loopback, port));
        try {
            server.processes.start(command(loopback.getHostAddress(), port), Map.of());
            server.awaitListening();
            return server;
        } catch (IOException e) {
            server.close();
            throw new WorkerFailure(PROGRAM + " cannot be started: " + e.getMessage());
        } catch (WorkerFailure | InterruptedException e) {
            server.close();
            throw e;
        }
    }

    private static List<String> command(String host, int port) {
        return List.of(
                PROGRAM,
                "--bind",
                host,
                "--port",
                Integer.toString(port),
                "--save",
                "",
                "--appendonly",
                "no",
                "--dir",
                System.getProperty("java.io.tmpdir"));
    }

    /** Where it listens. */
    InetSocketAddress address() {
        return address;
    }

    private void awaitListening() throws WorkerFailure, InterruptedException {
        long deadline = System.nanoTime() + START_LIMIT.toNanos();
        while (!isListening()) {
            boolean ended = processes.nextExit(TURN) != null;
            if (ended || System.nanoTime() - deadline > 0) {
                processes.drainOutput();
                throw new WorkerFailure(PROGRAM + " at " + address
                        + (ended ? " ended" : " does not listen after " + START_LIMIT.toSeconds() + " s") + ": "
                        + said());
            }
        }
    }

    private boolean isListening() {
        try (Socket socket = new Socket()) {
            socket.connect(address, CONNECT_TIMEOUT_MS);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private void keep(String line) {
        synchronized (lastLines) {
            if (lastLines.size() == LINES_KEPT) {
                lastLines.removeFirst();
            }
            lastLines.addLast(line);
        }
    }

    private String said() {
        synchronized (lastLines) {
            return lastLines.isEmpty() ? "it said nothing" : String.join("\n", lastLines);
        }
    }

    @Override
    public void close() {
        processes.close();
    }
}
