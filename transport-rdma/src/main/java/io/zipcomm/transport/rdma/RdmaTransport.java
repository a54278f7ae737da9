package io.zipcomm.transport.rdma;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.FabricChoice;
import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Handshake;
import io.zipcomm.transport.DirectTransport;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.transport.RemoteMemory;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.TransportCounters;
import io.zipcomm.wire.Hello;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Paths between the endpoints of a fabric. They are not encrypted. */
final class RdmaTransport implements DirectTransport, RdmaEndpoint.Outcomes {

    /** As capabilities, candidates and settings have it. */
    static final String NAME = "rdma";

    private static final Logger LOG = LoggerFactory.getLogger(RdmaTransport.class);

    /** Time between looks at paths that open, and at the clock. */
    private static final long OPENING_LOOK_NS = 200_000;

    private static final long LOOK_NS = 2_000_000;

    /** Turns between looks at the clock. */
    private static final int TURNS_BETWEEN_LOOKS = 32;

    /** Time between looks for registrations that nobody needs. */
    private static final long EXPIRE_NS = 1_000_000_000;

    /** How long a transport that closes waits for its last words to leave. */
    private static final long GOODBYE_NS_MAX = 50_000_000;

    /** How long it waits for what it has begun with memory of peers: after a failure only, since all is over before a regular end. */
    private static final long MEMORY_ENDS_NS_MAX = 500_000_000;

    /** Sleeps where nothing wakes a rank for a message: short at first, and doubled after every few without work. */
    private static final long SLEEP_NS_MIN = 50_000;

    private static final long SLEEP_NS_MAX = 1_000_000;
    private static final int SLEEPS_OF_A_KIND = 4;
    private static final int SLEEPS_MAX = 8 * SLEEPS_OF_A_KIND;

    /** The same, without paths. */
    private static final long IDLE_SLEEP_NS = 5_000_000;

    /** Longest sleep of a rank that is woken for messages, but waits for what nobody announces. */
    private static final long BLIND_SLEEP_NS = 1_000_000;

    private final RdmaEndpoint endpoint;
    private final Transport base;
    private final RdmaMemory memory;
    private final List<Candidate> candidates;

    private GroupView view;
    private PathEvents events;

    /** For each rank its path, if one was ever begun. */
    private RdmaPath[] paths = new RdmaPath[0];

    /** Whether a path to a rank is not to be opened any more. */
    private boolean[] refused = new boolean[0];

    private final List<RdmaPath> opening = new ArrayList<>();
    private final List<RdmaPath> open = new ArrayList<>();
    private final List<RdmaPath> lingering = new ArrayList<>();

    /** Steps of handshakes that have come in, and last words behind them: slots, and bytes in them. */
    private final ArrayDeque<int[]> hellos = new ArrayDeque<>();

    /** Peers whose paths have ended, for those that wait for their memory. */
    private final ArrayDeque<Integer> endedPaths = new ArrayDeque<>();

    /** Whether somebody is reached by this provider. */
    private boolean needed = true;

    /** The endpoint's failure has been told. */
    private boolean lost;

    /** What ends a sleep when there is a message; null if nothing does. */
    private Transport.DescriptorWatch watch;

    /** The thread is about to sleep, and nothing may be asked of libfabric that it was not asked before. */
    private boolean listening;

    private int turns;
    private int sleeps;
    private long nowNs = System.nanoTime();
    private long nextLookNs = nowNs;
    private long nextExpireNs = nowNs;
    private boolean closed;

    /**
     * Paths of an endpoint.
     *
     * @param endpoint open; closed by this transport
     * @param base     has the counters
     */
    RdmaTransport(RdmaEndpoint endpoint, Transport base) {
        this.endpoint = endpoint;
        this.base = base;
        memory = endpoint.delivers() ? new RdmaMemory(this, endpoint) : null;
        candidates =
                List.of(new Candidate(Candidate.Kind.FABRIC, NAME, endpoint.provider() + "/" + endpoint.address(), 0));
    }

    GroupView view() {
        return view;
    }

    RdmaEndpoint endpoint() {
        return endpoint;
    }

    TransportCounters counters() {
        return base.counters();
    }

    /** Instant of the last look at the clock. */
    long nowNs() {
        return nowNs;
    }

    @Override
    public List<Candidate> candidates() {
        return candidates;
    }

    @Override
    public void start(GroupView group, PathEvents outcomes) {
        view = group;
        events = outcomes;
        paths = new RdmaPath[group.size()];
        refused = new boolean[group.size()];
        refuseThoseOfOtherProviders();
        if (!isNeeded()) {
            LOG.info("{}: nobody is reached by {}", view, endpoint.provider());
            needed = false;
            close();
            return;
        }
        int descriptor = endpoint.waitDescriptor();
        if (descriptor >= 0 && group.size() > 1) {
            try {
                watch = base.watch(descriptor);
                endpoint.beforeClose(watch::close);
            } catch (IOException e) {
                LOG.info("{}: this rank sleeps for short times only: {}", view, e.getMessage());
            }
        }
    }

