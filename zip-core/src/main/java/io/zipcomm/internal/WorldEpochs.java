package io.zipcomm.internal;

import com.google.protobuf.ByteString;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.GroupView;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.TransportProvider;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How one world goes on to the next epoch: by a new transport, a new place at the same relay, and a new engine. Until the next epoch
 * has begun, the old control connection tells the relay that this rank lives.
 */
final class WorldEpochs implements Epochs {

    private static final Logger LOG = LoggerFactory.getLogger(WorldEpochs.class);

    private static final long PAUSE_NS_MIN = 50_000_000;
    private static final long PAUSE_NS_MAX = 500_000_000;
    private static final long LAST_ATTEMPT_NS = 1_000_000_000;

    private final ZipSettings settings;
    private final TransportProvider provider;
    private final String hostId;
    private final LongSupplier clock;
    private final MembershipClient client;
    private final Engine engine;
    private final GroupCommunicator world;
    private final AtomicBoolean busy = new AtomicBoolean();

    /** The engine is abandoned, or about to be; the relay is heard by {@link Waiting}. */
    private volatile boolean abandoned;

    /** The program has closed this world. */
    private volatile boolean closed;

    /** Why the relay is not heard any more; null while it is, or when nobody listens for it. */
    private volatile String controlLoss;

    /** Why this rank cannot go on from here any more; null while it can. */
    private volatile Ending over;

    private WorldEpochs(
            ZipSettings settings,
            TransportProvider provider,
            String hostId,
            LongSupplier clock,
            MembershipClient client,
            Engine engine,
            GroupCommunicator world) {
        this.settings = settings;
        this.provider = provider;
        this.hostId = hostId;
        this.clock = clock;
        this.client = client;
        this.engine = engine;
        this.world = world;
    }

    /**
     * Makes the world of a group that is complete.
     *
     * @param transport attached, if that is needed; belongs to the world, unless this throws
     * @param client    whose group is complete; belongs to the world, unless this throws
     */
    static GroupCommunicator begin(
            ZipSettings settings,
            TransportProvider provider,
            Transport transport,
            String hostId,
            LongSupplier clock,
            MembershipClient client) {
        GroupView view = client.awaitGroup();
        Engine engine = new Engine(view, transport, client, settings, clock, true);
        GroupCommunicator world = engine.start();
        world.goOnBy(new WorldEpochs(settings, provider, hostId, clock, client, engine, world));
        client.listen(engine);
        return world;
    }

    @Override
    public GroupCommunicator next(String operation, int sizeWanted, CallTime time) {
        if (!busy.compareAndSet(false, true)) {
            throw world.badArgument(operation, "another thread takes this rank to the next epoch");
        }
        try {
            CallTime.Decided decided = time.forDecided(world, operation, client.nextAnswerNs());
            long decidedAtNs = clock.getAsLong() + decided.timeoutNs();
            check(operation);
            leaveBehind(operation, decidedAtNs);
            check(operation);
            GroupCommunicator next = joinPatiently(operation, sizeWanted, decidedAtNs, decided.answerNs());
            end(new Ending(
                    Ending.Kind.LEFT_BEHIND,
                    engine.view().rank(),
                    "the group went on to epoch " + next.view().epoch()));
            client.close();
            if (closed) {
                next.close(time);
                throw engine.closed();
            }
            LOG.info("{}: went on from epoch {}", next.view(), engine.view().epoch());
            return next;
        } finally {
            busy.set(false);
        }
    }

    private void check(String operation) {
        if (closed) {
            throw engine.closed();
        }
        Ending ending = over == null ? world.ending() : over;
        if (over != null || (ending != null && ending.kind() == Ending.Kind.EXPELLED)) {
            throw world.refusal(ending.code(), operation, ending.reason());
        }
    }

    private void end(Ending how) {
        over = how;
        engine.end(how);
    }

    /** Ends this epoch here. The others must not wait for this rank, so it is revoked. */
    private void leaveBehind(String operation, long deadlineNs) {
        if (abandoned) {
            return;
        }
        engine.revoke(world, "to " + operation + " the group");
        // The thread of the control connection must not wait for an engine that closes.
        client.listenLater();
        // Before it is: whoever closes it meanwhile finds nothing left to close, and leaves the group by what is.
        abandoned = true;
        Ending ending =
                new Ending(Ending.Kind.LEFT_BEHIND, engine.view().rank(), "this rank is on its way to the next epoch");
        Duration left = Duration.ofNanos(Math.max(1, deadlineNs - clock.getAsLong()));
        engine.abandon(ending, left.compareTo(settings.closeTimeout()) < 0 ? left : settings.closeTimeout());
        client.listen(new Waiting());
    }

    /** Asks again while the relay has been lost: one that was started again knows the group once its members have come back. */
    private GroupCommunicator joinPatiently(String operation, int sizeWanted, long decidedAtNs, long answerNs) {
        long pauseNs = PAUSE_NS_MIN;
        long leftNs = Math.max(1, decidedAtNs - clock.getAsLong());
        while (true) {
            try {
                return joinOpenly(operation, sizeWanted, new CallTime.Decided(leftNs, answerNs));
            } catch (ZipException e) {
                boolean mayComeBack =
                        e.code() == ErrorCode.RELAY_LOST && controlLoss == null && !closed && over == null;
                boolean inTime = clock.getAsLong() + pauseNs - decidedAtNs < 0;
                if (!mayComeBack || !inTime || Thread.currentThread().isInterrupted()) {
                    throw e;
                }
                LOG.info("{}: asks again for the next epoch: {}", engine.view(), e.reason());
            }
            provider.pause(pauseNs);
            pauseNs = Math.min(2 * pauseNs, PAUSE_NS_MAX);
            leftNs = decidedAtNs - clock.getAsLong();
            if (leftNs <= 0) {
                // This process stood still: the relay may know what became of the group.
                leftNs = LAST_ATTEMPT_NS;
            }
        }
    }

