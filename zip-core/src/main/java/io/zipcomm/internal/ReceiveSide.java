package io.zipcomm.internal;

import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/**
 * Messages of one link on their way in: matches them by context and tag with posted receives, and keeps those that come
 * too early, as far as the credit window allows.
 *
 * <p>Two messages with the same context and tag are matched in the order in which they were sent. A receive that knows its
 * exact length and is long tells the sender at once that it is ready (CLEAR), which spares the message its announcement.
 */
final class ReceiveSide {

    private final Engine engine;
    private final Link link;
    private final Credit credit;
    private final int eagerBytes;

    /** Null if payloads carry no checksums. */
    private final Arrival arrival;

    private final TransferQueue posted = new TransferQueue();
    private Unexpected oldest;
    private Unexpected newest;

    /** The message whose bytes are coming in now, if nobody had asked for it when it began. */
    private Unexpected arriving;

    /** Receives for which a CLEAR is to be sent. */
    private final ArrayDeque<Transfer> clearDue = new ArrayDeque<>(4);

    /** Requests to be refused: the room there was. */
    private final ArrayDeque<Refusal> refusals = new ArrayDeque<>(0);

    /** Receives into which an eager message or data is coming; they are in no queue. */
    private final TransferQueue matched = new TransferQueue();

    /** Numbers of buffers that were told in a CLEAR ahead of their message, and withdrawn. */
    private final ArrayDeque<Integer> withdrawn = new ArrayDeque<>(0);

    private record Refusal(int context, int announced, int flags, int signature, long roomBytes) {}

    ReceiveSide(Engine engine, Link link, Credit credit) {
        this.engine = engine;
        this.link = link;
        this.credit = credit;
        eagerBytes = engine.eagerBytes();
        arrival = Arrival.of(engine.checksum(), link.peer());
    }

    /**
     * Posts a receive.
     *
     * @param exact whether the message must have exactly {@code bytes}; otherwise that is the room there is
     */
    Transfer post(
            int context,
            long tag,
            int signature,
            Payload payload,
            long offset,
            long bytes,
            boolean exact,
            Completion completion,
            int cookie) {
        Unexpected early = takeUnexpected(context, tag);
        ZipException refusal = early == null ? link.refusal() : null;
        if (refusal != null) {
            completion.completed(cookie, 0, refusal);
            return null;
        }
        Transfer receive = engine.takeTransfer();
        receive.link = link;
        receive.context = context;
        receive.tag = tag;
        receive.signature = signature;
        receive.payload = payload;
        receive.offset = offset;
        receive.bytes = bytes;
        receive.exact = exact;
        receive.completion = completion;
        receive.cookie = cookie;
        if (early != null) {
            return meet(receive, early);
        }
        receive.state = Transfer.State.POSTED;
        posted.add(receive);
        if (exact && bytes > eagerBytes && credit.allowsEntry()) {
            credit.charge(0);
            receive.clearedEarly = true;
            clear(receive);
        }
        return receive;
    }

    private void clear(Transfer receive) {
        engine.receiveTable().add(receive);
        receive.clearQueued = true;
        clearDue.add(receive);
        link.flush();
    }

    // ---- messages that came before their receive

    private Transfer meet(Transfer receive, Unexpected early) {
        ZipException problem = problem(receive, early.signature, early.bytes);
        if (problem != null) {
            if (early.request) {
                refuse(receive, early.number);
            }
            discard(early);
            complete(receive, problem);
            return null;
        }
        receive.bytes = early.bytes;
        receive.state = Transfer.State.MATCHED;
        if (early.request) {
            receive.announced = early.number;
            engine.unexpected().give(early);
            matched.add(receive);
            clear(receive);
            return receive;
        }
        if (early.complete) {
            deliver(receive, early);
            return null;
        }
        early.claimedBy = receive;
        matched.add(receive);
        return receive;
    }

    private void deliver(Transfer receive, Unexpected early) {
        ZipException problem = null;
        if (arrival != null) {
            problem = arrival.deliver(receive, early);
        } else if (early.bytes > 0) {
            receive.payload.copyIn(receive.offset, early.memory, 0, (int) early.bytes);
        }
        drop(early);
        complete(receive, problem);
    }

    /** Drops an entry as soon as no more bytes come into its memory. */
    private void discard(Unexpected early) {
        if (early.request || early.complete) {
            drop(early);
        } else {
            early.dropped = true;
        }
    }

    /** Gives up the entry and returns its credit. */
    private void drop(Unexpected early) {
        credit.release(early.request ? 0 : early.bytes);
        engine.unexpected().give(early);
        if (credit.isTellDue()) {
            link.flush();
        }
    }

