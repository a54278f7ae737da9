package io.zipcomm.internal;

import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/**
 * Messages of one link on their way out. Short ones go eagerly while there is credit; others are announced (REQUEST) unless
 * the receiver has already said that it is ready (CLEAR), and go in fragments (DATA) once it has.
 *
 * <p>Announcements keep the order of the sends; data of cleared messages goes behind them, oldest first.
 */
final class SendSide {

    /** In CLEAR: an answer to a REQUEST, not sent ahead of one. The tag is the sender's number for the message. */
    static final int FLAG_REPLY = 1;

    /** In CLEAR: the message does not fit; message bytes is the room there is. */
    static final int FLAG_REFUSED = 2;

    /** In CLEAR, with {@link #FLAG_REFUSED}: the receiver has closed the communicator. */
    static final int FLAG_CLOSED = 4;

    /** In CANCEL: the transfer is the receiver's number, otherwise the sender's. */
    static final int FLAG_CLEARED = 1;

    /** In CANCEL: it is the receiver that withdrew a buffer, whose number it had told in a CLEAR ahead of the message. */
    static final int FLAG_RECEIVER = 2;

    private static final long BY_CLEARANCE = 1L << Integer.SIZE;

    private final Engine engine;
    private final Link link;
    private final Credit credit;
    private final int eagerBytes;

    /** Null if payloads carry no checksums. */
    private final PayloadChecksum checksum;

    /** Not announced yet: EAGER or REQUEST. */
    private final TransferQueue messages = new TransferQueue();

    /** Announced by REQUEST, waiting for CLEAR. */
    private final TransferQueue announced = new TransferQueue();

    /** DATA may go. */
    private final TransferQueue cleared = new TransferQueue();

    /** Receivers that are ready for a message that was not sent yet. */
    private final TransferQueue early = new TransferQueue();

    /** CANCEL frames to send: the number, with {@link #BY_CLEARANCE} if it is the receiver's. */
    private final ArrayDeque<Long> withdrawn = new ArrayDeque<>(0);

    /** The message of which the last frame is being sent: it is in no queue. */
    private Transfer leaving;

    private int numbers;

    SendSide(Engine engine, Link link, Credit credit) {
        this.engine = engine;
        this.link = link;
        this.credit = credit;
        eagerBytes = engine.eagerBytes();
        checksum = engine.checksum();
    }

    /**
     * Posts a message.
     *
     * @param share   number of what goes to several peers alike, 0 if it does not
     * @param sharers how many peers that are
     */
    Transfer post(
            int context,
            long tag,
            int signature,
            Payload payload,
            long offset,
            long bytes,
            long share,
            int sharers,
            Completion completion,
            int cookie) {
        ZipException refusal = link.refusal();
        if (refusal != null) {
            completion.completed(cookie, 0, refusal);
            return null;
        }
        Transfer send = engine.takeTransfer();
        send.link = link;
        send.context = context;
        send.tag = tag;
        send.signature = signature;
        send.payload = payload;
        send.offset = offset;
        send.bytes = bytes;
        send.share = share;
        send.sharers = sharers;
        send.completion = completion;
        send.cookie = cookie;
        Transfer ready = early.isEmpty() ? null : early.take(context, tag);
        if (ready != null) {
            credit.release(0);
            boolean fits = agrees(send, ready.bytes, ready.signature);
            int number = ready.number;
            engine.giveTransfer(ready);
            if (!fits) {
                return null;
            }
            if (bytes > eagerBytes) {
                clear(send, number);
                link.flush();
                return send;
            }
        }
        send.state = Transfer.State.QUEUED;
        send.announcement = bytes <= eagerBytes ? FrameType.EAGER : FrameType.REQUEST;
        messages.add(send);
        link.flush();
        return send;
    }

    private void clear(Transfer send, int number) {
        send.state = Transfer.State.CLEARED;
        send.clearance = number;
        cleared.add(send);
    }

    /** Whether something is not sent yet. */
    boolean hasWork() {
        return !messages.isEmpty()
                || !announced.isEmpty()
                || !cleared.isEmpty()
                || !withdrawn.isEmpty()
                || leaving != null;
    }

    /** Whether a frame could go now. */
    boolean isReady() {
        return !cleared.isEmpty() || (!messages.isEmpty() && credit.allowsEntry()) || !withdrawn.isEmpty();
    }

    /** Transfers that are waiting or under way. */
    int size() {
        return messages.size() + announced.size() + cleared.size();
    }

