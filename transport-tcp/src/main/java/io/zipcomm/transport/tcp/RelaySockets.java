package io.zipcomm.transport.tcp;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.RelayAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;

/** Connects to a relay, blocking. */
final class RelaySockets {

    /** Pause before a refused connection is tried again: the relay may be starting. */
    private static final long RETRY_NS = 100_000_000;

    /** Time between looks whether the thread that joins was interrupted. */
    private static final long LOOK_NS = 20_000_000;

    private RelaySockets() {}

    /**
     * Connects, trying again until the deadline while the relay refuses.
     *
     * @param localPort where from; 0 for anywhere
     * @throws ZipException with code RELAY_UNREACHABLE, or CANCELLED if the thread is interrupted, whose flag stays set
     */
    static StreamSocket connect(
            Poller poller, RelayAddress relay, int localPort, StreamSocket.Listener listener, long deadlineNs) {
        String problem = "no answer";
        long startedNs = System.nanoTime();
        int tries = 0;
        while (true) {
            Attempt attempt = new Attempt(listener);
            tries++;
            try {
                InetSocketAddress address = new InetSocketAddress(InetAddress.getByName(relay.host()), relay.port());
                attempt.socket =
                        poller.connect(address, localPort, address.getAddress().isLoopbackAddress(), attempt);
                attempt.socket.interest(false, true);
                while (!attempt.connected && deadlineNs - System.nanoTime() > 0) {
                    await(poller, relay, deadlineNs - System.nanoTime());
                    attempt.check();
                }
                if (attempt.connected) {
                    attempt.socket.interest(false, false);
                    return attempt.socket;
                }
            } catch (UnknownHostException e) {
                throw failure(relay, "unknown host " + relay.host(), tries, startedNs);
            } catch (IOException e) {
                problem = e.getMessage();
            } catch (ZipException e) {
                attempt.socket.close();
                throw e;
            }
            if (attempt.socket != null) {
                attempt.socket.close();
            }
            long leftNs = deadlineNs - System.nanoTime();
            if (leftNs <= RETRY_NS) {
                throw failure(relay, problem, tries, startedNs);
            }
            java.util.concurrent.locks.LockSupport.parkNanos(RETRY_NS);
            checkInterrupt(relay);
        }
    }

    /**
     * Waits for sockets for some time, at most for what is left.
     *
     * @throws ZipException with code CANCELLED if the thread is interrupted, whose flag stays set
     */
    static void await(Poller poller, RelayAddress relay, long leftNs) {
        poller.await(Math.min(leftNs, LOOK_NS), () -> false);
        checkInterrupt(relay);
    }

    private static void checkInterrupt(RelayAddress relay) {
        if (Thread.currentThread().isInterrupted()) {
            throw ZipException.of(
                            ErrorCode.CANCELLED,
                            "the thread was interrupted while it connected to the relay at " + relay)
                    .operation("join")
                    .build();
        }
    }

    private static ZipException failure(RelayAddress relay, String problem, int tries, long startedNs) {
        return ZipException.of(
                        ErrorCode.RELAY_UNREACHABLE,
                        "cannot connect to the relay at " + relay + ", " + tries + " tries: " + problem)
                .operation("join")
                .elapsedMs((System.nanoTime() - startedNs) / 1_000_000)
                .build();
    }

    /** Watches one attempt, then hands over to the real listener. */
    private static final class Attempt implements StreamSocket.Listener {
        private final StreamSocket.Listener listener;
        private StreamSocket socket;
        private boolean connected;
        private IOException problem;

        Attempt(StreamSocket.Listener listener) {
            this.listener = listener;
        }

        @Override
        public void ready(boolean readable, boolean writable) {
            if (connected) {
                listener.ready(readable, writable);
                return;
            }
            try {
                connected = socket.finishConnect();
            } catch (IOException e) {
                problem = e;
            }
        }

        void check() throws IOException {
            if (problem != null) {
                throw problem;
            }
        }
    }
}
