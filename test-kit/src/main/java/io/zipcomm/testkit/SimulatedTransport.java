package io.zipcomm.testkit;

import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.TransportCounters;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * One rank's transport in a {@link SimulatedNetwork}. Nothing here blocks: who waits gives way to the other ranks, if the
 * network's scheduler can run them, and otherwise gets nothing.
 */
final class SimulatedTransport implements Transport {

    /** More waits than this without anything happening in between: the waiting thread is the one that should drive. */
    private static final int IDLE_AWAITS_MAX = 100_000;

    private final SimulatedNetwork network;
    private final int rank;
    private final TransportCounters counters = new TransportCounters();
    private final Map<Integer, SimulatedPath> relayed = new HashMap<>();
    private final List<SimulatedPath> paths = new ArrayList<>();
    private List<SimulatedPath> due = new ArrayList<>();
    private List<SimulatedPath> turning = new ArrayList<>();
    private boolean pruneDue;
    private final ArrayDeque<Consumer<PathEvents>> news = new ArrayDeque<>();
    private PathEvents events;
    private boolean attached = true;
    private boolean closed;
    private boolean dead;
    private volatile boolean woken;
    private int idleAwaits;
    private long idleSince;

    SimulatedTransport(SimulatedNetwork network, int rank) {
        this.network = network;
        this.rank = rank;
    }

    SimulatedNetwork network() {
        return network;
    }

    int rank() {
        return rank;
    }

    @Override
    public List<Candidate> candidates() {
        return List.of();
    }

    @Override
    public void attach(RelayAddress relay, String session, int self, byte[] ticket, long deadlineNs) {
        attached = true;
    }

    @Override
    public void start(GroupView view, PathEvents pathEvents) {
        events = pathEvents;
        ready();
    }

    @Override
    public Path relayed(int peer) {
        if (!attached) {
            return null;
        }
        SimulatedPath path = relayed.get(peer);
        if (path == null) {
            network.openRelayed(rank, peer);
            path = relayed.get(peer);
        }
        return path;
    }

    void addRelayed(SimulatedPath path) {
        relayed.put(path.peer(), path);
        paths.add(path);
    }

    void add(SimulatedPath path) {
        paths.add(path);
    }

    @Override
    public void connect(int peer) {
        if (!isSilent()) {
            network.connect(rank, peer);
        }
    }

    @Override
    public int poll() {
        woken = false;
        if (isSilent() || network.isFrozen(rank)) {
            return 0;
        }
        int busy = tell();
        List<SimulatedPath> now = due;
        due = turning;
        turning = now;
        int count = now.size();
        int first = count == 0 ? 0 : network.random().nextInt(count);
        for (int i = 0; i < count && !isSilent(); i++) {
            busy += now.get((first + i) % count).turn() ? 1 : 0;
        }
        now.clear();
        if (pruneDue) {
            pruneDue = false;
            paths.removeIf(SimulatedPath::isOver);
        }
        return busy;
    }

    /** Gives a path a turn in the next poll. */
    void giveTurn(SimulatedPath path) {
        due.add(path);
        ready();
    }

    /** A path may be over. */
    void prune() {
        pruneDue = true;
    }

    private int tell() {
        int told = 0;
        for (Consumer<PathEvents> piece = news.poll(); piece != null && !isSilent(); piece = news.poll()) {
            piece.accept(events);
            told++;
        }
        return told;
    }

    @Override
    public int await(long timeoutNs, BooleanSupplier wakeupDue) {
        if (woken || wakeupDue.getAsBoolean()) {
            return poll();
        }
        if (network.giveWay(rank, timeoutNs)) {
            idleAwaits = 0;
            return poll();
        }
        idleAwaits = network.happened() == idleSince ? idleAwaits + 1 : 0;
        idleSince = network.happened();
        network.require(
                idleAwaits < IDLE_AWAITS_MAX, "rank " + rank, "waits on the only thread, which should drive the group");
        return 0;
    }

    @Override
    public void wakeup() {
        woken = true;
        ready();
    }

    @Override
    public int rendezvousPort() {
        return 0;
    }

    @Override
    public void punch(int peer, long atNs, long roundTripNs) {
        // Nobody is behind a NAT here.
    }

    @Override
    public boolean isConnecting() {
        return false;
    }

    @Override
    public boolean hasOutput() {
        for (SimulatedPath path : paths) {
            if (path.hasOutput()) {
                return true;
            }
        }
        return false;
    }

    @Override
    public TransportCounters counters() {
        return counters;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            paths.forEach(SimulatedPath::close);
            paths.clear();
        }
    }

    /** Stops for good without a word to the engine: the process died. */
    void die() {
        dead = true;
    }

    /** The connection to the relay is lost for a while. */
    void goAway() {
        relayed.values().forEach(SimulatedPath::goAway);
        later(listener -> listener.relayAway("connection reset"));
    }

    /** The connection to the relay is there again. */
    void comeBack() {
        later(listener -> List.copyOf(relayed.values()).forEach(SimulatedPath::comeBack));
    }

    void flowBegan(int peer) {
        events.flowBegan(peer);
    }

    /** Loses the relay. */
    void loseRelay(String reason) {
        attached = false;
        relayed.values().forEach(SimulatedPath::close);
        paths.removeAll(relayed.values());
        relayed.clear();
        later(listener -> listener.relayLost(reason));
    }

    /** Something to tell the engine in its next turn. */
    void later(Consumer<PathEvents> piece) {
        if (!isSilent()) {
            news.add(piece);
            ready();
        }
    }

    boolean isDead() {
        return dead;
    }

    boolean isClosed() {
        return closed;
    }

    /** Neither does nor says anything any more. */
    boolean isSilent() {
        return closed || dead;
    }

    /** This rank has something to do now. */
    void ready() {
        network.ready(rank);
    }

    void sent(boolean direct, int bytes) {
        counters.writeCalls++;
        if (direct) {
            counters.directBytesSent += bytes;
        } else {
            counters.relayBytesSent += bytes;
        }
    }

    void received(boolean direct, int bytes) {
        counters.readCalls++;
        if (direct) {
            counters.directBytesReceived += bytes;
        } else {
            counters.relayBytesReceived += bytes;
        }
    }

    List<SimulatedPath> paths() {
        return paths;
    }
}
