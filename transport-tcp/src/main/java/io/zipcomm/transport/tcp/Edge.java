package io.zipcomm.transport.tcp;

import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.Member;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/**
 * One pair of ranks, from the side of one of them: climbs the ladder of addresses until a connection is open.
 *
 * <p>Rungs, each begun when those before it have come to nothing or had their head start: the loopback address, if both
 * share a host; the peer's own addresses and the one at which the relay sees it; and, with the relay's help, connections
 * that both open at the same instant from the ports that the relay sees ({@link Punch}).
 *
 * <p>Several attempts of both ends may succeed. The lower rank chooses: it answers, or confirms, one at a time, and holds
 * the others until that one is open or has failed. The higher rank goes along with all.
 */
final class Edge {

    /** What becomes of a connection whose other end has proved that it is the peer. */
    enum Choice {
        /** The handshake goes on. */
        GO,
        /** It waits for {@link DirectConnection#proceed}. */
        HOLD,
        /** There is a connection already. */
        CLOSE
    }

    private enum Rung {
        LOOPBACK,
        ADDRESSES,
        PUNCH,
        NONE
    }

    /** Connecting on one host takes no longer, unless the address is wrong. */
    private static final long LOOPBACK_HEAD_START_NS = 500_000_000;

    /** On one network, connecting takes no longer. Attempts go on when it has passed. */
    private static final long ADDRESSES_HEAD_START_NS = 30_000_000;

    /** Time for the relay to say when to begin. */
    private static final long PUNCH_ANSWER_NS = 4_000_000_000L;

    /** When all has failed, the peer's own attempts may still succeed. */
    private static final long GRACE_NS = 3_000_000_000L;

    /** Addresses of one peer that are tried. */
    private static final int ADDRESSES_MAX = 16;

    /** Of the peer's OPENs so many are remembered. */
    private static final int OPENS_MAX = 1024;

    private record Attempt(DirectConnection connection, String address) {}

    private final DirectPaths paths;
    private final int peer;
    private final boolean chooses;
    private final List<Attempt> attempts = new ArrayList<>();

    /** Proved, but another was chosen before. */
    private final ArrayDeque<DirectConnection> held = new ArrayDeque<>(0);

    /** Random numbers of the peer's OPENs, from the oldest; null before the first. */
    private LinkedHashSet<ByteBuffer> opens;

    private DirectConnection chosen;
    private DirectConnection established;

    /** A path was asked for: success or failure is to be told. */
    private boolean wanted;

    private Rung next = Rung.NONE;
    private long nextNs;
    private boolean holdsPunch;

    /** The peer wanted to punch, and this rank was busy with others. */
    private boolean owesPunch;

    private long punchAnswerNs;
    private Punch punch;
    private long overNs;
    private boolean isOver;
    private StringBuilder outcome = new StringBuilder();

    Edge(DirectPaths paths, int peer) {
        this.paths = paths;
        this.peer = peer;
        chooses = paths.view().rank() < peer;
    }

    // ---- this rank begins

    void connect(long nowNs) {
        if (established != null || wanted) {
            return;
        }
        wanted = true;
        isOver = false;
        outcome = new StringBuilder();
        next = Rung.LOOPBACK;
        nextNs = nowNs;
        paths.climbs(this);
        climb(nowNs);
    }

    /** Both ends are to begin at one instant. */
    void punch(long atNs, long roundTripNs, long nowNs) {
        Candidate observed = observed(paths.view().members().get(peer));
        if (established != null || punch != null || observed == null || paths.rendezvousPort() == 0) {
            return;
        }
        paths.climbs(this);
        if (!takePunch()) {
            // By then the peer may have given up: the relay is asked for another instant when it is this pair's turn.
            owesPunch = true;
            return;
        }
        owesPunch = false;
        punch = new Punch(paths, peer, observed, atNs, roundTripNs);
        climb(nowNs);
    }

