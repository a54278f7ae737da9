package io.zipcomm.internal;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Incarnation;
import io.zipcomm.membership.SealKeys;
import io.zipcomm.settings.Protection;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.ControlChannel;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.TransportProvider;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.SessionKey;
import io.zipcomm.wire.proto.Abort;
import io.zipcomm.wire.proto.Admitted;
import io.zipcomm.wire.proto.Agree;
import io.zipcomm.wire.proto.Attach;
import io.zipcomm.wire.proto.Continues;
import io.zipcomm.wire.proto.GroupReady;
import io.zipcomm.wire.proto.Heartbeat;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.Leave;
import io.zipcomm.wire.proto.Pong;
import io.zipcomm.wire.proto.PunchWanted;
import io.zipcomm.wire.proto.Refused;
import io.zipcomm.wire.proto.Revoke;
import io.zipcomm.wire.proto.Suspect;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;

/**
 * A rank's side of the control connection: joins, beats, and passes verdicts on.
 *
 * <p>Thread: {@link #join} and {@link #awaitGroup} block the caller; messages come in on the channel's thread; what this
 * rank says may be said on any thread.
 */
public final class MembershipClient implements ControlPlane {

    /** Longest reason of an abort: the rest of a long text helps nobody. */
    private static final int REASON_CHARACTERS_MAX = 2000;

    /** Time between looks at the clock before the relay has named an interval. */
    private static final long TICK_MS = 500;

    /** Until then a heartbeat goes after so many looks: what is in between forgets no flow so soon. */
    private static final int GATHERING_TICKS = 4;

    /** Who was heard of no longer ago is there: two heartbeats of that time, and some more. */
    private static final long HEARD_NS = 5_000_000_000L;

    /** Silence after which a relay is taken for dead that has not named a time: it may be busy with all who join. */
    private static final long GATHERING_TIMEOUT_MS = 10_000;

    /** Number of a heartbeat to which the answer is all that counts. */
    private static final long QUESTION = Long.MIN_VALUE;

    private static final long ATTACH_REASON_MS = 1000;

    /** How long the relay's answer may take when the time is over. */
    static final long ANSWER_MS = 2000;

    /** How long the relay may take to hear that this rank leaves. */
    private static final long FAREWELL_NS_MAX = TimeUnit.SECONDS.toNanos(1);

    private final ZipSettings settings;
    private final RelayAddress relay;
    private final LongSupplier clock;
    private final long startedNs;
    private final CallTime.Decided time;

    /** Null for a rank that is no member of a group yet. */
    private final Continuation continuation;

    private final CompletableFuture<Admitted> admitted = new CompletableFuture<>();
    private final CompletableFuture<GroupReady> ready = new CompletableFuture<>();
    private final CountDownLatch finished = new CountDownLatch(1);
    private final List<ToRank> unheard = new ArrayList<>();
    private final RoundTrips roundTrips = new RoundTrips();

    private volatile ControlChannel channel;

    /** Hears what the latest channel says; null when that is given up. One that was given up may speak for some time more. */
    private volatile Ears ears;

    /** A relay that was started again lets nobody attach before this rank is back. This object's lock. */
    private boolean restoring;

    /** This rank's part of the keys for what goes through the relay; empty if that is not encrypted. */
    private final byte[] sealNonce;

    private Listener listener;

    /** Why the relay says nothing more; null while it may. */
    private String loss;

    /** Opens the connection again once the group is complete; null before. */
    private ControlReturn controlReturn;

    /** What a relay that is started again has to be told; null before the group is complete. */
    private GroupMemory memory;

    /** What the rank joined with: by that it comes back, too, but for the epoch. */
    private Join joined;

    private ControlReturn.Opener opener;
    private volatile int epoch;
    private volatile boolean leaving;
    private volatile long heartbeatMs = TICK_MS;
    private volatile long heartbeatTimeoutMs = GATHERING_TIMEOUT_MS;
    private volatile boolean asked;

    /** The relay has said something. */
    private volatile boolean answered;

