package io.zipcomm.transport.aeron;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.exceptions.AeronException;
import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Member;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The addresses of one peer, tried side by side: a stream to each, of which the first that the peer answers to is used. Engine
 * holder only.
 */
final class UdpRoutes {

    private static final Logger LOG = LoggerFactory.getLogger(UdpRoutes.class);

    private final UdpEndpoint endpoint;
    private final List<Route> routes = new ArrayList<>();
    private boolean refused;

    /** Where the stream leads that is used; null until one is. */
    private String address;

    /** A stream to one address. */
    private static final class Route {
        final Candidate to;
        final long registration;
        ExclusivePublication publication;

        Route(Candidate to, long registration) {
            this.to = to;
            this.registration = registration;
        }
    }

    /**
     * Begins to make the streams.
     *
     * @param round as {@link UdpNames#sessionTo} has it
     */
    UdpRoutes(UdpEndpoint endpoint, GroupView view, int peer, int round) {
        this.endpoint = endpoint;
        boolean isLocal = isLocal(view, peer);
        for (Candidate one : candidates(view, peer)) {
            long registration = endpoint.publish(peer, round, routes.size(), one.host(), one.port(), isLocal);
            routes.add(new Route(one, registration));
        }
    }

    /** Where a peer may be reached by this rank, as it says; no more than can be tried. */
    static List<Candidate> candidates(GroupView view, int peer) {
        Candidate.Kind kind = isLocal(view, peer) ? Candidate.Kind.LOOPBACK : Candidate.Kind.PRIVATE;
        return view.members().get(peer).candidates().stream()
                .filter(one -> one.kind() == kind && one.transport().equals(UdpTransport.NAME) && one.isAddress())
                .limit(UdpNames.ATTEMPTS_MAX)
                .toList();
    }

    /** Whether a peer is on this rank's host. */
    static boolean isLocal(GroupView view, int peer) {
        Member member = view.members().get(peer);
        return member.hostId().equals(view.self().hostId());
    }

    /** A stream that the peer takes; null if there is none so far. What cannot be used is dropped. */
    ExclusivePublication connected() {
        for (int i = 0; i < routes.size(); i++) {
            Route route = routes.get(i);
            // Asked first: each question takes one of the driver's answers, which may be that the stream is made.
            boolean mayCome = endpoint.aeron().isCommandActive(route.registration);
            boolean isMade = isMade(route);
            if (endpoint.isRefused(route.registration)) {
                refused = true;
                close(routes.remove(i--));
            } else if (isMade && route.publication.isConnected()) {
                address = UdpEndpoint.endpoint(route.to.host(), route.to.port());
                return route.publication;
            } else if (!isMade && !mayCome) {
                routes.remove(i--);
            }
        }
        return null;
    }

    private boolean isMade(Route route) {
        try {
            if (route.publication == null) {
                route.publication = endpoint.aeron().getExclusivePublication(route.registration);
            }
        } catch (AeronException e) {
            LOG.debug("no stream to {}", route.to, e);
        }
        return route.publication != null;
    }

    /** Where the stream leads that is used, as channels have it; null until one is. */
    String address() {
        return address;
    }

    /** Whether the peer has said that it wants no stream. */
    boolean isRefused() {
        return refused;
    }

    /** Whether there is nothing left to try. */
    boolean isEmpty() {
        return routes.isEmpty();
    }

    /** Ends all streams but one; null for all. */
    void closeBut(ExclusivePublication used) {
        for (int i = routes.size() - 1; i >= 0; i--) {
            if (used == null || routes.get(i).publication != used) {
                close(routes.remove(i));
            }
        }
    }

    private void close(Route route) {
        Aeron aeron = endpoint.aeron();
        if (route.publication != null) {
            route.publication.revoke();
        } else if (!aeron.isClosed()) {
            aeron.asyncRemovePublication(route.registration);
        }
    }

    @Override
    public String toString() {
        return routes.stream().map(route -> route.to.toString()).toList().toString();
    }
}
