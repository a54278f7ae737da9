package io.zipcomm.bench.cluster;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A Redis server of this machine's own {@code redis-server}, on a free port of loopback, that stores nothing on disk. It
 * ends with this process, also if that is killed.
 */
public final class RedisServer implements AutoCloseable {

    private static final String PROGRAM = "redis-server";
    private static final int PING_MS = 500;
    private static final String PONG = "+PONG";

    private final ServerProcess process;

    private RedisServer(ServerProcess process) {
        this.process = process;
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
        return new RedisServer(ServerProcess.start(
                PROGRAM,
                port -> List.of(
                        PROGRAM,
                        "--port",
                        Integer.toString(port),
                        "--save",
                        "",
                        "--appendonly",
                        "no",
                        "--bind",
                        "127.0.0.1"),
                RedisServer::answers));
    }

    private static boolean answers(InetSocketAddress address) {
        try (Socket socket = new Socket()) {
            socket.connect(address, PING_MS);
            socket.setSoTimeout(PING_MS);
            socket.getOutputStream().write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
            byte[] answer = socket.getInputStream().readNBytes(PONG.length());
            return PONG.equals(new String(answer, StandardCharsets.US_ASCII));
        } catch (IOException e) {
            return false;
        }
    }

    /** Where it listens. */
    InetSocketAddress address() {
        return process.address();
    }

    /** Where it listens, such as {@code redis://127.0.0.1:6379}. */
    public String uri() {
        return "redis://127.0.0.1:" + address().getPort();
    }

    @Override
    public void close() {
        process.close();
    }
}
