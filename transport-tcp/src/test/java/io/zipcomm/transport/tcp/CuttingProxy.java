package io.zipcomm.transport.tcp;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Hands on what comes to a port, both ways, and resets all connections when it is told to. Each direction has a thread. */
final class CuttingProxy implements AutoCloseable {

    private static final int BUFFER_BYTES = 64 << 10;

    private final ServerSocket listening;
    private final InetSocketAddress to;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();

    /** What comes from those who connect gets lost. */
    private volatile boolean swallows;

    private final Set<Thread> threads = ConcurrentHashMap.newKeySet();

    CuttingProxy(InetSocketAddress to) throws IOException {
        this.to = to;
        listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        start(this::accept);
    }

    int port() {
        return listening.getLocalPort();
    }

    /** Two for each connection. */
    int openSockets() {
        return open.size();
    }

    private void start(Runnable task) {
        Thread thread = new Thread(
                () -> {
                    task.run();
                    threads.remove(Thread.currentThread());
                },
                "cutting-proxy");
        threads.add(thread);
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        while (!listening.isClosed()) {
            Socket near = null;
            try {
                near = listening.accept();
                Socket far = new Socket(to.getAddress(), to.getPort());
                near.setTcpNoDelay(true);
                far.setTcpNoDelay(true);
                open.add(near);
                open.add(far);
                Socket accepted = near;
                start(() -> pump(accepted, far));
                start(() -> pump(far, accepted));
            } catch (IOException e) {
                // Closed, or the other end does not listen: so does this one not answer.
                reset(near);
            }
        }
    }

    private void pump(Socket from, Socket into) {
        byte[] buffer = new byte[BUFFER_BYTES];
        try {
            for (int bytes = from.getInputStream().read(buffer);
                    bytes >= 0;
                    bytes = from.getInputStream().read(buffer)) {
                if (!swallows || from.getLocalPort() != port()) {
                    into.getOutputStream().write(buffer, 0, bytes);
                }
            }
            into.shutdownOutput();
            if (from.isOutputShutdown()) {
                close(from);
                close(into);
            }
        } catch (IOException e) {
            reset(from);
            reset(into);
        }
    }

    private void close(Socket socket) throws IOException {
        open.remove(socket);
        socket.close();
    }

    private void reset(Socket socket) {
        if (socket == null) {
            return;
        }
        open.remove(socket);
        try {
            socket.setSoLinger(true, 0);
            socket.close();
        } catch (IOException e) {
            // It was closed already.
            open.remove(socket);
        }
    }

    /** From now on nothing of what comes from those who connect gets through, until all is cut. */
    void swallow() {
        swallows = true;
    }

    /** Resets all connections, at both ends. */
    void cut() {
        open.forEach(this::reset);
        swallows = false;
    }

    @Override
    public void close() throws IOException {
        listening.close();
        for (Thread one : threads) {
            while (one.isAlive()) {
                // One that was being accepted may come late.
                cut();
                join(one);
            }
        }
    }

    private static void join(Thread one) throws IOException {
        try {
            one.join(10);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while a proxy closed");
        }
    }
}
