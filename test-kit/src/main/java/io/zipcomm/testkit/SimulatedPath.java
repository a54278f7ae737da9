package io.zipcomm.testkit;

import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.FrameHandler;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.Path;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.random.RandomGenerator;

/**
 * One end of a path between two ranks of a {@link SimulatedNetwork}. Frames are written to bytes and read from bytes, in
 * pieces of random length, so everything that a socket does to a frame happens here too.
 */
final class SimulatedPath implements Path {

    /** Pieces are copied through this much memory, at a random index, so that aligned and unaligned copies both happen. */
    private static final int SCRATCH_BYTES = 32 << 10;

    private static final int SCRATCH_SHIFT_MAX = 16;
    private static final int HEADER_AT = 24;
    private static final long NEVER_NS = Long.MAX_VALUE;

    /** Time between two looks at a path that is silent. */
    private static final long LOOK_NS = 1_000_000;

    /** A payload goes on when this part of the window is free. */
    private static final int ROOM_SHARE = 4;

    private final SimulatedTransport transport;
    private final SimulatedNetwork network;
    private final RandomGenerator random;
    private final boolean direct;
    private final boolean forgettable;
    private final int peer;
    private final int fragmentBytesMax;
    private final boolean noticesBreakAtOnce;
    private Wire out;

    /** What the other end sends, or sent. */
    private Wire in;

    private SimulatedPath other;
    private FrameHandler handler;

    // Output.
    private ByteBuffer outHeader;
    private final OutboundFrame outFrame = new OutboundFrame();
    private int headerLeft;
    private int payloadLeft;
    private boolean copied;
    private boolean wanted;
    private boolean outputClosing;
    private boolean outputClosed;
    private boolean writing;

    // Input.
    private ByteBuffer inHeader;
    private final InboundFrame inFrame = new InboundFrame();
    private int headerHave;
    private int payloadHave;
    private int payloadBytes;
    private boolean inPayload;
    private boolean inputOpen;
    private boolean inputEnded;
    private boolean reading;

    /** The transport will give this path a turn. */
    private boolean queued;

    /** Closed here, or broken: the handler hears nothing more. */
    private boolean dead;

    /** What this end sends is lost on the way from now on. */
    private boolean lost;

    /** The connection to the relay is lost: nothing goes out or comes in. */
    private boolean away;

    /** What was missing of a frame when the connection to the relay was lost. */
    private int missingBefore;

    SimulatedPath(SimulatedTransport transport, int peer, boolean direct, boolean forgettable) {
        this.transport = transport;
        this.forgettable = forgettable;
        this.peer = peer;
        this.direct = direct;
        network = transport.network();
        random = network.random();
        Conditions conditions = network.conditions();
        fragmentBytesMax = direct ? conditions.directFragmentBytesMax() : conditions.relayFragmentBytesMax();
        out = new Wire(conditions.windowBytes());
        noticesBreakAtOnce = random.nextBoolean();
    }

    static void join(SimulatedPath a, SimulatedPath b) {
        a.other = b;
        b.other = a;
        a.in = b.out;
        b.in = a.out;
    }

    @Override
    public int peer() {
        return peer;
    }

    @Override
    public String name() {
        return direct ? SimulatedNetwork.DIRECT : SimulatedNetwork.RELAY;
    }

    @Override
    public int fragmentBytesMax() {
        return fragmentBytesMax;
    }

    @Override
    public boolean isForgettable() {
        return forgettable;
    }

    @Override
    public int missingBytes() {
        return inPayload ? payloadBytes - payloadHave : missingBefore;
    }

    @Override
    public void bind(FrameHandler frames) {
        network.require(handler == null, this, "bound twice");
        handler = frames;
    }

    @Override
    public void openInput() {
        network.require(handler != null, this, "input opened before it was bound");
        inputOpen = true;
        touch();
    }

    @Override
    public void flush() {
        network.require(handler != null, this, "flushed before it was bound");
        if (outputClosing || dead) {
            return;
        }
        wanted = true;
        touch();
        if (!writing && random.nextInt(4) == 0) {
            write(random.nextInt(1, 8));
        }
    }

    @Override
    public void closeOutput() {
        outputClosing = true;
        touch();
    }

