package io.zipcomm.collectives;

import io.zipcomm.wire.Frame;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** One rank's way to the relay, through a port of its own, of which the connections can be cut. Each direction has a thread. */
final class CuttableWay implements AutoCloseable {

    private static final int BUFFER_BYTES = 16 << 10;

    private static final int NOTHING = -1;

    /** The first byte of a message that attaches a data connection: its field in {@code ToRelay}. */
    private static final int ATTACH = 2 << 3 | 2;

    /** Where a connection is cut. The other end hears of it only from somebody else. */
    enum End {
        RANK,
        RELAY,
        BOTH
    }

    private static final class Connection {
        final Socket near;
        final Socket far;

        /** What the rank said first; {@link #NOTHING} before. */
        volatile int first = NOTHING;

        Connection(Socket near, Socket far) {
            this.near = near;
            this.far = far;
        }
    }

    private final ServerSocket listening;
    private final InetSocketAddress relay;

    /** Those that were not cut; cut ones whose other end is still open are among the old. */
    private final List<Connection> open = new CopyOnWriteArrayList<>();

    private final List<Connection> old = new CopyOnWriteArrayList<>();
    private final List<Thread> threads = new CopyOnWriteArrayList<>();

    CuttableWay(InetSocketAddress relay) throws IOException {
        this.relay = relay;
        listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        start(this::accept);
    }

    int port() {
        return listening.getLocalPort();
    }

    /** Whether the rank has its two connections, which go through whole. */
    boolean isWhole() {
        return open.size() == 2 && find(true) != null && find(false) != null;
    }

    private Connection find(boolean data) {
        for (Connection one : open) {
            if (one.first != NOTHING && data == (one.first == ATTACH)) {
                return one;
            }
        }
        return null;
    }

    private void start(Runnable task) {
        Thread thread = new Thread(task, "cuttable-way");
        thread.setDaemon(true);
        threads.add(thread);
        thread.start();
    }

    private void accept() {
        while (!listening.isClosed()) {
            Socket near = null;
            try {
                near = listening.accept();
                Connection one = new Connection(near, new Socket(relay.getAddress(), relay.getPort()));
                near.setTcpNoDelay(true);
                one.far.setTcpNoDelay(true);
                open.add(one);
                start(() -> pump(one, one.near, one.far));
                start(() -> pump(one, one.far, one.near));
            } catch (IOException e) {
                // Closed, or no relay listens: so does nobody here.
                reset(near);
            }
        }
    }

    private void pump(Connection one, Socket from, Socket into) {
        byte[] buffer = new byte[BUFFER_BYTES];
        try {
            for (int bytes = from.getInputStream().read(buffer);
                    bytes >= 0;
                    bytes = from.getInputStream().read(buffer)) {
                if (from == one.near && one.first == NOTHING && bytes > Frame.HEADER_BYTES) {
                    one.first = buffer[Frame.HEADER_BYTES];
                }
                into.getOutputStream().write(buffer, 0, bytes);
            }
            into.shutdownOutput();
            if (from.isOutputShutdown()) {
                open.remove(one);
            }
        } catch (IOException e) {
            if (open.remove(one)) {
                reset(one.near);
                reset(one.far);
            }
        }
    }

    /** Cuts the data connection, or that of control. */
    void cut(boolean data, End end) {
        Connection one = find(data);
        if (one != null && open.remove(one)) {
            old.add(one);
            if (end != End.RELAY) {
                reset(one.near);
            }
            if (end != End.RANK) {
                reset(one.far);
            }
        }
    }

    private static void reset(Socket socket) {
        try {
            if (socket != null && !socket.isClosed()) {
                socket.setSoLinger(true, 0);
                socket.close();
            }
        } catch (IOException e) {
            throw new AssertionError("a socket does not close", e);
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
        for (Connection one : open) {
            old.add(one);
        }
        open.clear();
        for (Connection one : old) {
            reset(one.near);
            reset(one.far);
        }
        for (Thread one : threads) {
            join(one);
        }
    }

    private static void join(Thread one) throws IOException {
        try {
            one.join(10_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while a way to the relay closed");
        }
        if (one.isAlive()) {
            throw new AssertionError(one + " has not ended");
        }
    }
}
