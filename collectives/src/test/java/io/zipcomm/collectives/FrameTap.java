package io.zipcomm.collectives;

import io.zipcomm.wire.Frame;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is between ranks and their relay: keeps a copy of all that passes, and may change the frames that ranks send. Sees what a relay
 * would see.
 */
final class FrameTap implements AutoCloseable {

    /** Decides what becomes of a frame on its way to the relay. Called by one thread for each connection, one at a time. */
    @FunctionalInterface
    interface Meddler {

        /**
         * Looks at a frame.
         *
         * @param type  number of its type
         * @param frame header and payload, to be changed as one likes
         * @return what to send in its place
         */
        List<byte[]> frames(int type, byte[] frame);
    }

    private static final Logger LOG = LoggerFactory.getLogger(FrameTap.class);

    private static final long END_MS_MAX = 10_000;

    private final ServerSocket listener;
    private final InetSocketAddress relay;
    private final Meddler meddler;
    private final List<Thread> threads = new ArrayList<>(); // guarded by this
    private final List<Socket> sockets = new ArrayList<>(); // guarded by this
    private final ByteArrayOutputStream seen = new ByteArrayOutputStream(); // guarded by itself
    private boolean closed; // guarded by this

    FrameTap(InetSocketAddress relay, Meddler meddler) throws IOException {
        this.relay = relay;
        this.meddler = meddler;
        listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        run("accept", this::accept);
    }

    /** For a rank's settings. */
    String address() {
        return "127.0.0.1:" + listener.getLocalPort();
    }

    /** All that ranks have sent so far, as it came. */
    byte[] seen() {
        synchronized (seen) {
            return seen.toByteArray();
        }
    }

    private interface Body {
        void run() throws IOException;
    }

    private synchronized void run(String name, Body body) {
        if (closed) {
            return;
        }
        Thread thread = new Thread(
                () -> {
                    try {
                        body.run();
                    } catch (SocketException | EOFException e) {
                        // So is the other, by what the body does at its end.
                        LOG.debug("one end is gone", e);
                    } catch (IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                },
                "tap-" + name);
        threads.add(thread);
        thread.start();
    }

    private void accept() throws IOException {
        while (true) {
            Socket rank = listener.accept();
            Socket server = new Socket(relay.getAddress(), relay.getPort());
            rank.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
            synchronized (this) {
                sockets.add(rank);
                sockets.add(server);
            }
            run("in", () -> {
                try (rank;
                        server) {
                    pass(rank.getInputStream(), server.getOutputStream());
                }
            });
            run("out", () -> {
                try (rank;
                        server) {
                    server.getInputStream().transferTo(rank.getOutputStream());
                }
            });
        }
    }

    private void pass(InputStream from, OutputStream to) throws IOException {
        DataInputStream in = new DataInputStream(from);
        while (true) {
            byte[] header = new byte[Frame.HEADER_BYTES];
            in.readFully(header);
            ByteBuffer fields = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
            byte[] frame = java.util.Arrays.copyOf(header, Frame.HEADER_BYTES + Frame.payloadBytes(fields, 0));
            in.readFully(frame, Frame.HEADER_BYTES, frame.length - Frame.HEADER_BYTES);
            synchronized (seen) {
                seen.write(frame);
            }
            for (byte[] one : meddler.frames(Frame.type(fields, 0), frame)) {
                to.write(one);
            }
            to.flush();
        }
    }

    @Override
    public void close() throws IOException {
        List<Thread> left;
        synchronized (this) {
            closed = true;
            left = new ArrayList<>(threads);
            listener.close();
            for (Socket socket : sockets) {
                socket.close();
            }
        }
        for (Thread thread : left) {
            try {
                TimeUnit.MILLISECONDS.timedJoin(thread, END_MS_MAX);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            if (thread.isAlive()) {
                throw new AssertionError(thread.getName() + " does not end");
            }
        }
    }
}
