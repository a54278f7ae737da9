package io.zipcomm.transport.tcp;

import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.transport.PathEvents;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens direct connections: one for each pair of ranks, whoever begins. Each pair is an {@link Edge} with a ladder of its
 * own; all that have traffic climb side by side. Here is what they share: sockets, handshakes under way, and the clock.
 */
final class DirectPaths {

    private static final Logger LOG = LoggerFactory.getLogger(DirectPaths.class);

    /** How long connecting to one address and the handshake may take. */
    static final long ATTEMPT_NS = 3_000_000_000L;

    /** Accepted connections that have not said who they are; for a further one the oldest is ended. */
    static final int STRANGERS_MAX = 256;

    /** Accepted connections of one peer that are not open yet; further ones are ended. Somebody may repeat what it said. */
    private static final int CLAIMS_MAX = 32;

    /** Peers to which this rank punches at once; the others wait until one of these is through. */
    static final int PUNCHES_MAX = 32;

    /**
     * Other connections that this rank opens at once. What swallows an attempt costs a socket for its whole time, and a rank
     * with hundreds of peers, each with several addresses, must not use up its descriptors: edges wait in the order in which
     * they began.
     */
    static final int ATTEMPTS_MAX = 128;

    private final Poller poller;
    private final Streams streams;
    private final int rendezvousPort;
    private final boolean onlyWays;

    /** All connections that are not open yet, from the oldest. */
    private final List<DirectConnection> handshakes = new ArrayList<>();

    private GroupView view;
    private PathEvents events;
    private Edge[] edges;

    /** Edges with something to wait for. */
    private final List<Edge> climbing = new ArrayList<>();

    private int punching;
    private int attempts;

    /** An edge waits for attempts to end: whoever comes later waits behind it. */
    private boolean crowded;

    /** An attempt has ended since then. */
    private boolean roomAgain;

    /** Connections that something on the way may forget. */
    private final List<DirectConnection> watched = new ArrayList<>();

    /**
     * @param rendezvousPort where peers of other hosts can connect to; 0 if they cannot
     */
    /**
     * None is open yet.
     *
     * @param onlyWays whether links have no other way, through the relay
     */
    DirectPaths(Poller poller, Streams streams, int rendezvousPort, boolean onlyWays) {
        this.onlyWays = onlyWays;
        this.poller = poller;
        this.streams = streams;
        this.rendezvousPort = rendezvousPort;
    }

    boolean areOnlyWays() {
        return onlyWays;
    }

    Streams streams() {
        return streams;
    }

    GroupView view() {
        return view;
    }

    PathEvents events() {
        return events;
    }

    int rendezvousPort() {
        return rendezvousPort;
    }

    void start(GroupView group, PathEvents listener) {
        view = group;
        events = listener;
        edges = new Edge[group.size()];
    }

    private Edge edge(int peer) {
        if (edges[peer] == null) {
            edges[peer] = new Edge(this, peer);
        }
        return edges[peer];
    }

    // ---- this rank begins

    void connect(int peer) {
        edge(peer).connect(poller.nanoTime());
    }

    void punch(int peer, long atNs, long roundTripNs) {
        edge(peer).punch(atNs, roundTripNs, poller.nanoTime());
    }

    /**
     * Begins to connect to an address.
     *
     * @param localPort where from; 0 for anywhere
     */
    DirectConnection open(int peer, Candidate candidate, int localPort, long nowNs) throws IOException {
        InetSocketAddress address = new InetSocketAddress(candidate.host(), candidate.port());
        if (address.isUnresolved()) {
            throw new UnknownHostException("unknown host");
        }
        DirectConnection connection = DirectConnection.to(this, view, peer, nowNs);
        boolean local = candidate.kind() == Candidate.Kind.LOOPBACK;
        StreamSocket socket = poller.connect(address, localPort, local, connection);
        handshakes.add(connection);
        connection.connecting(socket);
        return connection;
    }

    /** Whether one more peer may be punched to. */
    boolean takePunch() {
        if (punching >= PUNCHES_MAX) {
            return false;
        }
        punching++;
        return true;
    }

    void givePunch() {
        punching--;
    }

    /** Whether so many more connections may be opened, which are then taken. If not, the edge is to look again. */
    boolean takeAttempts(int count) {
        if (count > 0 && (crowded || attempts + count > ATTEMPTS_MAX)) {
            crowded = true;
            return false;
        }
        attempts += count;
        return true;
    }

    void giveAttempts(int count) {
        attempts -= count;
        roomAgain |= crowded && count > 0;
    }

    // ---- somebody else begins

    void accepted(Poller.AcceptedSocket socket) {
        if (view == null) {
            socket.close();
            return;
        }
        makeRoomForStranger();
        DirectConnection connection = DirectConnection.accepted(this, view, poller.nanoTime());
        try {
            connection.open(socket.open(connection));
            handshakes.add(connection);
        } catch (IOException e) {
            LOG.debug("an accepted connection could not be used", e);
            socket.close();
        }
    }

