package io.zipcomm.simulation;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A simulated machine with one process, which can be frozen and killed. Its system goes on acknowledging while the process is frozen; the
 * machine itself can be stopped, and then does nothing at all.
 */
public final class Host {

    private static final int FIRST_PORT = 10_000;

    private final Network network;
    private final int number;
    private final InetAddress address;
    private final List<Fiber> fibers = new ArrayList<>();
    private final List<StreamEnd> ends = new ArrayList<>();
    private final Map<Integer, Consumer<StreamEnd>> listeners = new HashMap<>();
    private final List<Runnable> whenThawed = new ArrayList<>();
    private int ports = FIRST_PORT;
    private boolean frozen;
    private boolean stopped;
    private long frozenSinceNs;
    private long frozenNs;
    private boolean dead;
    private long latestCame = -1;

    Host(Network network, int number) {
        this.network = network;
        this.number = number;
        try {
            address = InetAddress.getByAddress(new byte[] {10, 0, (byte) (number >> 8), (byte) (number + 1)});
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The network that it is in. */
    public Network network() {
        return network;
    }

    /** The clock of the simulation. */
    public VirtualTime time() {
        return network.time();
    }

    /** Where others reach it. */
    public InetAddress address() {
        return address;
    }

    int number() {
        return number;
    }

    // Sockets.

    /**
     * Listens.
     *
     * @param port     0 for any
     * @param accepted given each connection
     * @return the port
     */
    public int listen(int port, Consumer<StreamEnd> accepted) {
        int bound = port == 0 ? takePort() : port;
        if (listeners.putIfAbsent(bound, accepted) != null) {
            throw new IllegalStateException("port " + bound + " is taken");
        }
        return bound;
    }

    /** Does not listen any more. */
    public void unlisten(int port) {
        listeners.remove(port);
    }

    Consumer<StreamEnd> listener(int port) {
        return dead ? null : listeners.get(port);
    }

    int takePort() {
        return ports++;
    }

    void add(StreamEnd end) {
        ends.add(end);
    }

    void remove(StreamEnd end) {
        ends.remove(end);
    }

    List<StreamEnd> ends() {
        return List.copyOf(ends);
    }

    /** A piece of a connection has come; pieces are numbered as they are sent. */
    void came(long number) {
        if (number < latestCame) {
            network.overtaken();
        }
        latestCame = Math.max(latestCame, number);
    }

    // The process.

    void add(Fiber fiber) {
        fibers.add(fiber);
    }

    void remove(Fiber fiber) {
        fibers.remove(fiber);
    }

    /** Threads of the process that have begun and not ended. */
    List<Fiber> fibers() {
        return List.copyOf(fibers);
    }

    boolean isFrozen() {
        return frozen || stopped;
    }

    /** Whether its system does nothing either. */
    boolean isStopped() {
        return stopped;
    }

    boolean isDead() {
        return dead;
    }

    /** For how long it has been frozen in all, in ns. */
    long frozenNs() {
        return frozenNs;
    }

    /** Stops the process, as if it had no processor. */
    void freeze() {
        if (!dead) {
            beginFreeze();
            frozen = true;
        }
    }

    private void beginFreeze() {
        if (!isFrozen()) {
            frozenSinceNs = time().nowNs();
        }
    }

    /** Lets the process go on. */
    void thaw() {
        if (frozen) {
            frozen = false;
            goOn();
        }
    }

    /** Stops the machine, as one is stopped of which a picture is taken. {@link Network#stop} does it. */
    void stop() {
        if (!dead) {
            beginFreeze();
            stopped = true;
        }
    }

    /** Lets the machine go on. {@link Network#resume} does it. */
    void resume() {
        if (stopped) {
            stopped = false;
            goOn();
        }
    }

    private void goOn() {
        if (!isFrozen()) {
            frozenNs += time().nowNs() - frozenSinceNs;
            List.copyOf(fibers).forEach(Fiber::wake);
            List.copyOf(whenThawed).forEach(action -> time().after(0, action));
            whenThawed.clear();
        }
    }

    /** Does something now, or when the process is not frozen any more. */
    public void whenRunning(Runnable action) {
        if (isFrozen()) {
            whenThawed.add(action);
        } else if (!dead) {
            action.run();
        }
    }

    /**
     * Ends the process.
     *
     * @param silently whether its machine goes with it: then nobody is told
     */
    void kill(boolean silently) {
        if (dead) {
            return;
        }
        dead = true;
        stopped = false;
        listeners.clear();
        for (StreamEnd end : ends()) {
            if (silently) {
                end.vanish();
            } else {
                end.close();
            }
        }
        List.copyOf(fibers).forEach(Fiber::kill);
        ends.clear();
    }

    @Override
    public String toString() {
        return "host " + number;
    }
}