    @Override
    public void release(Object attachment) {
        network.require(attachment != null, this, "release of nothing");
        if (payloadLeft > 0 && outFrame.attachment == attachment) {
            copyRest();
        }
        if (inPayload && inFrame.attachment == attachment) {
            inFrame.payload = null;
            inFrame.attachment = null;
        }
    }

    private void copyRest() {
        byte[] rest = new byte[payloadLeft];
        int unit = unit(outFrame.payload);
        int step = SCRATCH_BYTES / unit * unit;
        for (int done = 0; done < rest.length; done += step) {
            int now = Math.min(step, rest.length - done);
            copyOut(outFrame.payload, outFrame.offset + done, rest, done, now);
        }
        outFrame.payload = Payload.of(rest);
        outFrame.offset = 0;
        outFrame.attachment = null;
        copied = true;
    }

    @Override
    public void close() {
        if (dead) {
            return;
        }
        network.trace(this, "is closed");
        dead = true;
        boolean unread = in.bytes() > 0 || (!other.outputClosed && other.hasOutput());
        if (outputClosing && !outputClosed && headerLeft + payloadLeft == 0) {
            endOutput();
        }
        if (!outputClosed) {
            other.breakLater(out, direct);
        } else if (network.conditions().resets() && unread && random.nextBoolean()) {
            out.loseTail(random);
            other.breakLater(out, direct);
        }
        in.clear();
        other.touch();
        transport.prune();
    }

    /** There is something to do here now. */
    private void touch() {
        if (!queued) {
            queued = true;
            transport.giveTurn(this);
        }
    }

    /** There is something to do here from an instant on. */
    private void touchAt(long instantNs) {
        network.at(instantNs, this::touch);
    }

    boolean isDirect() {
        return direct;
    }

    /** Nothing more will ever happen at this end. */
    boolean isOver() {
        return dead || (inputEnded && outputClosed);
    }

    boolean hasOutput() {
        return !dead && (headerLeft > 0 || payloadLeft > 0);
    }

    /** Breaks this end from outside: what is on its way here is lost from some point on. */
    void breakNow() {
        if (!dead) {
            in.loseTail(random);
            breakLater(in, true);
        }
    }

    /** Puts a break behind what is on its way here. */
    private void breakLater(Wire in, boolean told) {
        if (told && !dead && !other.lost) {
            touchAt(in.finish(Wire.End.BROKEN, network.arrivalNs(transport.rank(), peer, 0)));
        }
    }

    /** Breaks the other end from outside. */
    void breakPeer() {
        other.breakNow();
    }

    /**
     * What this end sends from now on never arrives, nor does some of what is under way, nor word of its end. This end
     * notices at an instant: its transport looked into the silence.
     */
    void forget(long noticeNs) {
        lost = true;
        out.loseTail(random);
        network.at(noticeNs, () -> {
            if (!dead) {
                transport.later(listener -> noticeSilence());
            }
        });
    }

    private void noticeSilence() {
        if (handler == null && !dead) {
            // Nobody looks before the path is in somebody's hands.
            network.at(network.nowNs() + LOOK_NS, () -> transport.later(listener -> noticeSilence()));
        } else if (!dead) {
            broke();
        }
    }

    /**
     * This end's connection to the relay is lost. The relay has handed on whole frames, and may have more of them; what was on its
     * way here is lost.
     */
    void goAway() {
        if (dead || away) {
            return;
        }
        network.trace(this, "goes away");
        finishFrame();
        out.loseFrames(random);
        away = true;
        missingBefore = missingBytes();
        inPayload = false;
        headerHave = 0;
        in.clear();
    }

    /** What the other end has begun to receive it gets to the end: a relay hands on whole frames. */
    private void finishFrame() {
        while (headerLeft > 0) {
            byte[] piece = new byte[headerLeft];
            outHeader.get(HEADER_AT + Frame.HEADER_BYTES - headerLeft, piece);
            headerLeft = 0;
            send(piece);
        }
        while (payloadLeft > 0) {
            int unit = unit(outFrame.payload);
            byte[] piece = new byte[Math.min(payloadLeft, SCRATCH_BYTES / unit * unit)];
            copyOut(outFrame.payload, outFrame.offset, piece, 0, piece.length);
            outFrame.offset += piece.length;
            payloadLeft -= piece.length;
            send(piece);
        }
        frameSent();
    }

