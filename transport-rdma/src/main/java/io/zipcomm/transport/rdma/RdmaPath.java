package io.zipcomm.transport.rdma;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.Handshake;
import io.zipcomm.transport.FrameHandler;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.rdma.ffi.FabricError;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.Hello;
import java.nio.ByteBuffer;
import java.util.function.BooleanSupplier;

/**
 * A path between two endpoints of a fabric. It opens by a {@link Handshake}, whose outcome is also how each end knows the other's
 * messages. Each message says how many of the other direction have been handled, and how many payloads were read.
 *
 * <p>A path ends when both ends have said END. Who ends it before says LEAVE, after which the peer relies on nothing that it
 * has read of this end's memory and not handed over.
 */
final class RdmaPath implements Path {

    /** How long a path may take to open, until this end has said CONFIRM. */
    private static final long OPEN_NS_MAX = 10_000_000_000L;

    /** The same, once it has: later, since the peer may have opened it. */
    private static final long CONFIRMED_NS_MAX = 2 * OPEN_NS_MAX;

    /** How long to wait for the word that everything has been read. */
    private static final long ANSWER_NS_MAX = 1_000_000_000;

    /** How long a call may wait for memory to be its owner's again. */
    private static final long SETTLE_NS_MAX = 100_000_000;

    /** How long those behind a message may be here before it. A connection of libfabric's that broke may have lost it. */
    private static final long GAP_NS_MAX = 2_000_000_000;

    /** How far the path is. */
    private enum State {
        /** Has said nothing. */
        BEGUN,
        /** Has said OPEN. */
        GREETED,
        /** Has said CONFIRM: the peer may have opened it. */
        CONFIRMED,
        OPEN,
        CLOSED
    }

    private final RdmaTransport transport;
    private final RdmaEndpoint endpoint;
    private final int peer;
    private final int number;
    private final long begunNs;
    private final Handshake handshake;
    private final RdmaInput input;
    private final RdmaOutput output;
    private State state = State.BEGUN;
    private boolean wanted;
    private FrameHandler handler;

    // Known when the peer has said OPEN: what it says, and what is said to it.
    private long inToken;
    private long outToken;

    private boolean inputOpen;
    private boolean inputEnded;

    /** The handler has been told that the path broke. */
    private boolean broken;

    /** The peer has said that it is over. */
    private boolean left;

    /** What the next turn ends the path with. */
    private ZipException failure;

    /** Since when a message is missing of which those behind it are here; 0 if none is. */
    private long gapSinceNs;

    private int inFlight;
    private long answerDueNs;

    // What the peer was told last, and whether it must be told now.
    private int toldConsumed;
    private int toldPulled;
    private boolean tellNow;

    /** The slot of a message that is waited for. */
    private int watched = Slots.NONE;

    /** The message that was waited for last has left, and has not failed. */
    private boolean watchedLeft;

    /**
     * A path that has not begun to open.
     *
     * @param number of the peer, as the endpoint knows it
     */
    RdmaPath(RdmaTransport transport, RdmaEndpoint endpoint, int peer, int number, long nowNs) {
        this.transport = transport;
        this.endpoint = endpoint;
        this.peer = peer;
        this.number = number;
        begunNs = nowNs;
        handshake = new Handshake(transport.view(), peer);
        input = new RdmaInput(this, endpoint, transport.counters());
        output = new RdmaOutput(this, endpoint, transport.counters());
    }

    // ---- opening

    /** Somebody here waits for it: failure is to be told. */
    void want() {
        wanted = true;
    }

    boolean isWanted() {
        return wanted;
    }

    boolean isOpening() {
        return state != State.OPEN && state != State.CLOSED;
    }

    /** Whether it opens as soon as the peer has said CONFIRM. */
    boolean hasConfirmed() {
        return state == State.CONFIRMED;
    }