    // The channel's thread only.
    private volatile long lastHeardNs;

    private int gatheringTicks;

    /** When {@link #tick} was last called; the control thread's only. */
    private long lastTickNs;

    /** Heartbeats counted so far, also before the group is complete. This object's lock. */
    private long beats;

    /** The relay has given this rank's place away, or another epoch has begun: there is nothing to come back to. */
    private volatile boolean dismissed;

    private MembershipClient(ZipSettings settings, RelayAddress relay, LongSupplier clock) {
        this(settings, relay, clock, CallTime.LONGEST_NS);
    }

    /** A process that joins by the settings' timeout; the relay's answer has a time of its own, but no more than a given one. */
    private MembershipClient(ZipSettings settings, RelayAddress relay, LongSupplier clock, long answerNsMax) {
        this(settings, relay, clock, new CallTime.Decided(settings.joinTimeout().toNanos(), answerNsMax), null);
    }

    private MembershipClient(
            ZipSettings settings,
            RelayAddress relay,
            LongSupplier clock,
            CallTime.Decided time,
            Continuation continuation) {
        this.settings = settings;
        this.relay = relay;
        this.clock = clock;
        this.time = time;
        this.continuation = continuation;
        startedNs = clock.getAsLong();
        lastHeardNs = startedNs;
        lastTickNs = startedNs;
        boolean seals = settings.protection().encryption() != Protection.Encryption.OFF;
        sealNonce = new byte[seals ? SealKeys.NONCE_BYTES : 0];
        if (seals) {
            Incarnation.random().nextBytes(sealNonce);
        }
    }

    /**
     * Asks the relay for a place in the session. Blocks until there is an answer or the join timeout passes.
     *
     * @param settings   of the process
     * @param provider   opens the control connection
     * @param candidates where peers may reach this process
     * @param localPort  where the control connection is to come from, see {@link Transport#rendezvousPort}; 0 for anywhere
     * @param hostId     identity of the host
     * @param relayed    whether a data connection will be attached
     * @param clock      that of {@link System#nanoTime}, or what the provider has in its place
     * @return a client with a place; the caller closes it
     * @throws ZipException with the relay's reason, or as {@link TransportProvider#openControl}
     */
    public static MembershipClient join(
            ZipSettings settings,
            TransportProvider provider,
            List<Candidate> candidates,
            int localPort,
            String hostId,
            boolean relayed,
            LongSupplier clock) {
        return join(settings, CallTime.LONGEST_NS, provider, candidates, localPort, hostId, relayed, clock);
    }

    /**
     * As the other one.
     *
     * @param answerNsMax how long the relay's answer may take, at most, beyond the join timeout
     */
    static MembershipClient join(
            ZipSettings settings,
            long answerNsMax,
            TransportProvider provider,
            List<Candidate> candidates,
            int localPort,
            String hostId,
            boolean relayed,
            LongSupplier clock) {
        long deadlineNs = clock.getAsLong() + settings.joinTimeout().toNanos();
        MembershipClient client = new MembershipClient(settings, settings.relay(), clock, answerNsMax);
        client.ask(provider, candidates, localPort, hostId, relayed, false, true, deadlineNs);
        return client.admitted();
    }

    /**
     * Asks the relay of a group for a place in its next epoch. Blocks until there is an answer or the time is over. The connection of
     * the epoch before stays as it is.
     *
     * @param relay        at which the group is
     * @param continuation by what this rank may go on, and how long to wait for the other ranks
     * @return a client with a place; the caller closes it
     * @throws ZipException as {@link #join}
     */
    static MembershipClient goOn(
            ZipSettings settings,
            RelayAddress relay,
            TransportProvider provider,
            Transport transport,
            String hostId,
            Continuation continuation,
            LongSupplier clock) {
        long deadlineNs = clock.getAsLong() + continuation.time().timeoutNs();
        MembershipClient client = new MembershipClient(settings, relay, clock, continuation.time(), continuation);
        boolean relayed = settings.transport().isRelayed();
        client.ask(
                provider, transport.candidates(), transport.rendezvousPort(), hostId, relayed, false, true, deadlineNs);
        return client.admitted();
    }