    /** This end's connection to the relay is there again. The other end learns it behind what is on its way there. */
    void comeBack() {
        if (dead || !away) {
            return;
        }
        away = false;
        Wire forth = new Wire(network.conditions().windowBytes());
        Wire back = new Wire(network.conditions().windowBytes());
        if (!other.away && !other.dead) {
            SimulatedPath far = other;
            far.touchAt(far.in.renew(forth, back, network.arrivalNs(transport.rank(), peer, 0)));
        }
        beginAnew(back, forth);
    }

    /** From now on frames come and go on other wires. */
    private void beginAnew(Wire nextIn, Wire nextOut) {
        network.trace(this, "begins anew");
        in = nextIn;
        out = nextOut;
        headerLeft = 0;
        payloadLeft = 0;
        transport.flowBegan(peer);
        touch();
    }

    /** Closed at this end, or broken. */
    boolean isGone() {
        return dead || other.dead;
    }

    /** One turn of input and output. */
    boolean turn() {
        queued = false;
        boolean worked = false;
        boolean inputFirst = random.nextBoolean();
        if (inputFirst) {
            worked |= read(random.nextInt(1, 16));
        }
        worked |= write(random.nextInt(1, 16));
        if (!inputFirst) {
            worked |= read(random.nextInt(1, 16));
        }
        return worked;
    }

    private boolean write(int steps) {
        if (writing || handler == null || away) {
            return false;
        }
        writing = true;
        try {
            int done = 0;
            while (done < steps && !dead && !outputClosed && writeStep()) {
                done++;
            }
            if (done == steps) {
                touch();
            }
            return done > 0;
        } finally {
            writing = false;
        }
    }

    private boolean writeStep() {
        if (headerLeft + payloadLeft == 0) {
            if (outputClosing) {
                endOutput();
                return true;
            }
            return wanted && out.room() >= Frame.HEADER_BYTES && nextFrame();
        }
        if (in.end() == Wire.End.BROKEN && in.endDue(network.nowNs())) {
            broke();
            return true;
        }
        return headerLeft > 0 ? writeHeader() : writePayload();
    }

    private void endOutput() {
        outputClosed = true;
        transport.prune();
        if (out.end() == null && !lost) {
            other.touchAt(out.finish(Wire.End.REGULAR, network.arrivalNs(transport.rank(), peer, 0)));
        }
    }

    private boolean nextFrame() {
        if (outHeader == null) {
            outHeader = newHeader();
        }
        wanted = false;
        outFrame.clear();
        if (!handler.nextFrame(this, outHeader, HEADER_AT, outFrame)) {
            return outputClosing;
        }
        wanted = true;
        network.tamper(transport.rank(), peer, outHeader, HEADER_AT);
        network.checkFrame(this, outHeader, HEADER_AT, outFrame);
        if (network.isTraced()) {
            network.trace(this, "out " + Frame.describe(outHeader, HEADER_AT));
        }
        headerLeft = Frame.HEADER_BYTES;
        payloadLeft = outFrame.payload == null ? 0 : outFrame.bytes;
        copied = false;
        transport.counters().framesSent += 1 + outFrame.followers;
        return true;
    }

    private boolean writeHeader() {
        int now = random.nextInt(8) == 0 ? random.nextInt(1, headerLeft + 1) : headerLeft;
        if (out.room() < now) {
            return false;
        }
        byte[] piece = new byte[now];
        outHeader.get(HEADER_AT + Frame.HEADER_BYTES - headerLeft, piece);
        headerLeft -= now;
        send(piece);
        frameSent();
        return true;
    }

    private void frameSent() {
        if (headerLeft + payloadLeft == 0) {
            out.frameEnds();
        }
    }

