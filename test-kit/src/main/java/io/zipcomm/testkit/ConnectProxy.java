package io.zipcomm.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** An HTTP proxy for tests that knows CONNECT only, on the loopback interface. */
public final class ConnectProxy implements AutoCloseable {

    private static final int HEAD_BYTES_MAX = 8192;
    private static final int PIECE_BYTES = 1 << 16;
    private static final int CONNECT_MS = 5000;
    private static final int JOIN_MS = 5000;

    private final ServerSocket listener;
    private final String expected;
    private final String answer;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final List<Thread> threads = new CopyOnWriteArrayList<>();
    private final List<String> targets = new CopyOnWriteArrayList<>();

    private ConnectProxy(String credentials, String answer) {
        this.answer = answer;
        expected = credentials.isEmpty()
                ? ""
                : "Basic " + Base64.getEncoder().encodeToString(credentials.getBytes(StandardCharsets.UTF_8));
        try {
            listener = new ServerSocket(0, 128, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        start("proxy-accept", this::acceptAll);
    }

    /** A proxy that connects whoever asks. */
    public static ConnectProxy open() {
        return new ConnectProxy("", null);
    }

    /**
     * A proxy that wants to know who asks.
     *
     * @param credentials {@code user:password}
     */
    public static ConnectProxy guarded(String credentials) {
        return new ConnectProxy(credentials, null);
    }

    /**
     * A proxy that always answers the same and connects nobody.
     *
     * @param answer a status such as {@code 403 Forbidden}; empty for no answer at all
     */
    public static ConnectProxy answering(String answer) {
        return new ConnectProxy("", answer);
    }

    /** Port that it listens on. */
    public int port() {
        return listener.getLocalPort();
    }

    /** What it was asked to connect to, as {@code host:port}, in order. */
    public List<String> targets() {
        return List.copyOf(targets);
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
                start("proxy-client", () -> serve(client));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket client) {
        try {
            String head = head(client.getInputStream());
            String[] first = head.lines().findFirst().orElse("").split(" ", -1);
            if (first.length < 2 || !first[0].equals("CONNECT")) {
                say(client, "405 Method Not Allowed");
                return;
            }
            targets.add(first[1]);
            boolean known = expected.isEmpty()
                    || head.lines().anyMatch(line -> line.equalsIgnoreCase("Proxy-Authorization: " + expected));
            if (answer != null || !known) {
                say(client, answer != null ? answer : "407 Proxy Authentication Required");
                return;
            }
            int colon = first[1].lastIndexOf(':');
            String host = first[1].substring(0, colon).replace("[", "").replace("]", "");
            Socket target = new Socket();
            open.add(target);
            target.setTcpNoDelay(true);
            client.setTcpNoDelay(true);
            try {
                target.connect(
                        new InetSocketAddress(host, Integer.parseInt(first[1].substring(colon + 1))), CONNECT_MS);
            } catch (IOException e) {
                say(client, "502 Bad Gateway");
                return;
            }
            say(client, "200 Connection established");
            start("proxy-back", () -> pump(target, client));
            pump(client, target);
        } catch (IOException e) {
            close(client);
        }
    }

    private static String head(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int one = in.read();
            if (one < 0 || head.length() > HEAD_BYTES_MAX) {
                throw new IOException("no request");
            }
            head.append((char) one);
        }
        return head.toString();
    }

    private void say(Socket client, String status) throws IOException {
        if (!status.isEmpty()) {
            String head = "HTTP/1.1 " + status + "\r\nVia: a test\r\n\r\n";
            client.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
            if (!status.startsWith("200")) {
                close(client);
            }
        }
    }

    private void pump(Socket from, Socket to) {
        byte[] piece = new byte[PIECE_BYTES];
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int bytes = in.read(piece); bytes >= 0; bytes = in.read(piece)) {
                out.write(piece, 0, bytes);
            }
            to.shutdownOutput();
        } catch (IOException e) {
            close(from);
            close(to);
        }
    }

    private void close(Socket socket) {
        open.remove(socket);
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends every connection, whatever is under way. */
    public void cutOff() {
        open.forEach(this::close);
    }

    @Override
    public void close() {
        try {
            listener.close();
            cutOff();
            for (Thread thread : threads) {
                thread.join(JOIN_MS);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