    /**
     * Takes the steps that are possible.
     *
     * @throws ZipException if the path cannot be opened
     */
    void climb(long nowNs) {
        if (failure != null) {
            throw failure;
        }
        if (left) {
            throw new ZipException(
                    ErrorCode.UNREACHABLE, "rank " + peer + " ended its connection over RDMA before it was open");
        }
        long limitNs = state == State.CONFIRMED ? CONFIRMED_NS_MAX : OPEN_NS_MAX;
        if (nowNs - begunNs >= limitNs) {
            throw new ZipException(
                    ErrorCode.UNREACHABLE,
                    "no answer over " + endpoint.provider() + " within " + limitNs / 1_000_000 + " ms");
        }
        if (state == State.BEGUN && sayHello(Hello.OPEN)) {
            state = State.GREETED;
        }
        if (state == State.GREETED && handshake.isOpened() && sayHello(Hello.CONFIRM)) {
            state = State.CONFIRMED;
        }
        if (state == State.CONFIRMED && handshake.isConfirmed()) {
            state = State.OPEN;
            transport.opened(this);
        }
    }

    private boolean sayHello(int step) {
        int slot = endpoint.takeSlot();
        if (slot == Slots.NONE) {
            return false;
        }
        Slots slots = endpoint.outgoingSlots();
        handshake.write(step, slots.bytes(), slots.at(slot) + Message.BODY_OFFSET);
        return transmit(slot, Message.HELLO, 0, Message.HEADER_BYTES + Handshake.MESSAGE_BYTES);
    }

    /**
     * Reads a step of the peer's handshake.
     *
     * @param at     where it begins
     * @param length bytes
     * @throws ZipException if it is not the peer's
     */
    void hear(ByteBuffer message, int at, int length) {
        if (!isOpening() || handshake.isConfirmed()) {
            return;
        }
        if (handshake.isRefusal(message, at, length)) {
            failure = new ZipException(ErrorCode.UNREACHABLE, "rank " + peer + " wants no connection");
            return;
        }
        handshake.read(message, at, length);
        inToken = handshake.token(peer);
        outToken = handshake.token(transport.view().rank());
    }

    // ---- messages; all but send and say amid a look at completions: nothing there calls back

    /** A message with this path's peer as its source has come in. */
    void received(int slot, int length) {
        ByteBuffer message = endpoint.received().bytes();
        int at = endpoint.received().at(slot);
        boolean isKnown = handshake.isOpened() && Message.token(message, at) == inToken;
        left |= isKnown && Message.kind(message, at) == Message.LEAVE;
        if (!isKnown || !isLive() || failure != null || !accept(message, at, slot, length)) {
            endpoint.repost(slot);
        }
    }

    /** Takes note of a message. Returns false if its slot is not needed any more. */
    private boolean accept(ByteBuffer message, int at, int slot, int length) {
        int kind = Message.kind(message, at);
        int counter = Message.number(message, at);
        boolean isFit = output.answered(Message.consumed(message, at), Message.pulled(message, at));
        boolean isKept = isFit && kind != Message.MOVED && Message.isCounted(kind) && input.add(counter, slot, length);
        boolean isTaken = isKept
                || (isFit && (kind == Message.DONE || kind == Message.LEAVE || moved(message, at, kind, length)));
        if (!isTaken) {
            failure = new ZipException(
                    ErrorCode.PROTOCOL,
                    "a message of kind " + kind + " of rank " + peer + ", number " + counter
                            + ", that cannot be or says what cannot be");
        }
        return isKept;
    }

    private boolean moved(ByteBuffer message, int at, int kind, int length) {
        return kind == Message.MOVED
                && length == Message.MOVED_BYTES
                && input.moved(
                        Message.number(message, at),
                        message.getInt(at + Message.MOVED_PULL_OFFSET),
                        message.getLong(at + Message.MOVED_ADDRESS_OFFSET),
                        message.getLong(at + Message.MOVED_KEY_OFFSET));
    }

