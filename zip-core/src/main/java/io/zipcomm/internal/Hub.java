package io.zipcomm.internal;

import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.GroupView;
import io.zipcomm.transport.FrameHandler;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.Path;
import io.zipcomm.wire.Enter;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.agrona.collections.LongArrayQueue;

/**
 * This rank's side of operations of which the relay does a part: it takes one copy and sends many, or combines what ranks
 * contribute. Contributions go as far ahead as the relay grants; results come only for what was posted. Engine holder only.
 */
final class Hub implements FrameHandler {

    /** Collectives of one communicator that may use the relay at once; the others wait in their order, equal on all ranks. */
    static final int COLLECTIVES_MAX = 4;

    private static final int IDLE_MAX = 64;
    private static final int TEXT_BYTES_MAX = 8 << 10;

    /** Answers that wait: more than a relay has a reason to ask for at once. */
    private static final int ANSWERS_MAX = 1 << 16;

    /** What came with a VERDICT. */
    private static final class Verdict {
        final HubTransfer transfer;
        final int number;
        final ErrorCode code;
        final int culprit;
        final int signature;
        final byte[] text;

        Verdict(HubTransfer transfer, ByteBuffer header, int at, int textBytes) {
            this.transfer = transfer;
            number = Frame.transfer(header, at);
            code = ErrorCode.of(Frame.flags(header, at));
            culprit = Frame.source(header, at);
            signature = Frame.signature(header, at);
            text = new byte[textBytes];
        }
    }

    /** An operation that the relay asked for and that is over here. */
    private record Through(int context, int leader, long tag) {}

    private final Engine engine;
    private final GroupView view;
    private final Path path;
    private final int partBytes;
    private final int windowBytes;

    private final List<HubTransfer> active = new ArrayList<>();
    private final List<HubTransfer> held = new ArrayList<>();

    /** Over here, but not in the relay. */
    private final List<HubTransfer> lingering = new ArrayList<>();

    private final ArrayDeque<HubTransfer> sending = new ArrayDeque<>();

    /** Numbers of operations of which this rank has the whole result, and has not said so; any int is one. */
    private final LongArrayQueue done = new LongArrayQueue();

    /** What the relay asked for and is over here. */
    private final ArrayDeque<Through> through = new ArrayDeque<>();

    private final ArrayDeque<HubTransfer> idle = new ArrayDeque<>();
    private int numbers;
    private boolean flushDue;
    private boolean isAway;
    private String lost;

    /**
     * For one engine.
     *
     * @param path to the relay's hub
     */
    Hub(Engine engine, Path path) {
        this.engine = engine;
        view = engine.view();
        this.path = path;
        partBytes = Enter.partBytes(view.fragmentBytesMax());
        windowBytes = view.hubWindowBytes();
        path.bind(this);
        path.openInput();
    }

    /**
     * Takes part in an operation. The completion may fire within this call.
     *
     * @param communicator whose members take part
     * @param kind         one of {@link Enter}'s
     * @param root         world rank of the root, or this rank where there is none
     * @param collective   number of the collective
     * @param ordinal      number of this operation in the collective, equal on all ranks
     * @param source       what to contribute; null for nothing
     * @param target       where to put the result; null if this rank gets none
     */
    HubTransfer post(
            GroupCommunicator communicator,
            int kind,
            int root,
            int collective,
            int ordinal,
            int signature,
            Payload source,
            long sourceOffset,
            Payload target,
            long targetOffset,
            long bytes,
            Completion completion,
            int cookie) {
        HubTransfer transfer = idle.isEmpty() ? new HubTransfer() : idle.pop();
        transfer.awaitedRank = ZipException.NONE;
        transfer.context = communicator.context();
        transfer.turns = communicator.hubTurns();
        transfer.kind = kind;
        transfer.root = root;
        transfer.collective = collective;
        transfer.tag = CollectiveTag.of(collective, ordinal);
        transfer.signature = signature;
        transfer.source = source;
        transfer.sourceOffset = sourceOffset;
        transfer.target = target;
        transfer.targetOffset = targetOffset;
        transfer.bytes = bytes;
        transfer.granted = Math.min(bytes, windowBytes);
        transfer.completion = completion;
        transfer.cookie = cookie;
        transfer.active = true;
        active.add(transfer);
        if (lost != null) {
            end(transfer, lostRelay());
        } else if (transfer.turns.hasTurn(collective)) {
            send(transfer);
        } else {
            transfer.held = true;
            held.add(transfer);
        }
        return transfer;
    }

