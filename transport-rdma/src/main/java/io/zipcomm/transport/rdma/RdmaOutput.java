package io.zipcomm.transport.rdma;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.TransportCounters;
import io.zipcomm.transport.rdma.ffi.Addresses;
import io.zipcomm.transport.rdma.ffi.Fabric;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The way out of a {@link RdmaPath}: takes frames from the path's handler. Short payloads go with their header. Of long ones the peer
 * is told where they are, and reads them: from their owner's memory, if that can be registered, and else from a copy.
 *
 * <p>Several payloads of one message may be read at the same time. Behind the last of a message no frame is taken before its memory is
 * its owner's again.
 *
 * <p>Engine holder only. Nothing is allocated but for a frame that is released on its way, and memory for copies when it is needed first.
 */
final class RdmaOutput {

    /** Payloads that the peer has been told of and has not read. */
    static final int PULLS_MAX = 4;

    private final RdmaPath path;
    private final RdmaEndpoint endpoint;
    private final TransportCounters counters;
    private final ByteBuffer header =
            ByteBuffer.allocateDirect(Frame.HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);

    /** What the handler fills, and is told of. */
    private final OutboundFrame frame = new OutboundFrame();

    /** Taken last. */
    private Outgoing current = new Outgoing();

    /** It has not left. */
    private boolean pending;

    private boolean ending;
    private boolean ended;

    /** A frame has left of which the handler knows nothing: it may have more. */
    private boolean goOn;

    private boolean flushing;
    private boolean flushAgain;

    // Counted messages: sent, and handled by the peer. They wrap.
    private int sent;
    private int acked;

    // Payloads that the peer was told of, has read, and of which that was noted here. They wrap.
    private int pulls;
    private int pulled;
    private int settled;

    /** What the peer was told of, by the number of the payload. */
    private final Outgoing[] told = new Outgoing[PULLS_MAX];

    /** How many of them are in their owner's memory: for each there may have to be word that it is elsewhere. */
    private int lending;

    /** Nothing is taken before this one is its owner's again; null if there is none. */
    private Outgoing last;

    /** A frame's payload. */
    private static final class Outgoing {
        Payload payload;
        long offset;
        int bytes;
        Object attachment;

        /** The handler is to be told when it has left its owner's memory. */
        boolean owes;

        // What the peer reads: a copy, or its owner's memory.
        Bounce copy;
        Registration lent;

        boolean isOf(Object owner) {
            return owes && attachment == owner;
        }
    }

    RdmaOutput(RdmaPath path, RdmaEndpoint endpoint, TransportCounters counters) {
        this.path = path;
        this.endpoint = endpoint;
        this.counters = counters;
        for (int i = 0; i < PULLS_MAX; i++) {
            told[i] = new Outgoing();
        }
    }

    private Outgoing told(int pull) {
        return told[Math.floorMod(pull, PULLS_MAX)];
    }

    /** Whether something can leave as soon as the peer allows. */
    boolean isWaiting() {
        return pending || goOn || (ending && !ended);
    }

    /** Whether the last message has left. */
    boolean isEnded() {
        return ended;
    }

    /** Whether the peer has handled all, and read all. */
    boolean isAnswered() {
        return sent == acked && pulls == settled;
    }

    /** Whether the peer has to read something yet. */
    boolean isUnread() {
        return pulls != settled;
    }

    /** Whether the peer may be reading memory of its owner. */
    boolean isLending() {
        return lending > 0;
    }

    /** How many counted messages went before the next. */
    int sent() {
        return sent;
    }

    /** A counted message has left. */
    void counted() {
        sent++;
    }

    /** Whether a counted message may leave, so that there is word of whatever is lent. */
    private boolean hasCredit(int lendingAfter) {
        return endpoint.credit() - (sent - acked) >= 1 + lendingAfter;
    }

    /**
     * What the peer says it has done; it may have said more already.
     *
     * @return false if that cannot be
     */
    boolean answered(int consumedByPeer, int pulledByPeer) {
        if (sent - consumedByPeer < 0 || pulls - pulledByPeer < 0) {
            return false;
        }
        acked = consumedByPeer - acked > 0 ? consumedByPeer : acked;
        pulled = pulledByPeer - pulled > 0 ? pulledByPeer : pulled;
        return true;
    }

    /** Takes note of what the peer has read, and sends what waits. Returns how much there was to do. */
    int turn() {
        int before = settled;
        int sentBefore = sent;
        boolean isDue = isWaiting() || settled != pulled;
        settle();
        if (isDue && path.isWritable()) {
            flush();
        }
        return settled - before + sent - sentBefore;
    }

    /** After the frames that are queued, no more. */
    void end() {
        ending = true;
        flush();
    }

    /** Takes frames and sends them until there are none, or the peer has no room. */
    void flush() {
        if (flushing) {
            flushAgain = true;
            return;
        }
        flushing = true;
        try {
            do {
                flushAgain = false;
                sendAll();
            } while (flushAgain && path.isWritable());
        } catch (ZipException e) {
            path.end(e);
        } catch (RuntimeException e) {
            path.end(new ZipException(
                    ErrorCode.INTERNAL, "a frame for rank " + path.peer() + " could not be made: " + e, e));
        } finally {
            flushing = false;
        }
    }

