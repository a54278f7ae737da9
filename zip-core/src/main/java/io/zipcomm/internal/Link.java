package io.zipcomm.internal;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.FrameHandler;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.Path;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;

/**
 * The ordered channel to one peer: numbers its frames, moves it from one path to another, and hands messages to the
 * {@link SendSide} and the {@link ReceiveSide}. Engine holder only.
 *
 * <p>Moving to a better path: when one opens, the last frame on the old path is SWITCH and the next goes on the new path.
 * The peer reads nothing from the new path before it has read SWITCH from the old one, so order is kept and nothing is
 * lost. Each direction moves by itself.
 */
final class Link implements FrameHandler {

    /** How long the relay may take for its verdict on a peer whose connection broke. */
    private static final long VERDICT_GRACE_NS = 1_000_000_000;

    /** How long the connection to which a peer has moved may take to open here. */
    private static final long BETTER_GRACE_NS = 3_000_000_000L;

    private final Engine engine;
    private final int peer;
    private final Credit credit;
    private final SendSide sends;
    private final ReceiveSide receives;

    private Path out;
    private Path in;
    private Path better;
    private boolean switchDue;
    private boolean switchReceived;
    private boolean betterWanted;
    private boolean betterBroke;

    private long sequenceSent;
    private long sequenceReceived;

    private boolean closing;
    private boolean byeSent;
    private boolean byeReceived;
    private long judgeAtNs;
    private ZipException suspicion;

    /** The peer knows, or will be told by the relay, that this link breaks. */
    private boolean breakKnown;

    private ZipException failure;

    private int probeContext;
    private int probeNumber;
    private int probeSignature;
    private boolean probeDue;

    Link(Engine engine, int peer) {
        this.engine = engine;
        this.peer = peer;
        credit = new Credit(engine.settings().windowBytes());
        sends = new SendSide(engine, this, credit);
        receives = new ReceiveSide(engine, this, credit);
    }

    int peer() {
        return peer;
    }

    SendSide sends() {
        return sends;
    }

    ReceiveSide receives() {
        return receives;
    }

    /** Why nothing can be sent or received any more; null while it can. */
    ZipException failure() {
        return failure;
    }

    /** Why nothing more can be posted; null if it can. */
    ZipException refusal() {
        if (failure != null) {
            return failure;
        }
        if (byeReceived) {
            return left();
        }
        return closing ? new ZipException(ErrorCode.CLOSED, "this rank is leaving the group") : null;
    }

    /** Whether anything was ever sent or received. */
    boolean isUsed() {
        return sequenceSent + sequenceReceived > 0 || sends.hasWork();
    }

    /** Begins on a path that needs no opening. */
    void begin(Path first) {
        out = first;
        in = first;
        first.bind(this);
        first.openInput();
    }

    /** A direct path is open: begin on it, or move to it. */
    void opened(Path path) {
        path.bind(this);
        if (failure != null || byeReceived || better != null) {
            path.close();
        } else if (out == null) {
            out = path;
            in = path;
            path.openInput();
            path.flush();
        } else {
            // After our BYE nothing goes out, but the peer may move to this path before it says its own.
            better = path;
            switchDue = !byeSent;
            if (switchReceived) {
                if (!breakKnown) {
                    suspicion = null;
                }
                switchInput();
            }
            out.flush();
        }
    }

    /** There is something to send. */
    void flush() {
        if (!betterWanted) {
            wantBetter();
        }
        if (engine.isCorked()) {
            engine.flushLater(this);
        } else if (out != null) {
            out.flush();
        }
    }

    private void wantBetter() {
        betterWanted = true;
        engine.wantDirect(peer);
    }

    /** No direct path opens: fatal if there is no other. */
    void unreachable(String reason) {
        if (out == null) {
            fail(ErrorCode.UNREACHABLE, "rank " + peer + " cannot be reached directly: " + reason);
        }
    }

    /** Asks the peer whether it runs the same collective. */
    void probe(int context, int number, int signature) {
        probeContext = context;
        probeNumber = number;
        probeSignature = signature;
        probeDue = true;
        flush();
    }

    // ---- frames out

    @Override
    public boolean nextFrame(Path path, ByteBuffer header, int at, OutboundFrame frame) {
        if (path != out || failure != null || byeSent) {
            return false;
        }
        frame.clear();
        if (switchDue) {
            Frame.begin(header, at, FrameType.SWITCH);
            switchDue = false;
            stamp(header, at);
            switchOutput();
            return true;
        }
        // Clearances before data: the peer's next segment waits for them.
        if (!receives.nextFrame(header, at) && !sends.nextFrame(path, header, at, frame) && !nextOwnFrame(header, at)) {
            return false;
        }
        stamp(header, at);
        return true;
    }

