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
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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

    private final EventLoop loop;
    private final RelayState state;
    private final AtomicInteger epochs;
    private final ByteBufAllocator allocator;
    private final Exchange exchange;
    private final ControlBacklog backlog;
    private final Ticker ticker;
    private final SecureRandom random = new SecureRandom();
    private final Map<String, Session> sessions = new HashMap<>();
    private final long sweepNs;
    private long sweptNs;

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
            sweptNs = nanoTime();
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

    EventLoop loop() {
        return loop;
    }

    /** As they are now. */
    RelaySettings settings() {
        return state.settings();
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
                return returns ? noSuchSession(join) : NO_SUCH_PLACE;
            }
            return returns ? session.comeBack(control, join) : session.continues(control, join);
        }
        if (session == null) {
            Refusal refusal = mayOpen(grant);
            if (refusal != null) {
                return refusal;
            }
            counters().sessionsOpened.increment();
            session = new Session(this, join, grant);
            sessions.put(session.name(), session);
        }
        return session.join(control, join, grant);
    }

    private static Refusal noSuchSession(Join join) {
        return new Refusal(ErrorCode.RELAY_LOST, "this relay knows no session " + join.getSession() + ", or no more");
    }

    /** No group begins that goes on from none before. */
    boolean draining() {
        return state.draining();
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

    /** Ends all sessions without a word. */
    void close() {
        List.copyOf(sessions.values()).forEach(Session::drop);
    }

    private void sweep() {
        long nowNs = nanoTime();
        // If the relay itself stood still, what the ranks said in the meantime is still to be read.
        boolean paused =
                nowNs - sweptNs > sweepNs + settings().heartbeatInterval().toNanos();
        sweptNs = nowNs;
        for (Session session : List.copyOf(sessions.values())) {
            session.sweep(nowNs, paused);
        }
        exchange.sweep(nowNs, settings().limits().slowConsumerTimeout().toNanos(), paused);
        state.gate().sweep(nowNs);
    }
}