    /** A message has left, or failed. */
    void sent(int slot, int status) {
        inFlight--;
        if (slot == watched) {
            watched = Slots.NONE;
            watchedLeft = status == 0;
            if (isOver()) {
                output.letGoOfCopies(status == 0);
            }
        }
        if (status < 0 && failure == null && !left) {
            failure = new ZipException(
                    state == State.OPEN ? ErrorCode.PEER_LOST : ErrorCode.UNREACHABLE,
                    "rank " + peer + " cannot be sent to over " + endpoint.provider() + ": " + endpoint.text(status));
        }
    }

    void haveRead(int index, int status) {
        input.haveRead(index, status);
    }

    /**
     * Sends a counted message whose body is in its slot.
     *
     * @return false if it has to wait; the slot is given back
     */
    boolean send(int slot, int kind, int bytes) {
        boolean isSent = transmit(slot, kind, outToken, bytes);
        if (isSent) {
            output.counted();
        }
        return isSent;
    }

    /** Sends a message without a body, if there is a slot. */
    boolean say(int kind) {
        int slot = kind == Message.LEAVE ? endpoint.takeReservedSlot() : endpoint.takeSlot();
        if (slot == Slots.NONE) {
            return false;
        }
        if (Message.isCounted(kind)) {
            return send(slot, kind, Message.HEADER_BYTES);
        }
        return transmit(slot, kind, outToken, Message.HEADER_BYTES) && watch(kind, slot);
    }

    private boolean watch(int kind, int slot) {
        if (kind == Message.LEAVE) {
            watch(slot);
        }
        return true;
    }

    private void watch(int slot) {
        watched = slot;
        watchedLeft = false;
    }

    private boolean transmit(int slot, int kind, long token, int bytes) {
        ByteBuffer message = endpoint.outgoingSlots().bytes();
        int at = endpoint.outgoingSlots().at(slot);
        Message.begin(message, at, token, kind, transport.view().rank());
        Message.number(message, at, output.sent());
        Message.counts(message, at, input.consumed(), input.pulled());
        boolean isWatched = kind == Message.MOVED || kind == Message.LEAVE;
        int code =
                isWatched ? endpoint.sendSlowly(peer, number, slot, bytes) : endpoint.send(peer, number, slot, bytes);
        if (code >= 0) {
            inFlight += code == RdmaEndpoint.GONE ? 0 : 1;
            toldConsumed = input.consumed();
            toldPulled = input.pulled();
            tellNow = false;
            return true;
        }
        if (code != FabricError.TRY_AGAIN && kind != Message.LEAVE) {
            throw new ZipException(
                    ErrorCode.PEER_LOST,
                    "rank " + peer + " cannot be sent to over " + endpoint.provider() + ": " + endpoint.text(code));
        }
        return false;
    }

    /**
     * Tells the peer that a payload is elsewhere, and waits until that has left: what the peer reads afterwards it knows not to count.
     * If it fails, which ends the path, the peer is told that instead.
     *
     * @param pull which one it is of those it was told of
     * @return false if that fails or takes too long
     */
    boolean tellMoved(int pull, Bounce copy) {
        boolean[] isTold = new boolean[1];
        boolean isOver = await(() -> {
            isTold[0] = isTold[0] || sendMoved(pull, copy);
            return isTold[0] && watched == Slots.NONE;
        });
        return isOver && (watchedLeft || await(this::part));
    }

    /**
     * Whether the peer relies on nothing of this end any more. If it may, it is told so, again and again while that fails.
     */
    private boolean part() {
        boolean isParted = left || endpoint.problem() != null || watchedLeft;
        if (!isParted && watched == Slots.NONE) {
            say(Message.LEAVE);
        }
        return isParted;
    }

    /**
     * After an attempt to send failed: whether there may be a connection all the same, over which memory is being sent. If nothing is on
     * its way and there is room for more, nothing but a connection was missing.
     */
    boolean mayBeConnected() {
        return watched != Slots.NONE || inFlight > 0 || !endpoint.hasSlot();
    }