    private boolean nextOwnFrame(ByteBuffer header, int at) {
        if (probeDue) {
            probeDue = false;
            Frame.begin(header, at, FrameType.PROBE);
            Frame.context(header, at, probeContext);
            Frame.tag(header, at, probeNumber);
            Frame.signature(header, at, probeSignature);
            return true;
        }
        if (credit.isTellDue()) {
            Frame.begin(header, at, FrameType.CREDIT);
            return true;
        }
        if (closing && !sends.hasWork()) {
            Frame.begin(header, at, FrameType.BYE);
            byeSent = true;
            engine.outputEnds(out);
            return true;
        }
        return false;
    }

    private void stamp(ByteBuffer header, int at) {
        Frame.epoch(header, at, engine.view().epoch());
        Frame.source(header, at, engine.view().rank());
        Frame.destination(header, at, peer);
        Frame.sequence(header, at, ++sequenceSent);
        Frame.credit(header, at, credit.tell());
    }

    private void switchOutput() {
        out = better;
        engine.flushLater(this);
    }

    @Override
    public void payloadTaken(OutboundFrame frame) {
        sends.payloadTaken((Transfer) frame.attachment);
    }

    // ---- frames in

    @Override
    public void headerReceived(Path path, ByteBuffer header, int at, InboundFrame frame) {
        frame.clear();
        frame.bytes = Frame.payloadBytes(header, at);
        check(path, header, at);
        if (!betterWanted) {
            wantBetter();
        }
        FrameType type = FrameType.of(Frame.type(header, at));
        switch (type) {
            case EAGER -> receives.eager(header, at, frame);
            case REQUEST -> receives.request(header, at);
            case DATA -> receives.data(header, at, frame);
            case CANCEL -> cancelled(Frame.transfer(header, at), Frame.flags(header, at));
            case CLEAR -> sends.cleared(header, at);
            case PROBE ->
                engine.probed(
                        peer, Frame.context(header, at), (int) Frame.tag(header, at), Frame.signature(header, at));
            case CREDIT -> {}
            case SWITCH -> {
                switchReceived = true;
                if (better != null) {
                    switchInput();
                } else if (betterBroke) {
                    lost("the connection to which rank " + peer + " moved broke");
                } else {
                    // Its last handshake message is on its way, or it broke before that came.
                    suspect(
                            ErrorCode.PEER_LOST,
                            "the connection to which rank " + peer + " moved never opened",
                            BETTER_GRACE_NS);
                }
            }
            case BYE -> byeReceived();
            case HELLO, CONTROL, FLOW, ENTER, PART, GRANT, VERDICT, WITHDRAW ->
                throw new ZipException(ErrorCode.PROTOCOL, type + " frame among the link frames of rank " + peer);
        }
        if (sends.isReady()) {
            engine.flushLater(this);
        }
    }

    private void cancelled(int number, int flags) {
        if ((flags & SendSide.FLAG_RECEIVER) != 0) {
            sends.receiverWithdrew(number);
        } else {
            receives.cancelled(number, flags);
        }
    }

    private void check(Path path, ByteBuffer header, int at) {
        if (path != in) {
            throw protocol("frame on a path that is not in use", header, at);
        }
        if (Frame.epoch(header, at) != engine.view().epoch()) {
            throw new ZipException(
                    ErrorCode.STALE_EPOCH,
                    "expected epoch " + engine.view().epoch() + ", got " + Frame.describe(header, at));
        }
        if (Frame.source(header, at) != peer
                || Frame.destination(header, at) != engine.view().rank()) {
            throw protocol("frame of another pair on the path of rank " + peer, header, at);
        }
        if (Frame.sequence(header, at) != sequenceReceived + 1) {
            throw protocol("expected sequence " + (sequenceReceived + 1), header, at);
        }
        sequenceReceived++;
        if (!credit.returned(Frame.credit(header, at))) {
            throw protocol("impossible credit " + Frame.credit(header, at), header, at);
        }
    }

    static ZipException protocol(String problem, ByteBuffer header, int at) {
        return new ZipException(ErrorCode.PROTOCOL, problem + " in " + Frame.describe(header, at));
    }

    private void switchInput() {
        switchReceived = false;
        in = better;
        in.openInput();
    }

    @Override
    public void frameReceived(Path path, InboundFrame frame) {
        if (frame.attachment != null) {
            engine.cork();
            try {
                receives.frameReceived(frame);
            } finally {
                engine.uncork();
            }
        }
        if (credit.isTellDue() || sends.isReady() || receives.isReady()) {
            engine.flushLater(this);
        }
    }