    /**
     * Asks a relay for a place in a session that is not meant to become complete, to see whether it can be reached and what
     * this process looks like from there. Blocks until there is an answer or the join timeout passes; tries to connect once.
     *
     * @param settings  of the process; its rank is asked for, so that the relay answers at once
     * @param relay     one of those in the settings, or of the addresses of one
     * @param provider  opens the control connection
     * @param localPort where the control connection is to come from if that is free; 0 for anywhere
     * @param clock     nanoseconds
     * @return a client with a place; the caller leaves and closes it
     * @throws ZipException with the relay's reason, or as {@link TransportProvider#openControl}
     */
    public static MembershipClient visit(
            ZipSettings settings, RelayAddress relay, TransportProvider provider, int localPort, LongSupplier clock) {
        long deadlineNs = clock.getAsLong() + settings.joinTimeout().toNanos();
        MembershipClient client = new MembershipClient(settings, relay, clock);
        String hostId = HostId.find(settings.hostId());
        client.ask(provider, List.of(), localPort, hostId, false, false, false, deadlineNs);
        return client.admitted();
    }

    private MembershipClient admitted() {
        try {
            await(admitted, "admission to session " + settings.session());
            return this;
        } catch (ZipException e) {
            close();
            throw e;
        }
    }

    /**
     * Asks one of several relays for a place in the session, once. Blocks until it is connected; the answer comes when all
     * ranks have asked there.
     *
     * @param deadlineNs of connecting
     * @return a client without a place yet; the caller closes it
     * @throws ZipException as {@link TransportProvider#openControl}
     */
    static MembershipClient askOneOfSeveral(
            ZipSettings settings,
            RelayAddress relay,
            TransportProvider provider,
            List<Candidate> candidates,
            int localPort,
            String hostId,
            boolean relayed,
            LongSupplier clock,
            long deadlineNs) {
        MembershipClient client = new MembershipClient(settings, relay, clock);
        client.ask(provider, candidates, localPort, hostId, relayed, true, false, deadlineNs);
        return client;
    }

    private void ask(
            TransportProvider provider,
            List<Candidate> candidates,
            int localPort,
            String hostId,
            boolean relayed,
            boolean elsewhere,
            boolean patient,
            long deadlineNs) {
        ControlChannel opened;
        try {
            opened = provider.openControl(settings, relay, localPort, newEars(), deadlineNs, patient);
        } catch (ZipException e) {
            throw joinFailure(e.code(), e.reason(), null, e);
        }
        channel = opened;
        Join.Builder join = MembershipMessages.join(settings, provider, candidates, hostId, relayed, elsewhere)
                .setJoinTimeoutMs(Math.max(1, time.timeoutNs() / 1_000_000));
        if (continuation != null) {
            join.setContinues(continuation.toWire());
        }
        join.setSealNonce(ByteString.copyFrom(sealNonce));
        joined = join.build();
        opener = new Opener(provider, localPort);
        say(ToRelay.newBuilder().setJoin(joined).build());
        asked = true;
    }

    /** Opens the control connection once more. */
    private final class Opener implements ControlReturn.Opener {
        private final TransportProvider provider;
        private final int localPort;

        Opener(TransportProvider provider, int localPort) {
            this.provider = provider;
            this.localPort = localPort;
        }

        @Override
        public ControlChannel open(long timeoutNs) {
            return provider.openControl(settings, relay, localPort, newEars(), nowNs() + timeoutNs, false);
        }

        @Override
        public Thread thread(Runnable task, String name) {
            return provider.thread(task, name);
        }

        @Override
        public void pause(long ns) {
            provider.pause(ns);
        }

        @Override
        public long nowNs() {
            return clock.getAsLong();
        }
    }

    private Ears newEars() {
        Ears fresh = new Ears();
        ears = fresh;
        return fresh;
    }

    /** Listens to one channel, as long as that is the latest. */
    private final class Ears implements ControlChannel.Listener {