    private void refuseThoseOfOtherProviders() {
        FabricChoice choice = new FabricChoice(view.members());
        for (int peer = 0; peer < refused.length; peer++) {
            refused[peer] = peer == view.rank()
                    || !choice.between(view.rank(), peer).equals(endpoint.provider())
                    || address(peer) == null;
        }
    }

    /** A rank that is alone is needed by itself: its memory, if it exposes any. */
    private boolean isNeeded() {
        for (boolean one : refused) {
            if (!one) {
                return true;
            }
        }
        return view.size() == 1;
    }

    // ---- opening

    @Override
    public boolean reaches(int peer) {
        return !closed && endpoint.problem() == null && !refused[peer];
    }

    /** A peer's address, in hexadecimal digits; null if it is not reached by this provider. */
    private String address(int peer) {
        for (Candidate one : view.members().get(peer).candidates()) {
            if (one.kind() == Candidate.Kind.FABRIC && one.provider().equals(endpoint.provider())) {
                return one.host().substring(endpoint.provider().length() + 1);
            }
        }
        return null;
    }

    @Override
    public void connect(int peer) {
        if (paths[peer] == null && !refused[peer]) {
            begin(peer);
        }
        if (paths[peer] != null && paths[peer].isOpening()) {
            paths[peer].want();
        } else if (paths[peer] == null) {
            events.unreachable(peer, "its address is none of " + endpoint.provider());
        }
        lookSoon();
    }

    /** Begins to open a path. There is none afterwards if the peer's address is not one. */
    private void begin(int peer) {
        try {
            RdmaPath path = new RdmaPath(this, endpoint, peer, endpoint.peer(address(peer)), System.nanoTime());
            paths[peer] = path;
            opening.add(path);
        } catch (ZipException e) {
            LOG.info("{}: rank {} is not reached over RDMA: {}", view, peer, e.getMessage());
            refused[peer] = true;
        }
        lookSoon();
    }

    @Override
    public void giveUp(int peer) {
        refused[peer] = true;
        if (paths[peer] != null && paths[peer].isOpening()) {
            paths[peer].close();
        }
    }

    /** Called by a path whose handshake is over. */
    void opened(RdmaPath path) {
        opening.remove(path);
        open.add(path);
        events.opened(path);
    }

    /** Called by a path that ends: a pair is tried once. */
    void closed(RdmaPath path) {
        refused[path.peer()] = true;
        if (memory != null) {
            endedPaths.add(path.peer());
        }
        opening.remove(path);
        open.remove(path);
    }

    /** Called by a path that ended regularly, whose peer has something to read yet or to be told. */
    void linger(RdmaPath path) {
        lingering.add(path);
    }

    private void lookSoon() {
        turns = -1;
        nextLookNs = System.nanoTime();
    }

    /** The path to a peer; null if none was ever begun. */
    RdmaPath path(int peer) {
        return paths[peer];
    }

    @Override
    public boolean isConnecting() {
        return !opening.isEmpty();
    }

    @Override
    public boolean hasPaths() {
        return !open.isEmpty();
    }

    // ---- what comes of operations

    @Override
    public void received(int slot, int bytes) {
        ByteBuffer message = endpoint.received().bytes();
        int at = endpoint.received().at(slot);
        int source = bytes < Message.HEADER_BYTES ? -1 : Message.source(message, at);
        boolean isRank = source >= 0 && source < paths.length && source != view.rank();
        if (isRank && (Message.kind(message, at) == Message.HELLO || isBehindHello(message, at, source))) {
            hellos.add(new int[] {slot, bytes});
        } else if (isRank && paths[source] != null) {
            paths[source].received(slot, bytes);
        } else {
            endpoint.repost(slot);
        }
    }

    /** Whether a message is a peer's last word, and may be known as such only by a step of the handshake that has not been heard. */
    private boolean isBehindHello(ByteBuffer message, int at, int source) {
        boolean isOpening = paths[source] == null || paths[source].isOpening();
        return isOpening && !hellos.isEmpty() && Message.kind(message, at) == Message.LEAVE;
    }

    @Override
    public void sent(int peer, int slot, int status) {
        if (paths[peer] != null) {
            paths[peer].sent(slot, status);
        }
    }

    @Override
    public void haveRead(int peer, int index, int status) {
        paths[peer].haveRead(index, status);
    }