    /** Part of a collective is over: others may have their turn. */
    void release(HubTurns turns, int collective) {
        if (!turns.release(collective)) {
            return;
        }
        int i = 0;
        while (i < held.size()) {
            HubTransfer transfer = held.get(i);
            if (transfer.turns == turns && turns.hasTurn(transfer.collective)) {
                held.remove(i);
                transfer.held = false;
                send(transfer);
                // Sending may end transfers, and that may change the list.
                i = 0;
            } else {
                i++;
            }
        }
    }

    private void send(HubTransfer transfer) {
        enqueue(transfer);
        flush();
    }

    private void enqueue(HubTransfer transfer) {
        if (!transfer.queued) {
            transfer.queued = true;
            sending.add(transfer);
        }
    }

    private void flush() {
        if (engine.isCorked()) {
            flushDue = true;
        } else {
            flushDue = false;
            path.flush();
        }
    }

    /** What was posted, and what could wait for that, goes. */
    void flushIfDue() {
        if (flushDue) {
            flush();
        }
    }

    /** Takes back a transfer whose completion has not fired: it never will, and the memory is free. */
    void withdraw(HubTransfer transfer) {
        if (!transfer.active) {
            return;
        }
        path.release(transfer);
        active.remove(transfer);
        transfer.active = false;
        if (transfer.held) {
            held.remove(transfer);
        }
        if (transfer.entered && lost == null && !isAway) {
            transfer.withdrawn = true;
            transfer.source = null;
            transfer.target = null;
            transfer.completion = null;
            send(transfer);
        } else {
            recycle(transfer);
        }
    }

    private void recycle(HubTransfer transfer) {
        if (transfer.queued) {
            sending.remove(transfer);
        }
        if (transfer.framed > transfer.taken) {
            path.release(transfer);
        }
        transfer.reset();
        if (idle.size() < IDLE_MAX) {
            idle.push(transfer);
        }
    }

    /** Transfers under way, for leak checks. */
    int inUse() {
        return active.size();
    }

    /** Whether something that the others wait for has not left. */
    boolean hasOutput() {
        if (lost != null) {
            return false;
        }
        boolean due = !sending.isEmpty() || !done.isEmpty() || !through.isEmpty();
        for (int i = 0; i < lingering.size() && !due; i++) {
            due = !lingering.get(i).hasGiven();
        }
        return due;
    }

    /** The connection to the relay ended. */
    void lost(String reason) {
        if (lost == null) {
            lost = reason;
            while (!active.isEmpty()) {
                end(active.get(active.size() - 1), lostRelay());
            }
        }
    }

    /**
     * The connection to the relay ended, and may come back: then what repeats begins anew, and nobody notices. The relay has dropped what
     * it was to combine, so that fails. What it has not heard of waits.
     */
    void away(String reason) {
        isAway = true;
        done.clear();
        through.clear();
        for (HubTransfer transfer : List.copyOf(sending)) {
            if (transfer.withdrawn) {
                recycle(transfer);
            }
        }
        for (HubTransfer transfer : List.copyOf(lingering)) {
            if (transfer.repeats()) {
                enterAgain(transfer);
            } else {
                finished(transfer);
            }
        }
        ZipException failure = lostRelay(reason);
        for (HubTransfer transfer : List.copyOf(active)) {
            // The failure of one may end others.
            if (!transfer.active || !transfer.entered) {
                continue;
            }
            if (transfer.repeats()) {
                enterAgain(transfer);
            } else {
                end(transfer, failure);
            }
        }
    }

    private void enterAgain(HubTransfer transfer) {
        path.release(transfer);
        transfer.restart(windowBytes);
        enqueue(transfer);
    }

    /** The connection to the relay is there again. Each counts numbers for itself. */
    void back() {
        isAway = false;
        numbers = 0;
        path.flush();
    }

