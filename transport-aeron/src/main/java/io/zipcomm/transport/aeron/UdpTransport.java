package io.zipcomm.transport.aeron;

import io.aeron.Image;
import io.aeron.Subscription;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.transport.DirectTransport;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.TransportCounters;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.agrona.collections.LongHashSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Paths over Aeron's UDP streams, which are reliable and not encrypted, between hosts or on one. */
final class UdpTransport implements DirectTransport {

    /** As capabilities, candidates and settings have it. */
    static final String NAME = "aeron-udp";

    private static final Logger LOG = LoggerFactory.getLogger(UdpTransport.class);

    /** Time between looks at Aeron's client, while paths open and afterwards. */
    private static final long OPENING_LOOK_NS = 200_000;

    private static final long LOOK_NS = 2_000_000;

    /** Turns between looks at the clock. */
    private static final int TURNS_BETWEEN_LOOKS = 32;

    /** Turns without work after which the streams count as quiet. */
    private static final int QUIET_TURNS = 256;

    /** Time between turns of the driver while they are quiet: each asks the system twice or more. */
    private static final long QUIET_DRIVE_NS = 2_000;

    /** Time between turns of the driver while there is no path. */
    private static final long IDLE_DRIVE_NS = 200_000;

    /** Turns of the driver for what was just written; the rest is for turns of the engine. */
    private static final int SEND_TURNS_MAX = 8;

    /**
     * Sleeps with paths: nothing wakes a rank for a datagram, so they are short at first, and double after every few without
     * work.
     */
    private static final long SLEEP_NS_MIN = 50_000;

    private static final long SLEEP_NS_MAX = 1_000_000;
    private static final int SLEEPS_OF_A_KIND = 4;
    private static final int SLEEPS_MAX = 8 * SLEEPS_OF_A_KIND;

    /** Sleeps without paths. */
    private static final long IDLE_SLEEP_NS = 5_000_000;

    private final SharedDirectory shared;
    private final UdpPort port;
    private final List<Candidate> candidates;
    private final Transport base;
    private final UdpEndpoint.Gates gates;
    private final boolean mayCast;
    private final boolean otherWay;

    private GroupView view;
    private boolean onOneHost;
    private PathEvents events;
    private Maker<UdpEndpoint> maker;
    private UdpEndpoint endpoint;

    // Null until there is an endpoint, and if nothing is cast.
    private UdpCastStream castStream;
    private UdpCast cast;

    /** Why there are no paths over UDP; null while there may be. */
    private String problem;

    /** For each rank its path, if one was ever begun. */
    private UdpPath[] paths = new UdpPath[0];

    /** For each rank how many paths to it were begun. */
    private int[] rounds = new int[0];

    /** For each rank its round of sessions in the path that was lost last; -1 if none was. */
    private int[] lostRounds = new int[0];

    /** A path is lost that another one may follow: what all peers get alike is not cast any more. */
    private boolean castOver;

    /** Whether a path to a rank is not to be opened any more. */
    private boolean[] refused = new boolean[0];

    /** Whether a path to a rank was asked for before there was an endpoint. */
    private boolean[] asked = new boolean[0];

    private final List<UdpPath> opening = new ArrayList<>();
    private final List<UdpPath> open = new ArrayList<>();

    /** Images whose senders have been told that nobody reads them. */
    private final LongHashSet rejected = new LongHashSet();

    private int turns;
    private int quietTurns;

    /** Sleeps since there was work. */
    private int sleeps;

    private long drivenNs;
    private long nextLookNs;
    private boolean closed;

