package io.zipcomm.transport.aeron;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.DirectTransport;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.TransportCounters;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.agrona.CloseHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Paths between ranks of one host through memory that they share. */
final class IpcTransport implements DirectTransport {

    private static final Logger LOG = LoggerFactory.getLogger(IpcTransport.class);

    /** Time between looks at doors and at Aeron's client, while paths open and afterwards. */
    private static final long OPENING_LOOK_NS = 200_000;

    private static final long LOOK_NS = 5_000_000;

    /** Time between looks whether processes live, which ask the system. */
    private static final long LIFE_LOOK_NS = 500_000_000;

    /** While a rank waits for others to leave. */
    private static final long LEAVING_LOOK_NS = 20_000_000;

    /** Turns between looks at the clock. */
    private static final int TURNS_BETWEEN_LOOKS = 4;

    /** Longest sleep of a rank that nobody can wake, or that waits for what nobody announces. */
    private static final long BLIND_SLEEP_NS = 1_000_000;

    private final SharedDirectory shared;
    private final Candidate own;
    private final ZipSettings settings;
    private final Transport base;

    private GroupView view;
    private PathEvents events;
    private Neighbours neighbours;
    private PlaceMaker maker;
    private HostPlace place;
    private HandOver handOver;
    private Transport.Bell bell;

    /** Why there is no memory to share; null while there may be. */
    private String problem;

    /** For each neighbour its path, if one was ever begun. */
    private IpcPath[] paths = new IpcPath[0];

    /** Whether a path to a neighbour is not to be opened any more. */
    private boolean[] refused = new boolean[0];

    /** Whether a path to a neighbour was asked for before there was a place. */
    private boolean[] asked = new boolean[0];

    private final List<IpcPath> opening = new ArrayList<>();
    private final List<IpcPath> open = new ArrayList<>();
    private final List<IpcPath> closing = new ArrayList<>();
    private int turns;
    private long nextLookNs;
    private long nextLifeLookNs;
    private boolean leaving;
    private boolean othersStay;
    private boolean closed;

    IpcTransport(SharedDirectory shared, Candidate own, ZipSettings settings, Transport base) {
        this.shared = shared;
        this.own = own;
        this.settings = settings;
        this.base = base;
    }

    GroupView view() {
        return view;
    }

    /** This rank's place in the memory; null while there is none. */
    HostPlace place() {
        return place;
    }

    TransportCounters counters() {
        return base.counters();
    }

    @Override
    public List<Candidate> candidates() {
        return List.of(own);
    }

    @Override
    public void start(GroupView group, PathEvents outcomes) {
        view = group;
        events = outcomes;
        neighbours = Neighbours.of(group, own);
        paths = new IpcPath[neighbours.count()];
        refused = new boolean[neighbours.count()];
        asked = new boolean[neighbours.count()];
        if (neighbours.count() > 1) {
            maker = PlaceMaker.start(shared, group, neighbours, settings, base);
        }
    }

    // ---- opening

    @Override
    public boolean reaches(int peer) {
        int neighbour = neighbours.index(peer);
        // If there is no memory, connecting says why.
        return neighbour >= 0 && !closed && (problem != null || !refused[neighbour]);
    }

    @Override
    public void connect(int peer) {
        int neighbour = neighbours.index(peer);
        if (problem != null) {
            events.unreachable(peer, problem);
        } else if (place == null) {
            asked[neighbour] = true;
        } else if (paths[neighbour] == null) {
            begin(neighbour).want();
        } else if (paths[neighbour].isOpening()) {
            paths[neighbour].want();
        }
        nextLookNs = System.nanoTime();
    }

    private IpcPath begin(int neighbour) {
        IpcPath path = new IpcPath(this, neighbours.rank(neighbour), System.nanoTime());
        paths[neighbour] = path;
        opening.add(path);
        return path;
    }

    @Override
    public void giveUp(int peer) {
        int neighbour = neighbours.index(peer);
        if (neighbour < 0) {
            return;
        }
        refused[neighbour] = true;
        asked[neighbour] = false;
        if (paths[neighbour] != null && paths[neighbour].isOpening()) {
            opening.remove(paths[neighbour]);
            paths[neighbour].close();
        }
    }

    /** Called by a path whose handshake is over. */
    void opened(IpcPath path) {
        open.add(path);
        events.opened(path);
    }