    private ZipException lostRelay() {
        return lostRelay(lost);
    }

    private static ZipException lostRelay(String reason) {
        return new ZipException(ErrorCode.RELAY_LOST, "connection to the relay ended: " + reason);
    }

    private void completeIfDone(HubTransfer transfer) {
        if (transfer.active && transfer.hasAll()) {
            end(transfer, null);
        }
    }

    private void end(HubTransfer transfer, ZipException failure) {
        active.remove(transfer);
        if (transfer.held) {
            held.remove(transfer);
        }
        if (failure == null) {
            sayDone(transfer);
        } else {
            path.release(transfer);
        }
        Completion completion = transfer.completion;
        int cookie = transfer.cookie;
        long bytes = transfer.bytes;
        if (failure == null && transfer.target == null && !transfer.finished) {
            linger(transfer);
        } else {
            transfer.turns.over(transfer.collective, CollectiveTag.ordinal(transfer.tag));
            recycle(transfer);
        }
        completion.completed(cookie, bytes, failure);
    }

    /** This rank has the whole result: the others need not keep what they gave. */
    private void sayDone(HubTransfer transfer) {
        if (transfer.target == null || !Enter.isConfirmed(transfer.kind, transfer.bytes)) {
            return;
        }
        done.addLong(transfer.number);
        // The root of a longer one waits for this; otherwise it may go with what this rank posts next, or by the next
        // timer.
        flushDue = true;
        if (transfer.bytes > HubTransfer.KEPT_BYTES_MAX) {
            flush();
        }
    }

    /**
     * This rank is through, but the relay keeps what it contributed until the others are. Until the relay says so, no more
     * than a few collectives go ahead of it.
     */
    private void linger(HubTransfer transfer) {
        transfer.active = false;
        transfer.keepSource();
        transfer.completion = null;
        transfer.turns.hold(transfer.collective);
        lingering.add(transfer);
    }

    private void finished(HubTransfer transfer) {
        if (lingering.remove(transfer)) {
            HubTurns turns = transfer.turns;
            int collective = transfer.collective;
            turns.over(collective, CollectiveTag.ordinal(transfer.tag));
            recycle(transfer);
            release(turns, collective);
        }
    }

    private HubTransfer findLingering(int number) {
        for (int i = 0; i < lingering.size(); i++) {
            if (lingering.get(i).entered && lingering.get(i).number == number) {
                return lingering.get(i);
            }
        }
        return null;
    }

    /** A communicator is closed. What others may want once more is kept. */
    void forget(int context) {
        for (int i = lingering.size() - 1; i >= 0; i--) {
            if (lingering.get(i).context == context && lingering.get(i).source == null) {
                recycle(lingering.remove(i));
            }
        }
    }

    // ---- out

    @Override
    public boolean nextFrame(Path from, ByteBuffer header, int at, OutboundFrame out) {
        if (isAway) {
            return false;
        }
        if (!done.isEmpty()) {
            begin(FrameType.GRANT, (int) done.pollLong(), header, at);
            Frame.flags(header, at, Enter.DONE);
            return true;
        }
        if (!through.isEmpty()) {
            isThrough(through.poll(), header, at);
            return true;
        }
        for (HubTransfer transfer = sending.poll(); transfer != null; transfer = sending.poll()) {
            transfer.queued = false;
            if (write(transfer, header, at, out)) {
                return true;
            }
        }
        return false;
    }

    private boolean write(HubTransfer transfer, ByteBuffer header, int at, OutboundFrame out) {
        if (transfer.withdrawn) {
            begin(FrameType.WITHDRAW, transfer.number, header, at);
            recycle(transfer);
            return true;
        }
        if (!transfer.entered) {
            enter(transfer, header, at, out);
            if (transfer.bytes == 0) {
                // It may have been all that there was to do.
                completeIfDone(transfer);
                return true;
            }
        } else {
            int part = transfer.sendable(partBytes);
            if (part == 0) {
                return false;
            }
            begin(FrameType.PART, transfer.number, header, at);
            Frame.offset(header, at, transfer.framed);
            Frame.messageBytes(header, at, transfer.bytes);
            Frame.payloadBytes(header, at, part);
            out.payload = transfer.source;
            out.offset = transfer.sourceOffset + transfer.framed;
            out.bytes = part;
            out.attachment = transfer;
            transfer.framed += part;
        }
        if (transfer.sendable(partBytes) > 0) {
            transfer.queued = true;
            sending.add(transfer);
        }
        return true;
    }