    /**
     * Paths that are opened from a port.
     *
     * @param shared     where the media driver's memory is to be
     * @param port       taken; closed by this transport
     * @param candidates of the port
     * @param base       has the counters, and is woken up
     * @param gates      how the port is guarded
     * @param mayCast    whether what goes to all peers alike is cast
     * @param otherWay   whether links have the way through the relay
     */
    UdpTransport(
            SharedDirectory shared,
            UdpPort port,
            List<Candidate> candidates,
            Transport base,
            UdpEndpoint.Gates gates,
            boolean mayCast,
            boolean otherWay) {
        this.shared = shared;
        this.port = port;
        this.candidates = List.copyOf(candidates);
        this.base = base;
        this.gates = gates;
        this.mayCast = mayCast;
        this.otherWay = otherWay;
    }

    GroupView view() {
        return view;
    }

    TransportCounters counters() {
        return base.counters();
    }

    @Override
    public List<Candidate> candidates() {
        return candidates;
    }

    @Override
    public void start(GroupView group, PathEvents outcomes) {
        view = group;
        onOneHost = group.members().stream()
                .allMatch(member -> member.hostId().equals(group.self().hostId()));
        events = outcomes;
        paths = new UdpPath[group.size()];
        rounds = new int[group.size()];
        lostRounds = new int[group.size()];
        Arrays.fill(lostRounds, -1);
        refused = new boolean[group.size()];
        asked = new boolean[group.size()];
        if (group.size() > 1) {
            boolean casts = casts();
            maker = new Maker<>(cancelled -> UdpEndpoint.make(shared, group, port, gates, casts), base);
            maker.start("zip-udp-start-" + group.rank());
        }
    }

    /** With one peer there is nothing to gain. */
    private boolean casts() {
        return mayCast && view.size() > 2;
    }

    /** Whether links have the way through the relay. */
    boolean hasOtherWay() {
        return otherWay;
    }

    /** This rank's end of all streams; null until it is made. */
    UdpEndpoint endpoint() {
        return endpoint;
    }

    /** Where paths meet that send the same; null if they do not. */
    UdpCast cast() {
        return cast;
    }

    /** What datagrams may hold so that frames are equally long on all paths, where that matters. */
    int messageBytesMax() {
        return cast == null ? Integer.MAX_VALUE : endpoint.messageBytes(onOneHost);
    }

    // ---- opening

    @Override
    public boolean reaches(int peer) {
        return problem == null
                && !closed
                && !refused[peer]
                && !UdpRoutes.candidates(view, peer).isEmpty();
    }

    @Override
    public void connect(int peer) {
        if (endpoint == null) {
            asked[peer] = true;
        } else if (paths[peer] == null) {
            begin(peer).want();
        } else if (paths[peer].isOpening()) {
            paths[peer].want();
        }
        nextLookNs = System.nanoTime();
    }

    private UdpPath begin(int peer) {
        UdpPath path = new UdpPath(this, endpoint, peer, rounds[peer]++ % UdpNames.ATTEMPT_ROUNDS, System.nanoTime());
        paths[peer] = path;
        opening.add(path);
        return path;
    }

    @Override
    public void giveUp(int peer) {
        refused[peer] = true;
        asked[peer] = false;
        if (paths[peer] != null && paths[peer].isOpening()) {
            paths[peer].close();
        }
    }

    /** Called by a path whose handshake is over. */
    void opened(UdpPath path) {
        opening.remove(path);
        open.add(path);
        if (cast != null && !castOver) {
            cast.opened(path.way());
        }
        events.opened(path);
    }

    /** Called by a path that ends: a pair is tried once, and again if its path was lost. */
    void closed(UdpPath path) {
        if (path.mayReturn()) {
            paths[path.peer()] = null;
            lostRounds[path.peer()] = path.peerRound();
            castOver = true;
        } else {
            refused[path.peer()] = true;
        }
        opening.remove(path);
        open.remove(path);
    }

    /** Called by a path that ends, or is broken. */
    void castEnded(UdpOutput way) {
        if (cast != null && way != null) {
            cast.ended(way);
        }
    }

    /** Whether an image is a peer's, and not of a path that was lost, nor refused. */
    boolean isOf(int peer, Image image) {
        UdpNames names = endpoint.names();
        return names.sender(image.sessionId()) == peer
                && names.round(image.sessionId()) != lostRounds[peer]
                && !rejected.contains(image.correlationId());
    }

