package io.zipcomm.relay;

import io.zipcomm.relay.route.RateLimit;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** Who may connect: counts connections and handshakes, in all and by address. Any thread. */
final class Gate {

    /** New connections of so much time may come at once: functions start in crowds. */
    private static final long BURST_NS = TimeUnit.SECONDS.toNanos(2);

    /** What is known of an address. Whoever holds the gate's lock. */
    private static final class Use {
        int connections;
        RateLimit arrivals;

        /** The oldest first. */
        final Set<Pass> handshakes = new LinkedHashSet<>();

        private Pass oldest() {
            return handshakes.iterator().next();
        }

        /** For comparing; without any it is as young as can be. */
        private long age() {
            return handshakes.isEmpty() ? Long.MIN_VALUE : -oldest().number;
        }

        void endOldest(RelayOption option, String count) {
            Pass oldest = oldest();
            oldest.handshakeOver();
            oldest.refusal = Refusal.limit(
                    option,
                    "made room for a newer connection: of those that have not said who they are there were " + count);
            oldest.whenEnded.run();
        }
    }

    private static final Comparator<Use> MOST_AND_OLDEST =
            Comparator.<Use>comparingInt(use -> use.handshakes.size()).thenComparingLong(Use::age);

    private final RelayState state;

    /** By address, while it has connections or had some a moment ago. */
    private final Map<Object, Use> uses = new HashMap<>();

    private int connections;
    private int handshakes;
    private long passes;

    Gate(RelayState state) {
        this.state = state;
    }

    /**
     * A connection that was accepted. Where there are as many as may be that have not said who they are, it takes the place of
     * the oldest of them: who is slow to say it has had its time, and nobody keeps others out by saying nothing.
     *
     * @param address where it comes from
     * @return its pass; one with a refusal counts nowhere
     */
    synchronized Pass enter(InetAddress address, long nowNs) {
        RelaySettings settings = state.settings();
        RelayLimits limits = settings.limits();
        Use use = uses.computeIfAbsent(key(address), any -> new Use());
        if (use.arrivals == null) {
            use.arrivals = new RateLimit(limits.addressHandshakesPerSecond(), BURST_NS, nowNs);
        }
        use.arrivals.perSecond(limits.addressHandshakesPerSecond(), nowNs);
        Refusal refusal = refusal(settings, use, nowNs);
        if (refusal != null) {
            return new Pass(this, null, refusal);
        }
        makeRoom(limits, use);
        Pass pass = new Pass(this, use, null);
        connections++;
        handshakes++;
        use.connections++;
        use.handshakes.add(pass);
        state.counters().connections.set(connections);
        state.counters().handshakes.set(handshakes);
        return pass;
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
                    "there are " + limits.addressConnectionsMax()
                            + " connections from this address, and no more are allowed");
        }
        return use.arrivals.tryTake(1, nowNs)
                ? null
                : Refusal.limit(
                        RelayOption.ADDRESS_HANDSHAKES_PER_SECOND,
                        "more than " + limits.addressHandshakesPerSecond()
                                + " connections each second from this address");
    }

    /** Above the limit in all it is the address with most that gives way, which may be that of the newest. */
    private void makeRoom(RelayLimits limits, Use use) {
        while (use.handshakes.size() >= limits.addressHandshakesMax()) {
            use.endOldest(RelayOption.ADDRESS_HANDSHAKES_MAX, use.handshakes.size() + " from this address");
        }
        while (handshakes >= limits.handshakesMax()) {
            Collections.max(uses.values(), MOST_AND_OLDEST)
                    .endOldest(RelayOption.HANDSHAKES_MAX, handshakes + " in all");
        }
    }

    /** Whoever is given an IPv6 network has all of its 64 bits. */
    private static Object key(InetAddress address) {
        return address instanceof Inet6Address
                ? ByteBuffer.wrap(address.getAddress()).getLong()
                : address;
    }

    /** Forgets addresses from which nobody is here and nobody came lately. To be called now and then. */
    synchronized void sweep(long nowNs) {
        uses.values().removeIf(use -> use.connections == 0 && use.handshakes.isEmpty() && use.arrivals.isUnused(nowNs));
    }

    /** Addresses that are remembered. */
    synchronized int addresses() {
        return uses.size();
    }

    /** What one connection counts for. Each method does what it says once. Any thread. */
    static final class Pass {
        private final Gate gate;
        private final Use use;
        private final long number;
        private Refusal refusal;
        private Runnable whenEnded = () -> {};
        private boolean here;

        /** Counts if there is no refusal. By the holder of the gate's lock. */
        private Pass(Gate gate, Use use, Refusal refusal) {
            this.gate = gate;
            this.use = use;
            this.refusal = refusal;
            number = ++gate.passes;
            here = refusal == null;
        }

        /** Why the connection may not stay; null if it may. */
        Refusal refusal() {
            synchronized (gate) {
                return refusal;
            }
        }

        /** Has somebody told, by any thread, when the connection has to make room for others: then there is a refusal. */
        void whenEnded(Runnable told) {
            synchronized (gate) {
                whenEnded = told;
            }
        }

        /** It is known who it is, or it was turned away. */
        void handshakeOver() {
            synchronized (gate) {
                if (use != null && use.handshakes.remove(this)) {
                    gate.state.counters().handshakes.set(--gate.handshakes);
                }
            }
        }

        /** The connection has ended. */
        void left() {
            synchronized (gate) {
                handshakeOver();
                if (here) {
                    here = false;
                    use.connections--;
                    gate.state.counters().connections.set(--gate.connections);
                }
            }
        }
    }
}