    private boolean sendMoved(int pull, Bounce copy) {
        int slot = endpoint.takeReservedSlot();
        if (slot == Slots.NONE) {
            return false;
        }
        ByteBuffer message = endpoint.outgoingSlots().bytes();
        int at = endpoint.outgoingSlots().at(slot);
        message.putLong(at + Message.MOVED_ADDRESS_OFFSET, copy.key().address());
        message.putLong(at + Message.MOVED_KEY_OFFSET, copy.key().key());
        message.putInt(at + Message.MOVED_PULL_OFFSET, pull);
        boolean isSent = send(slot, Message.MOVED, Message.MOVED_BYTES);
        if (isSent) {
            watch(slot);
        }
        return isSent;
    }

    /**
     * Waits for something that the endpoint does, without calling anybody back.
     *
     * @return false if it takes too long
     */
    boolean await(BooleanSupplier done) {
        long limitNs = System.nanoTime() + SETTLE_NS_MAX;
        while (!done.getAsBoolean()) {
            if (endpoint.problem() != null || System.nanoTime() - limitNs >= 0) {
                return false;
            }
            if (transport.drain() == 0) {
                Thread.onSpinWait();
            }
        }
        return true;
    }

    /** Begins to read the peer's memory. The index comes back with the end. */
    int read(int index, long registration, long address, int bytes, long remoteAddress, long remoteKey) {
        return endpoint.read(peer, index, number, registration, address, bytes, remoteAddress, remoteKey);
    }

    // ---- path

    @Override
    public int peer() {
        return peer;
    }

    /** The peer's, as the endpoint knows it. */
    int number() {
        return number;
    }

    @Override
    public String name() {
        return RdmaTransport.NAME;
    }

    @Override
    public int fragmentBytesMax() {
        return endpoint.outgoing().bytes();
    }

    @Override
    public void bind(FrameHandler frames) {
        handler = frames;
    }

    FrameHandler handler() {
        return handler;
    }

    @Override
    public void openInput() {
        inputOpen = true;
    }

    @Override
    public void flush() {
        if (isWritable()) {
            output.flush();
        }
    }

    @Override
    public void release(Object attachment) {
        if (isOpen() && !broken) {
            output.release(attachment);
            input.release(attachment);
        }
    }

    @Override
    public void closeOutput() {
        if (isWritable()) {
            answerDueNs = System.nanoTime() + ANSWER_NS_MAX;
            output.end();
        }
    }

    @Override
    public void close() {
        if (state == State.CLOSED) {
            return;
        }
        boolean isOver = state != State.OPEN || broken;
        boolean isRegular = inputEnded && output.isEnded();
        if (!isOver && isRegular) {
            tell();
        }
        if (isOpening() && handshake.isOpened() && !left && endpoint.problem() == null) {
            // The peer may have opened it, or do so yet.
            say(Message.LEAVE);
        }
        state = State.CLOSED;
        transport.closed(this);
        if (endpoint.problem() != null || isOver) {
            return;
        }
        if (!isRegular) {
            letGo();
        } else if (isLingering()) {
            transport.linger(this);
        }
    }

    /** Nothing of this path is relied on any more, here or at the peer. */
    private void letGo() {
        // The peer may have said so: then it may be gone, and shared memory of this very process with it.
        transport.drain();
        watched = Slots.NONE;
        watchedLeft = false;
        boolean isParted = part();
        if ((output.isLending() && !isParted) || input.isReadingInPlace()) {
            await(() -> part() && !input.isReadingInPlace());
        }
        output.letGo(part());
        input.letGo();
        if (output.isUnread()) {
            transport.drain();
        }
        output.letGoOfCopies(part());
    }

    // ---- turns

    boolean isOpen() {
        return state == State.OPEN;
    }

    boolean isWritable() {
        return state == State.OPEN && handler != null && !broken;
    }

    boolean reads() {
        return state == State.OPEN && inputOpen && !broken;
    }

    /** Whether messages of the peer count. */
    boolean isLive() {
        return !isOver();
    }

    /** Whether nothing that comes of operations counts any more. */
    boolean isOver() {
        return (state == State.CLOSED || broken) && !isLingering();
    }