    private boolean writePayload() {
        // Like TCP, not byte by byte into a window that is nearly full: the pieces would only ever get smaller.
        boolean roomy = out.room() >= Math.min(payloadLeft, network.conditions().windowBytes() / ROOM_SHARE);
        int now = roomy ? aligned(Math.min(payloadLeft, out.room()), payloadLeft, unit(outFrame.payload)) : 0;
        if (now == 0) {
            return false;
        }
        byte[] piece = new byte[now];
        copyOut(outFrame.payload, outFrame.offset, piece, 0, now);
        if (outFrame.followers == 0) {
            network.corrupt(transport.rank(), peer, outHeader, HEADER_AT, piece);
        }
        outFrame.offset += now;
        payloadLeft -= now;
        send(piece);
        frameSent();
        if (payloadLeft == 0 && !copied) {
            // The handler gets the frame as it filled it.
            outFrame.offset -= outFrame.bytes;
            handler.payloadTaken(outFrame);
        }
        return true;
    }

    /** A random part of what is possible, in whole elements; 0 if there is no whole element. */
    private int aligned(int possible, int left, int unit) {
        network.require(left % unit == 0, this, "moves bytes that are no whole number of elements");
        int most = Math.min(possible, Math.min(network.conditions().pieceBytesMax(), SCRATCH_BYTES));
        int whole = most / unit;
        int count = whole <= 1 || random.nextInt(4) > 0 ? whole : random.nextInt(1, whole + 1);
        return count * unit;
    }

    private void send(byte[] piece) {
        transport.sent(direct, piece.length);
        if (lost) {
            // Nobody says so: the window fills, and that is all.
            out.put(piece, NEVER_NS);
        } else if (other.dead) {
            if (in.end() != Wire.End.BROKEN) {
                breakLater(in, direct);
            }
        } else if (out.end() == null) {
            other.touchAt(out.put(piece, network.arrivalNs(transport.rank(), peer, piece.length)));
        }
    }

    private boolean read(int steps) {
        if (reading || handler == null || dead || inputEnded || away) {
            return false;
        }
        if (!inputOpen) {
            boolean noticed = noticesBreakAtOnce && in.end() == Wire.End.BROKEN && in.endDue(network.nowNs());
            if (noticed) {
                broke();
            }
            return noticed;
        }
        reading = true;
        try {
            int done = 0;
            while (done < steps && !dead && !inputEnded && readStep()) {
                done++;
            }
            if (done == steps) {
                touch();
            }
            if (done > 0 && !other.isOver()) {
                other.touch();
            }
            return done > 0;
        } finally {
            reading = false;
        }
    }

    private boolean readStep() {
        return inPayload ? readPayload() : readHeader();
    }

    private boolean readHeader() {
        int now = in.available(network.nowNs(), Frame.HEADER_BYTES - headerHave);
        if (now == 0) {
            return end(0);
        }
        if (inHeader == null) {
            inHeader = newHeader();
        }
        in.take(inHeader, HEADER_AT + headerHave, now);
        transport.received(direct, now);
        headerHave += now;
        if (headerHave == Frame.HEADER_BYTES) {
            frameBegins();
        }
        return true;
    }

    private void frameBegins() {
        String problem = Frame.problem(inHeader, HEADER_AT);
        if (problem == null && !FrameType.of(Frame.type(inHeader, HEADER_AT)).isLinkFrame()) {
            problem = FrameType.of(Frame.type(inHeader, HEADER_AT)) + " frame on a path between ranks";
        }
        if (problem != null) {
            refuse(new ZipException(ErrorCode.PROTOCOL, "from rank " + peer + ": " + problem));
            return;
        }
        if (Frame.type(inHeader, HEADER_AT) == FrameType.REST.number()) {
            network.restArrived();
        }
        payloadBytes = Frame.payloadBytes(inHeader, HEADER_AT);
        payloadHave = 0;
        missingBefore = 0;
        inFrame.clear();
        inFrame.bytes = payloadBytes;
        transport.counters().framesReceived++;
        if (network.isTraced()) {
            network.trace(this, "in " + Frame.describe(inHeader, HEADER_AT));
        }
        try {
            handler.headerReceived(this, inHeader, HEADER_AT, inFrame);
        } catch (ZipException e) {
            refuse(e);
            return;
        }
        if (dead) {
            return;
        }
        network.checkFrame(this, FrameType.of(Frame.type(inHeader, HEADER_AT)), payloadBytes, inFrame);
        if (payloadBytes == 0) {
            frameEnds();
        } else {
            inPayload = true;
        }
    }

