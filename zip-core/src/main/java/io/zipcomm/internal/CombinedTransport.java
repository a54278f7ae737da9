package io.zipcomm.internal;

import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.settings.Setting;
import io.zipcomm.transport.DirectTransport;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.transport.RemoteMemory;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.TransportCounters;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * A transport with others beside it: for each peer the best of them is asked for a direct path first, the next if that has
 * come to nothing, and the base last.
 *
 * <p>All are polled, but a look at the base's sockets costs a call of the operating system: while one of the others has
 * paths, and nothing came through the base of late, it is looked at every few microseconds only.
 */
final class CombinedTransport implements Transport {

    /** Longest time between looks at the base. */
    private static final long LOOK_NS = 10_000;

    /** Turns between looks at the clock. */
    private static final int TURNS_BETWEEN_LOOKS = 16;

    /** Turns without work after which the base counts as quiet. */
    private static final int QUIET_TURNS = 64;

    /** Shortest sleep of the base. */
    private static final long BASE_SLEEP_NS_MIN = 1_000_000;

    /** No transport is asked. */
    private static final int NONE = -1;

    private final Transport base;
    private final boolean baseConnects;
    private final DirectTransport[] direct;

    /** For each peer which transport is asked; the base is behind the others. */
    private int[] asked = new int[0];

    /** What came of those that were asked before. */
    private String[] reasons = new String[0];

    private PathEvents engine;

    /** A sleep may end late of itself, and a turn take the base's own word for it: neither says whether it was a wakeup. */
    private final AtomicBoolean woken = new AtomicBoolean();

    private int quietTurns;
    private int turns;
    private long lookedNs;

    /**
     * Combines open transports, and closes them.
     *
     * @param base         has the relay, and sleeps for all
     * @param baseConnects whether it may open direct paths
     * @param beside       the others, best first
     */
    CombinedTransport(Transport base, boolean baseConnects, List<DirectTransport> beside) {
        this.base = base;
        this.baseConnects = baseConnects;
        direct = beside.toArray(DirectTransport[]::new);
    }

    @Override
    public List<Candidate> candidates() {
        List<Candidate> all = new ArrayList<>(base.candidates());
        for (DirectTransport one : direct) {
            all.addAll(one.candidates());
        }
        return all;
    }

    @Override
    public int rendezvousPort() {
        return base.rendezvousPort();
    }

    @Override
    public void attach(RelayAddress relay, String session, int rank, byte[] ticket, long deadlineNs) {
        base.attach(relay, session, rank, ticket, deadlineNs);
    }

    @Override
    public void detached(int number, String reason) {
        base.detached(number, reason);
    }

    @Override
    public void relayRestarted(long timeoutNs) {
        base.relayRestarted(timeoutNs);
    }

    @Override
    public void relayRestored() {
        base.relayRestored();
    }

    @Override
    public void relayOver() {
        base.relayOver();
    }

    @Override
    public void start(GroupView view, PathEvents events) {
        engine = events;
        asked = new int[view.size()];
        Arrays.fill(asked, NONE);
        reasons = new String[view.size()];
        for (int i = 0; i < direct.length; i++) {
            direct[i].start(view, new Outcomes(i));
        }
        base.start(view, new Outcomes(direct.length));
    }

    @Override
    public Path relayed(int peer) {
        return base.relayed(peer);
    }

    @Override
    public Path hub() {
        return base.hub();
    }

    // ---- direct paths

    @Override
    public void connect(int peer) {
        if (asked[peer] == NONE) {
            reasons[peer] = "";
            ask(peer, 0);
        }
    }

    /** Asks the first transport, from the given one on, that reaches a peer. */
    private void ask(int peer, int from) {
        int next = from;
        while (next < direct.length && !direct[next].reaches(peer)) {
            next++;
        }
        asked[peer] = next;
        if (next < direct.length) {
            direct[next].connect(peer);
        } else if (baseConnects) {
            base.connect(peer);
        } else {
            asked[peer] = NONE;
            engine.unreachable(
                    peer,
                    reasons[peer].isEmpty()
                            ? "what " + Setting.TRANSPORT.variable() + " asks for does not reach it"
                            : reasons[peer]);
        }
    }

    @Override
    public void punch(int peer, long atNs, long roundTripNs) {
        base.punch(peer, atNs, roundTripNs);
    }

    @Override
    public boolean isConnecting() {
        for (DirectTransport one : direct) {
            if (one.isConnecting()) {
                return true;
            }
        }
        return base.isConnecting();
    }

    /** What one of the transports tells. */
    private final class Outcomes implements PathEvents {
        private final int index;

