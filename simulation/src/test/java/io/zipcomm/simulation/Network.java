package io.zipcomm.simulation;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/** Hosts, and what is between them: streams of bytes with delays, and all that can happen to them. */
public final class Network {

    private static final long SECOND_NS = 1_000_000_000L;

    /** One connection attempt in so many takes as long as people do not expect any more. */
    private static final int LATE_ATTEMPTS = 64;

    private static final int WASTE_BYTES = 4096;

    private record Pair(int a, int b) {
        static Pair of(Host one, Host other) {
            return new Pair(Math.min(one.number(), other.number()), Math.max(one.number(), other.number()));
        }
    }

    private final VirtualTime time;
    private final RandomGenerator random;
    private final List<Host> hosts = new ArrayList<>();
    /** By how many faults nothing passes. */
    private final Map<Pair, Integer> cut = new HashMap<>();

    private final List<Runnable> waiting = new ArrayList<>();
    private final int windowBytes;
    private final int pieceBytesMax;
    private final long latencyNsMin;
    private final long latencyNsMax;
    private boolean late;
    private final List<Opening> openings = new ArrayList<>();

    /** Says once more what others said; null as long as it has not. */
    private Host middlebox;

    private long piecesSent;
    private long overtakings;

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
        near.remember(new Opening(from, to));
        openings.add(near.opening());
        connect(near);
        return near;
    }

    private void connect(StreamEnd near) {
        Host from = near.host();
        Host host = hostAt(near.remote());
        if (host == null) {
            time.after(latencyNsMax, () -> near.refused("No route to host"));
            return;
        }
        long ns = latencyNs(from, host);
        if (late && random.nextInt(LATE_ATTEMPTS) == 0) {
            ns += random.nextLong(5 * SECOND_NS);
        }
        time.after(ns, () -> whenPassing(from, host, () -> arrive(near, host)));
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
        return cut.isEmpty() || !cut.containsKey(Pair.of(one, other));
    }

    private void whenPassing(Host one, Host other, Runnable action) {
        if (passes(one, other) && !one.isStopped() && !other.isStopped()) {
            action.run();
        } else {
            waiting.add(() -> whenPassing(one, other, action));
        }
    }

    /** Nothing passes between two hosts from now on; what is sent waits. */
    void cut(Host one, Host other) {
        cut.merge(Pair.of(one, other), 1, Integer::sum);
    }

    /** Everything passes again, also what was sent meanwhile. */
    void heal(Host one, Host other) {
        if (cut.computeIfPresent(Pair.of(one, other), (pair, faults) -> faults > 1 ? faults - 1 : null) == null) {
            passAgain(() -> latencyNs(one, other));
        }
    }

    /** Something that kept bytes and attempts on their way is over: what may pass arrives after some time. */
    private void passAgain(LongSupplier latencyNs) {
        for (Host host : hosts) {
            for (StreamEnd end : host.ends()) {
                time.after(latencyNs.getAsLong(), end::pump);
                if (end.other() != null) {
                    time.after(latencyNs.getAsLong(), end.other()::pump);
                }
            }
        }
        List<Runnable> actions = List.copyOf(waiting);
        waiting.clear();
        actions.forEach(action -> time.after(latencyNs.getAsLong(), action));
    }

    /** A machine stands still: its system takes and acknowledges nothing, and sends nothing. */
    void stop(Host host) {
        host.stop();
    }

    /**
     * A machine goes on. Where the other end has gone in the meantime its system may have tried for so long to say so that it does not any
     * more: then this one hears of that when it sends something, or never.
     */
    void resume(Host host) {
        for (StreamEnd end : host.ends()) {
            if (end.other() != null && random.nextBoolean()) {
                end.other().tiresIfClosed();
            }
        }
        host.resume();
        passAgain(() -> random.nextLong(latencyNsMin, latencyNsMax));
    }

    /**
     * Something on the way says once more, on a connection of its own, what somebody said at the beginning of one.
     *
     * @param holdNs for how long it keeps that connection, without a word, if the other end does not end it
     */
    void repeat(Opening opening, long holdNs) {
        if (middlebox == null) {
            middlebox = newHost();
        }
        // As from behind the same translator of addresses.
        InetSocketAddress from = new InetSocketAddress(opening.from().address(), middlebox.takePort());
        StreamEnd end = new StreamEnd(this, middlebox, from, opening.to());
        ByteBuffer bytes = ByteBuffer.wrap(opening.bytes());
        ByteBuffer waste = ByteBuffer.allocate(WASTE_BYTES);
        end.whenChanged(() -> {
            try {
                if (end.finishConnect() && bytes.hasRemaining()) {
                    end.write(bytes);
                }
                int count;
                do {
                    count = end.read(waste.clear());
                } while (count > 0);
                if (count < 0) {
                    end.close();
                }
            } catch (IOException e) {
                end.close();
            }
        });
        connect(end);
        time.after(holdNs, end::close);
    }

    /** What was said at the beginning of all connections so far, as far as something was. */
    List<Opening> openings() {
        return openings.stream().filter(opening -> opening.bytes().length > 0).toList();
    }

    // ---- order

    long nextPiece() {
        return piecesSent++;
    }

    void overtaken() {
        overtakings++;
    }

    /** Pieces that came to a host after others of other connections that were sent to it later. */
    long overtakings() {
        return overtakings;
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
