package io.zipcomm.testkit;

import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
import io.zipcomm.internal.ControlPlane;
import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Member;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.Transport;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.SessionKey;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * All paths between the ranks of one group, in one process and in virtual time. Every pair has a path named
 * {@value #RELAY} from the start, and gets one named {@value #DIRECT} some time after one of the two asks for it. Frames
 * are serialized for real. Each path keeps its order and holds a bounded number of bytes; how long anything takes is left
 * to the seed, which decides everything: the same calls with the same seed give the same run.
 *
 * <p>Nothing moves by itself: whoever drives the ranks takes turns with {@link #advance}. {@link SimulatedGroup} does so
 * for whole communicators. A breach of the transport's contract by its user is an {@link IllegalStateException}.
 *
 * <p>Thread: one at a time.
 */
public final class SimulatedNetwork {

    /** Name of the paths through the relay. */
    public static final String RELAY = "relay";

    /** Name of the direct paths. */
    public static final String DIRECT = "sim";

    /** Epoch of the group. */
    public static final int EPOCH = 7;

    private static final String SESSION = "simulated";
    private static final long FORGETTABLE = 0x5bf0_3635_dd38_6f1dL;

    /** A change to a frame on its way out, to see what its receiver makes of it. */
    @FunctionalInterface
    public interface Tampering {

        /**
         * Looks at a header and may change it.
         *
         * @param header little-endian
         * @param at     index of its first byte
         * @return true if it changed the frame: it is not asked again
         */
        boolean changes(ByteBuffer header, int at);
    }

    /** A change to bytes of a payload on their way. */
    @FunctionalInterface
    public interface Corruption {

        /**
         * Looks at a piece of a payload and may change it.
         *
         * @param header of its frame, little-endian
         * @param at     index of the header's first byte
         * @param piece  bytes of the payload, one or more
         * @return true if it changed the piece: it is not asked again
         */
        boolean changes(ByteBuffer header, int at, byte[] piece);
    }

    /** Runs other ranks while one waits. */
    @FunctionalInterface
    interface Scheduler {

        /** Whether it gave way until the rank has something to do, or the time is over, or for no reason. */
        boolean giveWay(int rank, long timeoutNs);
    }

    private record Event(long atNs, long number, Runnable action) {}

    private static final class Attempt {
        final Set<Integer> askers = new HashSet<>();
    }

    private record Edge(int from, int to) {}

    private final int size;
    private final long seed;
    private final RandomGenerator random;
    private final Conditions conditions;
    private final FakeClock clock = new FakeClock();
    private final Segment scratch = SimulatedPath.newScratch();
    private final PriorityQueue<Event> events =
            new PriorityQueue<>(Comparator.comparingLong(Event::atNs).thenComparingLong(Event::number));
    private final SimulatedTransport[] transports;
    private final SimulatedControl[] controls;
    private final SimulatedAgreements agreements = new SimulatedAgreements(this);
    private final List<Member> members;

    /** Ranks with something to do: the first {@link #readyCount} of the array, in no order. */
    private final int[] ready;

    private final boolean[] isReady;
    private int readyCount;

    private final boolean[] frozen;
    private final long[] sendingUntilNs;
    private final Map<Edge, Attempt> attempts = new HashMap<>();
    private final Map<Edge, SimulatedPath> direct = new HashMap<>();
    private final Map<Edge, String> refusals = new HashMap<>();
    private final Map<Edge, Long> delays = new HashMap<>();
    private final Map<Edge, Tampering> tamperings = new HashMap<>();
    private final Map<Edge, Corruption> corruptions = new HashMap<>();
    private Scheduler scheduler;
    private Consumer<String> trace;
    private final Set<Edge> withheld = new HashSet<>();
    private boolean lenient;
    private boolean forgettable;
    private long happened;
    private long rests;

    /**
     * A network whose conditions depend on the seed as well.
     *
     * @param size ranks
     * @param seed decides everything that is left to chance
     */
    public SimulatedNetwork(int size, long seed) {
        this(size, seed, Conditions.random(Seeds.random(~seed)));
    }

    /**
     * A network.
     *
     * @param size       ranks
     * @param seed       decides everything that is left to chance
     * @param conditions what it is like
     */
    public SimulatedNetwork(int size, long seed, Conditions conditions) {
        this(size, seed, conditions, IntStream.range(0, size).toArray());
    }

    /**
     * A network of ranks of which some share hosts.
     *
     * @param size       ranks
     * @param seed       decides everything that is left to chance
     * @param conditions what it is like
     * @param hostOf     the number of each rank's host
     */
    public SimulatedNetwork(int size, long seed, Conditions conditions, int[] hostOf) {
        this.size = size;
        this.seed = seed;
        this.conditions = conditions;
        random = Seeds.random(seed);
        forgettable = Seeds.random(seed ^ FORGETTABLE).nextBoolean();
        transports = new SimulatedTransport[size];
        controls = new SimulatedControl[size];
        ready = new int[size];
        isReady = new boolean[size];
        frozen = new boolean[size];
        sendingUntilNs = new long[size];
        for (int rank = 0; rank < size; rank++) {
            transports[rank] = new SimulatedTransport(this, rank);
            controls[rank] = new SimulatedControl(this, rank);
        }
        members = IntStream.range(0, size)
                .mapToObj(rank -> new Member(rank, "host-" + hostOf[rank], List.of(), List.of(DIRECT, RELAY)))
                .toList();
    }

    /** Number of ranks. */
    public int size() {
        return size;
    }

    /** What decides everything that is left to chance. */
    public long seed() {
        return seed;
    }

    /** What the network is like. */
    public Conditions conditions() {
        return conditions;
    }

    /** Virtual time. */
    public FakeClock clock() {
        return clock;
    }

    /** The group as one of its ranks sees it. */
    public GroupView view(int rank) {
        return new GroupView(
                SESSION,
                EPOCH,
                rank,
                members,
                new SessionKey(new byte[SessionKey.BYTES]),
                conditions.windowBytes(),
                // What a relay would forward: a path's own fragments may be smaller.
                Math.max(conditions.relayFragmentBytesMax(), ZipSettings.EAGER_BYTES_MAX));
    }

    /** A rank's transport: the same each time. */
    public Transport transport(int rank) {
        return transports[rank];
    }

    /** A rank's control plane: the same each time. */
    SimulatedControl control(int rank) {
        return controls[rank];
    }

    SimulatedAgreements agreements() {
        return agreements;
    }

    // Time.

    /**
     * Lets time pass until something is due, if nothing is due now.
     *
     * @param limitNs how far at most, in nanoseconds
     * @return false if nothing is due even then
     */
    public boolean advance(long limitNs) {
        happened++;
        if (readyCount == 0) {
            long until = clock.nowNs() + limitNs;
            clock.advanceTo(events.isEmpty() ? until : Math.max(clock.nowNs(), Math.min(until, events.peek().atNs)));
        }
        while (!events.isEmpty() && events.peek().atNs <= clock.nowNs()) {
            events.poll().action.run();
        }
        return readyCount > 0;
    }

    /** How many ranks have something to do now. */
    public int readyCount() {
        return readyCount;
    }

    /**
     * Picks one of the ranks that have something to do. It has had its turn then, and has to be given it.
     *
     * @return the rank, or -1 if there is none
     */
    public int takeReady() {
        if (readyCount == 0) {
            return -1;
        }
        happened++;
        int index = random.nextInt(readyCount);
        int rank = ready[index];
        ready[index] = ready[--readyCount];
        isReady[rank] = false;
        return rank;
    }

    void ready(int rank) {
        if (!isReady[rank] && !frozen[rank] && !transports[rank].isSilent()) {
            isReady[rank] = true;
            ready[readyCount++] = rank;
        }
    }

    void at(long instantNs, Runnable action) {
        events.add(new Event(instantNs, happened++, action));
    }

    void soon(Runnable action) {
        at(clock.nowNs() + latencyNs(), action);
    }

    long latencyNs() {
        return random.nextLong(conditions.latencyNsMin(), conditions.latencyNsMax() + 1);
    }

    /** When bytes that a rank sends now arrive. */
    long arrivalNs(int from, int to, int bytes) {
        long begin = Math.max(sendingUntilNs[from], clock.nowNs());
        sendingUntilNs[from] = begin + bytes * 1_000_000_000L / conditions.bytesPerSecond();
        return sendingUntilNs[from] + latencyNs() + delays.getOrDefault(new Edge(from, to), 0L);
    }

    long nowNs() {
        return clock.nowNs();
    }

    /** Changes whenever something happens. */
    long happened() {
        return happened;
    }

    void onAwait(Scheduler runs) {
        scheduler = runs;
    }

    boolean giveWay(int rank, long timeoutNs) {
        return scheduler != null && scheduler.giveWay(rank, timeoutNs);
    }

    RandomGenerator random() {
        return random;
    }

    Segment scratch() {
        return scratch;
    }

    // Paths.

    void openRelayed(int rank, int peer) {
        if (peer == rank || peer < 0 || peer >= size) {
            throw new IllegalArgumentException("rank " + rank + " asks for a path to rank " + peer);
        }
        SimulatedPath near = new SimulatedPath(transports[rank], peer, false, true);
        SimulatedPath far = new SimulatedPath(transports[peer], rank, false, true);
        SimulatedPath.join(near, far);
        transports[rank].addRelayed(near);
        if (transports[peer].isClosed()) {
            far.close();
        } else {
            transports[peer].addRelayed(far);
        }
    }

    void connect(int rank, int peer) {
        Edge edge = edge(rank, peer);
        SimulatedPath open = direct.get(edge);
        if (open != null && !open.isGone()) {
            return;
        }
        Attempt attempt = attempts.get(edge);
        if (attempt == null) {
            attempt = new Attempt();
            attempts.put(edge, attempt);
            at(clock.nowNs() + random.nextLong(conditions.connectNsMax() + 1), () -> connected(edge));
        }
        attempt.askers.add(rank);
    }

    private void connected(Edge edge) {
        Attempt attempt = attempts.remove(edge);
        String refusal = refusals.get(edge);
        if (refusal == null && (transports[edge.from].isSilent() || transports[edge.to].isSilent())) {
            refusal = "connection refused";
        }
        if (refusal != null) {
            String reason = refusal;
            int asker = attempt.askers.contains(edge.from) ? edge.from : edge.to;
            int other = asker == edge.from ? edge.to : edge.from;
            transports[asker].later(listener -> listener.unreachable(other, reason));
            if (attempt.askers.size() == 2) {
                transports[other].later(listener -> listener.unreachable(asker, reason));
            }
            return;
        }
        boolean forgets = forgettable
                && !members.get(edge.from).hostId().equals(members.get(edge.to).hostId());
        SimulatedPath near = new SimulatedPath(transports[edge.from], edge.to, true, forgets);
        SimulatedPath far = new SimulatedPath(transports[edge.to], edge.from, true, forgets);
        SimulatedPath.join(near, far);
        direct.put(edge, near);
        open(edge.from, near);
        open(edge.to, far);
    }

    private void open(int rank, SimulatedPath path) {
        transports[rank].add(path);
        if (withheld.remove(new Edge(rank, path.peer()))) {
            return;
        }
        soon(() -> transports[rank].later(listener -> listener.opened(path)));
    }

    private static Edge edge(int a, int b) {
        return new Edge(Math.min(a, b), Math.max(a, b));
    }

    // Control.

    void tellAllBut(int speaker, Consumer<ControlPlane.Listener> message) {
        for (int rank = 0; rank < size; rank++) {
            if (rank != speaker) {
                controls[rank].hear(message);
            }
        }
    }

    void tell(int rank, Consumer<ControlPlane.Listener> message) {
        controls[rank].hear(message);
    }

    // Faults.

    /** A rank's process dies: its paths break at its peers, and the relay tells them sooner or later that it is gone. */
    public void kill(int rank) {
        transports[rank].die();
        unready(rank);
        for (SimulatedPath path : transports[rank].paths()) {
            // A relay may forget a flow without a word.
            if (path.isDirect() || random.nextBoolean()) {
                path.breakPeer();
            }
        }
        controls[rank].died();
    }

    /** The relay gives a rank's place away, as when it was silent for too long and is there after all. */
    public void expel(int rank) {
        controls[rank].expel("no heartbeat for 5001 ms");
    }

    /** Stops a rank's process, as if it had no processor: its peers see nothing but silence. */
    public void freeze(int rank) {
        frozen[rank] = true;
        unready(rank);
    }

    /** Lets a frozen rank go on. */
    public void thaw(int rank) {
        frozen[rank] = false;
        ready(rank);
    }

    /** Whether a rank is frozen. */
    public boolean isFrozen(int rank) {
        return frozen[rank];
    }

    /** Whether a rank was killed or has closed its transport. */
    public boolean isSilent(int rank) {
        return transports[rank].isSilent();
    }

    /** Whether a rank was killed. */
    public boolean isKilled(int rank) {
        return transports[rank].isDead();
    }

    private void unready(int rank) {
        for (int i = 0; i < readyCount; i++) {
            if (ready[i] == rank) {
                ready[i] = ready[--readyCount];
                isReady[rank] = false;
                return;
            }
        }
    }

    /**
     * Breaks the path between two ranks at both ends; some of what is under way still arrives.
     *
     * @param name {@link #RELAY} or {@link #DIRECT}
     * @return false if there is no such path
     */
    public boolean cut(int a, int b, String name) {
        for (SimulatedPath path : transports[a].paths()) {
            if (path.peer() == b && path.name().equals(name) && !path.isGone()) {
                path.breakNow();
                path.breakPeer();
                return true;
            }
        }
        return false;
    }

    /**
     * Decides whether direct paths between different hosts are forgettable, which otherwise the seed does. For paths that open
     * from now on.
     */
    public void forgettable(boolean now) {
        forgettable = now;
    }

    /**
     * Something between two ranks forgets their direct path: what they send is lost without a word.
     *
     * @param aNoticesNs how long it takes the one rank to notice; at least one of the two does
     * @param bNoticesNs how long it takes the other
     * @return false if there is no such path
     */
    public boolean forget(int a, int b, long aNoticesNs, long bNoticesNs) {
        SimulatedPath near = open(a, b);
        SimulatedPath far = open(b, a);
        if (near == null || far == null) {
            return false;
        }
        near.forget(clock.nowNs() + aNoticesNs);
        far.forget(clock.nowNs() + bNoticesNs);
        return true;
    }

    private SimulatedPath open(int a, int b) {
        for (SimulatedPath path : transports[a].paths()) {
            if (path.peer() == b && path.isDirect() && !path.isGone()) {
                return path;
            }
        }
        return null;
    }

    /** Whether there is a direct path between two ranks that has not broken; its ends may not have heard of it yet. */
    public boolean hasDirect(int a, int b) {
        return open(a, b) != null && open(b, a) != null;
    }

    /** The next direct path between two ranks opens at one end only: its last handshake message is lost. */
    public void withhold(int rank, int peer) {
        withheld.add(new Edge(rank, peer));
    }

    /**
     * Does something when some time has passed, such as a fault in the middle of what will be under way then.
     *
     * @param ns     nanoseconds
     * @param action what, on the thread that drives the network
     */
    public void after(long ns, Runnable action) {
        at(clock.nowNs() + ns, action);
    }

    /** How many frames were interrupted and had their rest sent on another path. */
    public long restCount() {
        return rests;
    }

    void restArrived() {
        rests++;
    }

    /**
     * A rank's data connection to the relay is lost, with what is under way on it, and there again after a while.
     *
     * @param awayNs how long it takes, in nanoseconds
     */
    public void loseDataConnection(int rank, long awayNs) {
        if (!transports[rank].isSilent()) {
            transports[rank].goAway();
            at(clock.nowNs() + awayNs, transports[rank]::comeBack);
        }
    }

    /** The relay dies: all relayed paths and all control connections are gone. */
    public void stopRelay() {
        for (int rank = 0; rank < size; rank++) {
            SimulatedTransport transport = transports[rank];
            SimulatedControl control = controls[rank];
            soon(() -> transport.loseRelay("connection to the relay reset"));
            soon(() -> control.lost("connection reset"));
        }
    }

    /** The relay's host vanishes as one rank sees it: all that tells is that its heartbeats are not answered. */
    public void silenceRelay(int rank) {
        soon(() -> controls[rank].lost("silent for 5001 ms"));
    }

    /** Lets no direct path between two ranks open from now on. */
    public void refuse(int a, int b, String reason) {
        refusals.put(edge(a, b), reason);
    }

    /** Makes what one rank sends to another travel longer from now on, on all paths. */
    public void delay(int from, int to, long ns) {
        delays.put(new Edge(from, to), ns);
    }

    /** Lets someone look at the frames from one rank to another until it has changed one. */
    public void tamper(int from, int to, Tampering tampering) {
        lenient = true;
        tamperings.put(new Edge(from, to), tampering);
    }

    /**
     * Lets someone look at the payloads from one rank to another until it has changed one: not at those which leave together with
     * further frames.
     */
    public void corrupt(int from, int to, Corruption corruption) {
        corruptions.put(new Edge(from, to), corruption);
    }

    void corrupt(int from, int to, ByteBuffer header, int at, byte[] piece) {
        Edge edge = new Edge(from, to);
        Corruption corruption = corruptions.get(edge);
        if (corruption != null && corruption.changes(header, at, piece)) {
            corruptions.remove(edge, corruption);
        }
    }

    /** Lets frames through that are not well formed, to test what their receivers do. */
    public void allowMalformedFrames() {
        lenient = true;
    }

    void tamper(int from, int to, ByteBuffer header, int at) {
        Edge edge = new Edge(from, to);
        Tampering tampering = tamperings.get(edge);
        if (tampering != null && tampering.changes(header, at)) {
            tamperings.remove(edge, tampering);
        }
    }

    /**
     * Has everything told that happens from now on: each frame as it leaves and arrives, and the ends of paths. To find out
     * why a run with some seed fails.
     *
     * @param told takes one line at a time
     */
    public void trace(Consumer<String> told) {
        trace = told;
    }

    boolean isTraced() {
        return trace != null;
    }

    void trace(SimulatedPath path, String what) {
        if (trace != null) {
            trace.accept(clock.elapsedNs() / 1000 + " us, " + path.describe() + ": " + what);
        }
    }

    // Checks.

    void require(boolean condition, SimulatedPath path, String breach) {
        if (!condition) {
            require(false, path.describe(), breach);
        }
    }

    void require(boolean condition, String who, String breach) {
        if (!condition) {
            throw new IllegalStateException(who + " " + breach + " (seed " + seed + ")");
        }
    }

    /** Checks a frame that a handler made. */
    void checkFrame(SimulatedPath path, ByteBuffer header, int at, OutboundFrame frame) {
        if (lenient) {
            return;
        }
        String problem = Frame.problem(header, at);
        require(problem == null, path, "was given a " + problem);
        int bytes = frame.payload == null ? 0 : frame.bytes;
        if (frame.followers > 0) {
            bytes = Frame.payloadBytes(header, at);
            checkFollowers(path, frame, bytes);
        }
        require(
                Frame.payloadBytes(header, at) == bytes,
                path,
                "was given " + bytes + " bytes with: " + Frame.describe(header, at));
        FrameType type = FrameType.of(Frame.type(header, at));
        require(
                type != FrameType.DATA || bytes <= path.fragmentBytesMax(),
                path,
                "was given a fragment of " + bytes + ", allowed " + path.fragmentBytesMax());
        require(type.isLinkFrame(), path, "was given a frame of type " + type);
        require(frame.payload == null || bytes > 0, path, "was given a payload of " + bytes + " bytes");
        require(
                type != FrameType.REST || bytes <= Math.max(path.fragmentBytesMax(), ZipSettings.EAGER_BYTES_MAX),
                path,
                "was given the rest of a frame of " + bytes);
        if (bytes > 0) {
            checkRange(
                    path,
                    frame.payload,
                    frame.offset,
                    bytes,
                    frame.payload.type().bytes());
        }
    }

    /** Checks the frames that are to be sent together with another one. */
    private void checkFollowers(SimulatedPath path, OutboundFrame frame, int firstBytes) {
        require(path.isForgettable() && firstBytes > 0, path, "was given several frames at once");
        int at = (int) frame.offset + firstBytes;
        int end = (int) frame.offset + frame.bytes;
        int count = 0;
        for (; at < end; count++) {
            String problem = Frame.problem(frame.payload.direct(), at);
            require(problem == null, path, "was given a follower with a " + problem);
            at += Frame.HEADER_BYTES + Frame.payloadBytes(frame.payload.direct(), at);
        }
        require(
                at == end && count == frame.followers,
                path,
                "was given " + count + " followers that end at " + at + ", expected " + frame.followers + ", " + end);
    }

    /** Checks what a handler wants done with a payload. */
    void checkFrame(SimulatedPath path, FrameType type, int payloadBytes, InboundFrame frame) {
        if (frame.payload != null && payloadBytes > 0) {
            require(
                    frame.bytes == payloadBytes,
                    path,
                    "was told to receive " + frame.bytes + " bytes of " + payloadBytes);
            require(!frame.payload.isReadOnly(), path, "was told to receive into read-only memory");
            // A socket may have filled part of an element in direct memory.
            boolean anywhere = type == FrameType.REST && frame.payload.direct() != null;
            int unit = anywhere ? 1 : frame.payload.type().bytes();
            checkRange(path, frame.payload, frame.offset, payloadBytes, unit);
        }
    }

    private void checkRange(SimulatedPath path, Payload payload, long offset, int bytes, int unit) {
        require(
                offset >= 0 && bytes <= payload.bytes() - offset && offset % unit == 0 && bytes % unit == 0,
                path,
                "was given bytes " + offset + " to " + (offset + bytes) + " of a payload of " + payload.bytes()
                        + " in elements of " + unit);
    }

    /** For the message of a failed run: what every path is at. */
    public String state() {
        StringBuilder text = new StringBuilder("seed ").append(seed);
        text.append(", after ")
                .append(clock.elapsedNs() / 1000)
                .append(" us of virtual time, ")
                .append(conditions);
        List<String> lines = new ArrayList<>();
        for (SimulatedTransport transport : transports) {
            String rank = "rank " + transport.rank();
            if (transport.isSilent()) {
                lines.add(rank + ": " + (transport.isClosed() ? "closed" : "dead"));
            } else if (frozen[transport.rank()]) {
                lines.add(rank + ": frozen");
            }
            transport.paths().forEach(path -> lines.add(path.state()));
        }
        int shown = 0;
        for (Iterator<String> all = lines.iterator(); all.hasNext() && shown < 64; shown++) {
            text.append(System.lineSeparator()).append("  ").append(all.next());
        }
        return text.toString();
    }
}
