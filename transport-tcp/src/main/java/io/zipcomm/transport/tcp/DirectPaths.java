package io.zipcomm.transport.tcp;

import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Member;
import io.zipcomm.transport.PathEvents;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens direct connections: one for each pair of ranks, whoever begins.
 *
 * <p>If both ranks of a pair begin at once, the attempt of the lower rank counts: it refuses the other's, and the higher rank
 * gives up its own when the lower's arrives.
 */
final class DirectPaths {

    private static final Logger LOG = LoggerFactory.getLogger(DirectPaths.class);

    /** How long connecting to one address and the handshake may take. */
    private static final long ATTEMPT_NS = 3_000_000_000L;

    /** Accepted connections that have not said who they are; further ones are refused. */
    private static final int STRANGERS_MAX = 256;

    private final Poller poller;
    private final Streams streams;
    private final List<DirectConnection> handshakes = new ArrayList<>();

    private GroupView view;
    private PathEvents events;
    private Attempt[] attempts;
    private int attemptCount;

    /** A connection that the peer opened is to be the outcome of {@link #connect}; if it fails we try ourselves. */
    private boolean[] awaited;

    private DirectConnection[] established;

    /** This rank's own attempt to reach one peer. */
    private static final class Attempt {
        final List<Candidate> left;
        final StringBuilder outcome = new StringBuilder();
        DirectConnection connection;
        String address;

        /** All addresses failed: the peer's own attempt is to come until then. */
        long yieldUntilNs;

        boolean yielded;

        /** Something answered, and ended the connection. It may have been the peer, for its own attempt's sake. */
        boolean refused;

        Attempt(List<Candidate> candidates) {
            left = new ArrayList<>(candidates);
        }
    }

    DirectPaths(Poller poller, Streams streams) {
        this.poller = poller;
        this.streams = streams;
    }

    Streams streams() {
        return streams;
    }

    void start(GroupView group, PathEvents listener) {
        view = group;
        events = listener;
        attempts = new Attempt[group.size()];
        awaited = new boolean[group.size()];
        established = new DirectConnection[group.size()];
    }

    // ---- this rank begins

    void connect(int peer) {
        if (established[peer] != null || attempts[peer] != null) {
            return;
        }
        if (isBeingAccepted(peer)) {
            awaited[peer] = true;
        } else {
            begin(peer);
        }
    }

    private void begin(int peer) {
        setAttempt(peer, new Attempt(reachable(view.members().get(peer))));
        tryNext(peer);
    }

    private void setAttempt(int peer, Attempt attempt) {
        attemptCount += (attempt == null ? 0 : 1) - (attempts[peer] == null ? 0 : 1);
        attempts[peer] = attempt;
        awaited[peer] = false;
    }

    private boolean isBeingAccepted(int peer) {
        for (DirectConnection one : handshakes) {
            if (one.isProven() && one.peer() == peer) {
                return true;
            }
        }
        return false;
    }

    /** Addresses worth trying, best first. */
    private List<Candidate> reachable(Member member) {
        boolean sameHost = member.hostId().equals(view.self().hostId());
        List<Candidate> candidates = new ArrayList<>();
        for (Candidate.Kind kind : Candidate.Kind.values()) {
            for (Candidate candidate : member.candidates()) {
                boolean local = candidate.kind() == Candidate.Kind.LOOPBACK;
                if (candidate.transport().equals("tcp") && candidate.kind() == kind && (!local || sameHost)) {
                    candidates.add(local ? 0 : candidates.size(), candidate);
                }
            }
        }
        return candidates;
    }

    private void tryNext(int peer) {
        Attempt attempt = attempts[peer];
        while (!attempt.left.isEmpty()) {
            Candidate candidate = attempt.left.remove(0);
            attempt.address = candidate.toString();
            DirectConnection connection = DirectConnection.to(this, view, peer, System.nanoTime());
            try {
                InetSocketAddress address = new InetSocketAddress(candidate.host(), candidate.port());
                if (address.isUnresolved()) {
                    throw new UnknownHostException("unknown host");
                }
                StreamSocket socket = poller.connect(address, candidate.kind() == Candidate.Kind.LOOPBACK, connection);
                attempt.connection = connection;
                handshakes.add(connection);
                connection.connecting(socket);
                return;
            } catch (IOException e) {
                note(attempt, e.getMessage());
            }
        }
        setAttempt(peer, null);
        String tried = attempt.outcome.length() == 0 ? "it published no address" : attempt.outcome.toString();
        events.unreachable(peer, tried);
    }