    @Override
    public void memoryEnded(int index, int status) {
        memory.ended(index, status);
    }

    // ---- memory of peers

    @Override
    public RdmaMemory remoteMemory() {
        return needed ? memory : null;
    }

    /** Whether a peer's memory can be read and written. */
    RemoteMemory.Reach reach(int peer) {
        if (openPath(peer) != null) {
            return RemoteMemory.Reach.NOW;
        }
        boolean isLater = paths[peer] == null ? reaches(peer) : paths[peer].isOpening();
        return isLater ? RemoteMemory.Reach.LATER : RemoteMemory.Reach.NEVER;
    }

    /** The path to a peer; null if it is not open. */
    RdmaPath openPath(int peer) {
        RdmaPath path = paths[peer];
        return path != null && path.isWritable() && endpoint.problem() == null ? path : null;
    }

    private void tellOfMemory() {
        if (memory == null) {
            return;
        }
        while (!endedPaths.isEmpty()) {
            memory.pathEnded(endedPaths.poll());
        }
        memory.tell();
    }

    // ---- turns

    /** Makes progress, and notes what has come of operations. Calls nobody back. Returns how much there was. */
    int drain() {
        return endpoint.drain(this);
    }

    @Override
    public int poll() {
        if (view == null || view.size() == 1 || closed) {
            return 0;
        }
        if (lost) {
            tellOfMemory();
            return 0;
        }
        turns++;
        int work = turns % TURNS_BETWEEN_LOOKS == 0 ? lookIfDue() : 0;
        if (open.isEmpty() && opening.isEmpty() && lingering.isEmpty() && turns % TURNS_BETWEEN_LOOKS != 0) {
            return work;
        }
        work += listening ? 0 : drain();
        while (!hellos.isEmpty()) {
            int[] one = hellos.poll();
            int at = endpoint.received().at(one[0]);
            if (Message.kind(endpoint.received().bytes(), at) == Message.LEAVE) {
                hearLast(one[0], one[1], Message.source(endpoint.received().bytes(), at));
            } else {
                hear(one);
            }
        }
        // By index: a turn may open and close paths, and an iterator is garbage.
        for (int i = 0; i < open.size(); i++) {
            work += open.get(i).turn();
        }
        for (int i = lingering.size() - 1; i >= 0; i--) {
            lingering.get(i).lingeringTurn();
            if (!lingering.get(i).isLingering()) {
                lingering.remove(i);
            }
        }
        if (endpoint.problem() != null) {
            fail();
        }
        tellOfMemory();
        sleeps = work > 0 ? 0 : sleeps;
        return work;
    }

    private int lookIfDue() {
        nowNs = System.nanoTime();
        if (nowNs - nextLookNs < 0) {
            return 0;
        }
        int before = open.size();
        for (int i = opening.size() - 1; i >= 0; i = Math.min(i, opening.size()) - 1) {
            climb(opening.get(i));
        }
        for (int i = 0; i < open.size(); i++) {
            open.get(i).look(nowNs);
        }
        if (nowNs - nextExpireNs >= 0) {
            nextExpireNs = nowNs + EXPIRE_NS;
            endpoint.cache().expire(nowNs);
        }
        nextLookNs = nowNs + (isConnecting() ? OPENING_LOOK_NS : LOOK_NS);
        return open.size() - before;
    }

    private void climb(RdmaPath path) {
        try {
            path.climb(nowNs);
        } catch (ZipException e) {
            int peer = path.peer();
            LOG.info("{}: rank {} is not reached over RDMA: {}", view, peer, e.reason());
            path.close();
            if (path.isWanted()) {
                events.unreachable(peer, e.reason());
            }
        }
    }

    /** Somebody says that it wants a path. */
    private void hear(int[] slotAndBytes) {
        int slot = slotAndBytes[0];
        ByteBuffer message = endpoint.received().bytes();
        int at = endpoint.received().at(slot) + Message.BODY_OFFSET;
        int length = slotAndBytes[1] - Message.HEADER_BYTES;
        int source = Message.source(message, endpoint.received().at(slot));
        try {
            if (paths[source] == null && !refused[source]) {
                begin(source);
            }
            RdmaPath path = paths[source];
            if (path != null && path.isOpening()) {
                path.hear(message, at, length);
                climb(path);
            } else if (path == null || !path.isOpen()) {
                refuse(source, message, at, length);
            }
        } catch (ZipException e) {
            // Not the peer, which this does not keep out.
            LOG.info("{}: {}", view, e.getMessage());
        } finally {
            endpoint.repost(slot);
        }
    }