    private Unexpected takeUnexpected(int context, long tag) {
        Unexpected before = null;
        for (Unexpected one = oldest; one != null; before = one, one = one.next) {
            if (one.isFor(context, tag)) {
                unlink(before, one);
                return one;
            }
        }
        return null;
    }

    private void unlink(Unexpected before, Unexpected one) {
        if (before == null) {
            oldest = one.next;
        } else {
            before.next = one.next;
        }
        if (newest == one) {
            newest = before;
        }
        one.next = null;
    }

    private Unexpected keep(ByteBuffer header, int at, boolean request) {
        Unexpected early = engine.unexpected().take(Frame.messageBytes(header, at), request);
        early.context = Frame.context(header, at);
        early.tag = Frame.tag(header, at);
        early.signature = Frame.signature(header, at);
        early.bytes = Frame.messageBytes(header, at);
        early.number = Frame.transfer(header, at);
        early.request = request;
        if (newest == null) {
            oldest = early;
        } else {
            newest.next = early;
        }
        newest = early;
        if (CollectiveTag.is(early.tag)) {
            // Two ranks that both only send would never find out otherwise that they run different collectives.
            engine.probed(link.peer(), early.context, CollectiveTag.number(early.tag), early.signature);
        }
        return early;
    }

    /** The signature of a message kept for a collective that is not the given one; 0 if there is none. */
    int otherSignature(int context, int number, int signature) {
        for (Unexpected one = oldest; one != null; one = one.next) {
            boolean isOther = one.context == context
                    && CollectiveTag.is(one.tag)
                    && CollectiveTag.number(one.tag) == number
                    && one.signature != signature;
            if (isOther) {
                return one.signature;
            }
        }
        return 0;
    }

    // ---- frames in

    /** EAGER came in. */
    void eager(ByteBuffer header, int at, InboundFrame frame) {
        if (!credit.keep(frame.bytes)) {
            throw Link.protocol("eager message without credit", header, at);
        }
        Transfer receive = posted.take(Frame.context(header, at), Frame.tag(header, at));
        if (receive == null) {
            if (engine.isClosed(Frame.context(header, at))) {
                credit.release(frame.bytes);
                return;
            }
            if (frame.bytes > eagerBytes) {
                throw Link.protocol("eager message longer than " + eagerBytes + " bytes", header, at);
            }
            Unexpected early = keep(header, at, false);
            early.checksum = Frame.checksum(header, at);
            arriving = early;
            frame.payload = early.payload;
            frame.attachment = early;
            return;
        }
        ZipException problem = problem(receive, Frame.signature(header, at), frame.bytes);
        if (problem != null) {
            credit.release(frame.bytes);
            complete(receive, problem);
            return;
        }
        receive.bytes = frame.bytes;
        receive.state = Transfer.State.MATCHED;
        receive.announcement = FrameType.EAGER;
        matched.add(receive);
        land(receive, 0, header, at, frame);
    }

    private void land(Transfer receive, long offset, ByteBuffer header, int at, InboundFrame frame) {
        frame.payload = receive.payload;
        frame.offset = receive.offset + offset;
        frame.attachment = receive;
        if (arrival != null) {
            arrival.begin(header, at, frame);
        }
    }

    /** REQUEST came in. */
    void request(ByteBuffer header, int at) {
        if (Frame.messageBytes(header, at) == 0) {
            throw Link.protocol("request for an empty message", header, at);
        }
        if (!credit.keep(0)) {
            throw Link.protocol("request without credit", header, at);
        }
        Transfer receive = posted.find(Frame.context(header, at), Frame.tag(header, at));
        int number = Frame.transfer(header, at);
        if (receive == null && engine.isClosed(Frame.context(header, at))) {
            credit.release(0);
            if (!engine.hasEnded(Frame.context(header, at))) {
                refusals.add(new Refusal(Frame.context(header, at), number, SendSide.FLAG_CLOSED, 0, 0));
            }
            return;
        }
        if (receive == null) {
            keep(header, at, true);
            return;
        }
        posted.remove(receive);
        ZipException problem = problem(receive, Frame.signature(header, at), Frame.messageBytes(header, at));
        if (problem != null) {
            credit.release(0);
            refuse(receive, number);
            complete(receive, problem);
            return;
        }
        receive.bytes = Frame.messageBytes(header, at);
        receive.announced = number;
        receive.state = Transfer.State.MATCHED;
        matched.add(receive);
        if (!receive.clearedEarly) {
            clear(receive);
        } else if (receive.clearQueued) {
            // The CLEAR that has not gone yet becomes the answer.
            credit.refund();
            receive.clearedEarly = false;
        } else {
            credit.release(0);
        }
    }

