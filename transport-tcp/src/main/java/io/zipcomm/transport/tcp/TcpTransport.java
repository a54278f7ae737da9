package io.zipcomm.transport.tcp;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.NameLookup;
import io.zipcomm.transport.OwnAddresses;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.TransportCounters;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.proto.Attach;
import io.zipcomm.wire.proto.Attached;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * TCP: direct connections to peers, and one to the relay that carries every relayed path.
 *
 * <p>While the caller polls and all that came of late came on one connection, that one is read straight away, without
 * asking the operating system which is ready: in a ping-pong that spares half of the calls. All are asked for every few
 * microseconds.
 */
final class TcpTransport implements Transport {

    /** Time between looks at all connections while one of them is read directly. */
    private static final long LOOK_AT_ALL_NS = 10_000;

    /** Turns between looks at the clock. */
    private static final int TURNS_BETWEEN_LOOKS = 64;

    /** Time between looks at what takes too long. */
    private static final long LOOK_NS = 50_000_000;

    // Phases of joining, for errors.
    private static final String OPENING = "opening sockets";
    private static final String ATTACHING = "attaching the data connection";

    private final ZipSettings settings;
    private final Poller poller;
    private final Streams streams = new Streams();
    private final DirectPaths direct;

    /** For ranks of this host; null if nobody connects directly. */
    private Poller.Acceptor local;

    /** What {@code ZIP_BIND} is an address of; null if nobody can reach us. */
    private InetAddress bind;

    /** For ranks of other hosts; null if nobody can reach us. */
    private Poller.Acceptor remote;

    private RelayConnection relay;

    /** Null if nothing is encrypted. */
    private SealedPaths sealed;

    /** Opens it again when it was lost; null before it is attached. */
    private RelayReturn relayReturn;

    /** There is nothing to come back to. */
    private boolean relayIsOver;

    private PathEvents engine;

    /** For processes of this host that end a sleep; null if none has been asked for. */
    private UnixBell bell;

    private int turns;
    private long lookedAtAllNs;
    private long nextLookNs;
    private boolean closed;

    TcpTransport(ZipSettings settings) {
        this(settings, openPoller(settings));
    }

    /** Takes a poller over, whatever comes of it. */
    TcpTransport(ZipSettings settings, Poller poller) {
        this.settings = settings;
        this.poller = poller;
        long startedNs = poller.nanoTime();
        try {
            if (settings.transport().accepts("tcp")) {
                listen();
            }
        } catch (IOException | RuntimeException e) {
            poller.close();
            String problem = e instanceof UnknownHostException ? "unknown host" : Poller.describe(e);
            String reason = "cannot listen on " + settings.bind() + ": " + problem;
            throw joinFailure(ErrorCode.BAD_SETTING, OPENING, reason, settings.rank(), startedNs, e);
        } catch (InterruptedException e) {
            poller.close();
            Thread.currentThread().interrupt();
            String reason = "the joining thread was interrupted";
            throw joinFailure(ErrorCode.CANCELLED, OPENING, reason, settings.rank(), startedNs, e);
        }
        direct = new DirectPaths(
                poller, streams, rendezvousPort(), !settings.transport().isRelayed());
    }

    private void listen() throws IOException, InterruptedException {
        boolean all = settings.bind().equals(OwnAddresses.ALL);
        bind = NameLookup.of(
                all ? OwnAddresses.ANY_V6 : settings.bind(),
                settings.joinTimeout().toNanos())[0];
        local = poller.listen(new InetSocketAddress(OwnAddresses.local(bind), 0), true, false, this::accepted);
        if (bind.isLoopbackAddress()) {
            return;
        }
        try {
            remote = listenForOthers();
        } catch (IOException | RuntimeException e) {
            if (!all) {
                throw e;
            }
            // This system, or this JVM, has IPv4 alone.
            bind = InetAddress.getByName(OwnAddresses.ANY_V4);
            remote = listenForOthers();
        }
    }

    private Poller.Acceptor listenForOthers() throws IOException {
        return poller.listen(new InetSocketAddress(bind, 0), false, true, this::accepted);
    }

    private static Poller openPoller(ZipSettings settings) {
        long startedNs = System.nanoTime();
        try {
            return Poller.open(settings.io());
        } catch (ZipException e) {
            long elapsedNs = System.nanoTime() - startedNs;
            throw joinFailure(settings, e.code(), OPENING, e.reason(), settings.rank(), elapsedNs, e);
        }
    }