    /** A snapshot finds one of both worlds. */
    private GroupCommunicator joinOpenly(String operation, int sizeWanted, CallTime.Decided time) {
        OpenWorlds.joinBegins();
        GroupCommunicator next;
        try {
            next = join(operation, sizeWanted, time);
        } catch (RuntimeException | Error e) {
            OpenWorlds.joinFailed();
            throw e;
        }
        OpenWorlds.opened(next);
        OpenWorlds.closed(world);
        return next;
    }

    private GroupCommunicator join(String operation, int sizeWanted, CallTime.Decided time) {
        // Who has asked in time has the time of a heartbeat more.
        long attachUntilNs = clock.getAsLong() + time.timeoutNs() + time.answerNs();
        Continuation continuation =
                new Continuation(operation, engine.view(), ByteString.copyFrom(client.ticket()), sizeWanted, time);
        Duration opening = Duration.ofNanos(Math.min(settings.joinTimeout().toNanos(), time.timeoutNs()));
        Transport transport = provider.open(settings.withJoinTimeout(opening));
        MembershipClient next = null;
        try {
            next = MembershipClient.goOn(settings, client.relay(), provider, transport, hostId, continuation, clock);
            if (settings.transport().isRelayed()) {
                next.attach(transport, attachUntilNs);
            }
            return begin(settings, provider, transport, hostId, clock, next);
        } catch (RuntimeException | Error e) {
            if (next != null) {
                next.close();
            }
            transport.close();
            if (e instanceof ZipException failure) {
                throw explained(failure);
            }
            throw e;
        }
    }

    /** What a failure means for this rank: the group may have gone on without it, or the relay be gone. */
    private ZipException explained(ZipException failure) {
        if (closed) {
            return engine.closed(failure);
        }
        if (over != null) {
            // What the relay has said on the old connection is the reason.
            return again(over.code(), over.reason(), failure);
        }
        String loss = controlLoss == null ? client.away() : controlLoss;
        return switch (failure.code()) {
            case EXPELLED, STALE_EPOCH -> expelled(failure);
            // The relay that this rank is a member at does not know its ticket any more; one that was started again
            // never did.
            case UNAUTHORIZED -> loss == null ? expelled(failure) : relayLost(loss, failure);
            case RELAY_UNREACHABLE -> loss == null ? failure : relayLost(loss, failure);
            default -> failure;
        };
    }

    private ZipException expelled(ZipException failure) {
        end(Ending.expelled(engine.view().rank(), failure.reason()));
        client.close();
        return again(ErrorCode.EXPELLED, over.reason(), failure);
    }

    private ZipException relayLost(String loss, ZipException failure) {
        return again(
                ErrorCode.RELAY_LOST,
                "control connection to the relay ended: " + loss + "; " + failure.reason(),
                failure);
    }

    private ZipException again(ErrorCode code, String reason, ZipException failure) {
        return ZipException.of(code, reason)
                .at(failure.rank(), engine.view().size(), failure.epoch())
                .operation(failure.operation())
                .elapsedMs(failure.elapsedMs())
                .build(failure);
    }

    /** The relay, which hears that this rank leaves, ends its way to the next epoch too. */
    @Override
    public void close(long untilNs) {
        closed = true;
        if (over != null) {
            return;
        }
        // Of no effect if it is abandoned, also while this is called.
        engine.close(untilNs);
        if (abandoned) {
            client.leave(Math.max(Engine.END_NS_MIN, untilNs - clock.getAsLong()));
            client.close();
        }
    }

    /** What the relay says to a rank whose epoch is over for it: only its place counts. */
    private final class Waiting implements ControlPlane.Listener {

        @Override
        public void memberGone(int rank, Cause cause, String detail) {
            if (cause != Cause.LEFT) {
                engine.noteDeath(rank, detail);
            }
        }

        @Override
        public void aborted(int context, int rank, int code, int culprit, String reason) {}

        @Override
        public void suspectedBy(int rank, String detail) {}

        @Override
        public void detached(int number, String reason) {}

        @Override
        public void relayRestarted(long timeoutNs) {}

        @Override
        public void punchAt(int rank, long atNs, long roundTripNs) {}

        @Override
        public void revoked(int context, int rank, String reason) {}

        @Override
        public void agreed(int context, int leader, int number, boolean value, int[] failed, int[] missing) {}

        @Override
        public void relayAnswered() {}

        @Override
        public void expelled(String reason) {
            end(Ending.expelled(engine.view().rank(), reason));
        }

        @Override
        public void epochOver(String reason) {
            // Whether this rank is in the one that has begun its other connection says, or the next attempt.
            LOG.debug("{}: {}", engine.view(), reason);
        }

        @Override
        public void controlLost(String reason) {
            controlLoss = reason;
            // The next attempt says what it means.
            LOG.debug("{}: control connection to the relay ended: {}", engine.view(), reason);
        }
    }
}
