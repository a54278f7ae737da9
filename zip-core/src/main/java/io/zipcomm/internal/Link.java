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
 *
 * <p>Moving back: what goes out on a path that may be forgotten is kept until the peer has it. When such a path is lost,
 * both directions go on through the relay at once, after a {@link Resumption}. So they do when it is the relay's path that
 * begins anew.
 */
final class Link implements FrameHandler {

    /** How long the relay may take for its verdict on a peer whose connection broke. */
    private static final long VERDICT_GRACE_NS = 1_500_000_000;

    /** How long the connection to which a peer has moved may take to open here. */
    private static final long BETTER_GRACE_NS = 3_000_000_000L;

    /** Marks a frame that is not numbered. */
    private static final Object UNNUMBERED = new Object();

    private final Engine engine;
    private final int peer;
    private final Credit credit;
    private final SendSide sends;
    private final ReceiveSide receives;
    private final Resumption resumption;
    private final LinkOutput output;
    private final BackOff backOff = new BackOff();

    /** The path to go back to; null if there is none by the settings. */
    private Path relay;

    private boolean relayLost;
    private Path in;
    private Path better;
    private boolean switchDue;
    private boolean switchReceived;

    /** When a path broke to which this link was about to move; the peer may have moved already. */
    private long betterBrokeNs;

    private boolean betterBroke;

    /** The last frame that began on {@link #in}, if that path may be forgotten; else null. */
    private InboundFrame inFrame;

    private long sequenceReceived;
    private long sequenceWhole;

    private boolean resumeDue;
    private String lossReason;

    /** The relay's path has ended or begun anew while it was in use, and {@link #resume} is still to come. */
    private boolean flowLost;

    private boolean timed;

    /** Until when the path to which the peer has moved has to open here; 0 if it has. */
    private long betterDueNs;

    private boolean closing;
    private boolean byeSent;
    private boolean byeReceived;
    private boolean outputEnded;
    private boolean peerLeft;
    private long judgeAtNs;
    private ZipException suspicion;

    /** The suspicion is the peer's word, which knew why. */
    private boolean suspectedByPeer;

    /** The peer knows, or will be told by the relay, that this link breaks. */
    private boolean breakKnown;

    private ZipException failure;

    Link(Engine engine, int peer) {
        this.engine = engine;
        this.peer = peer;
        credit = new Credit(engine.settings().windowBytes());
        sends = new SendSide(engine, this, credit);
        receives = new ReceiveSide(engine, this, credit);
        resumption = new Resumption(engine.replays(), engine.settings().replayBytes());
        output = new LinkOutput(engine, this, credit, sends, receives, resumption);
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
        return output.sequenceSent() + sequenceReceived > 0 || sends.hasWork();
    }

    /** Begins on the path through the relay, which needs no opening. */
    void begin(Path first) {
        relay = first;
        output.sendOn(first, relay);
        in = first;
        first.bind(this);
        first.openInput();
    }

    /** A direct path is open: begin on it, or move to it. */
    void opened(Path path) {
        path.bind(this);
        boolean lateForIt = better != null || resumeDue || resumption.isAsked() || resumption.isUnanswered();
        if (failure != null || byeReceived || lateForIt) {
            path.close();
            if (lateForIt && better == null) {
                askAgainLater();
            }
        } else if (output.path() == null) {
            output.sendOn(path, relay);
            in = path;
            path.openInput();
            path.flush();
        } else {
            // After our BYE nothing goes out, but the peer may move to this path before it says its own.
            better = path;
            betterBroke = false;
            switchDue = !byeSent;
            if (switchReceived) {
                if (!breakKnown) {
                    suspicion = null;
                }
                switchInput();
            }
            output.path().flush();
        }
    }

    /** Somebody wants a direct path, whether there is something to send or not. */
    void want() {
        if (backOff.isDue()) {
            wantBetter();
        }
    }

    /** There is something to send. */
    void flush() {
        want();
        if (engine.isCorked()) {
            engine.flushLater(this);
        } else if (output.path() != null) {
            output.path().flush();
        }
    }

    private void wantBetter() {
        backOff.asked();
        engine.wantDirect(peer);
    }

    private void askAgainLater() {
        backOff.pause(engine.nowNs());
        wakeAtTimers();
    }

