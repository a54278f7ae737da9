package io.zipcomm.internal;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.GroupView;
import io.zipcomm.settings.Protection;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.transport.RemoteMemory;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.TransportCounters;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Moves all messages of one process in one group: links, operations, deadlines, verdicts.
 *
 * <p>One thread at a time holds the engine, by its {@link EngineToken}. A thread that waits for an operation becomes the
 * <em>driver</em>: it runs turns until its operation ended, lending the token to every thread that asks for it, and pausing
 * when a future has stages to run. Threads that find a driver post what they have, and sleep until it is done. When nobody
 * waits, the {@link BackgroundDriver} drives asynchronous operations.
 */
public final class Engine implements PathEvents, ControlPlane.Listener, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Engine.class);

    /** Time between looks at deadlines and stalled operations. */
    private static final long TIMER_NS = 5_000_000;

    /** How long an operation may wait for a peer before the peer is asked what it is doing. */
    private static final long PROBE_AFTER_NS = 500_000_000;

    /** How many peers are asked then, where it is not known which of them keeps the others waiting. */
    private static final int PROBES_AT_ONCE = 16;

    /** Longest sleep of a thread that leaves the driving to another. */
    private static final long FOLLOW_NS = 50_000_000;

    /** Operations that may be under way at once. */
    private static final int OPERATIONS_MAX = 1 << 16;

    /** How long the relay may take to say whether this rank, whose data connection ended, is still a member. */
    private static final long RELAY_ANSWER_NS = 1_000_000_000;

    /** How long the background thread has to end, whatever else there is no time for. */
    static final long END_NS_MIN = 20_000_000;

    private static final String CLOSED = "the communicator was closed";

    /** Idle transfers kept for re-use. */
    private static final int IDLE_TRANSFERS_MAX = 4096;

    private final GroupView view;
    private final Transport transport;
    private final ControlPlane control;
    private final ZipSettings settings;
    private final LongSupplier clock;
    private final Waiter waiter;
    private final EngineToken token = new EngineToken();
    private final Runnable wakeDriver;
    private final BackgroundDriver background;
    private final CallTime callTime;

    // Engine holder only, from here on.
    private final Link[] links;
    private final String[] gone;
    private final ReceiveTable receiveTable = new ReceiveTable();
    private final UnexpectedPool unexpected = new UnexpectedPool();
    private final ReplayPool replays;

    /** Null if payloads carry no checksums. */
    private final PayloadChecksum checksum;

    /** Null if the relay has no hub, or this rank is not attached to it. */
    private Hub hub;

    private final Map<Integer, GroupCommunicator> communicators = new HashMap<>();
    private final BitSet closedContexts = new BitSet();

    /** Those of them that ended otherwise, which their members hear from the relay. */
    private final BitSet endedContexts = new BitSet();

    /** Failures told before this rank had opened the communicator. */
    private final EarlyNews<Abort> earlyAborts = new EarlyNews<>();

    private final Revocations revocations = new Revocations(this, communicators.values());

    /** Why the relay answers no questions any more; null while it does. */
    private String controlLoss;

    /** Why the data connection to the relay is gone; null if it is not, or the links know. */
    private String relayLoss;

    private long relayLossDueNs;

    private final List<Operation> active = new ArrayList<>();
    private final List<Link> suspects = new ArrayList<>();
    private final List<Path> endingPaths = new ArrayList<>();

    /** Links that go back to the relay. */
    private final ArrayDeque<Link> resuming = new ArrayDeque<>();

    /** Links that wait for some instant. */
    private final List<Link> timed = new ArrayList<>();

    private final ArrayDeque<Link> flushLater = new ArrayDeque<>();

    private int corks;
    private ArrayDeque<OperationFuture<?>> finished = new ArrayDeque<>();
    private final ArrayDeque<Thread> followers = new ArrayDeque<>();
    private Transfer idleTransfers;
    private int idleTransferCount;
    private int transfersInUse;
    private long nextShare = 1;
    private int asynchronous;
    private int contextsTaken;
    private long nextTimerNs;
    private Thread driver;
    private boolean closed;

    private final ConcurrentLinkedQueue<Runnable> inbox = new ConcurrentLinkedQueue<>();
    private volatile boolean inboxFull;
    private volatile String closeReason; // null if the program closed the group, or nobody has
    private final BooleanSupplier mustNotBlock = this::mustNotBlock;

    private record Abort(int rank, int code, int culprit, String reason) {}

    /**
     * Makes an engine for a complete group.
     *
     * @param view       the group
     * @param transport  open, and attached if relayed paths are to be used; closed with the engine
     * @param control    what to tell the group with; closed with the engine
     * @param settings   of the process
     * @param clock      nanoseconds
     * @param inBackground whether to run a thread for asynchronous operations that nobody waits for
     */
    public Engine(
            GroupView view,
            Transport transport,
            ControlPlane control,
            ZipSettings settings,
            LongSupplier clock,
            boolean inBackground) {
        this.view = view;
        this.transport = transport;
        wakeDriver = transport::wakeup;
        this.control = control;
        this.settings = settings;
        this.clock = clock;
        callTime = CallTime.of(settings.operationTimeout());
        waiter = Waiter.choose(
                settings, view.ranksOnThisHost(), Runtime.getRuntime().availableProcessors(), CpuQuota.ofThisProcess());
        replays = new ReplayPool(settings.replayBytes());
        checksum = settings.protection().checksum() == Protection.Checksum.ON ? new PayloadChecksum() : null;
        links = new Link[view.size()];
        gone = new String[view.size()];
        background = inBackground && transport.isDrivenInBackground()
                ? new BackgroundDriver(this, "zip-progress-" + view.rank())
                : null;
    }

    private GroupCommunicator open() {
        enter();
        try {
            for (int peer = 0; peer < links.length; peer++) {
                if (peer != view.rank()) {
                    links[peer] = new Link(this, peer);
                }
            }
            transport.start(view, this);
            boolean relayed = settings.transport().isRelayed();
            for (int peer = 0; peer < links.length && relayed; peer++) {
                if (peer != view.rank()) {
                    links[peer].begin(transport.relayed(peer));
                }
            }
            boolean allowed = settings.protection().allowsHub();
            Path toHub = allowed && view.hubWindowBytes() > 0 ? transport.hub() : null;
            hub = toHub == null ? null : new Hub(this, toHub);
            nextTimerNs = nowNs();
            int[] everyone = new int[view.size()];
            for (int rank = 0; rank < everyone.length; rank++) {
                everyone[rank] = rank;
            }
            GroupCommunicator world = new GroupCommunicator(this, 0, everyone, view.rank());
            communicators.put(0, world);
            return world;
        } finally {
            leave();
        }
    }

    /** Lets frames come in, and makes the world's communicator. Once. After a failure there is nothing to be closed. */
    public GroupCommunicator start() {
        GroupCommunicator world = open();
        if (background != null) {
            background.start();
        }
        return world;
    }

    GroupView view() {
        return view;
    }

    ZipSettings settings() {
        return settings;
    }

    /** Longest message that travels at once: as set, but no longer than the relay forwards in one frame. */
    int eagerBytes() {
        boolean relayed = settings.transport().isRelayed();
        return relayed ? Math.min(settings.eagerBytes(), view.fragmentBytesMax()) : settings.eagerBytes();
    }

    /** Makes checksums of payloads; null if they carry none. */
    PayloadChecksum checksum() {
        return checksum;
    }

    ControlPlane control() {
        return control;
    }

    /** That of calls which are given none. */
    CallTime callTime() {
        return callTime;
    }

    TransportCounters counters() {
        return transport.counters();
    }

    /** How this process waits, as a phrase. */
    public String waiting() {
        return waiter.toString();
    }

    /** Now, on the engine's clock. */
    long nowNs() {
        return clock.getAsLong();
    }

    // ---- the token

    void enter() {
        if (token.isHeld()) {
            throw new ZipException(
                    ErrorCode.USER_FUNCTION, "a function that the library calls may not call the library");
        }
        if (!token.tryAcquire()) {
            enterContended();
        }
    }

    private void enterContended() {
        token.acquire(wakeDriver);
    }

    boolean tryEnter() {
        return token.tryAcquire();
    }

    /** Lets go of the engine, then tells the world of operations that ended. */
    void leave() {
        ArrayDeque<OperationFuture<?>> ended = finished;
        boolean any = !ended.isEmpty();
        if (any) {
            finished = new ArrayDeque<>();
        }
        boolean workLeft = background != null && driver == null && hasBackgroundWork();
        if (driver == null) {
            // The one that was woken may have found its operation ended, and left.
            wakeFollower();
        }
        token.release();
        if (workLeft) {
            background.wake();
        }
        if (any) {
            for (OperationFuture<?> one : ended) {
                one.finish();
            }
        }
    }

    /** Whether there is something to move on though nobody waits. */
    boolean hasBackgroundWork() {
        return asynchronous > 0 || transport.hasOutput() || transport.isConnecting() || !suspects.isEmpty();
    }

    // ---- running operations

    /** Runs an operation to its end on the calling thread. */
    void run(Operation operation, long timeoutNs) {
        enter();
        try {
            begin(operation, timeoutNs, false);
            drive(operation, Long.MAX_VALUE);
        } finally {
            leave();
        }
        if (operation.failure() != null) {
            throw operation.failure();
        }
    }

    /** Starts an operation and returns. */
    <T> OperationFuture<T> start(Operation operation, long timeoutNs) {
        OperationFuture<T> future = new OperationFuture<>(this, operation);
        operation.future = future;
        launch(operation, timeoutNs);
        return future;
    }

    /** Starts an operation and returns. Who started it asks the operation itself how it ended. */
    void launch(Operation operation, long timeoutNs) {
        enter();
        try {
            begin(operation, timeoutNs, true);
        } finally {
            leave();
        }
    }

    private void begin(Operation operation, long timeoutNs, boolean isAsynchronous) {
        operation.communicator().checkEnding(operation);
        if (closed || active.size() >= OPERATIONS_MAX) {
            throw closed ? closed() : tooMany(operation);
        }
        operation.asynchronous = isAsynchronous;
        if (isAsynchronous) {
            asynchronous++;
        }
        operation.active = true;
        active.add(operation);
        cork();
        try {
            operation.start(nowNs(), timeoutNs);
        } catch (RuntimeException e) {
            ErrorCode code = e instanceof ZipException failure ? failure.code() : ErrorCode.INTERNAL;
            operation.fail(code, ZipException.NONE, "it could not be started: " + e.getMessage(), e);
        } finally {
            uncork();
        }
    }

    private ZipException tooMany(Operation operation) {
        ZipException refusal = failure(ErrorCode.LIMIT, OPERATIONS_MAX + " operations are under way at once")
                .operation(operation.describe())
                .build();
        if (operation.isCollective()) {
            operation.communicator().collectiveFailed(refusal);
        }
        return refusal;
    }

    /** An exception that says where it was thrown. */
    ZipException.Builder failure(ErrorCode code, String reason) {
        return ZipException.of(code, reason).at(view.rank(), view.size(), view.epoch());
    }

    ZipException closed() {
        return closed(null);
    }

    ZipException closed(Throwable cause) {
        String reason = closeReason;
        return failure(ErrorCode.CLOSED, "the communicator is closed" + (reason == null ? "" : ": " + reason))
                .build(cause);
    }

    /** The group is about to be closed, and not by the program. Any thread. */
    void closesFor(String reason) {
        closeReason = reason;
    }

    /** An operation ended; called by the operation. */
    void ended(Operation operation) {
        if (!operation.active) {
            return;
        }
        operation.active = false;
        int last = active.size() - 1;
        for (int i = last; i >= 0; i--) {
            if (active.get(i) == operation) {
                active.set(i, active.get(last));
                active.remove(last);
                break;
            }
        }
        if (operation.asynchronous) {
            asynchronous--;
        }
        if (operation.future != null) {
            finished.add(operation.future);
        }
        if (operation.waiters == 1 && operation.waiter != null) {
            LockSupport.unpark(operation.waiter);
        } else if (operation.waiters > 0) {
            // Several wait for the same future; each looks whether it was its own that ended.
            followers.forEach(LockSupport::unpark);
        }
    }

    /** Waits for an operation that was started before; false if the time passed first. */
    boolean await(Operation operation, long timeoutNs) {
        if (operation.isDone()) {
            return true;
        }
        enter();
        try {
            drive(operation, timeoutNs == Long.MAX_VALUE ? timeoutNs : nowNs() + timeoutNs);
        } finally {
            leave();
        }
        return operation.isDone();
    }

    /** What is thrown where {@link #await} returned false. */
    ZipException gaveUp(Operation operation, long timeoutNs) {
        return failure(ErrorCode.DEADLINE, "gave up waiting; the operation goes on")
                .operation(operation.describe())
                .elapsedMs(timeoutNs / 1_000_000)
                .build();
    }

    /** Ends an operation; false if it had ended. */
    boolean cancel(Operation operation) {
        enter();
        try {
            if (operation.isDone()) {
                return false;
            }
            operation.fail(ErrorCode.CANCELLED, ZipException.NONE, "cancelled by the caller", null);
            return true;
        } finally {
            leave();
        }
    }

    /** Turns until the operation ended or, if that is given, an instant has come. Holds the token before and after. */
    private void drive(Operation operation, long untilNs) {
        while (!operation.isDone()) {
            if (driver != null) {
                if (!follow(operation, untilNs)) {
                    return;
                }
                continue;
            }
            driver = Thread.currentThread();
            boolean paused;
            try {
                paused = driveAlone(operation, untilNs);
            } finally {
                driver = null;
                wakeFollower();
            }
            if (!paused || isOver(untilNs)) {
                return;
            }
            // Futures that ended run their stages, and whoever is first then drives.
            leave();
            enter();
        }
    }

    private boolean isOver(long untilNs) {
        return untilNs != Long.MAX_VALUE && nowNs() - untilNs >= 0;
    }

    /** Turns until the operation ended or the time is over: false; or futures that ended have stages to run: true. */
    private boolean driveAlone(Operation operation, long untilNs) {
        long idleSinceNs = 0;
        long sleepNs = 0;
        while (!operation.isDone()) {
            long timersDueNs = nextTimerNs;
            int work = turn(sleepNs);
            sleepNs = 0;
            if (!finished.isEmpty()) {
                return true;
            }
            if (token.isContended()) {
                // They do what they came for, or follow this thread: were it not to go on as the driver, two that wait
                // would hand the token to each other for ever.
                token.release();
                token.acquire(wakeDriver);
                idleSinceNs = 0;
            }
            // However much there is to do, the thread looks after itself now and then.
            boolean timersRan = nextTimerNs != timersDueNs;
            if (timersRan) {
                failIfInterrupted(operation);
            }
            if (work > 0) {
                idleSinceNs = 0;
                if (waiter.isSpinning() && !timersRan) {
                    continue;
                }
            }
            long nowNs = nowNs();
            long leftNs = Math.min(operation.deadlineNs - nowNs, untilNs == Long.MAX_VALUE ? untilNs : untilNs - nowNs);
            if (leftNs <= 0) {
                if (nowNs - operation.deadlineNs >= 0 && !operation.isDone()) {
                    expire(operation);
                }
                return false;
            }
            idleSinceNs = idleSinceNs == 0 ? nowNs : idleSinceNs;
            if (!waiter.spins(nowNs - idleSinceNs, nowNs)) {
                sleepNs = Math.min(leftNs, waiter.sleepNsMax());
                failIfInterrupted(operation);
            }
        }
        return false;
    }

    private static void failIfInterrupted(Operation operation) {
        if (Thread.currentThread().isInterrupted()) {
            operation.fail(ErrorCode.CANCELLED, ZipException.NONE, "the waiting thread was interrupted", null);
        }
    }

    private boolean mustNotBlock() {
        return inboxFull || token.isContended();
    }

    private void expire(Operation operation) {
        operation.fail(
                ErrorCode.DEADLINE,
                operation.awaitedPeer(),
                "not done within its time of " + (operation.deadlineNs - operation.startedNs) / 1_000_000 + " ms",
                null);
    }

    /** Sleeps while another thread drives; false if the given instant has come. */
    private boolean follow(Operation operation, long untilNs) {
        Thread me = Thread.currentThread();
        operation.waiter = me;
        operation.waiters++;
        followers.add(me);
        try {
            while (!operation.isDone() && driver != null) {
                long nowNs = nowNs();
                if (untilNs != Long.MAX_VALUE && nowNs - untilNs >= 0) {
                    return false;
                }
                token.release();
                LockSupport.parkNanos(
                        this, Math.min(FOLLOW_NS, untilNs == Long.MAX_VALUE ? FOLLOW_NS : untilNs - nowNs));
                enter();
                failIfInterrupted(operation);
            }
            return true;
        } finally {
            operation.waiters--;
            operation.waiter = operation.waiter == me ? null : operation.waiter;
            followers.remove(me);
        }
    }

    private void wakeFollower() {
        Thread next = followers.peek();
        if (next != null) {
            LockSupport.unpark(next);
        }
    }

    /** Drives what nobody waits for, until there is none or somebody wants the engine. Called with the token held. */
    void driveBackground() {
        if (driver != null) {
            return;
        }
        turn();
        if (!hasBackgroundWork()) {
            return;
        }
        driver = Thread.currentThread();
        try {
            while (hasBackgroundWork() && finished.isEmpty() && !token.isContended() && !closed) {
                turn(waiter.sleepNsMax());
            }
        } finally {
            driver = null;
            wakeFollower();
        }
    }

    // ---- a turn

    /**
     * One bounded turn: verdicts, I/O, deadlines. The caller holds the engine.
     *
     * @return how much there was to do; 0 if nothing
     */
    public int turn() {
        return turn(0);
    }

    /** A turn that may sleep for some time if there is nothing to do. */
    private int turn(long sleepNs) {
        int work = 0;
        if (inboxFull) {
            work += readInbox();
        }
        work += sleepNs > 0 && work == 0 ? transport.await(sleepNs, mustNotBlock) : transport.poll();
        while (!resuming.isEmpty()) {
            work++;
            resuming.poll().resume();
        }
        if (!flushLater.isEmpty()) {
            work += flushNow();
        }
        while (!endingPaths.isEmpty()) {
            endingPaths.remove(endingPaths.size() - 1).closeOutput();
        }
        long nowNs = nowNs();
        if (nowNs - nextTimerNs >= 0) {
            nextTimerNs = nowNs + TIMER_NS;
            timers(nowNs);
        }
        return work;
    }

    /** Runs one turn if the engine is free. For tests that drive several engines on one thread. */
    public int tryTurn() {
        if (!tryEnter()) {
            return 0;
        }
        try {
            return turn();
        } finally {
            leave();
        }
    }

    private int readInbox() {
        inboxFull = false;
        int count = 0;
        for (Runnable message = inbox.poll(); message != null; message = inbox.poll()) {
            message.run();
            count++;
        }
        return count;
    }

    /** Flushes a link after the current callback, not within it. */
    void flushLater(Link link) {
        if (!flushLater.contains(link)) {
            flushLater.add(link);
        }
    }

    /** What is posted from now on leaves at {@link #uncork}: all that an operation has for a peer in one call. */
    void cork() {
        corks++;
    }

    /** Sends what was posted since {@link #cork}. */
    void uncork() {
        corks--;
        if (corks > 0) {
            return;
        }
        if (!flushLater.isEmpty()) {
            flushNow();
        }
        if (hub != null) {
            hub.flushIfDue();
        }
    }

    boolean isCorked() {
        return corks > 0;
    }

    private int flushNow() {
        int count = 0;
        for (Link link = flushLater.poll(); link != null; link = flushLater.poll()) {
            link.flush();
            count++;
        }
        return count;
    }

    /** A path has been given its last frame: its output is closed once that is on its way. */
    void outputEnds(Path path) {
        endingPaths.add(path);
    }

    /** Calls {@link Link#resume} when no path is in the middle of a frame. */
    void resumeLater(Link link) {
        if (!resuming.contains(link)) {
            resuming.add(link);
        }
    }

    /** A link has gone back to the relay. */
    void resumed(Link link, String reason) {
        LOG.info("{}: the link to rank {} goes on through the relay: {}", view, link.peer(), reason);
    }

    /** Calls {@link Link#timer} now and then until it says that it waits for nothing. */
    void timed(Link link) {
        timed.add(link);
    }

    private void timers(long nowNs) {
        if (relayLoss != null && nowNs - relayLossDueNs >= 0) {
            if (Freeze.isBetween(relayLossDueNs, nowNs)) {
                // What the relay has answered has not been read yet.
                askRelay(nowNs);
            } else {
                loseRelay(relayLoss);
            }
        }
        if (hub != null) {
            hub.flushIfDue();
        }
        for (int i = timed.size() - 1; i >= 0; i--) {
            if (!timed.get(i).timer(nowNs)) {
                timed.remove(i);
            }
        }
        for (int i = suspects.size() - 1; i >= 0; i--) {
            if (suspects.get(i).judge(nowNs)) {
                suspects.remove(i);
            }
        }
        for (int i = active.size() - 1; i >= 0; i--) {
            if (i < active.size()) {
                look(active.get(i), nowNs);
            }
        }
    }

    private void look(Operation operation, long nowNs) {
        if (nowNs - operation.deadlineNs >= 0) {
            expire(operation);
            return;
        }
        operation.timer(nowNs);
        if (operation.signature() != 0 && nowNs - operation.probedNs >= PROBE_AFTER_NS) {
            operation.probedNs = nowNs;
            int peer = operation.toProbe(0);
            for (int i = 1; peer >= 0 && i <= PROBES_AT_ONCE; i++) {
                if (peer != view.rank()) {
                    links[peer].probe(operation.communicator().context(), operation.number(), operation.signature());
                }
                peer = operation.toProbe(i);
            }
        }
    }

    // ---- links

    /** Null if this rank has none. */
    Hub hub() {
        return hub;
    }

    Link link(int peer) {
        return links[peer];
    }

    /** A link begins to be used: open a direct path if the settings allow it. */
    void wantDirect(int peer) {
        if (settings.transport() != ZipSettings.TransportChoice.RELAY) {
            transport.connect(peer);
        }
    }

    @Override
    public void opened(Path path) {
        links[path.peer()].opened(path);
    }

    @Override
    public void unreachable(int peer, String reason) {
        LOG.info("{}: no direct path to rank {}: {}", view, peer, reason);
        links[peer].unreachable(reason);
    }

    @Override
    public void punchWanted(int peer) {
        control.punch(peer);
    }

    @Override
    public void relayAway(String reason) {
        LOG.info("{}: the connection to the relay ended, and is opened again: {}", view, reason);
        for (Link link : links) {
            if (link != null) {
                link.relayAway("connection to the relay ended: " + reason);
            }
        }
        if (hub != null) {
            hub.away(reason);
        }
    }

    @Override
    public void flowBegan(int peer) {
        links[peer].flowBegan();
    }

    @Override
    public void hubBack() {
        if (hub != null) {
            hub.back();
        }
    }

    /** The data connection to the relay is gone for good. If this rank is gone for the relay, that is what matters, so it is asked. */
    @Override
    public void relayLost(String reason) {
        if (controlLoss != null) {
            loseRelay(reason);
        } else if (relayLoss == null) {
            relayLoss = reason;
            askRelay(nowNs());
        }
    }

    private void askRelay(long nowNs) {
        relayLossDueNs = nowNs + RELAY_ANSWER_NS;
        control.ask();
    }

    private void loseRelay(String reason) {
        relayLoss = null;
        for (Link link : links) {
            if (link != null) {
                link.pathsLost("relay", ErrorCode.RELAY_LOST, "connection to the relay ended: " + reason);
            }
        }
        if (hub != null) {
            hub.lost(reason);
        }
    }

    void suspected(Link link) {
        suspects.add(link);
    }

    /** What reads and writes the memory of peers; null if nothing here can. */
    RemoteMemory remoteMemory() {
        return transport.remoteMemory();
    }

    // ---- verdicts

    @Override
    public void memberGone(int rank, Cause cause, String detail) {
        tell(() -> memberIsGone(rank, cause, detail));
    }

    @Override
    public void aborted(int context, int rank, int code, int culprit, String reason) {
        tell(() -> isAborted(context, new Abort(rank, code, culprit, reason)));
    }

    @Override
    public void suspectedBy(int rank, String detail) {
        tell(() -> {
            if (rank >= 0 && rank < links.length && rank != view.rank()) {
                links[rank].suspectedByPeer(detail);
            }
        });
    }

    @Override
    public void punchAt(int rank, long atNs, long roundTripNs) {
        tell(() -> {
            boolean peer = rank >= 0 && rank < links.length && rank != view.rank() && gone[rank] == null;
            if (peer && settings.transport() != ZipSettings.TransportChoice.RELAY) {
                transport.punch(rank, atNs, roundTripNs);
            }
        });
    }

    @Override
    public void revoked(int context, int rank, String reason) {
        tell(() -> {
            if (rank >= 0 && rank < links.length) {
                revocations.revoked(communicators.get(context), context, rank, reason);
            }
        });
    }

    @Override
    public void agreed(int context, int leader, int number, boolean value, int[] failed, int[] missing) {
        tell(() -> {
            GroupCommunicator communicator = communicators.get(context);
            // Communicators of other colours of the same split have the same number.
            if (communicator != null && communicator.leader() == leader) {
                communicator.agreements().answered(number, value, failed, missing);
            }
        });
    }

    @Override
    public void expelled(String reason) {
        tell(() -> {
            LOG.warn("{}: the group has given this rank's place away: {}", view, reason);
            revocations.endAll(Ending.expelled(view.rank(), reason));
            controlLoss = reason;
            transport.relayOver();
            loseRelay(reason);
        });
    }

    @Override
    public void detached(int number, String reason) {
        tell(() -> transport.detached(number, reason));
    }

    @Override
    public void relayRestarted(long timeoutNs) {
        tell(() -> {
            LOG.info("{}: the relay was started again, this rank comes back to it", view);
            transport.relayRestarted(timeoutNs);
        });
    }

    @Override
    public void relayRestored() {
        tell(transport::relayRestored);
    }

    @Override
    public void controlLost(String reason) {
        tell(() -> {
            LOG.warn("{}: control connection to the relay ended: {}", view, reason);
            controlLoss = "control connection to the relay ended: " + reason;
            communicators.values().forEach(one -> one.agreements().lost(controlLoss));
            // The relay ends a rank's data connection too, or is not there any more.
            transport.relayOver();
            loseRelay(reason);
        });
    }

    @Override
    public void relayAnswered() {
        tell(() -> {
            if (relayLoss != null) {
                loseRelay(relayLoss);
            }
        });
    }

    /** Why the relay answers no questions any more; null while it does. */
    String controlLoss() {
        return controlLoss;
    }

    private void tell(Runnable message) {
        inbox.add(message);
        inboxFull = true;
        transport.wakeup();
        if (background != null) {
            background.wake();
        }
    }

    /** A member died: all that is left to be told when this is abandoned. Any thread. */
    void noteDeath(int rank, String detail) {
        enter();
        try {
            if (rank >= 0 && rank < gone.length && rank != view.rank() && gone[rank] == null) {
                gone[rank] = death(rank, detail);
            }
        } finally {
            leave();
        }
    }

    private void memberIsGone(int rank, Cause cause, String detail) {
        if (rank < 0 || rank >= links.length || rank == view.rank() || gone[rank] != null) {
            return;
        }
        if (cause == Cause.LEFT) {
            links[rank].leftSays(detail);
            return;
        }
        gone[rank] = death(rank, detail);
        LOG.info("{}: {}", view, gone[rank]);
        failEach(one -> one.isCollective() && one.communicator().contains(rank), ErrorCode.PEER_LOST, rank, gone[rank]);
        links[rank].died(gone[rank]);
    }

    private static String death(int rank, String detail) {
        return "rank " + rank + " died: " + detail;
    }

    /** Why a member is gone, other than by leaving; null if it is not. */
    String gone(int rank) {
        return gone[rank];
    }

    private void isAborted(int context, Abort abort) {
        GroupCommunicator communicator = communicators.get(context);
        if (communicator != null) {
            communicator.abortedBy(abort.rank, ErrorCode.of(abort.code), abort.culprit, abort.reason);
        } else if (!isClosed(context)) {
            earlyAborts.add(context, abort.rank, abort);
        }
    }

    /** This rank revokes a communicator, if that is not known to be revoked. */
    void revoke(GroupCommunicator communicator, String reason) {
        enter();
        try {
            if (!closed && communicator.ending() == null) {
                revocations.revoked(communicator, communicator.context(), view.rank(), reason);
                control.revoke(communicator.context(), reason);
            }
        } finally {
            leave();
        }
    }

    /** A communicator has ended, though it was not closed: whatever is under way on it fails, and what comes for it is thrown away. */
    void ended(GroupCommunicator communicator, Ending ending) {
        failEach(
                one -> one.communicator() == communicator && ending.concerns(one),
                ending.code(),
                ending.culprit(),
                ending.reason());
        endedContexts.set(communicator.context());
        forgetMessages(communicator);
    }

    private void forgetMessages(GroupCommunicator communicator) {
        if (closed) {
            return;
        }
        closedContexts.set(communicator.context());
        if (hub != null) {
            hub.forget(communicator.context());
        }
        for (int rank : communicator.worldRanks()) {
            if (links[rank] != null) {
                links[rank].sends().forget(communicator.context());
                links[rank].receives().forget(communicator.context());
            }
        }
    }

    /** Every collective that is under way on a communicator fails. */
    void failCollectives(GroupCommunicator communicator, ErrorCode code, int culprit, String reason) {
        failEach(one -> one.isCollective() && one.communicator() == communicator, code, culprit, reason);
    }

    private void failEach(Predicate<Operation> which, ErrorCode code, int culprit, String reason) {
        for (int i = active.size() - 1; i >= 0; i--) {
            // The failure of one may end others.
            Operation operation = i < active.size() ? active.get(i) : null;
            if (operation != null && which.test(operation)) {
                operation.fail(code, culprit, reason, null);
            }
        }
    }

    /** A peer waits for us in a collective. */
    void probed(int peer, int context, int number, int signature) {
        GroupCommunicator communicator = communicators.get(context);
        if (communicator != null) {
            communicator.probed(peer, number, signature);
        }
    }

    // ---- communicators

    /**
     * A number for communicators whose parent this rank leads. Ranks choose from numbers of their own, so that two that are
     * made at the same time never get the same.
     *
     * @return the number; -1 if there is none left
     */
    int takeContext() {
        long context = (contextsTaken + 1L) * view.size() + view.rank();
        if (context > Integer.MAX_VALUE) {
            return -1;
        }
        contextsTaken++;
        return (int) context;
    }

    GroupCommunicator open(int context, int[] worldRanks, int rank) {
        GroupCommunicator communicator = new GroupCommunicator(this, context, worldRanks, rank);
        communicators.put(context, communicator);
        for (int worldRank : worldRanks) {
            Abort abort = earlyAborts.take(context, worldRank);
            if (abort != null) {
                communicator.abortedBy(abort.rank, ErrorCode.of(abort.code), abort.culprit, abort.reason);
            }
        }
        revocations.opened(communicator);
        return communicator;
    }

    /** Whether this rank has closed a communicator: what comes for it is thrown away. */
    boolean isClosed(int context) {
        return context >= 0 && closedContexts.get(context);
    }

    /** Whether this rank is through with an operation of the hub, as far as the others may have to know. */
    boolean isThrough(int context, int collective, int ordinal) {
        GroupCommunicator communicator = communicators.get(context);
        return communicator == null ? isClosed(context) : communicator.isThrough(collective, ordinal);
    }

    /** Whether a communicator ended without being closed here: who speaks on it will hear why, and need not be told that it is closed. */
    boolean hasEnded(int context) {
        return context >= 0 && endedContexts.get(context);
    }

    /** Waits for the communicator's asynchronous operations, then forgets it. */
    void close(GroupCommunicator communicator, long timeoutNs) {
        long deadlineNs = nowNs() + timeoutNs;
        while (true) {
            Operation pending = null;
            enter();
            try {
                for (Operation one : active) {
                    if (one.communicator() == communicator && one.asynchronous) {
                        pending = one;
                    }
                }
                if (pending == null) {
                    // What other threads wait for.
                    failEach(one -> one.communicator() == communicator, ErrorCode.CLOSED, ZipException.NONE, CLOSED);
                    communicators.remove(communicator.context());
                    forgetMessages(communicator);
                    return;
                }
                long leftNs = deadlineNs - nowNs();
                drive(pending, nowNs() + Math.max(0, leftNs));
                if (!pending.isDone()) {
                    pending.fail(ErrorCode.CLOSED, ZipException.NONE, CLOSED, null);
                }
            } finally {
                leave();
            }
        }
    }

    // ---- pools

    ReceiveTable receiveTable() {
        return receiveTable;
    }

    UnexpectedPool unexpected() {
        return unexpected;
    }

    ReplayPool replays() {
        return replays;
    }

    /** Numbers, never used again, for what goes to several peers alike. Returns the first. */
    long takeShares(int count) {
        long first = nextShare;
        nextShare += count;
        return first;
    }

    Transfer takeTransfer() {
        transfersInUse++;
        Transfer transfer = idleTransfers;
        if (transfer == null) {
            return new Transfer();
        }
        idleTransfers = transfer.next;
        idleTransferCount--;
        transfer.next = null;
        return transfer;
    }

    void giveTransfer(Transfer transfer) {
        transfersInUse--;
        transfer.reset();
        if (idleTransferCount < IDLE_TRANSFERS_MAX) {
            transfer.next = idleTransfers;
            idleTransfers = transfer;
            idleTransferCount++;
        }
    }

    // ---- the end

    /**
     * Leaves the group: fails what is under way, sends what is queued, says goodbye to every peer and waits, for the close
     * timeout at most, until they have taken it. For as long it waits then for stages of futures that still run.
     */
    @Override
    public void close() {
        close(nowNs() + CallTime.LONGEST_NS);
    }

    /**
     * As {@link #close()}, and no longer than until an instant on this engine's clock, but for what has to be done in any case: one
     * attempt to send what is queued and to say goodbye, and a moment for the background thread to end.
     */
    void close(long untilNs) {
        enter();
        try {
            if (closed) {
                return;
            }
            failEach(one -> true, ErrorCode.CLOSED, ZipException.NONE, CLOSED);
            closed = true;
            sayGoodbye(untilNs);
        } finally {
            leave();
        }
        if (background != null) {
            background.close(Duration.ofNanos(Math.max(END_NS_MIN, closeNs(untilNs))));
        }
        control.leave(Math.max(END_NS_MIN, untilNs - nowNs()));
        control.close();
        enter();
        try {
            transport.close();
        } finally {
            leave();
        }
    }

    /** All communicators have ended by something that is known elsewhere. Any thread. */
    void end(Ending ending) {
        enter();
        try {
            revocations.endAll(ending);
        } finally {
            leave();
        }
    }

    /**
     * Ends all of it at once, without a word to the peers: the group goes on to another epoch. The control connection stays as it is,
     * and must not call this any more when this has returned. Waits for stages of futures that still run.
     *
     * @param timeout how long, at most
     */
    void abandon(Ending ending, Duration timeout) {
        enter();
        try {
            if (closed) {
                return;
            }
            revocations.endAll(ending);
            communicators.values().forEach(GroupCommunicator::giveUpRegions);
            closed = true;
        } finally {
            leave();
        }
        if (background != null) {
            background.close(timeout);
        }
        enter();
        try {
            transport.close();
        } finally {
            leave();
        }
    }

    /** Whether nothing new begins here. */
    boolean isLeaving() {
        return closed;
    }

    private long closeNs(long untilNs) {
        return Math.min(settings.closeTimeout().toNanos(), untilNs - nowNs());
    }

    private void sayGoodbye(long untilNs) {
        long startedNs = nowNs();
        long deadlineNs = startedNs + closeNs(untilNs);
        transport.leave();
        while (true) {
            // A peer may use a link for the first time now.
            for (Link link : links) {
                if (link != null && link.isUsed()) {
                    link.close();
                }
            }
            if (hub != null) {
                hub.flushIfDue();
            }
            int work = turn();
            Link open = openLink();
            boolean hubIsOpen = hub != null && hub.hasOutput();
            if (open == null && !hubIsOpen && !transport.hasOutput()) {
                return;
            }
            long nowNs = nowNs();
            if (nowNs - deadlineNs >= 0) {
                LOG.warn(
                        "{}: leaving after {} ms though rank {} has not taken everything",
                        view,
                        (nowNs - startedNs) / 1_000_000,
                        open == null ? "of the relay" : open.peer());
                return;
            }
            if (work == 0) {
                transport.await(Math.min(TIMER_NS, deadlineNs - nowNs), () -> inboxFull);
            }
        }
    }

    private Link openLink() {
        for (Link link : links) {
            if (link != null && link.isUsed() && !link.isClosed()) {
                return link;
            }
        }
        return null;
    }

    /**
     * What is open, for leak checks: all zero when nothing is under way. Unexpected are messages, and words of peers that they wait for one,
     * that nobody has asked for.
     */
    public String leaks() {
        enter();
        try {
            int early = 0;
            for (Link link : links) {
                early += link == null ? 0 : link.earlyClears();
            }
            return "operations " + active.size() + ", transfers "
                    + (transfersInUse - early + (hub == null ? 0 : hub.inUse())) + ", unexpected "
                    + (unexpected.inUse() + early) + ", cleared receives " + receiveTable.size();
        } finally {
            leave();
        }
    }

    /** Bytes kept for one peer because nobody has asked for them; never more than the window. */
    public long keptBytes(int peer) {
        return links[peer].keptBytes();
    }

    /** What the credit of the link to a peer came to, for leak checks; null if that link was not used, or did not end in peace. */
    public CreditBalance creditBalance(int peer) {
        enter();
        try {
            return links[peer].creditBalance();
        } finally {
            leave();
        }
    }

    /** Memory taken for frames that were not acknowledged, in chunks. */
    public int replayChunks() {
        enter();
        try {
            return replays.inUse();
        } finally {
            leave();
        }
    }

    /** Of this memory the chunks that nobody will give back, for leak checks: links that are not through still use theirs. */
    public int leakedChunks() {
        enter();
        try {
            int kept = 0;
            for (Link link : links) {
                kept += link == null ? 0 : link.keptChunks();
            }
            return replays.inUse() - kept;
        } finally {
            leave();
        }
    }

    /** How often the link to a peer has lost a direct path and gone on through the relay. */
    public int resumptions(int peer) {
        return links[peer].resumptions();
    }

    /** The path on which frames to a peer go now; null before there is one. */
    public String pathTo(int peer) {
        return links[peer].pathName();
    }
}