        @Override
        public void message(ByteBuffer bytes) {
            if (ears == this) {
                MembershipClient.this.message(bytes);
            }
        }

        @Override
        public void tick() {
            if (ears == this) {
                MembershipClient.this.tick();
            }
        }

        @Override
        public long tickMs() {
            return heartbeatMs;
        }

        @Override
        public void ended(String reason) {
            if (ears == this) {
                MembershipClient.this.ended(reason);
            }
        }
    }

    /** The relay that this client speaks to. */
    public RelayAddress relay() {
        return relay;
    }

    /** Done when the rank has a place, or cannot have one. */
    CompletableFuture<Admitted> admission() {
        return admitted;
    }

    /** Done when the group is complete, or will not be, at this relay at least. */
    CompletableFuture<GroupReady> completion() {
        return ready;
    }

    /** Of several relays this one is chosen; for a rank that attaches no data connection. */
    void choose() {
        say(ToRelay.newBuilder().setAttach(Attach.newBuilder().setRank(rank())).build());
    }

    /** Leaves unless the group is complete; {@link #completion} tells which. */
    void leaveUnlessComplete() {
        say(ToRelay.newBuilder()
                .setLeave(Leave.newBuilder().setUnlessComplete(true))
                .build());
    }

    /** The number by which the relay admitted this process: its rank in a first epoch, as a rule. */
    public int rank() {
        return admitted.join().getRank();
    }

    /** Whether no other relay need be asked: the group lives at this one, or begins there with those who are there now. */
    boolean isSettled() {
        return admitted.join().getSettled();
    }

    /** Proves the right to attach a data connection. */
    public byte[] ticket() {
        return admitted.join().getTicket().toByteArray();
    }

    /** Where the relay sees this rank's control connection come from, as {@code host:port}; empty if it does not say. */
    public String observed() {
        Admitted place = admitted.join();
        boolean v6 = place.getObservedHost().indexOf(':') >= 0;
        return place.getObservedHost().isEmpty()
                ? ""
                : (v6 ? "[" + place.getObservedHost() + "]" : place.getObservedHost()) + ":" + place.getObservedPort();
    }

    /** Where the control connection comes from, before a NAT has changed it. */
    public InetSocketAddress local() {
        return opened().local();
    }

    /** What the control connection is opened to: the relay, or the proxy that was asked. */
    public InetSocketAddress remote() {
        return opened().remote();
    }

    private ControlChannel opened() {
        return channel;
    }

    /**
     * Measures how long a message to the relay and its answer take. Blocks. One thread at a time.
     *
     * @return nanoseconds; empty if there was no answer within the timeout, or the thread was interrupted, whose flag stays set
     */
    public OptionalLong roundTripNs(long timeoutNs) {
        long number = roundTrips.begin(clock.getAsLong());
        say(ToRelay.newBuilder()
                .setHeartbeat(Heartbeat.newBuilder().setNumber(number))
                .build());
        return roundTrips.await(timeoutNs);
    }

    /**
     * Waits for the group to be complete.
     *
     * @throws ZipException with code JOIN_TIMEOUT that names who is missing, or the relay's other reason
     */
    public GroupView awaitGroup() {
        GroupReady group = await(ready, "the other ranks of session " + settings.session());
        epoch = group.getEpoch();
        watchOver(group);
        GroupView view = MembershipMessages.view(group, settings.session(), group.getRank());
        if (sealNonce.length == 0) {
            return view;
        }
        return view.sealed(
                MembershipMessages.sealKeys(group, view, settings.protection().secret(), sealNonce));
    }

    /** From now on the connection is opened again if it ends. */
    private void watchOver(GroupReady group) {
        synchronized (this) {
            memory = new GroupMemory(group);
            unheard.forEach(memory::hears);
            controlReturn = new ControlReturn(
                    opener, again(group), settings.relayTimeout().toNanos(), new Returning());
            // Answers to heartbeats of before may come yet: they confirm nothing that is said from now on.
            controlReturn.beats(beats);
            if (loss != null && !leaving) {
                controlReturn.begin(loss);
                loss = null;
            }
        }
    }