    private boolean takePunch() {
        holdsPunch = holdsPunch || paths.takePunch();
        return holdsPunch;
    }

    private void askForPunch(long nowNs) {
        owesPunch = false;
        punchAnswerNs = nowNs + PUNCH_ANSWER_NS;
        paths.events().punchWanted(peer);
    }

    /** Takes the steps that are due. Answers false if there is nothing more to wait for. */
    boolean climb(long nowNs) {
        if (established != null) {
            return false;
        }
        while (wanted && next != Rung.NONE && isDue(nowNs)) {
            if (!step(nowNs)) {
                break;
            }
        }
        if (owesPunch && takePunch()) {
            askForPunch(nowNs);
        }
        if (punch != null && !punch.turn(nowNs)) {
            note(punch.address(), punch.outcome());
            endPunch();
        }
        if (holdsPunch && punch == null && nowNs - punchAnswerNs >= 0) {
            note("hole punching", "the peer or the relay did not answer");
            endPunch();
        }
        return isAlive(nowNs);
    }

    private boolean isDue(long nowNs) {
        return !paths.isMeeting(peer) && (attempts.isEmpty() || nowNs - nextNs >= 0);
    }

    private boolean step(long nowNs) {
        Member member = paths.view().members().get(peer);
        boolean sameHost = member.hostId().equals(paths.view().self().hostId());
        switch (next) {
            case LOOPBACK -> {
                if (sameHost && !attempt(addresses(member, List.of(Candidate.Kind.LOOPBACK)), nowNs)) {
                    return later(nowNs);
                }
                next = Rung.ADDRESSES;
                nextNs = nowNs + LOOPBACK_HEAD_START_NS;
            }
            case ADDRESSES -> {
                if (!attempt(addresses(member, List.of(Candidate.Kind.PRIVATE, Candidate.Kind.OBSERVED)), nowNs)) {
                    return later(nowNs);
                }
                next = sameHost || !isPunchable(member) ? Rung.NONE : Rung.PUNCH;
                nextNs = nowNs + ADDRESSES_HEAD_START_NS;
            }
            case PUNCH -> {
                if (punch == null && !takePunch()) {
                    return later(nowNs);
                }
                next = Rung.NONE;
                if (punch == null) {
                    askForPunch(nowNs);
                }
            }
            case NONE -> throw new IllegalStateException("no rung left");
        }
        return true;
    }

    /** Others are at it: the rung is looked at again. */
    private boolean later(long nowNs) {
        nextNs = nowNs + ADDRESSES_HEAD_START_NS;
        return false;
    }

    private boolean isPunchable(Member member) {
        return paths.rendezvousPort() != 0
                && observed(member) != null
                && observed(paths.view().self()) != null;
    }

    private static Candidate observed(Member member) {
        for (Candidate candidate : member.candidates()) {
            if (candidate.kind() == Candidate.Kind.OBSERVED && isTcp(candidate)) {
                return candidate;
            }
        }
        return null;
    }

    private static boolean isTcp(Candidate candidate) {
        return candidate.transport().equals("tcp");
    }

    /** The addresses of these kinds, in this order, each once. */
    private static Map<String, Candidate> addresses(Member member, List<Candidate.Kind> kinds) {
        Map<String, Candidate> addresses = new LinkedHashMap<>();
        for (Candidate.Kind kind : kinds) {
            for (Candidate candidate : member.candidates()) {
                if (candidate.kind() == kind && isTcp(candidate) && addresses.size() < ADDRESSES_MAX) {
                    addresses.putIfAbsent(candidate.toString(), candidate);
                }
            }
        }
        return addresses;
    }

    /** Begins to connect to all of these; answers false, and does nothing, if there is no room for so many now. */
    private boolean attempt(Map<String, Candidate> addresses, long nowNs) {
        if (!paths.takeAttempts(addresses.size())) {
            return false;
        }
        addresses.forEach((address, candidate) -> {
            try {
                attempts.add(new Attempt(paths.open(peer, candidate, 0, nowNs), address));
            } catch (IOException e) {
                paths.giveAttempts(1);
                note(address, Poller.describe(e));
            }
        });
        return true;
    }