    /** Somebody says that a path is over. */
    private void hearLast(int slot, int bytes, int source) {
        RdmaPath path = paths[source];
        if (path == null) {
            endpoint.repost(slot);
            return;
        }
        path.received(slot, bytes);
        if (path.isOpening()) {
            climb(path);
        }
    }

    /** Says to a peer, if it is one, that there will be no path. */
    private void refuse(int peer, ByteBuffer message, int at, int length) {
        String address = address(peer);
        int slot = address == null ? Slots.NONE : endpoint.takeSlot();
        if (slot == Slots.NONE) {
            return;
        }
        Slots slots = endpoint.outgoingSlots();
        try {
            Handshake refusal = new Handshake(view, peer);
            refusal.read(message, at, length);
            Message.begin(slots.bytes(), slots.at(slot), 0, Message.HELLO, view.rank());
            refusal.write(Hello.ANSWER, slots.bytes(), slots.at(slot) + Message.BODY_OFFSET);
        } catch (ZipException e) {
            slots.give(slot);
            throw e;
        }
        endpoint.send(peer, endpoint.peer(address), slot, Message.HEADER_BYTES + Handshake.MESSAGE_BYTES);
    }

    private void fail() {
        lost = true;
        String problem = "libfabric's endpoint of this process has ended: " + endpoint.problem();
        LOG.warn("{}: {}", view, problem);
        for (int i = open.size() - 1; i >= 0; i = Math.min(i, open.size()) - 1) {
            open.get(i).end(new ZipException(ErrorCode.PEER_LOST, problem));
        }
        for (int i = opening.size() - 1; i >= 0; i = Math.min(i, opening.size()) - 1) {
            RdmaPath path = opening.get(i);
            path.close();
            if (path.isWanted()) {
                events.unreachable(path.peer(), problem);
            }
        }
    }

    @Override
    public long beforeSleep() {
        lookSoon();
        if (!needed) {
            return Long.MAX_VALUE;
        }
        if (watch != null && !closed && !lost) {
            return listen();
        }
        if (open.isEmpty() && opening.isEmpty() && lingering.isEmpty()) {
            return IDLE_SLEEP_NS;
        }
        if (memory != null && memory.isExposed()) {
            // Peers may wait for a turn, which does not show in what there was to do.
            return SLEEP_NS_MIN;
        }
        int doublings = sleeps / SLEEPS_OF_A_KIND;
        sleeps = Math.min(sleeps + 1, SLEEPS_MAX);
        return Math.min(SLEEP_NS_MAX, SLEEP_NS_MIN << doublings);
    }

    /** Has the base woken for whatever comes from now on. */
    private long listen() {
        boolean isBlind = endpoint.isStalled() || !opening.isEmpty() || !lingering.isEmpty();
        // Posts slots, too. What there is to do now is done in the turn that follows.
        if (drain() > 0 || !endpoint.mayWait()) {
            return 0;
        }
        watch.turn(true);
        listening = true;
        return isBlind || endpoint.isBehind() ? BLIND_SLEEP_NS : Long.MAX_VALUE;
    }

    @Override
    public void afterSleep() {
        if (listening) {
            listening = false;
            watch.turn(false);
        }
        lookSoon();
    }

    @Override
    public boolean hasOutput() {
        for (int i = 0; i < open.size(); i++) {
            if (open.get(i).hasOutput()) {
                return true;
            }
        }
        return !lingering.isEmpty();
    }

    @Override
    public void leave() {}

    @Override
    public void close() {
        if (closed) {
            return;
        }
        for (int i = open.size() - 1; i >= 0; i = Math.min(i, open.size()) - 1) {
            open.get(i).close();
        }
        for (int i = opening.size() - 1; i >= 0; i = Math.min(i, opening.size()) - 1) {
            opening.get(i).close();
        }
        closed = true;
        long limitNs = System.nanoTime() + GOODBYE_NS_MAX;
        while (endpoint.isSending() && endpoint.problem() == null && System.nanoTime() - limitNs < 0) {
            drain();
        }
        endMemory();
        endpoint.close();
        if (memory != null) {
            memory.close();
        }
    }

    /**
     * Operations with memory of peers end now, if the peers live. One in shared memory of the same process would answer to memory that
     * is gone when this endpoint is, and one that a peer has to answer may keep libfabric from closing.
     */
    private void endMemory() {
        long limitNs = System.nanoTime() + MEMORY_ENDS_NS_MAX;
        while (isUsingMemoryOfPeers() && endpoint.problem() == null && System.nanoTime() - limitNs < 0) {
            if (drain() == 0) {
                LockSupport.parkNanos(this, SLEEP_NS_MIN);
            }
        }
    }

    private boolean isUsingMemoryOfPeers() {
        return endpoint.awaitsAnswers() || (memory != null && memory.underWay() > 0);
    }
}