    private static void note(Attempt attempt, String outcome) {
        attempt.outcome
                .append(attempt.outcome.length() == 0 ? "" : "; ")
                .append(attempt.address)
                .append(": ")
                .append(outcome);
    }

    // ---- somebody else begins

    void accepted(Poller.AcceptedSocket socket) {
        if (view == null || strangers() >= STRANGERS_MAX) {
            socket.close();
            return;
        }
        DirectConnection connection = DirectConnection.accepted(this, view, System.nanoTime());
        try {
            connection.open(socket.open(connection));
            handshakes.add(connection);
        } catch (IOException e) {
            LOG.debug("an accepted connection could not be used", e);
            socket.close();
        }
    }

    private int strangers() {
        int count = 0;
        for (DirectConnection one : handshakes) {
            if (!one.isProven()) {
                count++;
            }
        }
        return count;
    }

    /** The other end has proved who it is: do we want its connection? */
    boolean admits(DirectConnection connection) {
        int peer = connection.peer();
        Attempt own = attempts[peer];
        boolean ownCounts = own != null && own.connection != null && view.rank() < peer;
        if (established[peer] != null || ownCounts) {
            handshakes.remove(connection);
            connection.closeStream();
            return false;
        }
        if (own != null) {
            giveUp(peer);
        }
        return true;
    }

    private void giveUp(int peer) {
        Attempt own = attempts[peer];
        setAttempt(peer, null);
        awaited[peer] = true;
        if (own.connection != null) {
            handshakes.remove(own.connection);
            own.connection.closeStream();
        }
    }

    // ---- outcomes

    void opened(DirectConnection connection) {
        int peer = connection.peer();
        handshakes.remove(connection);
        setAttempt(peer, null);
        established[peer] = connection;
        events.opened(connection);
    }

    /** A connection ended before it was a path. */
    void failed(DirectConnection connection, String reason) {
        connection.closeStream();
        if (!handshakes.remove(connection)) {
            return;
        }
        int peer = connection.peer();
        Attempt attempt = peer < 0 ? null : attempts[peer];
        if (attempt != null && attempt.connection == connection) {
            ownFailed(attempt, peer, connection.isConnected(), reason);
            return;
        }
        LOG.debug("a connection was refused: {}", reason);
        if (connection.isProven() && awaited[peer] && !isBeingAccepted(peer)) {
            begin(peer);
        }
    }

    private void ownFailed(Attempt attempt, int peer, boolean answered, String reason) {
        attempt.connection = null;
        attempt.refused |= answered;
        note(attempt, reason);
        if (view.rank() > peer && attempt.left.isEmpty() && !attempt.yielded) {
            attempt.yielded = true;
            attempt.yieldUntilNs = System.nanoTime() + ATTEMPT_NS;
        } else {
            tryNext(peer);
        }
    }

    void closed(DirectConnection connection) {
        handshakes.remove(connection);
        int peer = connection.peer();
        if (peer >= 0 && established[peer] == connection) {
            established[peer] = null;
        }
    }

    // ---- turns

    /** Whether anything may take too long. */
    boolean isConnecting() {
        return attemptCount > 0 || !handshakes.isEmpty();
    }

    /** Ends what takes too long. */
    void look(long nowNs) {
        for (int i = handshakes.size() - 1; i >= 0 && i < handshakes.size(); i--) {
            if (nowNs - handshakes.get(i).startedNs() > ATTEMPT_NS) {
                failed(handshakes.get(i), "no answer in " + ATTEMPT_NS / 1_000_000 + " ms");
            }
        }
        for (int peer = 0; attemptCount > 0 && peer < attempts.length; peer++) {
            Attempt attempt = attempts[peer];
            if (attempt != null && attempt.connection == null && nowNs - attempt.yieldUntilNs > 0) {
                if (attempt.refused) {
                    // The attempt for whose sake we were refused has failed, too: ours counts now.
                    attempt.left.addAll(reachable(view.members().get(peer)));
                }
                tryNext(peer);
            }
        }
    }
}