    private void refuse(Transfer receive, int announced) {
        refusals.add(new Refusal(receive.context, announced, 0, receive.signature, receive.bytes));
        link.flush();
    }

    /** DATA came in. */
    void data(ByteBuffer header, int at, InboundFrame frame) {
        int number = Frame.transfer(header, at);
        Transfer receive = engine.receiveTable().get(number);
        if (receive == null || receive.link != link) {
            if (receive != null || !engine.receiveTable().knows(number)) {
                throw Link.protocol("data for a buffer that was never announced", header, at);
            }
            return;
        }
        long offset = Frame.offset(header, at);
        if (offset != receive.moved || Frame.messageBytes(header, at) != receive.bytes) {
            throw Link.protocol(
                    "data out of place: expected byte " + receive.moved + " of " + receive.bytes, header, at);
        }
        if (receive.state == Transfer.State.POSTED) {
            posted.remove(receive);
            receive.state = Transfer.State.MATCHED;
            matched.add(receive);
        }
        land(receive, offset, header, at, frame);
    }

    /** The whole frame is in. */
    void frameReceived(InboundFrame frame) {
        if (frame.attachment instanceof Transfer receive) {
            ZipException problem = arrival == null ? null : arrival.problem(receive, frame.bytes);
            receive.moved += frame.bytes;
            if (receive.announcement == FrameType.EAGER) {
                credit.release(frame.bytes);
            }
            if (receive.moved == receive.bytes || problem != null) {
                // The rest of a message that fails is thrown away as it comes.
                matched.remove(receive);
                complete(receive, problem);
            }
        } else {
            Unexpected early = (Unexpected) frame.attachment;
            early.complete = true;
            arriving = null;
            if (early.claimedBy != null) {
                matched.remove(early.claimedBy);
                deliver(early.claimedBy, early);
            } else if (early.dropped) {
                drop(early);
            }
        }
    }

    /** CANCEL came in: the sender withdrew a message. */
    void cancelled(int number, int flags) {
        if ((flags & SendSide.FLAG_CLEARED) != 0) {
            Transfer receive = engine.receiveTable().get(number);
            if (receive != null && receive.link == link) {
                matched.remove(receive);
                posted.remove(receive);
                complete(receive, withdrawnByPeer());
            }
            return;
        }
        Unexpected before = null;
        for (Unexpected one = oldest; one != null; before = one, one = one.next) {
            if (one.request && one.number == number) {
                unlink(before, one);
                drop(one);
                return;
            }
        }
        Transfer receive = matched.takeAnnounced(number);
        if (receive != null) {
            if (receive.clearQueued) {
                credit.release(0);
            }
            complete(receive, withdrawnByPeer());
        }
    }

    private ZipException withdrawnByPeer() {
        return ZipException.of(ErrorCode.PEER_FAILED, "rank " + link.peer() + " withdrew the message")
                .peer(link.peer())
                .build();
    }

    private ZipException problem(Transfer receive, int peerSignature, long messageBytes) {
        ZipException mismatch = SendSide.mismatch(
                link.peer(),
                receive.signature,
                peerSignature,
                receive.exact ? receive.bytes : 0,
                receive.exact ? messageBytes : 0);
        if (mismatch != null) {
            return mismatch;
        }
        int element = receive.payload.type().bytes();
        if (messageBytes > receive.bytes || messageBytes % element != 0) {
            return ZipException.of(
                            ErrorCode.LENGTH_MISMATCH,
                            "rank " + link.peer() + " sent " + messageBytes + " bytes into room for " + receive.payload)
                    .peer(link.peer())
                    .build();
        }
        return null;
    }

    // ---- frames out

    /** Whether a frame could go now. */
    boolean isReady() {
        return !clearDue.isEmpty() || !refusals.isEmpty() || !withdrawn.isEmpty();
    }

    boolean nextFrame(ByteBuffer header, int at) {
        Transfer receive = clearDue.poll();
        if (receive != null) {
            receive.clearQueued = false;
            Frame.begin(header, at, FrameType.CLEAR);
            Frame.context(header, at, receive.context);
            if (receive.clearedEarly) {
                Frame.tag(header, at, receive.tag);
            } else {
                Frame.flags(header, at, SendSide.FLAG_REPLY);
                Frame.tag(header, at, receive.announced);
                credit.release(0);
            }
            Frame.messageBytes(header, at, receive.bytes);
            Frame.transfer(header, at, receive.number);
            Frame.signature(header, at, receive.signature);
            return true;
        }
        Refusal refusal = refusals.poll();
        if (refusal != null) {
            Frame.begin(header, at, FrameType.CLEAR);
            Frame.flags(header, at, SendSide.FLAG_REPLY | SendSide.FLAG_REFUSED | refusal.flags);
            Frame.context(header, at, refusal.context);
            Frame.tag(header, at, refusal.announced);
            Frame.messageBytes(header, at, refusal.roomBytes);
            Frame.signature(header, at, refusal.signature);
            return true;
        }
        if (!withdrawn.isEmpty()) {
            Frame.begin(header, at, FrameType.CANCEL);
            Frame.flags(header, at, SendSide.FLAG_RECEIVER);
            Frame.transfer(header, at, withdrawn.poll());
            return true;
        }
        return false;
    }