    /** Tells the sender of an image that nobody reads it, once. */
    void reject(Image image) {
        if (!image.isClosed() && rejected.add(image.correlationId())) {
            image.reject("not wanted");
        }
    }

    @Override
    public boolean isConnecting() {
        if (!opening.isEmpty()) {
            return true;
        }
        if (endpoint != null || problem != null) {
            return false;
        }
        for (boolean one : asked) {
            if (one) {
                return true;
            }
        }
        return false;
    }

    @Override
    public boolean hasPaths() {
        return !open.isEmpty();
    }

    // ---- turns

    @Override
    public int poll() {
        if (maker == null || closed) {
            return 0;
        }
        turns++;
        int work = turns % TURNS_BETWEEN_LOOKS == 0 ? lookIfDue() : 0;
        if (endpoint != null && problem == null && endpoint.isOver()) {
            lost();
        }
        if (endpoint == null || !isDriveDue()) {
            return work;
        }
        endpoint.drive();
        if (cast != null) {
            cast.turn();
        }
        // By index: a turn may open and close paths, and an iterator is garbage.
        for (int i = 0; i < open.size(); i++) {
            work += open.get(i).turn();
        }
        if (castStream != null && problem == null && castStream.hasMoved()) {
            work++;
        }
        if (work > 0) {
            quietTurns = 0;
            sleeps = 0;
        } else {
            quietTurns = Math.min(quietTurns + 1, QUIET_TURNS);
        }
        return work;
    }

    private boolean isDriveDue() {
        boolean idle = open.isEmpty() && opening.isEmpty();
        if (idle && turns % TURNS_BETWEEN_LOOKS != 0) {
            return false;
        }
        if (!idle && quietTurns < QUIET_TURNS) {
            return true;
        }
        long nowNs = System.nanoTime();
        if (nowNs - drivenNs < (idle ? IDLE_DRIVE_NS : QUIET_DRIVE_NS)) {
            return false;
        }
        drivenNs = nowNs;
        return true;
    }

    /** Has the driver send what a path has written. */
    void send(UdpOutput output) {
        for (int i = 0; i < SEND_TURNS_MAX && (output.isUnsent() || isCastUnsent()); i++) {
            if (endpoint.drive() == 0) {
                return;
            }
        }
        quietTurns = 0;
    }

    private boolean isCastDue() {
        return castStream != null && castStream.isDue() && !castOver && open.size() == view.size() - 1;
    }

    private boolean isCastUnsent() {
        return castStream != null && problem == null && castStream.isUnsent();
    }

    private int lookIfDue() {
        long nowNs = System.nanoTime();
        if (nowNs - nextLookNs < 0) {
            return 0;
        }
        if (endpoint == null && problem == null) {
            settle();
        }
        int before = open.size();
        if (endpoint != null && problem == null) {
            look(nowNs);
        }
        nextLookNs = nowNs + (isConnecting() || isCastDue() ? OPENING_LOOK_NS : LOOK_NS);
        return open.size() - before;
    }

    /** One of the next turns looks at Aeron's client. */
    void lookSoon() {
        nextLookNs = System.nanoTime();
    }

    /** Takes the endpoint that was made in the background, if it is ready. */
    private void settle() {
        if (!maker.isDone()) {
            return;
        }
        endpoint = maker.made();
        if (endpoint == null) {
            fail(maker.problem());
            return;
        }
        if (casts()) {
            castStream = new UdpCastStream(endpoint);
            cast = new UdpCast(view.size() - 1, castStream, counters(), System::nanoTime);
        }
        for (int i = 0; i < asked.length; i++) {
            if (asked[i] && !refused[i]) {
                begin(i).want();
            }
        }
    }