    boolean nextFrame(int fragmentBytesMax, ByteBuffer header, int at, OutboundFrame frame) {
        Transfer message = messages.peek();
        if (message != null) {
            if (message.announcement == FrameType.EAGER && credit.allowsEager(message.bytes)) {
                eager(messages.poll(), header, at, frame);
                return true;
            }
            // There is no frame for the data of an empty message, and it costs no more than its announcement.
            if (message.bytes == 0 && credit.allowsEntry()) {
                eager(messages.poll(), header, at, frame);
                return true;
            }
            if (message.bytes > 0 && credit.allowsEntry()) {
                request(messages.poll(), header, at);
                return true;
            }
        }
        Transfer data = cleared.peek();
        if (data != null) {
            data(fragmentBytesMax, data, header, at, frame);
            return true;
        }
        if (!withdrawn.isEmpty()) {
            long number = withdrawn.poll();
            Frame.begin(header, at, FrameType.CANCEL);
            Frame.flags(header, at, number >= BY_CLEARANCE ? FLAG_CLEARED : 0);
            Frame.transfer(header, at, (int) number);
            return true;
        }
        return false;
    }

    private void eager(Transfer send, ByteBuffer header, int at, OutboundFrame frame) {
        Frame.begin(header, at, FrameType.EAGER);
        describe(send, header, at);
        Frame.payloadBytes(header, at, (int) send.bytes);
        if (checksum != null) {
            Frame.checksum(header, at, checksum.of(send.payload, send.offset, (int) send.bytes));
        }
        credit.charge(send.bytes);
        if (send.bytes == 0) {
            complete(send, null);
        } else {
            leaving = send;
            carry(send, send.offset, (int) send.bytes, frame);
        }
    }

    private void request(Transfer send, ByteBuffer header, int at) {
        Frame.begin(header, at, FrameType.REQUEST);
        describe(send, header, at);
        send.number = ++numbers;
        Frame.transfer(header, at, send.number);
        credit.charge(0);
        send.announcement = FrameType.REQUEST;
        send.state = Transfer.State.ANNOUNCED;
        announced.add(send);
    }

    private void data(int fragmentBytesMax, Transfer send, ByteBuffer header, int at, OutboundFrame frame) {
        int bytes = (int) Math.min(send.bytes - send.moved, fragmentBytesMax);
        Frame.begin(header, at, FrameType.DATA);
        Frame.context(header, at, send.context);
        Frame.payloadBytes(header, at, bytes);
        Frame.offset(header, at, send.moved);
        Frame.messageBytes(header, at, send.bytes);
        Frame.transfer(header, at, send.clearance);
        if (checksum == null) {
            Frame.signature(header, at, send.signature);
        } else {
            Frame.checksum(header, at, checksum.of(send.payload, send.offset + send.moved, bytes));
        }
        carry(send, send.offset + send.moved, bytes, frame);
        send.moved += bytes;
        if (send.moved == send.bytes) {
            leaving = cleared.poll();
        }
    }

    private static void describe(Transfer send, ByteBuffer header, int at) {
        Frame.context(header, at, send.context);
        Frame.tag(header, at, send.tag);
        Frame.messageBytes(header, at, send.bytes);
        Frame.signature(header, at, send.signature);
    }

    private static void carry(Transfer send, long offset, int bytes, OutboundFrame frame) {
        frame.payload = send.payload;
        frame.offset = offset;
        frame.bytes = bytes;
        frame.share = send.share;
        frame.shareOffset = offset;
        frame.sharers = send.sharers;
        frame.attachment = send;
    }

    /** A frame's payload has left the caller's memory. */
    void payloadTaken(Transfer send) {
        if (send == leaving) {
            leaving = null;
            complete(send, null);
        }
    }

    /** CLEAR came in. */
    void cleared(ByteBuffer header, int at) {
        int context = Frame.context(header, at);
        long tag = Frame.tag(header, at);
        int flags = Frame.flags(header, at);
        boolean reply = (flags & FLAG_REPLY) != 0;
        if (!reply && !credit.keep(0)) {
            throw Link.protocol("CLEAR without credit", header, at);
        }
        // A reply means one message, which may have been withdrawn by now, not the next with its tag.
        Transfer send = reply ? announced.takeNumber((int) tag) : announced.take(context, tag);
        if (send == null && !reply) {
            send = takeQueued(context, tag);
        }
        if (send == null) {
            if (!reply) {
                keepEarly(header, at);
            }
            return;
        }
        if (!reply) {
            credit.release(0);
        }
        if ((flags & FLAG_REFUSED) != 0) {
            refused(send, flags, Frame.messageBytes(header, at), Frame.signature(header, at));
        } else if (agrees(send, Frame.messageBytes(header, at), Frame.signature(header, at))) {
            clear(send, Frame.transfer(header, at));
        }
    }

