package io.zipcomm.simulation;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/** Hosts, and what is between them: streams of bytes with delays, and all that can happen to them. */
public final class Network {

    private static final long SECOND_NS = 1_000_000_000L;

    /** One connection attempt in so many takes as long as people do not expect any more. */
    private static final int LATE_ATTEMPTS = 64;

    private record Pair(int a, int b) {
        static Pair of(Host one, Host other) {
            return new Pair(Math.min(one.number(), other.number()), Math.max(one.number(), other.number()));
        }
    }

    private final VirtualTime time;
    private final RandomGenerator random;
    private final List<Host> hosts = new ArrayList<>();
    private final Set<Pair> cut = new HashSet<>();
    private final List<Runnable> waiting = new ArrayList<>();
    private final int windowBytes;
    private final int pieceBytesMax;
    private final long latencyNsMin;
    private final long latencyNsMax;
    private boolean late;

    Network(VirtualTime time) {
        this.time = time;
        random = time.random();
        windowBytes = 1 << random.nextInt(12, 19);
        pieceBytesMax = 1 << random.nextInt(8, 17);
        latencyNsMin = 1L << random.nextInt(12, 20);
        latencyNsMax = latencyNsMin << random.nextInt(1, 6);
    }

    VirtualTime time() {
        return time;
    }

    long nowNs() {
        return time.nowNs();
    }

    Host newHost() {
        Host host = new Host(this, hosts.size());
        hosts.add(host);
        return host;
    }

    /** Lets some attempts to connect take seconds from now on. */
    void lateAttempts() {
        late = true;
    }

    int windowBytes() {
        return windowBytes;
    }

    /** A random part of some bytes. */
    int pieceBytes(int bytes) {
        int most = Math.min(bytes, pieceBytesMax);
        return most == 1 || random.nextInt(8) > 0 ? most : random.nextInt(1, most + 1);
    }

    long latencyNs(Host from, Host to) {
        return from == to ? latencyNsMin / 8 : random.nextLong(latencyNsMin, latencyNsMax);
    }

    /**
     * Begins to connect.
     *
     * @param localPort 0 for any
     * @return an end that is not connected yet
     */
    public StreamEnd connect(Host from, int localPort, InetSocketAddress to) {
        int port = localPort == 0 ? from.takePort() : localPort;
        StreamEnd near = new StreamEnd(this, from, new InetSocketAddress(from.address(), port), to);
        Host host = hostAt(to);
        if (host == null) {
            time.after(latencyNsMax, () -> near.refused("No route to host"));
            return near;
        }
        long ns = latencyNs(from, host);
        if (late && random.nextInt(LATE_ATTEMPTS) == 0) {
            ns += random.nextLong(5 * SECOND_NS);
        }
        time.after(ns, () -> whenPassing(from, host, () -> arrive(near, host)));
        return near;
    }

    private void arrive(StreamEnd near, Host host) {
        Host from = near.host();
        if (host.isDead() || from.isDead()) {
            // A machine that is gone does not answer; that the process alone is gone its system would say.
            time.after(latencyNs(host, from), () -> near.refused("Connection refused"));
            return;
        }
        Consumer<StreamEnd> listener = host.listener(near.remote().getPort());
        if (listener == null) {
            time.after(latencyNs(host, from), () -> whenPassing(from, host, () -> near.refused("Connection refused")));
            return;
        }
        StreamEnd far = new StreamEnd(this, host, /* local= */ near.remote(), /* remote= */ near.local());
        StreamEnd.join(near, far);
        far.connected();
        listener.accept(far);
        time.after(latencyNs(host, from), () -> whenPassing(from, host, near::connected));
    }

    private Host hostAt(InetSocketAddress address) {
        for (Host host : hosts) {
            if (host.address().equals(address.getAddress())) {
                return host;
            }
        }
        return null;
    }

    // ---- faults

    boolean passes(Host one, Host other) {
        return cut.isEmpty() || !cut.contains(Pair.of(one, other));
    }

    private void whenPassing(Host one, Host other, Runnable action) {
        if (passes(one, other)) {
            action.run();
        } else {
            waiting.add(() -> whenPassing(one, other, action));
        }
    }

    /** Nothing passes between two hosts from now on; what is sent waits. */
    void cut(Host one, Host other) {
        cut.add(Pair.of(one, other));
    }

    /** Everything passes again, also what was sent meanwhile. */
    void heal(Host one, Host other) {
        if (cut.remove(Pair.of(one, other))) {
            for (Host host : hosts) {
                for (StreamEnd end : host.ends()) {
                    time.after(latencyNs(one, other), end::pump);
                    if (end.other() != null) {
                        time.after(latencyNs(one, other), end.other()::pump);
                    }
                }
            }
            List<Runnable> actions = List.copyOf(waiting);
            waiting.clear();
            actions.forEach(action -> time.after(latencyNs(one, other), action));
        }
    }

    /** Connections between two hosts that are open. */
    List<StreamEnd> between(Host one, Host other) {
        List<StreamEnd> found = new ArrayList<>();
        for (StreamEnd end : one.ends()) {
            if (end.isOpen() && end.other() != null && end.other().host() == other) {
                found.add(end);
            }
        }
        return found;
    }
}
