package io.zipcomm.transport.tcp;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Incarnation;
import io.zipcomm.transport.FrameHandler;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.Path;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.Hello;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A TCP connection between two ranks: proves both ends' membership by the {@link Hello} handshake, then is a path.
 */
final class DirectConnection extends FrameStream implements Path {

    private static final int FRAGMENT_BYTES_MAX = 1 << 20;

    /** Marks a frame of the connection's own. */
    private static final Object OWN = new Object();

    /** How far the handshake is. */
    private enum State {
        CONNECTING,
        AWAIT_OPEN,
        AWAIT_ANSWER,
        AWAIT_CONFIRM,
        HELD,
        OPEN
    }

    private final DirectPaths paths;
    private final GroupView view;
    private final boolean own;
    private final long startedNs;
    private final ByteBuffer helloBytes =
            ByteBuffer.allocate(Hello.PAYLOAD_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final Payload helloIn = Payload.of(helloBytes, DataType.INT8);
    private byte[] ownNonce;
    private byte[] peerNonce;
    private State state;
    private int peer;
    private int helloDue;
    private int helloStep;
    private boolean proven;

    /** Sends OPEN; of two ends that both do the one with the lower rank. */
    private boolean initiator;

    private boolean forgettable;
    private final Silence silence;

    /** What the operating system knows; null unless {@link #forgettable}. Made once, since it is asked all the time. */
    private Silence.Acknowledgement system;

    private boolean pingDue;
    private boolean pongDue;
    private FrameHandler handler;

    private DirectConnection(DirectPaths paths, GroupView view, boolean initiator, int peer, long nowNs) {
        super(paths.streams(), false);
        this.paths = paths;
        this.view = view;
        own = initiator;
        this.initiator = initiator;
        this.peer = peer;
        startedNs = nowNs;
        silence = new Silence(paths.areOnlyWays());
        state = initiator ? State.CONNECTING : State.AWAIT_OPEN;
    }

    /** A connection that this rank opens. */
    static DirectConnection to(DirectPaths paths, GroupView view, int peer, long nowNs) {
        return new DirectConnection(paths, view, true, peer, nowNs);
    }

    /** A connection that somebody else opened. */
    static DirectConnection accepted(DirectPaths paths, GroupView view, long nowNs) {
        return new DirectConnection(paths, view, false, -1, nowNs);
    }

    long startedNs() {
        return startedNs;
    }

    /** Whether the other end has proved who it is; until then {@link #peer} may be a stranger's claim. */
    boolean isProven() {
        return proven;
    }

    /** Whether this rank began to connect. */
    boolean isOwn() {
        return own;
    }

    /** Whether the other end has this address. */
    boolean comesFrom(String host, int port) {
        InetSocketAddress remote = socket() == null ? null : socket().remote();
        return remote != null
                && remote.getPort() == port
                && remote.getAddress().getHostAddress().equals(host);
    }

    boolean isOpen() {
        return state == State.OPEN;
    }

    /** Waits for the attempt to connect to end. */
    void connecting(StreamSocket socket) {
        open(socket);
        socket.interest(false, true);
    }

    @Override
    public void ready(boolean readable, boolean writable) {
        if (state == State.CONNECTING) {
            finishConnecting();
        } else {
            super.ready(readable, writable);
        }
    }

    private void finishConnecting() {
        try {
            if (!socket().finishConnect()) {
                return;
            }
        } catch (IOException e) {
            paths.failed(this, Poller.describe(e));
            return;
        }
        state = State.AWAIT_ANSWER;
        helloDue = Hello.OPEN;
        updateInterest();
        flushStream();
    }

    // ---- handshake

    private boolean nextHello(ByteBuffer header, int at, OutboundFrame frame) {
        int step = helloDue;
        helloDue = 0;
        if (ownNonce == null) {
            // Not before the other end has said something that makes sense.
            ownNonce = new byte[Hello.NONCE_BYTES];
            Incarnation.random().nextBytes(ownNonce);
        }
        Frame.begin(header, at, FrameType.HELLO);
        Frame.flags(header, at, step);
        Frame.payloadBytes(header, at, Hello.PAYLOAD_BYTES);
        Frame.epoch(header, at, view.epoch());
        Frame.source(header, at, view.rank());
        Frame.destination(header, at, peer);
        ByteBuffer payload = Frame.allocate(Hello.PAYLOAD_BYTES);
        Hello.write(payload, 0, ownNonce, code(step));
        frame.payload = Payload.of(payload, DataType.INT8);
        frame.offset = 0;
        frame.bytes = Hello.PAYLOAD_BYTES;
        frame.attachment = null;
        if (step == Hello.CONFIRM) {
            isOpenNow();
        }
        return true;
    }

    private byte[] code(int step) {
        byte[] opened = initiator ? ownNonce : peerNonce;
        byte[] answered = step == Hello.OPEN ? null : initiator ? peerNonce : ownNonce;
        int first = initiator ? view.rank() : peer;
        int second = initiator ? peer : view.rank();
        return Hello.code(view.sessionKey(), step, view.epoch(), first, second, opened, answered);
    }

    private void helloHeader(ByteBuffer header, int at, InboundFrame frame) {
        if (Frame.type(header, at) != FrameType.HELLO.number()) {
            throw refused("a frame before the handshake");
        }
        if (Frame.epoch(header, at) != view.epoch()) {
            throw new ZipException(
                    ErrorCode.STALE_EPOCH,
                    "connection of epoch " + Frame.epoch(header, at) + ", this is epoch " + view.epoch());
        }
        int source = Frame.source(header, at);
        if (source < 0
                || source >= view.size()
                || source == view.rank()
                || Frame.destination(header, at) != view.rank()
                || (peer >= 0 && source != peer)) {
            throw refused("ranks that make no sense");
        }
        peer = source;
        helloStep = Frame.flags(header, at);
        frame.payload = helloIn;
        frame.attachment = helloBytes;
    }

    private void helloReceived() {
        if (!Hello.versionFits(helloBytes, 0)) {
            throw new ZipException(ErrorCode.VERSION_MISMATCH, "no version in common with " + describe());
        }
        boolean bothOpen = state == State.AWAIT_ANSWER && helloStep == Hello.OPEN;
        int expected = bothOpen ? Hello.OPEN : expectedStep();
        if (helloStep != expected) {
            throw refused("step " + helloStep + " of the handshake, expected " + expected);
        }
        if (bothOpen) {
            bothOpened();
            return;
        }
        if (peerNonce == null) {
            peerNonce = Hello.nonce(helloBytes, 0);
        }
        if (!Hello.proves(helloBytes, 0, code(expected))) {
            throw refused("no proof of membership");
        }
        if (expected == Hello.OPEN) {
            checkNew();
        }
        proven = true;
        if (expected == Hello.CONFIRM) {
            isOpenNow();
        } else {
            go(paths.choose(this));
        }
    }

    private int expectedStep() {
        return switch (state) {
            case AWAIT_OPEN -> Hello.OPEN;
            case AWAIT_ANSWER -> Hello.ANSWER;
            case AWAIT_CONFIRM -> Hello.CONFIRM;
            case CONNECTING, HELD, OPEN -> throw refused("a handshake out of place");
        };
    }

    /** Both ends have opened this connection, and both said so: the OPEN of the lower rank counts. */
    private void bothOpened() {
        if (view.rank() < peer) {
            return;
        }
        initiator = false;
        peerNonce = Hello.nonce(helloBytes, 0);
        if (!Hello.proves(helloBytes, 0, code(Hello.OPEN))) {
            throw refused("no proof of membership");
        }
        checkNew();
        proven = true;
        go(paths.choose(this));
    }

    /** OPEN proves that the peer said it once, and perhaps not here: whoever heard it may repeat it. */
    private void checkNew() {
        if (!paths.isNew(peer, peerNonce)) {
            throw refused("an OPEN that was said before");
        }
    }

    private void go(Edge.Choice choice) {
        switch (choice) {
            case GO -> proceed();
            case HOLD -> state = State.HELD;
            case CLOSE -> paths.failed(this, "there is a connection already");
        }
    }

    /** Takes the next step of the handshake: the peer has proved who it is. */
    void proceed() {
        if (initiator) {
            helloDue = Hello.CONFIRM;
        } else {
            state = State.AWAIT_CONFIRM;
            helloDue = Hello.ANSWER;
        }
        flushStream();
    }

    private void isOpenNow() {
        state = State.OPEN;
        trust();
        forgettable = !view.members().get(peer).hostId().equals(view.self().hostId());
        if (forgettable) {
            socket().keepAlive();
            system = socket()::unacknowledgedMs;
        }
        setInputOpen(false);
        paths.opened(this);
    }

    private ZipException refused(String problem) {
        return new ZipException(ErrorCode.UNAUTHORIZED, problem + " from " + describe());
    }

    // ---- path

    @Override
    public int peer() {
        return peer;
    }

    @Override
    public String name() {
        return "tcp";
    }

    @Override
    public int fragmentBytesMax() {
        return FRAGMENT_BYTES_MAX;
    }

    @Override
    public boolean isForgettable() {
        return forgettable;
    }

    @Override
    public int missingBytes() {
        return missingInbound();
    }

    @Override
    public void bind(FrameHandler frames) {
        handler = frames;
    }

    @Override
    public void openInput() {
        setInputOpen(true);
        paths.streams().readLater(this);
    }

    @Override
    public void flush() {
        flushStream();
    }

    @Override
    public void release(Object attachment) {
        releaseOutbound(attachment);
        releaseInbound(attachment);
    }

    @Override
    public void closeOutput() {
        closeStreamOutput();
    }

    @Override
    public void close() {
        paths.closed(this);
        breakStream();
    }

    // ---- silence

    /** Asks the other end whether it is there if it should say something and does not, and gives up if it is not. */
    void look(long nowNs) {
        boolean awaiting = handler != null && isInUse() && handler.isAwaiting();
        switch (silence.look(nowNs, receivedBytes(), awaiting, system)) {
            case PING -> {
                pingDue = true;
                flushStream();
            }
            case LOST ->
                lost("nothing came in " + silence.lostAfterNs() / 1_000_000 + " ms, and nothing was acknowledged");
            case NOTHING -> {}
        }
    }

    private void nextOwn(ByteBuffer header, int at) {
        Frame.begin(header, at, pongDue ? FrameType.PONG : FrameType.PING);
        Frame.epoch(header, at, view.epoch());
        Frame.source(header, at, view.rank());
        Frame.destination(header, at, peer);
        if (pongDue) {
            pongDue = false;
        } else {
            pingDue = false;
        }
    }

    // ---- frames

    @Override
    boolean nextFrame(ByteBuffer header, int at, OutboundFrame frame) {
        if (helloDue != 0) {
            return nextHello(header, at, frame);
        }
        if (pongDue || pingDue) {
            nextOwn(header, at);
            return true;
        }
        return handler != null && handler.nextFrame(this, header, at, frame);
    }

    @Override
    void payloadTaken(OutboundFrame frame) {
        handler.payloadTaken(frame);
    }

    @Override
    void headerReceived(ByteBuffer header, int at, InboundFrame frame) {
        if (state == State.OPEN) {
            FrameType type = FrameType.of(Frame.type(header, at));
            if (type == FrameType.PING || type == FrameType.PONG) {
                pongDue |= type == FrameType.PING;
                frame.attachment = OWN;
                return;
            }
            if (!type.isLinkFrame()) {
                throw new ZipException(ErrorCode.PROTOCOL, "not a link frame: " + Frame.describe(header, at));
            }
            handler.headerReceived(this, header, at, frame);
        } else {
            helloHeader(header, at, frame);
        }
    }

    @Override
    void frameReceived(InboundFrame frame) {
        if (frame.attachment == OWN) {
            if (pongDue) {
                flushStream();
            }
        } else if (state == State.OPEN) {
            handler.frameReceived(this, frame);
        } else {
            helloReceived();
        }
    }

    @Override
    void streamEnded(ZipException failure) {
        if (handler != null) {
            handler.ended(this, failure);
        } else {
            paths.failed(this, failure == null ? "connection closed by the other end" : failure.getMessage());
        }
    }

    @Override
    String describe() {
        if (peer >= 0) {
            return "rank " + peer;
        }
        return socket() == null ? "a stranger" : String.valueOf(socket().remote());
    }
}
