package io.zipcomm.transport.tcp;

import io.zipcomm.membership.Candidate;
import java.io.IOException;
import java.util.SplittableRandom;

/**
 * Connects to a peer that connects to us at the same instant, both from the ports that the relay has seen: the first
 * packet of each opens its own NAT for the other's. What comes of it is one connection that both have opened (RFC 9293,
 * simultaneous open), or one that the peer's or our listener takes, which uses the same port.
 *
 * <p>Some NATs answer a packet that comes too early by a reset, which ends the attempt that it meets. So there are several,
 * with pauses drawn at random: equal ones would keep whatever lag there is between the two ends. An attempt that nothing
 * ends lasts some round trips: one that is given up between the packets of a handshake is worse than wasted, since our
 * listener then answers the peer's next packet by a number of its own, which NATs take for invalid.
 */
final class Punch {

    /** From the first attempt to the last. */
    static final long PUNCH_NS = 5_000_000_000L;

    /** An attempt, and a connection that does not prove who it is, last at least so long. */
    private static final long ATTEMPT_NS_MIN = 300_000_000;

    private static final long PAUSE_NS = 50_000_000;

    /** Pauses grow by this, */
    private static final double GROWTH = 1.15;

    /**
     * up to this: two NATs that answer by resets let an attempt through that meets the peer's in flight, so what counts there is
     * how many there are.
     */
    private static final double PAUSE_NS_MAX = 100_000_000;

    private final DirectPaths paths;
    private final int peer;
    private final Candidate candidate;
    private final long untilNs;
    private final SplittableRandom random;
    private final long attemptNs;
    private double pauseNs = PAUSE_NS;
    private long nextNs;
    private DirectConnection connection;
    private int attempts;
    private String problem = "no answer";

    Punch(DirectPaths paths, int peer, Candidate candidate, long atNs, long roundTripNs) {
        this.paths = paths;
        this.peer = peer;
        this.candidate = candidate;
        nextNs = atNs;
        untilNs = atNs + PUNCH_NS;
        attemptNs = Math.max(ATTEMPT_NS_MIN, 2 * roundTripNs);
        random = new SplittableRandom(atNs ^ peer);
    }

    String address() {
        return candidate + " from port " + paths.rendezvousPort();
    }

    String outcome() {
        return attempts + " attempts at the same time as the peer: " + problem;
    }

    long dueNs() {
        return nextNs;
    }

    /** Takes the steps that are due; false when the time is over. */
    boolean turn(long nowNs) {
        if (nowNs - nextNs < 0) {
            return true;
        }
        if (connection != null && connection.isProven()) {
            // The handshake has a limit of its own.
            nextNs = nowNs + PAUSE_NS;
            return true;
        }
        end();
        if (nowNs - untilNs >= 0) {
            return false;
        }
        nextNs = nowNs + attemptNs + pauseNs();
        attempts++;
        try {
            connection = paths.open(peer, candidate, paths.rendezvousPort(), nowNs);
        } catch (IOException e) {
            problem = Poller.describe(e);
            // Somebody came from there to our listener, and holds the pair of ports: the peer, or what is left of it.
            paths.dropStrangersFrom(candidate, nowNs - attemptNs);
            nextNs = nowNs + pauseNs();
        }
        return true;
    }

    private long pauseNs() {
        double drawn = 2 * pauseNs * random.nextDouble();
        pauseNs = Math.min(PAUSE_NS_MAX, GROWTH * pauseNs);
        return (long) drawn;
    }

    void failed(DirectConnection ended, String reason, long nowNs) {
        if (connection == ended) {
            connection = null;
            problem = reason;
            nextNs = nowNs + pauseNs();
        }
    }

    /** A connection that may be ours has succeeded. */
    void letGo(DirectConnection open) {
        if (connection == open) {
            connection = null;
        }
    }

    /** Ends the attempt under way. */
    void end() {
        if (connection != null) {
            DirectConnection last = connection;
            connection = null;
            paths.abandon(last);
        }
    }
}