    private ZipException joinFailure(
            ErrorCode code, String phase, String reason, int rank, long startedNs, Exception cause) {
        return joinFailure(settings, code, phase, reason, rank, poller.nanoTime() - startedNs, cause);
    }

    private static ZipException joinFailure(
            ZipSettings settings,
            ErrorCode code,
            String phase,
            String reason,
            int rank,
            long elapsedNs,
            Exception cause) {
        ZipException.Builder facts = ZipException.of(code, reason)
                .operation("join of session " + settings.session())
                .phase(phase)
                .elapsedMs(elapsedNs / 1_000_000);
        if (rank >= 0) {
            facts.at(rank, settings.size(), ZipException.NONE);
        }
        return facts.build(cause);
    }

    private void accepted(Poller.AcceptedSocket socket) {
        direct.accepted(socket);
    }

    @Override
    public int rendezvousPort() {
        return remote == null ? 0 : remote.port();
    }

    /** {@code epoll} or {@code nio}. */
    String io() {
        return poller.name();
    }

    @Override
    public List<Candidate> candidates() {
        return local == null ? List.of() : OwnAddresses.candidates("tcp", bind, local.port(), rendezvousPort());
    }

    @Override
    public void attach(RelayAddress address, String session, int rank, byte[] ticket, long deadlineNs) {
        long startedNs = poller.nanoTime();
        try {
            openData(address, session, rank, ticket, deadlineNs);
        } catch (ZipException e) {
            throw joinFailure(e.code(), ATTACHING, e.reason(), rank, startedNs, e);
        }
    }

    private void openData(RelayAddress address, String session, int rank, byte[] ticket, long deadlineNs) {
        if (relay != null) {
            // The rank has left that relay for this one.
            relay.closeStream();
        }
        relay = new RelayConnection(streams, address, settings.eagerBytes());
        relay.open(RelaySockets.connect(poller, settings.access(), address, 0, relay, deadlineNs, true));
        Attach attach = Attach.newBuilder()
                .setVersion(Frame.VERSION)
                .setSession(session)
                .setRank(rank)
                .setTicket(ByteString.copyFrom(ticket))
                .setAnswersPing(true)
                .build();
        relayReturn = new RelayReturn(settings, poller, streams, address, attach);
        relay.ask(ToRelay.newBuilder().setAttach(attach).build().toByteArray());
        ByteBuffer answer = relay.answer();
        while (answer == null) {
            long leftNs = deadlineNs - poller.nanoTime();
            if (leftNs <= 0) {
                throw new ZipException(ErrorCode.RELAY_UNREACHABLE, "the relay at " + address + " did not answer");
            }
            RelaySockets.await(poller, address, leftNs);
            answer = relay.answer();
        }
        relay.attached(check(answer, address));
    }

    private static Attached check(ByteBuffer answer, RelayAddress address) {
        ToRank message;
        try {
            message = ToRank.parseFrom(answer);
        } catch (InvalidProtocolBufferException e) {
            throw new ZipException(ErrorCode.PROTOCOL, "the answer of the relay at " + address + " cannot be read", e);
        }
        if (message.hasRefused()) {
            throw new ZipException(
                    ErrorCode.of(message.getRefused().getCode()),
                    message.getRefused().getReason());
        }
        if (!message.hasAttached()) {
            throw new ZipException(ErrorCode.PROTOCOL, "unexpected answer of the relay at " + address);
        }
        return message.getAttached();
    }

    @Override
    public void start(GroupView view, PathEvents events) {
        engine = events;
        direct.start(view, events);
        sealed = view.sealKeys() == null ? null : new SealedPaths(view);
        if (relay != null) {
            relay.start(view, events, this::relayEnded);
        }
    }

    @Override
    public void detached(int number, String reason) {
        if (!isReturning() && relay != null && relay.number() == number) {
            relay.lost("the relay says: " + reason);
        }
        if (isReturning()) {
            relayReturn.detached(number, reason, poller.nanoTime());
        }
    }

    @Override
    public void relayRestarted(long timeoutNs) {
        if (relay == null || relayIsOver) {
            return;
        }
        if (!isReturning()) {
            relay.lost("the relay was started again");
        }
        relayReturn.holdBack(poller.nanoTime(), timeoutNs);
    }

