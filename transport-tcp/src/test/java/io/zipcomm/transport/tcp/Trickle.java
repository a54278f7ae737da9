package io.zipcomm.transport.tcp;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** Stands in front of a server: what it sends comes in short pieces, with a pause behind each. The other way all passes at once. */
final class Trickle implements AutoCloseable {

    private static final int PIECE_BYTES = 10_000;
    private static final long PAUSE_MS = 1;
    private static final int JOIN_MS = 5000;

    private final int serverPort;
    private final ServerSocket listener;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final CopyOnWriteArrayList<Thread> threads = new CopyOnWriteArrayList<>();

    /**
     * Begins to listen.
     *
     * @param serverPort of a server on the loopback interface
     */
    Trickle(int serverPort) {
        this.serverPort = serverPort;
        try {
            listener = new ServerSocket(0, 128, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        start("trickle-accept", this::acceptAll);
    }

    int port() {
        return listener.getLocalPort();
    }

    private void start(String name, Runnable body) {
        Thread thread = new Thread(body, name);
        thread.setDaemon(true);
        threads.add(thread);
        thread.start();
    }

    private void acceptAll() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                open.add(client);
                Socket server = new Socket(InetAddress.getLoopbackAddress(), serverPort);
                open.add(server);
                client.setTcpNoDelay(true);
                server.setTcpNoDelay(true);
                start("trickle-up", () -> pump(client, server, 0));
                start("trickle-down", () -> pump(server, client, PAUSE_MS));
            } catch (IOException e) {
                // Closed, or the server is.
                return;
            }
        }
    }

    private static void pump(Socket from, Socket to, long pauseMs) {
        byte[] piece = new byte[PIECE_BYTES];
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int bytes = in.read(piece); bytes >= 0; bytes = in.read(piece)) {
                out.write(piece, 0, bytes);
                TimeUnit.MILLISECONDS.sleep(pauseMs);
            }
        } catch (IOException | InterruptedException e) {
            // One of the two is done.
        }
    }

    @Override
    public void close() {
        try {
            listener.close();
            for (Socket one : open) {
                one.close();
            }
            for (Thread thread : threads) {
                thread.join(JOIN_MS);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