    boolean isInputEnded() {
        return inputEnded;
    }

    /** Whether the peer has ended the path before its time. */
    boolean hasLeft() {
        return left;
    }

    /** Instant of the last look at the clock. */
    long nowNs() {
        return transport.nowNs();
    }

    /** Whether something must still reach the peer. */
    boolean hasOutput() {
        if (state != State.OPEN || broken || left) {
            return false;
        }
        boolean isAnswerDue =
                output.isEnded() && !(output.isAnswered() && inputEnded) && System.nanoTime() - answerDueNs < 0;
        return output.isWaiting() || (!output.isEnded() && (inFlight > 0 || output.isUnread())) || isAnswerDue;
    }

    /** Whether, after a regular end, the peer has not read everything, or does not know that everything was read here. */
    boolean isLingering() {
        return state == State.CLOSED
                && inputEnded
                && output.isEnded()
                && !broken
                && !left
                && (!output.isAnswered() || isTellingDue())
                && System.nanoTime() - answerDueNs < 0;
    }

    /** A turn of a path that was closed regularly, until it is over. */
    void lingeringTurn() {
        output.settle();
        tell();
    }

    /** A look at what takes too long. */
    void look(long nowNs) {
        if (!input.hasGap()) {
            gapSinceNs = 0;
        } else if (gapSinceNs == 0) {
            gapSinceNs = nowNs;
        } else if (nowNs - gapSinceNs >= GAP_NS_MAX) {
            failLater("cannot be followed: a message of it is missing for " + GAP_NS_MAX / 1_000_000 + " ms");
        }
    }

    /** A turn of an open path. Returns how much there was to do. */
    int turn() {
        if (failure != null) {
            end(failure);
            return 1;
        }
        int work = read();
        if (isWritable()) {
            work += output.turn();
        }
        boolean isDone = inputEnded && output.isEnded();
        if (left && isWritable() && !isDone && (!reads() || input.isDry())) {
            end(new ZipException(ErrorCode.PEER_LOST, "rank " + peer + " ended its connection over RDMA"));
            return work + 1;
        }
        if (isWritable()) {
            tell();
        }
        return work;
    }

    private int read() {
        try {
            return reads() ? input.poll() : 0;
        } catch (ZipException e) {
            end(e);
        } catch (RuntimeException e) {
            end(new ZipException(ErrorCode.INTERNAL, "a frame of rank " + peer + " could not be handled: " + e, e));
        }
        return 1;
    }

    private boolean isTellingDue() {
        return tellNow
                || input.pulled() != toldPulled
                || input.consumed() - toldConsumed >= Math.max(1, endpoint.credit() / 4);
    }

    /** Tells the peer what was handled and read, if it may be waiting for that. */
    private void tell() {
        if (!left && isTellingDue()) {
            try {
                say(Message.DONE);
            } catch (ZipException e) {
                failure = e;
            }
        }
    }

    // ---- frames

    void headerReceived(ByteBuffer header, int at, InboundFrame frame) {
        FrameType type = FrameType.of(Frame.type(header, at));
        if (!type.isLinkFrame()) {
            throw new ZipException(ErrorCode.PROTOCOL, "not a link frame: " + Frame.describe(header, at));
        }
        handler.headerReceived(this, header, at, frame);
    }

    void frameReceived(InboundFrame frame) {
        handler.frameReceived(this, frame);
    }

    /** The peer's last frame was read. */
    void inputEnded() {
        inputEnded = true;
        tellNow = true;
        handler.ended(this, null);
    }

    /** The next turn ends the path. */
    void failLater(String what) {
        if (failure == null) {
            failure = new ZipException(ErrorCode.PEER_LOST, "rank " + peer + " " + what);
        }
    }

    /** The path is over. */
    void end(ZipException why) {
        if (broken || state != State.OPEN) {
            return;
        }
        broken = true;
        letGo();
        handler.ended(this, why);
    }
}