        Outcomes(int index) {
            this.index = index;
        }

        @Override
        public void opened(Path path) {
            int peer = path.peer();
            asked[peer] = NONE;
            for (int i = 0; i < direct.length; i++) {
                if (i != index) {
                    direct[i].giveUp(peer);
                }
            }
            engine.opened(path);
        }

        @Override
        public void unreachable(int peer, String reason) {
            if (asked[peer] != index) {
                return;
            }
            reasons[peer] += (reasons[peer].isEmpty() ? "" : "; ") + reason;
            if (index < direct.length) {
                ask(peer, index + 1);
            } else {
                asked[peer] = NONE;
                engine.unreachable(peer, reasons[peer]);
            }
        }

        @Override
        public void punchWanted(int peer) {
            engine.punchWanted(peer);
        }

        @Override
        public void relayAway(String reason) {
            engine.relayAway(reason);
        }

        @Override
        public void flowBegan(int peer) {
            engine.flowBegan(peer);
        }

        @Override
        public void hubBack() {
            engine.hubBack();
        }

        @Override
        public void relayLost(String reason) {
            engine.relayLost(reason);
        }
    }

    // ---- turns

    @Override
    public int poll() {
        int work = 0;
        boolean hasPaths = false;
        for (DirectTransport one : direct) {
            work += one.poll();
            hasPaths |= one.hasPaths();
        }
        if (hasPaths && quietTurns >= QUIET_TURNS && !isLookDue()) {
            return work;
        }
        int baseWork = base.poll();
        quietTurns = baseWork > 0 ? 0 : Math.min(quietTurns + 1, QUIET_TURNS);
        return work + baseWork;
    }

    private boolean isLookDue() {
        turns++;
        if (turns % TURNS_BETWEEN_LOOKS != 0) {
            return false;
        }
        long nowNs = System.nanoTime();
        if (nowNs - lookedNs < LOOK_NS) {
            return false;
        }
        lookedNs = nowNs;
        return true;
    }

    @Override
    public int await(long timeoutNs, BooleanSupplier wakeupDue) {
        long nowNs = System.nanoTime();
        long leftNs = timeoutNs;
        while (true) {
            long sleepNs = leftNs;
            int work = 0;
            for (DirectTransport one : direct) {
                sleepNs = Math.min(sleepNs, one.beforeSleep());
                work += one.poll();
            }
            work += work > 0 || woken.get() ? base.poll() : sleep(sleepNs, sleepNs < timeoutNs, wakeupDue);
            for (DirectTransport one : direct) {
                one.afterSleep();
                work += one.poll();
            }
            long sleptNs = System.nanoTime() - nowNs;
            nowNs += sleptNs;
            leftNs -= sleptNs;
            // Who slept for less than that was woken, too: the others wake the base.
            if (woken.getAndSet(false) || work > 0 || leftNs <= 0 || sleptNs < sleepNs) {
                return work;
            }
        }
    }

    /**
     * The base sleeps for whole milliseconds, and wakes up in between; a shorter sleep, which one of the others asks for, ends
     * when it is over.
     */
    private int sleep(long sleepNs, boolean isShortened, BooleanSupplier wakeupDue) {
        if (!isShortened || sleepNs >= BASE_SLEEP_NS_MIN) {
            return base.await(sleepNs, wakeupDue);
        }
        int work = base.poll();
        if (work == 0 && !wakeupDue.getAsBoolean()) {
            LockSupport.parkNanos(this, sleepNs);
        }
        return work;
    }

    @Override
    public void wakeup() {
        woken.set(true);
        base.wakeup();
    }

    @Override
    public Bell listenForBell(java.nio.file.Path file) throws IOException {
        return base.listenForBell(file);
    }

    @Override
    public RemoteMemory remoteMemory() {
        for (DirectTransport one : direct) {
            if (one.remoteMemory() != null) {
                return one.remoteMemory();
            }
        }
        return base.remoteMemory();
    }

    @Override
    public DescriptorWatch watch(int descriptor) throws IOException {
        return base.watch(descriptor);
    }

    @Override
    public boolean hasOutput() {
        for (DirectTransport one : direct) {
            if (one.hasOutput()) {
                return true;
            }
        }
        return base.hasOutput();
    }

    @Override
    public void leave() {
        for (DirectTransport one : direct) {
            one.leave();
        }
        base.leave();
    }

    @Override
    public TransportCounters counters() {
        return base.counters();
    }

    @Override
    public void close() {
        for (DirectTransport one : direct) {
            one.close();
        }
        base.close();
    }
}