    private void wakeAtTimers() {
        if (!timed) {
            timed = true;
            engine.timed(this);
        }
    }

    /** Time passes. Returns whether this link still waits for some instant. */
    boolean timer(long nowNs) {
        if (failure != null) {
            timed = false;
            return false;
        }
        boolean pausing = backOff.look(nowNs);
        if (betterDueNs != 0 && nowNs - betterDueNs >= 0) {
            resumeLater("the connection to which rank " + peer + " moved never opened");
        }
        boolean untold = resumption.lookAtUntold(nowNs);
        if (resumption.isTellDue()) {
            engine.flushLater(this);
        }
        timed = untold || pausing || betterDueNs != 0;
        return timed;
    }

    /** No direct path opens: fatal if there is no other. */
    void unreachable(String reason) {
        if (output.path() == null) {
            fail(ErrorCode.UNREACHABLE, "rank " + peer + " cannot be reached directly: " + reason);
        } else {
            if (resumption.count() == 0) {
                backOff.neverMet();
            }
            askAgainLater();
        }
    }

    /** Asks the peer whether it runs the same collective. */
    void probe(int context, int number, int signature) {
        output.probe(context, number, signature);
        flush();
    }

    // ---- frames out

    @Override
    public boolean nextFrame(Path path, ByteBuffer header, int at, OutboundFrame frame) {
        if (path != output.path() || failure != null || flowLost) {
            return false;
        }
        frame.clear();
        if (resumption.isSayDue()) {
            resumption.say(sequenceReceived, header, at);
            output.address(header, at);
            return true;
        }
        if (resumption.isUnanswered()) {
            return false;
        }
        if (resumption.isTellDue()) {
            resumption.tell(sequenceWhole, header, at);
            output.address(header, at);
            endOutputIfSettled();
            return true;
        }
        if (resumption.isReplaying()) {
            if (resumption.replayNext(header, at, frame)) {
                output.address(header, at);
            }
            return true;
        }
        if (byeSent) {
            return false;
        }
        if (switchDue) {
            boolean ofNoUse = engine.isLeaving() && !isUsed();
            if (ofNoUse || !output.lastOnThisPath(header, at, frame)) {
                return false;
            }
            switchDue = false;
            switchOutput();
            return true;
        }
        return output.next(header, at, frame);
    }

    /** Makes the last frame, when all is said. */
    boolean nextBye(ByteBuffer header, int at) {
        if (!closing || sends.hasWork()) {
            return false;
        }
        Frame.begin(header, at, FrameType.BYE);
        byeSent = true;
        if (!output.records()) {
            endOutputIfSettled();
        }
        return true;
    }

    /** Whether another frame may go right behind one. */
    boolean mayFollow() {
        return failure == null && !byeSent && !switchDue;
    }

    private void switchOutput() {
        output.sendOn(better, relay);
        backOff.used(engine.nowNs());
        engine.flushLater(this);
    }

    @Override
    public void payloadTaken(OutboundFrame frame) {
        if (frame.attachment != resumption.replay()) {
            sends.payloadTaken((Transfer) frame.attachment);
        } else {
            resumption.replay().taken();
        }
    }

    @Override
    public boolean isAwaiting() {
        return failure == null
                && (receives.size() > 0 || sends.hasWork() || resumption.isKeeping() || (closing && !isClosed()));
    }

    // ---- frames in

