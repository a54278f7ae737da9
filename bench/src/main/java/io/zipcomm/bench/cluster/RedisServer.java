package io.zipcomm.bench.cluster;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;

/**
 * A Redis server of this machine's own {@code redis-server}, on a free port of loopback, that stores nothing on disk. It
 * ends with this process, also if that is killed.
 */
public final class RedisServer implements AutoCloseable {

    private static final String PROGRAM = "redis-server";
    private static final Duration START_LIMIT = Duration.ofSeconds(10);
    private static final int ATTEMPTS = 3;
    private static final int LINES_KEPT = 20;
    private static final int PING_MS = 500;
    private static final long PAUSE_MS = 10;
    private static final String PONG = "+PONG";

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

    private final ProcessGroup processes;
    private final Deque<String> lines = new ArrayDeque<>();
    private final int port;

    private RedisServer() throws IOException {
        String session = GroupEnvironment.randomSession("redis-server");
        processes = new ProcessGroup(this::take, new GroupEnvironment("", session, 1, "redis", "").mark());
        port = freePort();
        String number = Integer.toString(port);
        List<String> server =
                List.of(PROGRAM, "--port", number, "--save", "", "--appendonly", "no", "--bind", "127.0.0.1");
        List<String> command = new ArrayList<>(List.of("sh", "-c", WATCHED, "sh"));
        command.addAll(server);
        processes.start(command, Map.of());
    }

    /** Why there can be none here, as a phrase; null if there can. */
    public static String unavailability() {
        return Program.missing(PROGRAM);
    }

    /**
     * Starts a server and waits until it answers.
     *
     * @throws WorkerFailure with what it said last, if it does not in time
     */
    public static RedisServer start() throws WorkerFailure, InterruptedException {
        String reason = unavailability();
        if (reason != null) {
            throw new WorkerFailure(reason);
        }
        WorkerFailure last = null;
        // Between looking for a free port and taking it, somebody else may take it.
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            RedisServer server = null;
            try {
                server = new RedisServer();
                server.awaitAnswer();
                return server;
            } catch (IOException e) {
                throw new WorkerFailure("cannot start " + PROGRAM + ": " + e.getMessage());
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

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private void awaitAnswer() throws WorkerFailure, InterruptedException {
        long deadline = System.nanoTime() + START_LIMIT.toNanos();
        while (!answers()) {
            ProcessGroup.Exit exit = processes.nextExit(Duration.ofMillis(PAUSE_MS));
            if (exit != null || System.nanoTime() > deadline) {
                processes.drainOutput();
                String how = exit == null
                        ? "does not answer on port " + port + " within " + START_LIMIT.toSeconds() + " s"
                        : "ended with exit code " + exit.exitCode();
                throw new WorkerFailure(PROGRAM + " " + how + lastLines());
            }
        }
    }

    private boolean answers() {
        try (Socket socket = new Socket()) {
            socket.connect(address(), PING_MS);
            socket.setSoTimeout(PING_MS);
            socket.getOutputStream().write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
            byte[] answer = socket.getInputStream().readNBytes(PONG.length());
            return PONG.equals(new String(answer, StandardCharsets.US_ASCII));
        } catch (IOException e) {
            return false;
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

    /** Where it listens, such as {@code redis://127.0.0.1:6379}. */
    public String uri() {
        return "redis://127.0.0.1:" + port;
    }

    @Override
    public void close() {
        processes.close();
    }
}