    private void begin(FrameType type, int number, ByteBuffer header, int at) {
        Frame.begin(header, at, type);
        Frame.epoch(header, at, view.epoch());
        Frame.source(header, at, view.rank());
        Frame.destination(header, at, view.rank());
        Frame.transfer(header, at, number);
    }

    private void isThrough(Through one, ByteBuffer header, int at) {
        begin(FrameType.ENTER, ++numbers, header, at);
        Frame.flags(header, at, Enter.THROUGH);
        Frame.context(header, at, one.context);
        Frame.destination(header, at, one.leader);
        Frame.tag(header, at, one.tag);
    }

    private void enter(HubTransfer transfer, ByteBuffer header, int at, OutboundFrame out) {
        // Not before: what is held may go after what was posted later.
        transfer.number = ++numbers;
        begin(FrameType.ENTER, transfer.number, header, at);
        Frame.flags(header, at, transfer.again ? transfer.kind | Enter.AGAIN : transfer.kind);
        Frame.context(header, at, transfer.context);
        Frame.destination(header, at, transfer.root);
        Frame.tag(header, at, transfer.tag);
        Frame.messageBytes(header, at, transfer.bytes);
        Frame.signature(header, at, transfer.signature);
        Payload members = transfer.turns.members();
        if (members != null) {
            int bytes = (int) members.bytes();
            Frame.payloadBytes(header, at, bytes);
            out.payload = members;
            out.offset = 0;
            out.bytes = bytes;
        }
        transfer.entered = true;
    }

    @Override
    public void payloadTaken(OutboundFrame out) {
        HubTransfer transfer = (HubTransfer) out.attachment;
        transfer.taken += out.bytes;
        completeIfDone(transfer);
    }

    // ---- in

    @Override
    public void headerReceived(Path from, ByteBuffer header, int at, InboundFrame in) {
        int number = Frame.transfer(header, at);
        HubTransfer transfer = find(number);
        switch (FrameType.of(Frame.type(header, at))) {
            case PART -> part(transfer, header, at, in);
            case GRANT -> {
                HubTransfer giving = transfer == null ? findLingering(number) : transfer;
                if (giving != null) {
                    granted(giving, Frame.flags(header, at), header, at);
                }
            }
            case ENTER -> asked(Frame.context(header, at), Frame.source(header, at), Frame.tag(header, at), number);
            case VERDICT -> {
                if (in.bytes > TEXT_BYTES_MAX) {
                    throw new ZipException(ErrorCode.PROTOCOL, "the relay sent " + Frame.describe(header, at));
                }
                HubTransfer judged = transfer == null ? findLingering(number) : transfer;
                Verdict verdict = new Verdict(judged, header, at, in.bytes);
                in.payload = Payload.of(verdict.text);
                in.attachment = verdict;
            }
            default -> throw new ZipException(ErrorCode.PROTOCOL, "the relay sent " + Frame.describe(header, at));
        }
    }

    private void granted(HubTransfer transfer, int flags, ByteBuffer header, int at) {
        if (flags == Enter.AWAITS) {
            int awaited = Frame.source(header, at);
            transfer.awaitedRank = awaited == view.rank() ? ZipException.NONE : awaited;
        } else if (flags == Enter.FINISHED) {
            transfer.finished = true;
            finished(transfer);
            completeIfDone(transfer);
        } else {
            transfer.granted = Math.min(transfer.bytes, Math.max(transfer.granted, Frame.credit(header, at)));
            if (transfer.sendable(partBytes) > 0) {
                send(transfer);
            }
        }
    }

