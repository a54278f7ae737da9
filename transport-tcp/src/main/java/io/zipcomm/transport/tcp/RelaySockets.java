package io.zipcomm.transport.tcp;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.RelayAccess;
import io.zipcomm.transport.NameLookup;
import io.zipcomm.transport.ProxyAddress;
import io.zipcomm.transport.RelayAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;

/** Connects to a relay, blocking. */
final class RelaySockets {

    /** Pause before a refused connection is tried again: the relay may be starting. */
    private static final long RETRY_NS = 100_000_000;

    /** Longest time for one attempt, from connecting to the end of all handshakes. */
    private static final long ATTEMPT_NS = 10_000_000_000L;

    /** Time between looks whether the thread that joins was interrupted. */
    private static final long LOOK_NS = 20_000_000;

    private RelaySockets() {}

    /**
     * Connects, trying again until the deadline while the relay refuses. What a failure is a part of, and how long it took, is
     * for callers to say.
     *
     * @param access    what it takes to get through
     * @param localPort where from, if there is no proxy; 0 for anywhere
     * @param patient   whether to try again; otherwise the first failure counts
     * @throws ZipException with code RELAY_UNREACHABLE, CANCELLED if the thread is interrupted, whose flag stays set, or
     *     BAD_SETTING for files of TLS that cannot be used
     */
    static StreamSocket connect(
            Poller poller,
            RelayAccess access,
            RelayAddress relay,
            int localPort,
            StreamSocket.Listener listener,
            long deadlineNs,
            boolean patient) {
        int tries = 0;
        while (true) {
            IOException problem;
            boolean lasting = false;
            tries++;
            try {
                long untilNs = Math.min(deadlineNs - poller.nanoTime(), ATTEMPT_NS) + poller.nanoTime();
                return attempt(poller, access, relay, localPort, listener, untilNs);
            } catch (IOException e) {
                problem = e;
                lasting = e instanceof RelayRefusal;
            }
            long leftNs = deadlineNs - poller.nanoTime();
            if (leftNs <= RETRY_NS || !patient || lasting) {
                throw new ZipException(
                        ErrorCode.RELAY_UNREACHABLE,
                        "cannot connect to the relay at " + relay + ", " + tries + " tries: "
                                + Poller.describe(problem),
                        problem);
            }
            poller.pause(RETRY_NS);
            checkInterrupt(relay);
        }
    }

    private static StreamSocket attempt(
            Poller poller,
            RelayAccess access,
            RelayAddress relay,
            int localPort,
            StreamSocket.Listener listener,
            long deadlineNs)
            throws IOException {
        ProxyAddress proxy = access.proxy().orElse(null);
        if (proxy != null && !proxy.serves(relay)) {
            proxy = null;
        }
        AddressRace.Runner connected;
        try {
            List<InetSocketAddress> addresses = proxy == null
                    ? addresses(poller, relay, relay.host(), relay.port(), deadlineNs)
                    : addresses(poller, relay, proxy.host(), proxy.port(), deadlineNs);
            connected = AddressRace.connect(poller, relay, addresses, proxy == null ? localPort : 0, deadlineNs);
        } catch (IOException e) {
            if (proxy == null || e instanceof RelayRefusal) {
                throw e;
            }
            throw new IOException("proxy at " + proxy + ": " + e.getMessage(), e);
        }
        connected.socket().keepAlive();
        if (proxy == null && relay.scheme() == RelayAddress.Scheme.ZIP) {
            connected.above(listener);
            return connected.socket();
        }
        return RelayLayers.wrap(poller, access, proxy, relay, connected, listener, deadlineNs);
    }

    private static List<InetSocketAddress> addresses(
            Poller poller, RelayAddress relay, String host, int port, long deadlineNs) throws IOException {
        try {
            List<InetSocketAddress> addresses = new ArrayList<>();
            for (InetAddress address : NameLookup.of(host, deadlineNs - poller.nanoTime())) {
                addresses.add(new InetSocketAddress(address, port));
            }
            return addresses;
        } catch (UnknownHostException e) {
            throw new RelayRefusal("unknown host " + host, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw interrupted(relay);
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
            throw interrupted(relay);
        }
    }

    private static ZipException interrupted(RelayAddress relay) {
        return new ZipException(
                ErrorCode.CANCELLED, "the thread was interrupted while it connected to the relay at " + relay);
    }
}