    @Override
    public void headerReceived(Path path, ByteBuffer header, int at, InboundFrame frame) {
        frame.clear();
        frame.bytes = Frame.payloadBytes(header, at);
        FrameType type = FrameType.of(Frame.type(header, at));
        if (path == relay && type != FrameType.RESUME && isBeforeResume()) {
            // The peer sent it before it knew that a path is lost. It sends it once more.
            frame.attachment = UNNUMBERED;
            return;
        }
        check(path, type, header, at);
        if (backOff.isDue() && type.isNumbered()) {
            wantBetter();
        }
        if (path == in && type.isNumbered()) {
            inFrame = frame;
        }
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
            case SWITCH -> switchReceived();
            case BYE -> byeReceived();
            case ACK -> {
                resumption.told(output.sequenceSent(), header, at);
                stopRecordingIfSettled();
                endOutputIfSettled();
            }
            case RESUME -> resumeReceived(header, at);
            case REST -> resumption.rest(frame, header, at);
            case HELLO, CONTROL, FLOW, PING, PONG, ENTER, PART, GRANT, VERDICT, WITHDRAW, RESET, SEALED ->
                throw new ZipException(ErrorCode.PROTOCOL, type + " frame among the link frames of rank " + peer);
        }
        if (!type.isNumbered()) {
            frame.attachment = UNNUMBERED;
            engine.flushLater(this);
        } else if (sends.isReady()) {
            engine.flushLater(this);
        }
    }

    /** Whether the next frame of use is the peer's RESUME. */
    private boolean isBeforeResume() {
        return flowLost || resumption.isUnanswered();
    }

    private void switchReceived() {
        switchReceived = true;
        if (resumeDue) {
            // This end goes back, and waits only for the rest of what comes through the relay.
            return;
        }
        if (better != null) {
            switchInput();
            return;
        }
        // One that broke long ago is not the one that the peer means.
        betterBroke &= engine.nowNs() - betterBrokeNs < BETTER_GRACE_NS;
        boolean canResume = canResume();
        String reason = "the connection to which rank " + peer + " moved broke";
        if (betterBroke && canResume) {
            resumeLater(reason);
        } else if (betterBroke) {
            lost(reason);
        } else if (canResume) {
            // Its last handshake message is on its way, or it broke before that came.
            betterDueNs = engine.nowNs() + BETTER_GRACE_NS;
            wakeAtTimers();
        } else {
            suspect(
                    ErrorCode.PEER_LOST,
                    "the connection to which rank " + peer + " moved never opened",
                    BETTER_GRACE_NS);
        }
    }

    private void cancelled(int number, int flags) {
        if ((flags & SendSide.FLAG_RECEIVER) != 0) {
            sends.receiverWithdrew(number);
        } else {
            receives.cancelled(number, flags);
        }
    }

    private void check(Path path, FrameType type, ByteBuffer header, int at) {
        if (path != in && (type != FrameType.RESUME || path != relay)) {
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
        if (!type.isNumbered()) {
            return;
        }
        // Of an interrupted frame the header came in before.
        boolean interrupted = resumption.isInterrupted();
        long expected = interrupted ? sequenceReceived : sequenceReceived + 1;
        if (Frame.sequence(header, at) != expected || interrupted != (type == FrameType.REST)) {
            throw protocol("expected sequence " + expected + (interrupted ? " in a REST" : ""), header, at);
        }
        sequenceReceived = expected;
        if (!interrupted && !credit.returned(Frame.credit(header, at))) {
            throw protocol("impossible credit " + Frame.credit(header, at), header, at);
        }
    }

    static ZipException protocol(String problem, ByteBuffer header, int at) {
        return new ZipException(ErrorCode.PROTOCOL, problem + " in " + Frame.describe(header, at));
    }

    private void switchInput() {
        switchReceived = false;
        betterDueNs = 0;
        in = better;
        in.openInput();
        stopRecordingIfSettled();
    }

    /**
     * Both directions have left the path before for one that is not forgotten. The peer knows that of this end's direction, since it
     * has said so, and of its own by the word that this end gives of its last frame there: it wants none of later frames.
     */
    private void stopRecordingIfSettled() {
        if (in != relay && !resumeDue && output.stopRecordingIfSettled()) {
            resumption.nothingLaterToTell();
            endOutputIfSettled();
        }
    }

    @Override
    public void frameReceived(Path path, InboundFrame frame) {
        if (frame.attachment == UNNUMBERED) {
            return;
        }
        sequenceWhole = sequenceReceived;
        if (relay != null && (path == relay || path.isForgettable() || output.records())) {
            if (resumption.received(Frame.HEADER_BYTES + frame.bytes)) {
                wakeAtTimers();
            }
            if (byeReceived || switchReceived || path != in) {
                // The last frame of all, or on this path: the peer waits for word of it.
                resumption.tellNow();
            }
        }
        resumption.makeWhole(frame);
        if (resumeDue) {
            engine.resumeLater(this);
        }
        if (frame.attachment != null) {
            engine.cork();
            try {
                receives.frameReceived(frame);
            } finally {
                engine.uncork();
            }
        }
        if (credit.isTellDue() || sends.isReady() || receives.isReady() || resumption.isTellDue()) {
            engine.flushLater(this);
        }
    }

    // ---- back to the relay

    private boolean canResume() {
        return relay != null && !relayLost;
    }

    /** RESUME came in: the peer has given up the direct path, or answers that this end has. */
    private void resumeReceived(ByteBuffer header, int at) {
        boolean kept = output.records();
        resumption.heard(output.sequenceSent(), header, at);
        if (resumption.isAsked() && !kept) {
            fail(ErrorCode.PEER_LOST, "rank " + peer + " lost its connection to this rank");
        } else if (resumption.isAsked()) {
            resumeLater("rank " + peer + " lost its connection to this rank");
        }
    }

    private void resumeLater(String reason) {
        betterDueNs = 0;
        if (!resumeDue) {
            resumeDue = true;
            lossReason = reason;
        }
        // If it was due, it may have waited for the rest of a frame, which does not come any more.
        engine.resumeLater(this);
    }

    /** Gives up the direct path, if there is one, for the relay. No path is in the middle of a callback. */
    void resume() {
        resumeDue = false;
        if (failure != null) {
            return;
        }
        if (isAbandoned()) {
            closePaths();
            return;
        }
        boolean whole = sequenceWhole == sequenceReceived;
        if (!canResume() || (!whole && in != relay && in.missingBytes() < 0)) {
            lost(lossReason);
            return;
        }
        if (!whole && in == relay && !flowLost) {
            // Its rest is under way: the relay hands on whole frames only.
            resumeDue = true;
            return;
        }
        if (!begin(whole)) {
            return;
        }
        if (!flowLost) {
            engine.resumed(this, lossReason);
        }
        if (output.path() != relay) {
            backOff.lost(engine.nowNs());
            wakeAtTimers();
        } else if (!flowLost || in != relay) {
            askAgainLater();
        }
        flowLost = false;
        closeDirect();
        output.sendOn(relay, relay);
        in = relay;
        inFrame = null;
        better = null;
        switchDue = false;
        switchReceived = false;
        betterBroke = false;
        engine.flushLater(this);
    }

    private boolean begin(boolean whole) {
        if (output.path() == relay) {
            // What is left of a frame that is going out may go, but not from memory that is used again.
            relay.release(resumption.replay());
        }
        try {
            resumption.begin(output.records(), in == relay && !flowLost ? null : in, inFrame, whole);
            return true;
        } catch (ZipException e) {
            fail(e.code(), Operation.reasonOf(e));
            return false;
        }
    }

    /** The connection to the relay ended, and may come back. */
    void relayAway(String reason) {
        if (usesRelay() && !resumption.isUnanswered()) {
            flowLost = true;
            resumeLater(reason);
        }
    }

    /** The relay's path begins anew. */
    void flowBegan() {
        if (failure != null || relay == null) {
            return;
        }
        if (resumption.isUnanswered()) {
            resumption.repeat();
        } else if (usesRelay() && !flowLost) {
            flowLost = true;
            resumeLater("the path through the relay began anew");
        }
        engine.flushLater(this);
    }

    private boolean usesRelay() {
        boolean everUsed = output.sequenceSent() + sequenceReceived > 0;
        return failure == null && relay != null && everUsed && (in == relay || output.path() == relay);
    }

    /** A path that may be forgotten has ended, not by anybody's fault. */
    private void forgotten(Path path, ZipException ending) {
        boolean inUse = path == output.path() || path == in;
        boolean through = isClosed() || (ending == null && byeReceived && !resumption.isKeeping());
        if (inUse && !through) {
            resumeLater(ending == null ? "connection closed by rank " + peer : Operation.reasonOf(ending));
        } else if (ending != null) {
            path.close();
            if (!inUse && path == better) {
                better = null;
                switchDue = false;
                betterBroke = true;
                betterBrokeNs = engine.nowNs();
                askAgainLater();
            }
        }
    }

    /** Chunks of memory with what the peer has not said that it has; none if this link is through. */
    int keptChunks() {
        return isClosed() ? 0 : resumption.replay().chunks();
    }

    /** How often this link has gone back to the relay. */
    int resumptions() {
        return resumption.count();
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
        return failure != null || isAbandoned() || (byeSent && byeReceived && resumption.isSettled());
    }

    /** The peer has said its last frame, and is gone. */
    private boolean isAbandoned() {
        return byeReceived && peerLeft;
    }

    /**
     * Nothing more has to go out: the peer may see the end of the path. Where frames are recorded, because both ends have said BYE and
     * have all. The relay's path stays, in case that the peer has to go back to it.
     */
    private void endOutputIfSettled() {
        boolean settled = output.records() ? isClosed() : byeSent && !resumption.isTellDue();
        if (output.path() != relay && !outputEnded && settled) {
            outputEnded = true;
            engine.outputEnds(output.path());
        }
    }

    private void byeReceived() {
        byeReceived = true;
        if (isAbandoned()) {
            resumeLater("");
        }
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
        peerLeft = true;
        if (isAbandoned()) {
            resumeLater("");
        }
        if (!byeReceived && failure == null) {
            if (suspicion != null && !suspectedByPeer) {
                // Its path was seen to break before, since it ended it.
                suspicion = null;
            }
            suspect(
                    ErrorCode.PEER_LEFT,
                    "rank " + peer + " has left the group" + (detail.isEmpty() ? "" : ": " + detail),
                    VERDICT_GRACE_NS);
        }
    }

    @Override
    public void ended(Path path, ZipException ending) {
        boolean innocent = ending == null
                || ending.code() == ErrorCode.PEER_LOST
                || (ending.code() == ErrorCode.DRIVER_LOST && path.isForgettable());
        boolean kept = path != relay && (path.isForgettable() || output.records());
        if (failure == null && innocent && kept && canResume()) {
            forgotten(path, ending);
            return;
        }
        boolean broken = ending != null;
        relayLost |= broken && path == relay;
        if (broken && path == better && path != output.path()) {
            better = null;
            switchDue = false;
            betterBroke = true;
            betterBrokeNs = engine.nowNs();
        }
        if (broken && path == output.path() && byeReceived) {
            // Nobody is left to be told.
            byeSent = true;
        }
        boolean needed =
                (path == in && !byeReceived && !switchReceived) || (broken && path == output.path() && !byeSent);
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
            suspectedByPeer |= suspicion == null;
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
        // Who ran a media driver that is lost, if it was a rank, the reason says.
        int culprit = code == ErrorCode.DRIVER_LOST ? ZipException.NONE : peer;
        failure = ZipException.of(code, reason).peer(culprit).build();
        closePaths();
        sends.fail(failure);
        receives.fail(failure);
    }

    /** Ends the link if it depends on a kind of path. */
    void pathsLost(String name, ErrorCode code, String reason) {
        relayLost |= relay != null && relay.name().equals(name);
        if (output.path() != null
                && (output.path().name().equals(name) || in.name().equals(name))) {
            fail(code, reason);
        }
    }

    private void closePaths() {
        closeDirect();
        if (relay != null) {
            relay.close();
        }
        resumption.clear();
    }

    private void closeDirect() {
        if (output.path() != null && output.path() != relay) {
            output.path().close();
        }
        if (in != null && in != relay && in != output.path()) {
            in.close();
        }
        if (better != null && better != output.path() && better != in) {
            better.close();
        }
    }

    /** Lets go of the caller's memory in a frame that is under way. */
    void release(Object attachment) {
        if (output.path() != null) {
            output.path().release(attachment);
        }
        if (in != null && in != output.path()) {
            in.release(attachment);
        }
        resumption.release(attachment);
    }

    /** Bytes kept for the peer because nobody has asked for them. */
    long keptBytes() {
        return credit.keptBytes();
    }

    int earlyClears() {
        return sends.earlyClears();
    }

    /** What the credit came to; null unless both ends have said goodbye, and know that the other has everything. */
    CreditBalance creditBalance() {
        boolean ended = failure == null && byeSent && byeReceived && resumption.isSettled();
        return ended ? credit.balance() : null;
    }

    /** Name of the path that frames go out on; null before there is one. */
    String pathName() {
        return output.path() == null ? null : output.path().name();
    }
}
