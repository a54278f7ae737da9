package io.zipcomm.bench.doctor;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Arrays;

/**
 * A port like a rank's: listened on, and connected from at the same time. Who says the word that this process has drawn hears it
 * again; everybody else hears nothing.
 */
final class Rendezvous implements AutoCloseable {

    private static final int WORD_BYTES = 16;
    private static final int WORD_TIMEOUT_MS = 1000;

    private final ServerSocketChannel listener;
    private final byte[] word = new byte[WORD_BYTES];

    /** What comes of an attempt to connect. */
    enum Reply {
        /** This process itself has answered. */
        OURS,
        /** Somebody has. */
        OPENED,
        /** An answer that says no. */
        REFUSED,
        /** Nothing came back. */
        SILENCE,
        /** There is no way to it. */
        UNSENT
    }

    private Rendezvous(ServerSocketChannel listener) {
        this.listener = listener;
        new SecureRandom().nextBytes(word);
        Thread thread = new Thread(this::answer, "zip-doctor");
        thread.setDaemon(true);
        thread.start();
    }

    static Rendezvous open() {
        try {
            ServerSocketChannel listener = ServerSocketChannel.open();
            listener.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            listener.setOption(StandardSocketOptions.SO_REUSEPORT, true);
            listener.bind(new InetSocketAddress(0));
            return new Rendezvous(listener);
        } catch (IOException e) {
            throw new UncheckedIOException("no port to listen on", e);
        }
    }

    int port() {
        return listener.socket().getLocalPort();
    }

    /** Connects to an address from another port, and sees who answers. */
    Reply knock(InetSocketAddress address, Duration timeout) {
        int timeoutMs = (int) timeout.toMillis();
        try (Socket socket = new Socket()) {
            socket.connect(address, timeoutMs);
            return saysOurWord(socket, timeoutMs) ? Reply.OURS : Reply.OPENED;
        } catch (SocketTimeoutException e) {
            return Reply.SILENCE;
        } catch (ConnectException e) {
            // A network without a way there is one too.
            return String.valueOf(e.getMessage()).contains("refused") ? Reply.REFUSED : Reply.UNSENT;
        } catch (IOException e) {
            return Reply.UNSENT;
        }
    }

    private boolean saysOurWord(Socket socket, int timeoutMs) {
        try {
            socket.setSoTimeout(timeoutMs);
            socket.getOutputStream().write(word);
            return Arrays.equals(word, new DataInputStream(socket.getInputStream()).readNBytes(WORD_BYTES));
        } catch (IOException e) {
            return false;
        }
    }

    private void answer() {
        while (listener.isOpen()) {
            try (Socket socket = listener.accept().socket()) {
                socket.setSoTimeout(WORD_TIMEOUT_MS);
                byte[] said = socket.getInputStream().readNBytes(WORD_BYTES);
                if (Arrays.equals(word, said)) {
                    socket.getOutputStream().write(word);
                }
            } catch (IOException e) {
                // A stranger went away, or it is over.
            }
        }
    }

    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