    @Override
    public void relayRestored() {
        if (relayReturn != null) {
            relayReturn.release(poller.nanoTime());
        }
    }

    @Override
    public void relayOver() {
        relayIsOver = true;
        if (relayReturn != null) {
            relayReturn.close();
        }
    }

    private void relayEnded(String reason) {
        if (relayIsOver) {
            engine.relayLost(reason);
            return;
        }
        relayReturn.begin(relay, reason, poller.nanoTime());
        engine.relayAway(reason);
    }

    private void returnToRelay(long nowNs) {
        try {
            RelayConnection next = relayReturn.look(nowNs);
            if (next != null) {
                RelayConnection before = relay;
                relay = next;
                next.takeOver(before);
            }
        } catch (ZipException e) {
            engine.relayLost(e.reason());
        }
    }

    private boolean isReturning() {
        return relayReturn != null && relayReturn.isUnderWay();
    }

    @Override
    public Path relayed(int peer) {
        if (relay == null) {
            return null;
        }
        return sealed == null ? relay.path(peer) : sealed.around(relay.path(peer));
    }

    /** The data connection; null if there is none. */
    RelayConnection relayConnection() {
        return relay;
    }

    @Override
    public Path hub() {
        return relay == null ? null : relay.hub();
    }

    @Override
    public void connect(int peer) {
        direct.connect(peer);
        nextLookNs = poller.nanoTime();
    }

    @Override
    public void punch(int peer, long atNs, long roundTripNs) {
        direct.punch(peer, atNs, roundTripNs);
        nextLookNs = poller.nanoTime();
    }

    @Override
    public boolean isConnecting() {
        return direct.isConnecting() || isReturning();
    }

    @Override
    public int poll() {
        if (closed) {
            return 0;
        }
        int work = before(turns % TURNS_BETWEEN_LOOKS == 0);
        turns++;
        FrameStream lone = streams.lone();
        if (lone != null) {
            long nowNs = poller.nanoTime();
            if (nowNs - lookedAtAllNs < LOOK_AT_ALL_NS) {
                return work + (lone.readSome() > 0 ? 1 : 0);
            }
            lookedAtAllNs = nowNs;
        }
        return work + poller.poll();
    }

    @Override
    public int await(long timeoutNs, BooleanSupplier wakeupDue) {
        if (closed) {
            return 0;
        }
        int work = before(true);
        if (work > 0) {
            return work + poller.poll();
        }
        long leftNs = isConnecting() ? Math.max(0, nextLookNs - poller.nanoTime()) : timeoutNs;
        return poller.await(Math.min(timeoutNs, leftNs), wakeupDue);
    }

    private int before(boolean look) {
        int work = streams.hasToRead() ? streams.readNow() : 0;
        if (look) {
            long nowNs = poller.nanoTime();
            if (isReturning() && relayReturn.isDue(nowNs)) {
                work++;
                returnToRelay(nowNs);
            }
            if (nowNs - nextLookNs >= 0 || direct.isLookDue()) {
                direct.look(nowNs);
                if (local != null) {
                    local.look(nowNs);
                }
                if (remote != null) {
                    remote.look(nowNs);
                }
                if (bell != null) {
                    bell.look(nowNs);
                }
                if (relay != null) {
                    relay.look(nowNs);
                }
                if (isReturning()) {
                    returnToRelay(nowNs);
                }
                nextLookNs = direct.dueNs(nowNs + LOOK_NS);
            }
        }
        return work;
    }

    @Override
    public void wakeup() {
        poller.wakeup();
    }

    @Override
    public Bell listenForBell(java.nio.file.Path file) throws IOException {
        if (closed) {
            throw new IOException("the transport is closed");
        }
        if (bell != null && bell.isOpen()) {
            throw new IOException("there is a bell already at " + bell.file());
        }
        bell = UnixBell.open(poller, file);
        return bell;
    }

    @Override
    public DescriptorWatch watch(int descriptor) throws IOException {
        if (closed) {
            throw new IOException("the transport is closed");
        }
        return poller.watch(descriptor);
    }

    @Override
    public boolean hasOutput() {
        return streams.hasBlockedOutput();
    }

    @Override
    public TransportCounters counters() {
        return streams.counters;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            if (relay != null) {
                relay.finish(poller);
            }
            if (relayReturn != null) {
                relayReturn.close();
            }
            if (bell != null) {
                bell.close();
            }
            streams.close();
            poller.close();
        }
    }
}
