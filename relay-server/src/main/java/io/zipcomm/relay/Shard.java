package io.zipcomm.relay;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Ticker;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.relay.route.Exchange;
import io.zipcomm.wire.proto.Attach;
import io.zipcomm.wire.proto.Continues;
import io.zipcomm.wire.proto.Join;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The sessions of one event loop. That loop's thread only, unless said otherwise. */
@SuppressWarnings("FutureReturnValueIgnored") // see the package's description
final class Shard {

    private static final Logger log = LoggerFactory.getLogger(Shard.class);

    /** Whatever part of a ticket is wrong. */
    static final Refusal NO_SUCH_PLACE = new Refusal(ErrorCode.UNAUTHORIZED, "there is no such place for this ticket");

    static final Refusal DRAINING = new Refusal(
            ErrorCode.RELAY_UNREACHABLE, "this relay drains: it takes no new sessions, and ends when it has none");

    /** Who is so late has not been busy, but stood still. */
    private static final long STILL_NS = TimeUnit.MILLISECONDS.toNanos(100);

    /** Groups that are remembered when they are over, 100 bytes each. */
    private static final int TAKEN_UP_MAX = 16_384;

    private final EventLoop loop;
    private final RelayState state;
    private final AtomicInteger epochs;
    private final ByteBufAllocator allocator;
    private final Exchange exchange;
    private final ControlBacklog backlog;
    private final Ticker ticker;
    private final SecureRandom random = new SecureRandom();
    private final Map<String, Session> sessions = new HashMap<>();