    /**
     * The relay asks this rank to enter an operation again, if it has entered it. It says nothing if that is still to come, or on its way; or
     * if its collectives have failed, which the relay has heard.
     *
     * @param heard number of the latest ENTER of this rank that the relay has heard
     */
    private void asked(int context, int leader, long tag, int heard) {
        HubTransfer transfer = find(context, tag);
        if (transfer != null) {
            if (transfer.entered && transfer.number - heard <= 0) {
                if (!transfer.repeats()) {
                    throw new ZipException(ErrorCode.PROTOCOL, "the relay asks again for what it combines");
                }
                enterAgain(transfer);
                flush();
            }
        } else if (engine.isThrough(context, CollectiveTag.number(tag), CollectiveTag.ordinal(tag))) {
            if (through.size() >= ANSWERS_MAX) {
                throw new ZipException(ErrorCode.PROTOCOL, "the relay asks faster than it takes answers");
            }
            through.add(new Through(context, leader, tag));
            flush();
        }
    }

    /** One that is under way here, or may be wanted once more. */
    private HubTransfer find(int context, long tag) {
        for (int i = 0; i < active.size(); i++) {
            if (active.get(i).context == context && active.get(i).tag == tag) {
                return active.get(i);
            }
        }
        for (int i = 0; i < lingering.size(); i++) {
            if (lingering.get(i).context == context && lingering.get(i).tag == tag) {
                return lingering.get(i);
            }
        }
        return null;
    }

    /** What comes for a transfer that is no more is thrown away. */
    private void part(HubTransfer transfer, ByteBuffer header, int at, InboundFrame in) {
        if (transfer == null) {
            return;
        }
        boolean fits = transfer.target != null
                && Frame.offset(header, at) == transfer.received
                && in.bytes <= transfer.bytes - transfer.received
                && (in.bytes > 0 || transfer.bytes == 0);
        if (!fits) {
            throw new ZipException(
                    ErrorCode.PROTOCOL,
                    "the relay sent " + Frame.describe(header, at) + " where the part at " + transfer.received + " of "
                            + transfer.bytes + " was due");
        }
        in.payload = transfer.target;
        in.offset = transfer.targetOffset + transfer.received;
        in.attachment = transfer;
    }

    @Override
    public void frameReceived(Path from, InboundFrame in) {
        if (in.attachment instanceof HubTransfer transfer) {
            transfer.received += in.bytes;
            transfer.receivedNothing = true;
            completeIfDone(transfer);
        } else if (in.attachment instanceof Verdict verdict) {
            judge(verdict);
        }
    }

    private void judge(Verdict verdict) {
        HubTransfer transfer = verdict.transfer;
        if (transfer == null || transfer.number != verdict.number) {
            return;
        }
        String text = verdict.code == ErrorCode.OPERATION_MISMATCH
                ? Signature.difference(transfer.signature, verdict.culprit, verdict.signature)
                : new String(verdict.text, StandardCharsets.UTF_8);
        int culprit = verdict.culprit == view.rank() ? ZipException.NONE : verdict.culprit;
        ZipException failure = ZipException.of(verdict.code, text).peer(culprit).build();
        if (transfer.active) {
            end(transfer, failure);
        } else if (lingering.remove(transfer)) {
            failedLater(transfer, failure);
        }
    }

    /** What this rank was through with has failed. It need not hear of others' failures, but of a disagreement. */
    private void failedLater(HubTransfer transfer, ZipException failure) {
        HubTurns turns = transfer.turns;
        int collective = transfer.collective;
        turns.over(collective, CollectiveTag.ordinal(transfer.tag));
        recycle(transfer);
        release(turns, collective);
        if (failure.code() == ErrorCode.OPERATION_MISMATCH || failure.code() == ErrorCode.LENGTH_MISMATCH) {
            turns.communicator().disagreed(collective, failure.code(), failure.peer(), Operation.reasonOf(failure));
        }
    }

    /** One that is under way here. */
    private HubTransfer find(int number) {
        for (int i = 0; i < active.size(); i++) {
            if (active.get(i).entered && active.get(i).number == number) {
                return active.get(i);
            }
        }
        return null;
    }

    @Override
    public void ended(Path from, ZipException failure) {
        lost(failure == null ? "closed" : failure.getMessage());
    }
}
