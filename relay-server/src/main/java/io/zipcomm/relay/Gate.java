package io.zipcomm.relay;

import io.zipcomm.relay.route.RateLimit;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Who may connect: counts connections and handshakes, in all and by address. Any thread. */
final class Gate {

    /** New connections of so much time may come at once: functions start in crowds. */
    private static final long BURST_NS = TimeUnit.SECONDS.toNanos(2);

    /** What is known of an address. Whoever holds the gate's lock. */
    private static final class Use {
        int connections;
        int handshakes;
        RateLimit arrivals;
    }

    private final RelayState state;

    /** By address, while it has connections or had some a moment ago. */
    private final Map<Object, Use> uses = new HashMap<>();

    private int connections;
    private int handshakes;

    Gate(RelayState state) {
        this.state = state;
    }

    /**
     * A connection that was accepted.
     *
     * @param address where it comes from
     * @return its pass; one with a refusal counts nowhere
     */
    synchronized Pass enter(InetAddress address, long nowNs) {
        RelaySettings settings = state.settings();
        RelayLimits limits = settings.limits();
        Object key = key(address);
        Use use = uses.computeIfAbsent(key, any -> new Use());
        if (use.arrivals == null) {
            use.arrivals = new RateLimit(limits.addressHandshakesPerSecond(), BURST_NS, nowNs);
        }
        use.arrivals.perSecond(limits.addressHandshakesPerSecond(), nowNs);
        Refusal refusal = refusal(settings, use, nowNs);
        if (refusal != null) {
            return new Pass(null, null, refusal);
        }
        connections++;
        handshakes++;
        use.connections++;
        use.handshakes++;
        state.counters().connections.set(connections);
        state.counters().handshakes.set(handshakes);
        return new Pass(this, use, null);
    }

    private Refusal refusal(RelaySettings settings, Use use, long nowNs) {
        RelayLimits limits = settings.limits();
        if (connections >= settings.connectionsMax()) {
            return Refusal.limit(
                    RelayOption.CONNECTIONS_MAX,
                    "there are " + settings.connectionsMax() + " connections, and no more are allowed");
        }
        if (use.connections >= limits.addressConnectionsMax()) {
            return Refusal.limit(
                    RelayOption.ADDRESS_CONNECTIONS_MAX,
                    "there are " + use.connections + " connections from this address, and no more are allowed");
        }
        if (handshakes >= limits.handshakesMax()) {
            return Refusal.limit(
                    RelayOption.HANDSHAKES_MAX,
                    "there are " + handshakes
                            + " connections that have not said who they are, and no more are allowed");
        }
        if (use.handshakes >= limits.addressHandshakesMax()) {
            return Refusal.limit(
                    RelayOption.ADDRESS_HANDSHAKES_MAX,
                    "there are " + use.handshakes
                            + " connections from this address that have not said who they are, and no more are allowed");
        }
        return use.arrivals.tryTake(1, nowNs)
                ? null
                : Refusal.limit(
                        RelayOption.ADDRESS_HANDSHAKES_PER_SECOND,
                        "more than " + limits.addressHandshakesPerSecond()
                                + " connections each second from this address");
    }

    /** Whoever is given an IPv6 network has all of its 64 bits. */
    private static Object key(InetAddress address) {
        return address instanceof Inet6Address
                ? ByteBuffer.wrap(address.getAddress()).getLong()
                : address;
    }

    private synchronized void handshakeOver(Use use) {
        use.handshakes--;
        state.counters().handshakes.set(--handshakes);
    }

    private synchronized void left(Use use) {
        use.connections--;
        state.counters().connections.set(--connections);
    }

    /** Forgets addresses from which nobody is here and nobody came lately. To be called now and then. */
    synchronized void sweep(long nowNs) {
        uses.values().removeIf(use -> use.connections == 0 && use.handshakes == 0 && use.arrivals.isUnused(nowNs));
    }

    /** Addresses that are remembered. */
    synchronized int addresses() {
        return uses.size();
    }

    /** What one connection counts for. Each method does what it says once. Any thread. */
    static final class Pass {
        private final Gate gate;
        private final Use use;
        private final Refusal refusal;
        private boolean handshaking = true;
        private boolean here = true;

        private Pass(Gate gate, Use use, Refusal refusal) {
            this.gate = gate;
            this.use = use;
            this.refusal = refusal;
        }

        /** Why the connection may not stay; null if it may. */
        Refusal refusal() {
            return refusal;
        }

        /** It is known who it is, or it was turned away. */
        synchronized void handshakeOver() {
            if (handshaking && refusal == null) {
                handshaking = false;
                gate.handshakeOver(use);
            }
        }

        /** The connection has ended. */
        synchronized void left() {
            handshakeOver();
            if (here && refusal == null) {
                here = false;
                gate.left(use);
            }
        }
    }
}