    private void frameEnds() {
        headerHave = 0;
        inPayload = false;
        handler.frameReceived(this, inFrame);
    }

    private boolean readPayload() {
        int unit = inFrame.payload == null ? 1 : unit(inFrame.payload);
        int left = payloadBytes - payloadHave;
        int now = aligned(in.available(network.nowNs(), left), left, unit);
        if (now == 0) {
            return end(unit - 1);
        }
        Segment scratch = network.scratch();
        int at = scratchIndex();
        in.take(scratch.bytes(), at, now);
        transport.received(direct, now);
        if (inFrame.payload != null) {
            copyIn(inFrame.payload, inFrame.offset + payloadHave, scratch, at, now);
        }
        payloadHave += now;
        if (payloadHave == payloadBytes) {
            frameEnds();
        }
        return true;
    }

    private boolean end(int bytesLeft) {
        if (!in.endDue(network.nowNs(), bytesLeft)) {
            return false;
        }
        if (in.end() == Wire.End.BROKEN) {
            broke();
        } else if (in.end() == Wire.End.RENEWED) {
            network.require(headerHave == 0 && !inPayload, this, "begins anew in the middle of a frame");
            beginAnew(in.next(), in.nextBack());
        } else if (headerHave > 0) {
            refuse(new ZipException(ErrorCode.PEER_LOST, describe() + " ended in the middle of a frame"));
        } else {
            inputEnded = true;
            network.trace(this, "ends");
            transport.prune();
            handler.ended(this, null);
        }
        return true;
    }

    /** The handler learns that the path broke. */
    private void broke() {
        network.trace(this, "breaks");
        dead = true;
        out.clear();
        transport.prune();
        handler.ended(this, new ZipException(ErrorCode.PEER_LOST, describe() + " broke"));
    }

    /** What came in is refused: both ends learn that the path broke. */
    private void refuse(ZipException failure) {
        network.trace(this, "is refused: " + failure.getMessage());
        dead = true;
        transport.prune();
        in.clear();
        out.loseTail(random);
        other.breakLater(out, true);
        handler.ended(this, failure);
    }

    private static ByteBuffer newHeader() {
        return ByteBuffer.allocate(HEADER_AT + Frame.HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static int unit(Payload payload) {
        return payload.direct() != null ? 1 : payload.type().bytes();
    }

    private void copyOut(Payload from, long offset, byte[] to, int at, int length) {
        ByteBuffer memory = from.direct();
        if (memory == null) {
            Segment scratch = network.scratch();
            int index = scratchIndex();
            from.copyOut(offset, scratch, index, length);
            scratch.bytes().get(index, to, at, length);
        } else {
            memory.clear().get((int) offset, to, at, length);
        }
    }

    private static void copyIn(Payload to, long offset, Segment from, int at, int length) {
        ByteBuffer memory = to.direct();
        if (memory == null) {
            to.copyIn(offset, from, at, length);
        } else {
            memory.clear().put((int) offset, from.bytes(), at, length);
        }
    }

    private int scratchIndex() {
        return random.nextInt(SCRATCH_SHIFT_MAX);
    }

    static Segment newScratch() {
        return Segment.allocate(SCRATCH_BYTES + SCRATCH_SHIFT_MAX);
    }

    String describe() {
        return name() + " path from rank " + transport.rank() + " to rank " + peer;
    }

    /** For the message of a failed run. */
    String state() {
        return describe() + ": " + (dead ? "dead, " : "")
                + (handler == null ? "not bound, " : "")
                + (inputOpen ? "" : "input not open, ")
                + (inputEnded ? "input ended, " : "")
                + (outputClosed ? "output closed, " : outputClosing ? "output closing, " : "")
                + (wanted ? "has frames, " : "")
                + "sending " + (headerLeft + payloadLeft) + " more bytes of a frame, " + out.bytes() + " under way, "
                + (inPayload
                        ? payloadHave + " of " + payloadBytes + " received"
                        : headerHave + " of a header received");
    }
}