    private void note(String address, String what) {
        outcome.append(outcome.length() == 0 ? "" : "; ")
                .append(address)
                .append(": ")
                .append(what);
    }

    private boolean isAlive(long nowNs) {
        boolean climbs =
                (wanted && next != Rung.NONE) || owesPunch || punch != null || holdsPunch || !attempts.isEmpty();
        if (climbs || paths.isMeeting(peer)) {
            return true;
        }
        if (!wanted) {
            return false;
        }
        if (!isOver) {
            isOver = true;
            overNs = nowNs + GRACE_NS;
        }
        if (nowNs - overNs < 0) {
            return true;
        }
        wanted = false;
        isOver = false;
        paths.events().unreachable(peer, outcome.length() == 0 ? "it published no address" : outcome.toString());
        return false;
    }

    /** When {@link #climb} has something to do, if before the given instant. */
    long dueNs(long latestNs) {
        long dueNs = latestNs;
        if (wanted && next != Rung.NONE && !paths.isMeeting(peer)) {
            dueNs = earlier(dueNs, nextNs);
        }
        if (punch != null) {
            dueNs = earlier(dueNs, punch.dueNs());
        } else if (holdsPunch) {
            dueNs = earlier(dueNs, punchAnswerNs);
        }
        return isOver ? earlier(dueNs, overNs) : dueNs;
    }

    private static long earlier(long oneNs, long otherNs) {
        return oneNs - otherNs < 0 ? oneNs : otherNs;
    }

    private void endPunch() {
        if (punch != null) {
            punch.end();
            punch = null;
        }
        if (holdsPunch) {
            holdsPunch = false;
            paths.givePunch();
        }
    }

    // ---- outcomes

    /** Whether the peer's OPEN with this random number is the first. */
    boolean isNew(byte[] nonce) {
        if (opens == null) {
            opens = new LinkedHashSet<>();
        }
        boolean first = opens.add(ByteBuffer.wrap(nonce));
        if (opens.size() > OPENS_MAX) {
            opens.remove(opens.iterator().next());
        }
        return first;
    }

    Choice choose(DirectConnection connection) {
        if (established != null) {
            return Choice.CLOSE;
        }
        paths.climbs(this);
        if (!chooses) {
            return Choice.GO;
        }
        if (chosen == null || chosen == connection) {
            chosen = connection;
            return Choice.GO;
        }
        held.add(connection);
        return Choice.HOLD;
    }

    /** Answers false if there is a connection already. The caller ends the others. */
    boolean opened(DirectConnection connection) {
        if (established != null) {
            return false;
        }
        established = connection;
        wanted = false;
        isOver = false;
        next = Rung.NONE;
        chosen = null;
        held.clear();
        paths.giveAttempts(attempts.size());
        attempts.clear();
        if (punch != null) {
            punch.letGo(connection);
        }
        owesPunch = false;
        endPunch();
        return true;
    }

    /** An attempt of this rank, or a connection on which the peer had proved who it is, came to nothing. */
    void failed(DirectConnection connection, String reason, long nowNs) {
        for (int i = attempts.size() - 1; i >= 0; i--) {
            if (attempts.get(i).connection() == connection) {
                note(attempts.remove(i).address(), reason);
                paths.giveAttempts(1);
            }
        }
        held.remove(connection);
        if (punch != null) {
            punch.failed(connection, reason, nowNs);
        }
        if (chosen == connection) {
            chosen = held.poll();
            if (chosen != null) {
                chosen.proceed();
            }
        }
        if (wanted || owesPunch || punch != null) {
            paths.climbs(this);
            climb(nowNs);
        }
    }

    void closed(DirectConnection connection) {
        if (established == connection) {
            established = null;
        }
    }
}