    /** The latest groups that went on here and had begun at a relay that is no more. */
    private final Set<ByteBuffer> takenUp = Collections.newSetFromMap(new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<ByteBuffer, Boolean> eldest) {
            return size() > TAKEN_UP_MAX;
        }
    });

    private final long sweepNs;
    private boolean closed;
    private long startedNs;
    private long sweptNs;

    /** When a sweep was last late; long ago if none was. */
    private long wokeNs;

    Shard(EventLoop loop, RelayState state, AtomicInteger epochs, ByteBufAllocator allocator) {
        this.loop = loop;
        ticker = loop.ticker();
        this.state = state;
        this.epochs = epochs;
        this.allocator = allocator;
        RelaySettings settings = state.settings();
        exchange = new Exchange(loop, allocator, counters().forwarded, settings.memoryBytes() / settings.threads());
        backlog = new ControlBacklog(
                loop, () -> settings().limits().controlMemory() / settings().threads(), counters().controlBytesWaiting);
        sweepNs = Math.max(1, settings.heartbeatInterval().toNanos() / 2);
    }

    /** Begins to watch. Any thread. */
    void start() {
        loop.execute(() -> {
            startedNs = nanoTime();
            sweptNs = startedNs;
            wokeNs = sweptNs - STILL_NS;
            sweepLater();
        });
    }

    private void sweepLater() {
        later(
                () -> {
                    sweepLater();
                    sweep();
                },
                sweepNs);
    }

    /** For how long members may still be about to come back to this relay, which may have been started in place of another; in ns. */
    long returningNs() {
        long graceNs = Math.min(
                settings().resumeGrace().toNanos(),
                settings().heartbeatTimeout().toNanos());
        return startedNs + graceNs - nanoTime();
    }

    /** Does something in a while; a defect in it is not lost in the future that nobody asks. */
    Future<?> later(Runnable task, long delayNs) {
        return loop.schedule(
                () -> {
                    try {
                        task.run();
                    } catch (RuntimeException e) {
                        counters().defect();
                        log.error("defect in the relay", e);
                    }
                },
                delayNs,
                TimeUnit.NANOSECONDS);
    }

    /**
     * Whether the relay itself stood still, and goes on now: what members have sent in the meantime is still to be read, so they are
     * given their time once more.
     *
     * @param dueNs when something was to be done that is done now
     */
    boolean stoodStill(long dueNs) {
        long nowNs = nanoTime();
        return nowNs - dueNs > STILL_NS || isSweepLate(nowNs) || nowNs - wokeNs < STILL_NS;
    }

    private boolean isSweepLate(long nowNs) {
        return nowNs - sweptNs > sweepNs + STILL_NS;
    }

    EventLoop loop() {
        return loop;
    }

    /** As they are now. */
    RelaySettings settings() {
        return state.settings();
    }

    Admission admission() {
        return state.admission();
    }

    Counters counters() {
        return state.counters();
    }

    Exchange exchange() {
        return exchange;
    }

    ControlBacklog backlog() {
        return backlog;
    }

    ByteBufAllocator allocator() {
        return allocator;
    }

    long nanoTime() {
        return ticker.nanoTime();
    }

    /** Never given twice by one relay. */
    int nextEpoch() {
        return epochs.incrementAndGet();
    }

    /** By which a member of a session is known. */
    byte[] issueTicket(String session) {
        return state.tickets().issue(session, random(Tickets.BYTES));
    }

    /** A group goes on that began at a relay that is no more. */
    void takenUp(byte[] group) {
        takenUp.add(ByteBuffer.wrap(group.clone()));
    }

    /**
     * Why a member of an epoch that is not here must not come back to it; null if it may. A relay that had the epoch has ended it, or gone
     * on to another, and told others who is gone: what it has forgotten must not begin once more, with other verdicts.
     */
    Refusal pastRefusal(String session, Continues continues) {
        boolean own = state.tickets().isOwn(session, continues.getTicket().toByteArray())
                || takenUp.contains(ByteBuffer.wrap(continues.getGroup().toByteArray()));
        return own
                ? new Refusal(
                        ErrorCode.EXPELLED,
                        "rank " + continues.getRank() + " of epoch " + continues.getEpoch() + " of session " + session
                                + " was given up, and the epoch is over")
                : null;
    }

    byte[] random(int bytes) {
        byte[] drawn = new byte[bytes];
        random.nextBytes(drawn);
        return drawn;
    }

    /** Takes a rank into its session, which begins with it if there is none. Answers why not. */
    Refusal join(ControlConnection control, Join join, Grant grant) {
        Session session = sessions.get(join.getSession());
        if (join.hasContinues()) {
            boolean returns = join.getContinues().getKind() == Continues.Kind.SAME_EPOCH;
            if (session == null) {
                return returns ? restore(control, join) : refusalOfUnknown(join);
            }
            return returns ? session.comeBack(control, join) : session.continues(control, join);
        }
        if (session == null) {
            Refusal refusal = mayOpen(grant);
            if (refusal != null) {
                return refusal;
            }
            session = open(join, grant);
            session.gather(join);
        }
        return session.join(control, join, grant);
    }

    private Session open(Join first, Grant grant) {
        counters().sessionsOpened.increment();
        Session session = new Session(this, first, grant);
        sessions.put(session.name(), session);
        return session;
    }

    /** A member comes back to a session that this relay does not know: it began at one that is no more. */
    private Refusal restore(ControlConnection control, Join join) {
        RelayTokens.Verdict verdict = admission().checkReturn(join);
        Refusal refusal = verdict.refusal() == null ? Returns.formRefusal(join) : verdict.refusal();
        if (refusal == null) {
            refusal = pastRefusal(join.getSession(), join.getContinues());
        }
        if (refusal == null) {
            refusal = mayOpen(verdict.grant());
        }
        // What the token says is not asked again: if it expired in between, there would be a session with nobody in it.
        return refusal == null ? open(join, verdict.grant()).restore(control, join, verdict.grant()) : refusal;
    }

    /** Of who asks for the next epoch of one that is not here. Who has no right to join does not learn which sessions there are. */
    Refusal refusalOfUnknown(Join join) {
        if (admission().checkReturn(join).refusal() != null) {
            return NO_SUCH_PLACE;
        }
        Refusal past = pastRefusal(join.getSession(), join.getContinues());
        return past == null ? isTakenUp(join.getSession()) : past;
    }

    /** Who asks for the next epoch has to wait until its members have come back to the current one. */
    static Refusal isTakenUp(String session) {
        return new Refusal(
                ErrorCode.RELAY_LOST,
                "this relay was started again, and does not know the members of session " + session + " yet");
    }

    /** No group begins that goes on from none before. */
    boolean draining() {
        return state.draining();
    }

    boolean isClosed() {
        return closed;
    }

    /** Counts a session that is to begin, or says why it must not. */
    private Refusal mayOpen(Grant grant) {
        if (state.draining()) {
            return DRAINING;
        }
        int sessionsMax = settings().sessionsMax();
        if (!Counters.takeOne(counters().sessions, sessionsMax)) {
            return Refusal.limit(
                    RelayOption.SESSIONS_MAX, "there are " + sessionsMax + " sessions, and no more are allowed");
        }
        if (!state.tenants().open(grant)) {
            counters().sessions.decrementAndGet();
            return new Refusal(
                    ErrorCode.LIMIT,
                    "there are " + grant.sessionsMax() + " sessions under '" + grant.pattern()
                            + "', and the token allows no more (" + TokenRequest.Quota.SESSIONS_MAX.claim() + ")");
        }
        return null;
    }

    /** Gives a member its data connection. Answers why not, in the same words whatever part of the ticket is wrong. */
    Refusal attach(Channel channel, Attach attach) {
        Session session = sessions.get(attach.getSession());
        Member member = session == null ? null : session.holderOf(attach);
        return member == null ? NO_SUCH_PLACE : session.attach(member, channel, attach);
    }

    void ended(Session session) {
        sessions.remove(session.name());
        counters().sessions.decrementAndGet();
        state.tenants().ended(session.grant());
        state.checkDrained();
    }

    /** Limits have changed. */
    void reloaded() {
        sessions.values().forEach(Session::reloaded);
    }

    /** What there is, for people. */
    List<SessionView> views() {
        return sessions.values().stream().map(Session::view).toList();
    }

    /** Ends all sessions without a word. No others begin. */
    void close() {
        closed = true;
        List.copyOf(sessions.values()).forEach(Session::drop);
    }

    private void sweep() {
        long nowNs = nanoTime();
        // If the relay itself stood still, what the ranks said in the meantime is still to be read.
        boolean paused =
                nowNs - sweptNs > sweepNs + settings().heartbeatInterval().toNanos();
        wokeNs = isSweepLate(nowNs) ? nowNs : wokeNs;
        sweptNs = nowNs;
        for (Session session : List.copyOf(sessions.values())) {
            session.sweep(nowNs, paused);
        }
        exchange.sweep(nowNs, settings().limits().slowConsumerTimeout().toNanos(), paused);
        state.gate().sweep(nowNs);
    }
}