    private void fail(String reason) {
        problem = reason;
        LOG.info("{}: no paths over UDP: {}", view, reason);
        for (int i = 0; i < asked.length; i++) {
            if (asked[i]) {
                asked[i] = false;
                events.unreachable(i, reason);
            }
        }
    }

    private void look(long nowNs) {
        endpoint.look();
        if (endpoint.problem() != null) {
            lost();
            return;
        }
        lookForKnocks();
        for (int i = opening.size() - 1; i >= 0; i = Math.min(i, opening.size()) - 1) {
            climb(opening.get(i), nowNs);
        }
        for (int i = open.size() - 1; i >= 0; i = Math.min(i, open.size()) - 1) {
            open.get(i).look(nowNs);
        }
        if (isCastDue()) {
            castStream.make(open, onOneHost);
        } else if (castStream != null) {
            castStream.look(nowNs);
        }
    }

    /** Whoever sends to this rank wants a path. */
    private void lookForKnocks() {
        Subscription all = endpoint.subscription();
        for (int i = all.imageCount() - 1; i >= 0; i--) {
            Image image = all.imageAtIndex(i);
            int sender = endpoint.names().sender(image.sessionId());
            if (sender < 0 || refused[sender] || !isOf(sender, image) || isOverForGood(paths[sender])) {
                reject(image);
            } else if (paths[sender] == null) {
                begin(sender);
            }
        }
    }

    private static boolean isOverForGood(UdpPath path) {
        return path != null && path.isOver() && !path.mayReturn();
    }

    private void climb(UdpPath path, long nowNs) {
        int peer = path.peer();
        try {
            path.climb(nowNs);
        } catch (RuntimeException e) {
            // Aeron's own are of several kinds.
            String reason = e instanceof ZipException failure ? failure.reason() : String.valueOf(e.getMessage());
            LOG.info("{}: rank {} is not reached over UDP: {}", view, peer, reason);
            refused[peer] = true;
            path.close();
            if (path.isWanted()) {
                events.unreachable(peer, reason);
            }
        }
    }

    private void lost() {
        problem = "the media driver of this process ended: " + endpoint.problem();
        LOG.warn("{}: {}", view, problem);
        for (int i = open.size() - 1; i >= 0; i = Math.min(i, open.size()) - 1) {
            open.get(i).end(new ZipException(ErrorCode.DRIVER_LOST, problem));
        }
        for (int i = opening.size() - 1; i >= 0; i = Math.min(i, opening.size()) - 1) {
            UdpPath path = opening.get(i);
            path.close();
            if (path.isWanted()) {
                events.unreachable(path.peer(), problem);
            }
        }
    }

    @Override
    public long beforeSleep() {
        if (maker == null || closed) {
            return Long.MAX_VALUE;
        }
        lookNext();
        if (!hasPaths() && !isConnecting()) {
            return IDLE_SLEEP_NS;
        }
        int doublings = sleeps / SLEEPS_OF_A_KIND;
        sleeps = Math.min(sleeps + 1, SLEEPS_MAX);
        return Math.min(SLEEP_NS_MAX, SLEEP_NS_MIN << doublings);
    }

    @Override
    public void afterSleep() {
        lookNext();
    }

    /** The turn that follows looks at everything. */
    private void lookNext() {
        turns = -1;
        nextLookNs = System.nanoTime();
        drivenNs = nextLookNs - IDLE_DRIVE_NS;
    }

    @Override
    public boolean hasOutput() {
        for (int i = 0; i < open.size(); i++) {
            if (open.get(i).hasOutput()) {
                return true;
            }
        }
        return !open.isEmpty() && isCastUnsent();
    }

    @Override
    public void leave() {}

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        port.close();
        if (maker == null) {
            return;
        }
        if (endpoint == null) {
            maker.cancel();
            return;
        }
        endpoint.close();
        for (UdpPath path : paths) {
            if (path != null) {
                path.close();
            }
        }
        // Its memory is not mapped any more: whoever touches it ends the process.
        endpoint = null;
    }
}