    // ---- the end

    /** Sends BYE after everything that waits to be sent. */
    void close() {
        if (failure == null && !closing) {
            closing = true;
            flush();
        }
    }

    /** Whether nothing more will happen here. */
    boolean isClosed() {
        return failure != null || (byeSent && byeReceived);
    }

    private void byeReceived() {
        byeReceived = true;
        close();
        receives.peerLeft(left());
        sends.fail(left());
        engine.flushLater(this);
    }

    private ZipException left() {
        return ZipException.of(ErrorCode.PEER_LEFT, "rank " + peer + " has left the group")
                .peer(peer)
                .build();
    }

    /** The relay says that the peer left; its last frames may still be under way. */
    void leftSays(String detail) {
        if (!byeReceived && failure == null) {
            suspect(
                    ErrorCode.PEER_LEFT,
                    "rank " + peer + " has left the group" + (detail.isEmpty() ? "" : ": " + detail),
                    VERDICT_GRACE_NS);
        }
    }

    @Override
    public void ended(Path path, ZipException ending) {
        boolean broken = ending != null;
        if (broken && path == better && path != out) {
            better = null;
            switchDue = false;
            betterBroke = true;
        }
        if (broken && path == out && byeReceived) {
            // Nobody is left to be told.
            byeSent = true;
        }
        boolean needed = (path == in && !byeReceived && !switchReceived) || (broken && path == out && !byeSent);
        if (failure != null || !needed) {
            // After a regular end our own last frames may still have to go out.
            if (broken) {
                path.close();
            }
            return;
        }
        if (ending != null && ending.code() != ErrorCode.PEER_LOST) {
            fail(ending.code(), Operation.reasonOf(ending));
            return;
        }
        lost(ending == null ? "connection closed by rank " + peer : Operation.reasonOf(ending));
    }

    private void lost(String reason) {
        suspect(ErrorCode.PEER_LOST, reason, VERDICT_GRACE_NS);
        tellPeer(reason);
    }

    /** The peer may see nothing of a break: of a path through the relay, or of one it does not read yet. */
    private void tellPeer(String reason) {
        if (!breakKnown) {
            breakKnown = true;
            engine.control().suspect(peer, reason);
        }
    }

    /** The peer says that this link broke; its last frames may still be under way. */
    void suspectedByPeer(String detail) {
        if (failure == null && !byeReceived) {
            breakKnown = true;
            suspect(
                    ErrorCode.PEER_LOST,
                    "rank " + peer + " lost its connection to this rank: " + detail,
                    VERDICT_GRACE_NS);
        }
    }

    /** Gives the relay's verdict a moment, so that all ranks name the same culprit. */
    private void suspect(ErrorCode code, String reason, long graceNs) {
        if (suspicion == null) {
            suspicion = ZipException.of(code, reason).peer(peer).build();
            judgeAtNs = engine.nowNs() + graceNs;
            engine.suspected(this);
        }
    }

    /** Acts on a suspicion that was not confirmed in time. */
    boolean judge(long nowNs) {
        if (suspicion != null && failure == null && !byeReceived && nowNs - judgeAtNs >= 0) {
            fail(suspicion.code(), Operation.reasonOf(suspicion));
        }
        return suspicion == null || failure != null || byeReceived;
    }

    /** The relay's verdict: the peer is gone. */
    void died(String reason) {
        breakKnown = true;
        fail(ErrorCode.PEER_LOST, reason);
    }

    /** Ends the link: every transfer on it fails, and the peer is told. */
    private void fail(ErrorCode code, String reason) {
        if (failure != null) {
            return;
        }
        tellPeer(reason);
        failure = ZipException.of(code, reason).peer(peer).build();
        closePaths();
        sends.fail(failure);
        receives.fail(failure);
    }

    /** Ends the link if it depends on a kind of path. */
    void pathsLost(String name, ErrorCode code, String reason) {
        if (out != null && (out.name().equals(name) || in.name().equals(name))) {
            fail(code, reason);
        }
    }

    private void closePaths() {
        if (out != null) {
            out.close();
        }
        if (in != null && in != out) {
            in.close();
        }
        if (better != null && better != out && better != in) {
            better.close();
        }
    }

    /** Lets go of the caller's memory in a frame that is under way. */
    void release(Object attachment) {
        if (out != null) {
            out.release(attachment);
        }
        if (in != null && in != out) {
            in.release(attachment);
        }
    }

    /** Bytes kept for the peer because nobody has asked for them. */
    long keptBytes() {
        return credit.keptBytes();
    }

    /** Name of the path that frames go out on; null before there is one. */
    String pathName() {
        return out == null ? null : out.name();
    }
}