    private void sendAll() {
        goOn = false;
        while (path.isWritable() && (pending || take())) {
            if (!send()) {
                return;
            }
        }
        if (ending && !ended && path.isWritable() && lending == 0 && !isOwing()) {
            ended = hasCredit(0) && path.say(Message.END);
        }
    }

    private boolean take() {
        if (last != null) {
            return false;
        }
        frame.clear();
        if (ending || !path.handler().nextFrame(path, header, 0, frame)) {
            return false;
        }
        current.payload = frame.payload;
        current.offset = frame.offset;
        current.bytes = frame.bytes;
        current.attachment = frame.attachment;
        current.owes = frame.payload != null;
        pending = true;
        return true;
    }

    /** Sends the frame, or tells the peer of it. Returns false if it has to wait. */
    private boolean send() {
        // Behind what is lent of its message, so that its memory is not given back before that.
        boolean isShort = current.bytes <= endpoint.inlineBytesMax() && !isBehindLent();
        return isShort ? hasCredit(lending) && sendInline() : pulls - settled < PULLS_MAX && tell();
    }

    private boolean isBehindLent() {
        for (int pull = settled + 1; lending > 0 && current.owes && pull - pulls <= 0; pull++) {
            if (told(pull).isOf(current.attachment)) {
                return true;
            }
        }
        return false;
    }

    /** Whether the handler is to be told of frames that have left. */
    private boolean isOwing() {
        for (int pull = settled + 1; pull - pulls <= 0; pull++) {
            if (told(pull).owes) {
                return true;
            }
        }
        return false;
    }

    private boolean sendInline() {
        int slot = endpoint.takeSlot();
        if (slot == Slots.NONE) {
            return false;
        }
        Slots slots = endpoint.outgoingSlots();
        int at = slots.at(slot);
        slots.bytes().put(at + Message.BODY_OFFSET, header, 0, Frame.HEADER_BYTES);
        if (current.bytes > 0) {
            current.payload.copyOut(current.offset, slots.memory(), at + Message.PAYLOAD_OFFSET, current.bytes);
        }
        if (!path.send(slot, Message.FRAME, Message.PAYLOAD_OFFSET + current.bytes)) {
            return false;
        }
        hasLeft();
        taken(current);
        return true;
    }

    private boolean tell() {
        if (current.bytes > endpoint.outgoing().bytes()) {
            throw new ZipException(ErrorCode.INTERNAL, "a frame of " + current.bytes + " payload bytes");
        }
        if (!hasCredit(lending + 1)) {
            return false;
        }
        Registration registration = register();
        Bounce copy = registration == null ? endpoint.outgoing().take() : null;
        if (registration == null && copy == null) {
            return false;
        }
        int slot = endpoint.takeSlot();
        if (slot == Slots.NONE || !sendPull(slot, registration, copy)) {
            giveBack(registration, copy);
            return false;
        }
        note(registration, copy);
        return true;
    }

    /** The payload's own memory, for the peer to read; null if it cannot be. */
    private Registration register() {
        // Not the copy of a released frame, which is never sent again.
        ByteBuffer direct = current.owes ? current.payload.direct() : null;
        return direct == null ? null : endpoint.cache().take(direct, Fabric.REMOTE_READ, path.nowNs());
    }

    private boolean sendPull(int slot, Registration registration, Bounce copy) {
        Slots slots = endpoint.outgoingSlots();
        ByteBuffer message = slots.bytes();
        int at = slots.at(slot);
        message.put(at + Message.BODY_OFFSET, header, 0, Frame.HEADER_BYTES);
        if (copy == null) {
            long address = Addresses.of(current.payload.direct()) + current.offset;
            message.putLong(at + Message.PULL_ADDRESS_OFFSET, registration.remoteAddress(address));
            message.putLong(at + Message.PULL_KEY_OFFSET, registration.remoteKey());
        } else {
            current.payload.copyOut(current.offset, copy.memory(), 0, current.bytes);
            message.putLong(at + Message.PULL_ADDRESS_OFFSET, copy.key().address());
            message.putLong(at + Message.PULL_KEY_OFFSET, copy.key().key());
        }
        return path.send(slot, Message.PULL, Message.PULL_BYTES);
    }

    private void giveBack(Registration registration, Bounce copy) {
        if (registration != null) {
            endpoint.cache().give(registration);
        }
        if (copy != null) {
            endpoint.outgoing().give(copy);
        }
    }

    /** The peer has been told of the frame. */
    private void note(Registration registration, Bounce copy) {
        boolean isTaken = registration == null && !isBehindLent();
        hasLeft();
        pulls++;
        Outgoing one = current;
        current = told(pulls);
        told[Math.floorMod(pulls, PULLS_MAX)] = one;
        one.copy = copy;
        one.lent = registration;
        lending += registration == null ? 0 : 1;
        if (isTaken) {
            taken(one);
        } else {
            last = one.owes && isLast() ? one : null;
        }
    }