    /** Ends the oldest of those that have not said who they are, if they are as many as there may be. */
    private void makeRoomForStranger() {
        int count = 0;
        DirectConnection oldest = null;
        for (DirectConnection one : handshakes) {
            if (!one.isProven() && !one.isOwn()) {
                oldest = oldest == null ? one : oldest;
                count++;
            }
        }
        if (count >= STRANGERS_MAX) {
            abandon(oldest);
        }
    }

    private int claims(int peer) {
        int count = 0;
        for (DirectConnection one : handshakes) {
            if (one.isProven() && !one.isOwn() && one.peer() == peer) {
                count++;
            }
        }
        return count;
    }

    /** Whether the peer has proved on some connection who it is, and the handshake goes on. */
    boolean isMeeting(int peer) {
        for (DirectConnection one : handshakes) {
            if (one.isProven() && one.peer() == peer) {
                return true;
            }
        }
        return false;
    }

    /** Whether a peer's OPEN has come for the first time, as far back as is remembered. */
    boolean isNew(int peer, byte[] nonce) {
        return edge(peer).isNew(nonce);
    }

    // ---- outcomes, told by connections

    /** The peer has proved who it is, by the first or the second message: is this the connection? */
    Edge.Choice choose(DirectConnection connection) {
        if (claims(connection.peer()) > CLAIMS_MAX) {
            return Edge.Choice.CLOSE;
        }
        return edge(connection.peer()).choose(connection);
    }

    void opened(DirectConnection connection) {
        handshakes.remove(connection);
        int peer = connection.peer();
        if (!edge(peer).opened(connection)) {
            connection.closeStream();
            return;
        }
        for (DirectConnection other : List.copyOf(handshakes)) {
            if (other.peer() == peer && (other.isProven() || other.isOwn())) {
                drop(other);
            }
        }
        // Nothing is left to wait for: whoever waits is not to be woken for it.
        climbing.remove(edge(peer));
        if (connection.isForgettable()) {
            watched.add(connection);
        }
        events.opened(connection);
    }

    /** A connection ended before it was a path. */
    void failed(DirectConnection connection, String reason) {
        boolean known = handshakes.contains(connection);
        drop(connection);
        if (!known) {
            return;
        }
        LOG.debug("a connection came to nothing: {}", reason);
        if (connection.peer() >= 0 && (connection.isProven() || connection.isOwn())) {
            edge(connection.peer()).failed(connection, reason, poller.nanoTime());
        }
    }

    /** Ends a connection that is not open yet. Its edge is not told. */
    void drop(DirectConnection connection) {
        handshakes.remove(connection);
        connection.closeStream();
    }

    /** As {@link #drop}, and leaves nothing that would be in the way of another one between the same ports. */
    void abandon(DirectConnection connection) {
        handshakes.remove(connection);
        connection.breakStream();
    }

    /** Ends accepted connections from an address that have not said who they are since an instant. */
    void dropStrangersFrom(Candidate address, long sinceNs) {
        for (DirectConnection one : List.copyOf(handshakes)) {
            boolean silent = !one.isOwn() && !one.isProven() && one.startedNs() - sinceNs <= 0;
            if (silent && one.comesFrom(address.host(), address.port())) {
                abandon(one);
            }
        }
    }

    void closed(DirectConnection connection) {
        handshakes.remove(connection);
        watched.remove(connection);
        if (connection.peer() >= 0) {
            edge(connection.peer()).closed(connection);
        }
    }

    // ---- turns

    void climbs(Edge edge) {
        if (!climbing.contains(edge)) {
            climbing.add(edge);
        }
    }

    /** Whether anything may take too long. */
    boolean isConnecting() {
        return !climbing.isEmpty() || !handshakes.isEmpty();
    }

    /** Whether {@link #look} has something to do now, whatever {@link #dueNs} said. */
    boolean isLookDue() {
        return roomAgain;
    }

    /** When {@link #look} has something to do at the latest, if before the given instant. */
    long dueNs(long latestNs) {
        long dueNs = latestNs;
        // By index: this is asked every few turns, and an iterator is garbage.
        for (int i = 0; i < climbing.size(); i++) {
            dueNs = climbing.get(i).dueNs(dueNs);
        }
        return dueNs;
    }

    /** Takes the steps that are due, and ends what takes too long. */
    void look(long nowNs) {
        for (int i = handshakes.size() - 1; i >= 0; i--) {
            if (i < handshakes.size() && nowNs - handshakes.get(i).startedNs() > ATTEMPT_NS) {
                failed(handshakes.get(i), "no answer in " + ATTEMPT_NS / 1_000_000 + " ms");
            }
        }
        for (int i = watched.size() - 1; i >= 0; i--) {
            if (i < watched.size()) {
                watched.get(i).look(nowNs);
            }
        }
        climb(nowNs);
    }

    /** From the edge that has climbed longest: who waits for room gets it first. */
    private void climb(long nowNs) {
        crowded = false;
        roomAgain = false;
        int i = 0;
        for (int left = climbing.size(); left > 0 && i < climbing.size(); left--) {
            Edge edge = climbing.get(i);
            if (!edge.climb(nowNs)) {
                climbing.remove(edge);
            }
            if (i < climbing.size() && climbing.get(i) == edge) {
                i++;
            }
        }
    }
}