    private void refused(Transfer send, int flags, long roomBytes, int signature) {
        ZipException problem = mismatch(link.peer(), send.signature, signature, 0, 0);
        if ((flags & FLAG_CLOSED) != 0) {
            problem = ZipException.of(ErrorCode.PEER_LEFT, "rank " + link.peer() + " has closed the communicator")
                    .peer(link.peer())
                    .build();
        } else if (problem == null) {
            problem = ZipException.of(
                            ErrorCode.LENGTH_MISMATCH,
                            "rank " + link.peer() + " expects " + roomBytes + " bytes, this rank sends " + send.bytes)
                    .peer(link.peer())
                    .build();
        }
        complete(send, problem);
    }

    /** A queued message whose receiver is ready needs no announcement; short ones go eagerly all the same. */
    private Transfer takeQueued(int context, long tag) {
        Transfer queued = messages.find(context, tag);
        if (queued == null || queued.announcement == FrameType.EAGER) {
            return null;
        }
        messages.remove(queued);
        return queued;
    }

    private void keepEarly(ByteBuffer header, int at) {
        if (engine.isClosed(Frame.context(header, at))) {
            credit.release(0);
            return;
        }
        Transfer ready = engine.takeTransfer();
        ready.state = Transfer.State.CLEARED;
        ready.context = Frame.context(header, at);
        ready.tag = Frame.tag(header, at);
        ready.signature = Frame.signature(header, at);
        ready.bytes = Frame.messageBytes(header, at);
        ready.number = Frame.transfer(header, at);
        early.add(ready);
    }

    /** CANCEL came in: a receiver is not ready any more. If its message is under way it throws that away. */
    void receiverWithdrew(int number) {
        Transfer ready = early.takeNumber(number);
        if (ready != null) {
            credit.release(0);
            engine.giveTransfer(ready);
        }
    }

    private boolean agrees(Transfer send, long expectedBytes, int signature) {
        ZipException problem = mismatch(link.peer(), send.signature, signature, send.bytes, expectedBytes);
        if (problem == null) {
            return true;
        }
        complete(send, problem);
        return false;
    }

    /** What is wrong if a message of {@code bytes} meets a peer that takes part with other parameters; null if nothing. */
    static ZipException mismatch(int peer, int signature, int peerSignature, long bytes, long peerBytes) {
        if (signature != peerSignature && signature != 0 && peerSignature != 0) {
            return ZipException.of(ErrorCode.OPERATION_MISMATCH, Signature.difference(signature, peer, peerSignature))
                    .peer(peer)
                    .build();
        }
        if (bytes != peerBytes) {
            return ZipException.of(
                            ErrorCode.LENGTH_MISMATCH,
                            "this rank has a message of " + bytes + " bytes, rank " + peer + " one of " + peerBytes)
                    .peer(peer)
                    .build();
        }
        return null;
    }

    /** Takes back a message: its completion does not fire and its memory is free. */
    void withdraw(Transfer send) {
        if (send == leaving) {
            leaving = null;
            link.release(send);
        } else if (send.state == Transfer.State.QUEUED) {
            messages.remove(send);
        } else if (send.state == Transfer.State.ANNOUNCED) {
            announced.remove(send);
            withdrawn.add((long) send.number);
        } else {
            cleared.remove(send);
            link.release(send);
            withdrawn.add(BY_CLEARANCE | Integer.toUnsignedLong(send.clearance));
        }
        engine.giveTransfer(send);
        link.flush();
    }

    private void complete(Transfer send, ZipException problem) {
        Completion completion = send.completion;
        int cookie = send.cookie;
        long bytes = send.bytes;
        engine.giveTransfer(send);
        completion.completed(cookie, bytes, problem);
    }

    /** Every message fails. */
    void fail(ZipException reason) {
        failAll(messages, reason);
        failAll(announced, reason);
        failAll(cleared, reason);
        if (leaving != null) {
            Transfer last = leaving;
            leaving = null;
            link.release(last);
            complete(last, reason);
        }
        for (Transfer one = early.poll(); one != null; one = early.poll()) {
            engine.giveTransfer(one);
        }
        withdrawn.clear();
    }

    private void failAll(TransferQueue queue, ZipException reason) {
        for (Transfer one = queue.poll(); one != null; one = queue.poll()) {
            link.release(one);
            complete(one, reason);
        }
    }

    /** Receivers that said that they are ready for messages of which nobody here knows yet. */
    int earlyClears() {
        return early.size();
    }

    /** Forgets receivers of a communicator that is no more. */
    void forget(int context) {
        for (int i = early.size(); i > 0; i--) {
            Transfer one = early.poll();
            if (one.context == context) {
                credit.release(0);
                engine.giveTransfer(one);
            } else {
                early.add(one);
            }
        }
        if (credit.isTellDue()) {
            link.flush();
        }
    }
}