    // ---- the end

    /** Takes back a receive: its completion does not fire and its memory is not touched again. */
    void withdraw(Transfer receive) {
        if (posted.remove(receive)) {
            unsay(receive);
        } else {
            matched.remove(receive);
            if (receive.clearQueued) {
                putBack(receive);
            } else if (arriving != null && arriving.claimedBy == receive) {
                arriving.claimedBy = null;
                arriving.dropped = true;
            } else if (receive.announcement == FrameType.EAGER) {
                credit.release(receive.bytes);
            }
            link.release(receive);
        }
        end(receive);
    }

    /** The sender may have been told that a receive is ready for which no message has come. */
    private void unsay(Transfer receive) {
        if (receive.clearQueued) {
            credit.refund();
        } else if (receive.clearedEarly) {
            withdrawn.add(receive.number);
            link.flush();
        }
    }

    /**
     * The receive that met an announced message is withdrawn before the sender was told: the message waits for another
     * one, in its old place. Its credit was not returned yet.
     */
    private void putBack(Transfer receive) {
        Unexpected again = engine.unexpected().take(receive.bytes, true);
        again.context = receive.context;
        again.tag = receive.tag;
        again.signature = receive.signature;
        again.bytes = receive.bytes;
        again.number = receive.announced;
        again.request = true;
        Unexpected before = null;
        for (Unexpected one = oldest; one != null; one = one.next) {
            if (one.request && one.isFor(again.context, again.tag) && one.number < again.number) {
                before = one;
            }
        }
        again.next = before == null ? oldest : before.next;
        if (before == null) {
            oldest = again;
        } else {
            before.next = again;
        }
        if (newest == before) {
            newest = again;
        }
    }

    private void end(Transfer receive) {
        if (receive.clearQueued) {
            clearDue.remove(receive);
        }
        if (receive.number != 0) {
            engine.receiveTable().remove(receive);
        }
        engine.giveTransfer(receive);
    }

    private void complete(Transfer receive, ZipException problem) {
        Completion completion = receive.completion;
        int cookie = receive.cookie;
        long bytes = receive.bytes;
        end(receive);
        completion.completed(cookie, bytes, problem);
    }

    /** Nothing more comes: receives that no message has met fail. */
    void peerLeft(ZipException reason) {
        failAll(posted, reason);
        failAll(matched, reason);
    }

    /** Every receive fails. What has arrived in full can still be received; the rest never comes. */
    void fail(ZipException reason) {
        dropIncomplete();
        failAll(posted, reason);
        failAll(matched, reason);
        clearDue.clear();
        refusals.clear();
        withdrawn.clear();
    }

    private void dropIncomplete() {
        Unexpected before = null;
        for (Unexpected one = oldest; one != null; ) {
            Unexpected next = one.next;
            if (one.complete) {
                before = one;
            } else {
                unlink(before, one);
                if (one != arriving) {
                    drop(one);
                }
            }
            one = next;
        }
        if (arriving != null) {
            // Its path is closed: no more bytes come into its memory.
            Unexpected last = arriving;
            arriving = null;
            drop(last);
        }
    }

    private void failAll(TransferQueue queue, ZipException reason) {
        for (Transfer one = queue.poll(); one != null; one = queue.poll()) {
            link.release(one);
            complete(one, reason);
        }
    }

    /** Forgets messages for a communicator that is no more. */
    void forget(int context) {
        Unexpected before = null;
        for (Unexpected one = oldest; one != null; ) {
            Unexpected next = one.next;
            if (one.context == context) {
                unlink(before, one);
                discard(one);
            } else {
                before = one;
            }
            one = next;
        }
    }

    /** Receives that are posted or under way. */
    int size() {
        return posted.size() + matched.size();
    }

    /** Messages that nobody has asked for. */
    int unexpectedCount() {
        int count = 0;
        for (Unexpected one = oldest; one != null; one = one.next) {
            count++;
        }
        return count;
    }
}