    /** Called by a path that has ended: a pair is tried once. */
    void closed(IpcPath path) {
        refused[neighbours.index(path.peer())] = true;
        opening.remove(path);
        open.remove(path);
        closing.add(path);
    }

    @Override
    public boolean isConnecting() {
        if (!opening.isEmpty()) {
            return true;
        }
        if (place != null || problem != null) {
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

    int openPaths() {
        return open.size();
    }

    // ---- turns

    @Override
    public int poll() {
        int work = 0;
        // By index: a turn may open and close paths, and an iterator is garbage.
        for (int i = 0; i < open.size(); i++) {
            work += open.get(i).turn();
        }
        turns++;
        if (turns % TURNS_BETWEEN_LOOKS == 0 && maker != null && !closed) {
            work += lookIfDue();
        }
        return work;
    }

    private int lookIfDue() {
        long nowNs = System.nanoTime();
        if (nowNs - nextLookNs < 0) {
            return 0;
        }
        if (place == null && problem == null) {
            settle();
        }
        int before = open.size();
        if (place != null) {
            look(nowNs);
        }
        nextLookNs = nowNs + (isConnecting() || isMovingNow() ? OPENING_LOOK_NS : LOOK_NS);
        return open.size() - before;
    }

    /** Takes the place that was made in the background, if it is ready. */
    private void settle() {
        if (!maker.isDone()) {
            return;
        }
        place = maker.place();
        if (place == null) {
            fail(maker.problem());
            return;
        }
        handOver = new HandOver(place, base::wakeup);
        if (leaving) {
            place.door().leaves();
        }
        try {
            bell = base.listenForBell(place.file(neighbours.self(), "bell"));
        } catch (IOException | UnsupportedOperationException e) {
            LOG.info("{}: this rank sleeps for short times only: {}", view, e.getMessage());
        }
        for (int i = 0; i < asked.length; i++) {
            if (asked[i] && !refused[i]) {
                begin(i).want();
            }
        }
    }

    private void fail(String reason) {
        problem = reason;
        LOG.info("{}: no shared memory: {}", view, reason);
        for (int i = 0; i < asked.length; i++) {
            if (asked[i]) {
                asked[i] = false;
                events.unreachable(neighbours.rank(i), reason);
            }
        }
    }

    private void look(long nowNs) {
        boolean lookAfterLives = nowNs - nextLifeLookNs >= 0;
        if (lookAfterLives) {
            nextLifeLookNs = nowNs + (leaving ? LEAVING_LOOK_NS : LIFE_LOOK_NS);
            handOver.lookAfterLives(nowNs);
            othersStay = leaving && othersStay();
        }
        lookAfterDriver(nowNs);
        for (int i = 0; i < paths.length; i++) {
            if (place.door().knock(i) != 0 && paths[i] == null && problem == null) {
                begin(i);
            }
        }
        for (int i = opening.size() - 1; i >= 0; i = Math.min(i, opening.size()) - 1) {
            IpcPath path = opening.get(i);
            // Before its last words are read.
            boolean isDead = lookAfterLives && !path.mayGiveUp() && !place.isAlive(neighbours.index(path.peer()));
            climb(path, nowNs);
            if (isDead && path.isOpening()) {
                refuse(path, "rank " + path.peer() + " died");
            }
        }
        for (int i = open.size() - 1; i >= 0; i = Math.min(i, open.size()) - 1) {
            open.get(i).look();
        }
        dispose();
    }

    private void lookAfterDriver(long nowNs) {
        if (!handOver.isUnderWay()) {
            // First: if the driver is gone, this is when its streams end, and they must not be thought ended by peers.
            // Not while this rank moves: where the driver has ended that would end what is still to be read, and the
            // move.
            place.client().look();
        }
        handOver.look(nowNs, leaving);
        if (handOver.problem() != null && problem == null) {
            problem = "the media driver ended: " + handOver.problem();
            if (!place.hasDriver()) {
                place.door().runsNoDriver();
            }
            LOG.warn("{}: {}", view, problem);
            for (int i = open.size() - 1; i >= 0; i = Math.min(i, open.size()) - 1) {
                open.get(i).end(new ZipException(ErrorCode.DRIVER_LOST, problem));
            }
            for (int i = opening.size() - 1; i >= 0; i = Math.min(i, opening.size()) - 1) {
                refuse(opening.get(i), problem);
            }
        }
        if (place.next() == null || problem != null) {
            return;
        }
        // Not the one before: where its driver has ended it would end what is still to be read.
        place.next().look();
        if (place.next().problem() == null && moveAll(handOver.isLate(nowNs))) {
            handOver.finish();
            for (IpcPath path : open) {
                path.finishMove();
            }
        }
    }

    /**
     * Moves what can be moved.
     *
     * @param isLate whether nobody waits any longer for the rest
     * @return whether all has moved
     */
    private boolean moveAll(boolean isLate) {
        boolean all = true;
        for (IpcPath path : paths) {
            if (path != null) {
                move(path, isLate);
                all &= path.hasMoved();
            }
        }
        return all;
    }

    private void move(IpcPath path, boolean isLate) {
        String reason = isLate ? "rank " + path.peer() + " does not come to the next media driver" : null;
        try {
            path.move();
        } catch (RuntimeException e) {
            // Aeron's own are of several kinds.
            reason = "no stream at the next media driver: " + e.getMessage();
        }
        if (reason != null && !path.hasMoved()) {
            path.end(new ZipException(ErrorCode.DRIVER_LOST, reason));
            if (path.isOpening()) {
                refuse(path, reason);
            }
        }
    }

    private boolean isMovingNow() {
        return place != null && isMoving();
    }

    /** Whether this rank moves to another driver: nothing is begun at the one before. */
    boolean isMoving() {
        return handOver.isUnderWay();
    }

    private void climb(IpcPath path, long nowNs) {
        int neighbour = neighbours.index(path.peer());
        try {
            if (refused[neighbour]) {
                throw new ZipException(ErrorCode.UNREACHABLE, "there is another connection");
            }
            path.climb(nowNs);
            if (path.isOpen()) {
                opening.remove(path);
            }
        } catch (RuntimeException e) {
            // Aeron's own are of several kinds.
            refuse(path, e instanceof ZipException failure ? failure.reason() : String.valueOf(e.getMessage()));
        }
    }

    private void refuse(IpcPath path, String reason) {
        path.close();
        if (path.isWanted()) {
            events.unreachable(path.peer(), reason);
        }
    }

    private void dispose() {
        for (int i = closing.size() - 1; i >= 0; i--) {
            if (!closing.get(i).isPolling()) {
                closing.remove(i).dispose();
            }
        }
    }

    /** Whether somebody needs a driver in this process, which runs or is promised. */
    private boolean othersStay() {
        if (!place.hasDriver() && !handOver.isPromised()) {
            return false;
        }
        for (int i = 0; i < neighbours.count(); i++) {
            if (i != neighbours.self() && place.isAlive(i) && dependsOnThis(i)) {
                return true;
            }
        }
        return false;
    }

    /** Whether a neighbour uses the driver in this process, or is to. */
    private boolean dependsOnThis(int neighbour) {
        try {
            Door door = place.door(neighbour);
            // Who has a driver stays there.
            return door == null || (door.used() != neighbour && place.leadsTo(door.used(), neighbours.self()));
        } catch (IOException e) {
            LOG.debug("the door of rank {}", neighbours.rank(neighbour), e);
            return false;
        }
    }

    @Override
    public long beforeSleep() {
        if (place == null) {
            return isConnecting() ? BLIND_SLEEP_NS : Long.MAX_VALUE;
        }
        place.door().sleeps();
        // The poll that follows is to look at everything.
        turns = -1;
        nextLookNs = System.nanoTime();
        return bell == null || isConnecting() || isMoving() || hasOutput() ? BLIND_SLEEP_NS : Long.MAX_VALUE;
    }

    @Override
    public void afterSleep() {
        if (place != null) {
            place.door().wakes();
            turns = -1;
        }
    }

    @Override
    public boolean hasOutput() {
        for (int i = 0; i < open.size(); i++) {
            if (open.get(i).hasOutput()) {
                return true;
            }
        }
        return othersStay;
    }

    @Override
    public void leave() {
        leaving = true;
        if (place != null) {
            place.door().leaves();
        }
        othersStay = place != null && (place.hasDriver() || handOver.isPromised());
        nextLifeLookNs = System.nanoTime();
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (maker == null) {
            return;
        }
        for (IpcPath path : paths) {
            if (path != null) {
                path.close();
            }
        }
        opening.clear();
        open.clear();
        if (place == null) {
            maker.cancel();
            return;
        }
        closing.forEach(IpcPath::dispose);
        closing.clear();
        CloseHelper.close(bell);
        handOver.close();
        place.close();
        // Its memory is not mapped any more: whoever touches it ends the process.
        place = null;
    }
}