    /** By what this rank comes back to its place in a group. */
    private Join again(GroupReady group) {
        SessionKey key = new SessionKey(group.getSessionKey().toByteArray());
        return joined.toBuilder()
                .setElsewhere(false)
                .setContinues(Continues.newBuilder()
                        .setKind(Continues.Kind.SAME_EPOCH)
                        .setEpoch(group.getEpoch())
                        .setRank(group.getRank())
                        .setTicket(admitted.join().getTicket())
                        .setGroup(ByteString.copyFrom(key.membership(group.getEpoch()))))
                .build();
    }

    /** Says who is told of verdicts; those that came before are told at once. */
    public void listen(Listener verdicts) {
        synchronized (this) {
            listener = verdicts;
            unheard.forEach(message -> MembershipMessages.tell(message, verdicts, epoch, lastHeardNs));
            unheard.clear();
            if (!restoring) {
                verdicts.relayRestored();
            }
            if (loss != null) {
                verdicts.controlLost(loss);
            }
        }
    }

    /** Nobody listens for now: what is heard is kept for who does next. */
    void listenLater() {
        synchronized (this) {
            listener = null;
        }
    }

    private <T> T await(CompletableFuture<T> answer, String what) {
        try {
            return get(answer, leftNs());
        } catch (TimeoutException e) {
            // Who has no number is admitted when all are there, and hears the relay's heartbeats meanwhile.
            throw admitted.isDone() || (answered && clock.getAsLong() - lastHeardNs < HEARD_NS)
                    ? joinFailure(
                            ErrorCode.JOIN_TIMEOUT,
                            "this rank's join timeout is over; the session's, which the first to join set, is not",
                            what,
                            e)
                    : joinFailure(ErrorCode.RELAY_UNREACHABLE, "the relay at " + relay + " did not answer", what, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw joinFailure(ErrorCode.CANCELLED, "the joining thread was interrupted", what, e);
        } catch (ExecutionException e) {
            ZipException refusal = (ZipException) e.getCause();
            throw joinFailure(refusal.code(), refusal.reason(), what, e);
        }
    }

    /** If this process stood still when the time ran out, what the relay has said meanwhile is read first. */
    private <T> T get(CompletableFuture<T> answer, long timeoutNs)
            throws InterruptedException, ExecutionException, TimeoutException {
        long plannedNs = clock.getAsLong() + timeoutNs;
        try {
            return answer.get(timeoutNs, TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            if (Freeze.isBetween(plannedNs, clock.getAsLong())) {
                return answer.get(Freeze.READ_NS, TimeUnit.NANOSECONDS);
            }
            throw e;
        }
    }

    /**
     * Opens the data connection to the relay that this rank has a place at. Blocks.
     *
     * @param deadlineNs as {@link Transport#attach} takes it
     * @throws ZipException with the reason that the relay gave on the control connection, if there is one, or else as that does
     */
    void attach(Transport transport, long deadlineNs) {
        try {
            transport.attach(relay, settings.session(), rank(), ticket(), deadlineNs);
        } catch (ZipException e) {
            throw e.code() == ErrorCode.CANCELLED ? e : attachFailure(e);
        }
    }

    /**
     * Why this rank has no data connection: the relay may have refused it on this one meanwhile, which is looked for during a
     * second at most.
     */
    private ZipException attachFailure(ZipException failure) {
        ZipException reason = failure;
        if (failure.code() == ErrorCode.RELAY_UNREACHABLE && continuation == null) {
            // What keeps this process from connecting is why the relay misses it.
            return failure;
        }
        try {
            get(ready, Math.min(TimeUnit.MILLISECONDS.toNanos(ATTACH_REASON_MS), leftNs()));
        } catch (ExecutionException e) {
            reason = (ZipException) e.getCause();
        } catch (TimeoutException e) {
            failure.addSuppressed(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        boolean said = reason != failure || continuation != null;
        return said ? joinFailure(reason.code(), reason.reason(), null, failure) : failure;
    }

    /** The relay watches the same deadline and knows who is missing, so its answer is given time to arrive. */
    long leftNs() {
        long answerNs = continuation == null
                ? Math.min(TimeUnit.MILLISECONDS.toNanos(ANSWER_MS) + stragglersNs(), time.answerNs())
                : time.answerNs();
        return time.timeoutNs() + answerNs - (clock.getAsLong() - startedNs);
    }

    /** How long a relay waits, when the join timeout is over, for ranks that have begun to come, if it may begin without others. */
    long stragglersNs() {
        boolean mayBeginWithout = settings.sizeMin() > 0 && settings.sizeMin() < settings.size();
        return mayBeginWithout && admitted.isDone() ? heartbeatTimeoutNs() : 0;
    }

    /** How long the relay's answer to a rank that goes on may take beyond the time that the relay is given: it waits for who has begun. */
    long nextAnswerNs() {
        return TimeUnit.MILLISECONDS.toNanos(ANSWER_MS) + heartbeatTimeoutNs();
    }

    /** How long a rank may be silent, as the relay has said when it gave this one its place. */
    long heartbeatTimeoutNs() {
        return TimeUnit.MILLISECONDS.toNanos(heartbeatTimeoutMs);
    }

    private ZipException joinFailure(ErrorCode code, String reason, String awaited, Exception cause) {
        ZipException.Builder facts = ZipException.of(code, reason);
        int rank = admitted.isDone() && !admitted.isCompletedExceptionally() ? rank() : settings.rank();
        facts.operation("join of session " + settings.session());
        if (continuation != null) {
            continuation.describe(facts);
        } else if (rank >= 0) {
            facts.at(rank, settings.size(), ZipException.NONE);
        }
        return facts.elapsedMs((clock.getAsLong() - startedNs) / 1_000_000)
                .awaited(awaited)
                .build(cause);
    }

    // ---- what this rank says

    private void say(ToRelay message) {
        ControlChannel open;
        ControlReturn returning;
        synchronized (this) {
            open = channel;
            returning = controlReturn;
            if (memory != null) {
                memory.says(message, clock.getAsLong());
            }
            if (returning != null && isWorthKeeping(message) && returning.keep(message)) {
                return;
            }
        }
        if (open != null) {
            open.send(message.toByteArray());
        }
        if (returning != null && !confirmsLater(message, returning, open)) {
            say(message);
        }
    }

    /** Answers whether that holds; if not, the connection was lost, and another opened, while this thread stood still. */
    private synchronized boolean confirmsLater(ToRelay message, ControlReturn returning, ControlChannel saidOn) {
        if (channel != saidOn && Unconfirmed.isKept(message)) {
            return false;
        }
        returning.said(message);
        return true;
    }

    /** What is out of date when the connection is there again need not be said then. */
    private static boolean isWorthKeeping(ToRelay message) {
        return !message.hasHeartbeat() && !message.hasPong() && !message.hasPunchWanted();
    }

    /** What comes of the attempts to open the connection again. */
    private final class Returning implements ControlReturn.Outcome {

        @Override
        public void returned(ControlChannel opened) {
            synchronized (MembershipClient.this) {
                channel = opened;
                restoring = false;
                if (listener != null) {
                    listener.relayRestored();
                }
            }
        }

        @Override
        public void refused(ToRank message) {
            dismissed(message);
            finished.countDown();
        }

        @Override
        public void gaveUp(String reason) {
            gone(reason);
        }
    }

    @Override
    public void abort(int context, int code, int culprit, String reason) {
        say(ToRelay.newBuilder()
                .setAbort(Abort.newBuilder()
                        .setEpoch(epoch)
                        .setContext(context)
                        .setCode(code)
                        .setCulprit(culprit)
                        .setReason(cut(reason)))
                .build());
    }

    @Override
    public void suspect(int rank, String detail) {
        say(ToRelay.newBuilder()
                .setSuspect(Suspect.newBuilder().setEpoch(epoch).setRank(rank).setDetail(cut(detail)))
                .build());
    }

    @Override
    public void punch(int rank) {
        say(ToRelay.newBuilder()
                .setPunchWanted(PunchWanted.newBuilder().setEpoch(epoch).setRank(rank))
                .build());
    }

    @Override
    public void ask() {
        say(ToRelay.newBuilder()
                .setHeartbeat(Heartbeat.newBuilder().setNumber(QUESTION))
                .build());
    }

    @Override
    public void revoke(int context, String reason) {
        say(ToRelay.newBuilder()
                .setRevoke(
                        Revoke.newBuilder().setEpoch(epoch).setContext(context).setReason(cut(reason)))
                .build());
    }

    @Override
    public void agree(int context, int[] members, int number, boolean value, long timeoutMs) {
        say(ToRelay.newBuilder()
                .setAgree(Agree.newBuilder()
                        .setEpoch(epoch)
                        .setContext(context)
                        .addAllMembers(Arrays.stream(members).boxed().toList())
                        .setNumber(number)
                        .setValue(value)
                        .setTimeoutMs(timeoutMs))
                .build());
    }

    private static String cut(String reason) {
        return reason.substring(0, Math.min(reason.length(), REASON_CHARACTERS_MAX));
    }

    @Override
    public void leave(long answerNs) {
        leaving = true;
        say(ToRelay.newBuilder().setLeave(Leave.getDefaultInstance()).build());
        awaitFarewell(Math.min(FAREWELL_NS_MAX, answerNs));
    }

    /** The relay closes the connection once it has read that we leave. Only then may the data connection go. */
    private void awaitFarewell(long ns) {
        try {
            finished.await(ns, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        leaving = true;
        ControlChannel open;
        synchronized (this) {
            open = channel;
            if (controlReturn != null) {
                controlReturn.close();
            }
        }
        if (open != null) {
            open.close();
        }
    }

    /** Closes a client that has no group, so that nobody waits for one. */
    void abandon() {
        close();
        failJoin(new ZipException(ErrorCode.CLOSED, "this rank has left"));
    }

    // ---- what the relay says; the channel's thread

    private void message(ByteBuffer bytes) {
        lastHeardNs = clock.getAsLong();
        answered = true;
        ToRank message;
        try {
            message = ToRank.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            failJoin(new ZipException(ErrorCode.PROTOCOL, "message of the relay cannot be read", e));
            return;
        }
        if (message.hasAdmitted()) {
            // One that was started again may want others.
            heartbeatMs = Math.max(1, message.getAdmitted().getHeartbeatIntervalMs());
            heartbeatTimeoutMs = message.getAdmitted().getHeartbeatTimeoutMs();
        }
        ControlReturn returning = controlReturn();
        if (returning != null && returning.heard(message)) {
            return;
        }
        switch (message.getMessageCase()) {
            case ADMITTED -> admit(message.getAdmitted());
            case RESTORING -> recall(message);
            case GROUP_READY -> ready.complete(message.getGroupReady());
            case REFUSED -> refused(message);
            case MEMBER_GONE, ABORT, SUSPECT, PUNCH_AT, REVOKE, AGREED, DETACHED -> hear(message);
            case PING -> {
                ToRelay pong = ToRelay.newBuilder()
                        .setPong(Pong.newBuilder().setNumber(message.getPing().getNumber()))
                        .build();
                if (returning == null || !returning.pinged(pong)) {
                    say(pong);
                }
            }
            case HEARTBEAT -> beatAnswered(message.getHeartbeat().getNumber());
            case ATTACHED, MESSAGE_NOT_SET -> {}
        }
    }

    /** The relay was started again: it is told what this rank knows, and nothing of that once more. */
    private void recall(ToRank message) {
        // First: the relay lets this rank attach only when it has heard it.
        hear(message);
        synchronized (this) {
            restoring = true;
            if (controlReturn != null) {
                long timeoutNs =
                        TimeUnit.MILLISECONDS.toNanos(message.getRestoring().getTimeoutMs());
                controlReturn.restores(memory.recall(clock.getAsLong()), timeoutNs);
            }
        }
    }

    private void beatAnswered(long number) {
        if (number != QUESTION) {
            roundTrips.heard(number, lastHeardNs);
            ControlReturn returning = controlReturn();
            if (returning != null) {
                returning.confirmed(number);
            }
            return;
        }
        synchronized (this) {
            if (listener != null) {
                listener.relayAnswered();
            }
        }
    }

    private void admit(Admitted place) {
        if (place.getVersion() == Frame.VERSION) {
            admitted.complete(place);
        } else {
            failJoin(new ZipException(
                    ErrorCode.VERSION_MISMATCH,
                    "the relay wants version " + place.getVersion() + ", this rank speaks " + Frame.VERSION));
        }
    }

    private void refused(ToRank message) {
        Refused refusal = message.getRefused();
        failJoin(new ZipException(ErrorCode.of(refusal.getCode()), refusal.getReason()));
        if (!ready.isCompletedExceptionally()) {
            dismissed(message);
        }
    }

    /** This rank was a member of a group, and is none any more. */
    private void dismissed(ToRank message) {
        dismissed = true;
        hear(message);
    }

    private void hear(ToRank message) {
        synchronized (this) {
            if (memory != null) {
                memory.hears(message);
            }
            if (controlReturn != null && message.hasAgreed()) {
                controlReturn.answered(message.getAgreed());
            }
            if (listener == null) {
                unheard.add(message);
            } else {
                MembershipMessages.tell(message, listener, epoch, lastHeardNs);
            }
        }
    }

    private void failJoin(ZipException reason) {
        admitted.completeExceptionally(reason);
        ready.completeExceptionally(reason);
    }

    private void tick() {
        ControlReturn returning = controlReturn();
        // Join has to be the first message.
        if ((returning != null && returning.isUnderWay())
                || !asked
                || (!admitted.isDone() && ++gatheringTicks % GATHERING_TICKS != 0)) {
            return;
        }
        say(ToRelay.newBuilder()
                .setHeartbeat(Heartbeat.newBuilder().setNumber(nextBeat()))
                .build());
        long nowNs = clock.getAsLong();
        long silentMs = (nowNs - lastHeardNs) / 1_000_000;
        // A process that stood still has not read yet what came meanwhile, which may say why it is out.
        boolean wasAwake = (nowNs - lastTickNs) / 1_000_000 <= heartbeatTimeoutMs / 2;
        lastTickNs = nowNs;
        if (heartbeatTimeoutMs > 0 && silentMs > heartbeatTimeoutMs && wasAwake) {
            boolean comesBack = returning != null && !leaving && !dismissed;
            ControlChannel silent = opened();
            if (comesBack) {
                // It may say that it has ended when there is another.
                ears = null;
            }
            ended("silent for " + silentMs + " ms");
            if (comesBack) {
                silent.close();
            } else {
                close();
            }
        }
    }

    private synchronized long nextBeat() {
        beats++;
        if (controlReturn != null) {
            controlReturn.beats(beats);
        }
        return beats;
    }

    private void ended(String reason) {
        ControlReturn returning = controlReturn();
        if (returning != null && returning.ended(reason)) {
            return;
        }
        if (returning == null || leaving || dismissed) {
            gone(reason);
            return;
        }
        returning.begin(reason);
    }

    /** Why the control connection ended, while it is being opened again; null otherwise. Any thread. */
    String away() {
        ControlReturn returning = controlReturn();
        return returning == null ? null : returning.lost();
    }

    private synchronized ControlReturn controlReturn() {
        return controlReturn;
    }

    /** The connection is gone for good. */
    private void gone(String reason) {
        finished.countDown();
        failJoin(new ZipException(ErrorCode.RELAY_LOST, "connection to the relay ended: " + reason));
        synchronized (this) {
            if (leaving || dismissed || loss != null) {
                return;
            }
            loss = reason;
            if (listener != null) {
                listener.controlLost(reason);
            }
        }
    }
}