    /** Whether the header that was made last is that of its message's last frame. */
    private boolean isLast() {
        return Frame.type(header, 0) != FrameType.DATA.number()
                || Frame.offset(header, 0) + Frame.payloadBytes(header, 0) >= Frame.messageBytes(header, 0);
    }

    private void hasLeft() {
        pending = false;
        counters.framesSent++;
        counters.directBytesSent += Frame.HEADER_BYTES + current.bytes;
    }

    /** A payload has left its owner's memory. */
    private void taken(Outgoing one) {
        if (one.owes) {
            one.owes = false;
            frame.payload = one.payload;
            frame.offset = one.offset;
            frame.bytes = one.bytes;
            frame.attachment = one.attachment;
            path.handler().payloadTaken(frame);
        }
    }

    /** Memory of which the peer has said that it has read it. */
    void settle() {
        while (settled - pulled < 0) {
            settled++;
            Outgoing one = told(settled);
            last = last == one ? null : last;
            giveBack(one.lent, one.copy);
            lending -= one.lent == null ? 0 : 1;
            one.lent = null;
            one.copy = null;
            taken(one);
        }
    }

    /** Copies what is released of the frames on their way. What the peer has been told of it is taken back. */
    void release(Object attachment) {
        if (attachment == null) {
            return;
        }
        for (int pull = settled + 1; pull - pulls <= 0; pull++) {
            Outgoing one = told(pull);
            if (one.isOf(attachment)) {
                one.owes = false;
                goOn |= last == one;
                last = last == one ? null : last;
                if (one.lent != null && path.isWritable()) {
                    move(pull, one);
                }
            }
        }
        if (pending && current.isOf(attachment)) {
            current.owes = false;
            Segment copy = Segment.allocate((current.bytes + Long.BYTES - 1) / Long.BYTES * Long.BYTES);
            current.payload.copyOut(current.offset, copy, 0, current.bytes);
            current.payload = Payload.of(copy.bytes(), 0, current.bytes, DataType.INT8);
            current.offset = 0;
        }
    }

    /** A payload that the peer may be reading lies elsewhere from now on. If the peer cannot be told, the path is about to end. */
    private void move(int pull, Outgoing one) {
        boolean isSafe = false;
        boolean mayBeSending = true;
        try {
            one.copy = endpoint.outgoing().takeInAnyCase();
            one.payload.copyOut(one.offset, one.copy.memory(), 0, one.bytes);
            isSafe = path.tellMoved(pull, one.copy) || pulled - pull >= 0;
            mayBeSending = path.mayBeConnected();
        } catch (ZipException e) {
            path.failLater("cannot be told that a payload is taken back from it: " + e.reason());
        }
        if (isSafe) {
            endpoint.cache().give(one.lent);
            one.lent = null;
            lending--;
        } else {
            // All of the path, so that the peer is waited for once only.
            revokeAll(mayBeSending);
            path.failLater("has not taken a message for 100 ms, amid a payload that is taken back from it");
        }
    }

    /**
     * Memory is its owner's again, and the peer does not know: it is to reach none of it. Reads that begin from now on find nothing. Where other
     * paths lend the same memory it stays registered, and software may have begun to send it: then only the end of the endpoint ends that.
     *
     * @param mayBeSending whether bytes of it may be on their way where this process sends them, and not hardware
     */
    private void revokeAll(boolean mayBeSending) {
        boolean isEndNeeded = mayBeSending && !endpoint.isOneSided() && lending > 0;
        for (Outgoing one : told) {
            if (one.lent != null) {
                endpoint.cache().revoke(one.lent);
            }
        }
        for (Outgoing one : told) {
            isEndNeeded |= one.lent != null && !one.lent.hasEnded;
            one.lent = null;
        }
        lending = 0;
        if (isEndNeeded) {
            endpoint.giveUp(
                    "memory that rank " + path.peer() + " reads had to be taken back, and it takes no messages");
        }
    }

    /**
     * The path is over, and the peer knows, or cannot be told.
     *
     * @param isSafe whether the peer reads nothing of its owner's memory any more
     */
    void letGo(boolean isSafe) {
        if (!isSafe) {
            revokeAll(path.mayBeConnected());
        }
        for (Outgoing one : told) {
            if (one.lent != null) {
                endpoint.cache().give(one.lent);
                one.lent = null;
            }
            one.owes = false;
        }
        lending = 0;
        last = null;
        pending = false;
        current.owes = false;
    }

    /**
     * The peer does not rely on copies any more, or if it may, they are kept.
     *
     * @param isKnown whether the peer knows that the path is over
     */
    void letGoOfCopies(boolean isKnown) {
        settled = pulls;
        for (Outgoing one : told) {
            if (one.copy != null && isKnown) {
                endpoint.outgoing().give(one.copy);
                one.copy = null;
            }
        }
    }
}
