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

/**
 * This rank's side of operations of which the relay does a part: it takes one copy and sends many, or combines what ranks
 * contribute. Contributions go as far ahead as the relay grants; results come only for what was posted. Engine holder only.
 */
final class Hub implements FrameHandler {

    /** Collectives of one communicator that may use the relay at once; the others wait in their order, equal on all ranks. */
    static final int COLLECTIVES_MAX = 4;

    private static final int IDLE_MAX = 64;
    private static final int TEXT_BYTES_MAX = 8 << 10;

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
        if (!transfer.queued) {
            transfer.queued = true;
            sending.add(transfer);
        }
        if (engine.isCorked()) {
            flushDue = true;
        } else {
            path.flush();
        }
    }

    /** What was posted goes. */
    void uncorked() {
        if (flushDue) {
            flushDue = false;
            path.flush();
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
        transfer.reset();
        if (idle.size() < IDLE_MAX) {
            idle.push(transfer);
        }
    }

    /** Transfers under way, for leak checks. */
    int inUse() {
        return active.size();
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
     * The connection to the relay ended, and may come back. The relay forgets what it had of this rank's operations, so they fail;
     * those that it has not heard of wait.
     */
    void away(String reason) {
        isAway = true;
        ZipException failure = lostRelay(reason);
        for (int i = active.size() - 1; i >= 0; i--) {
            // The failure of one may end others.
            HubTransfer transfer = i < active.size() ? active.get(i) : null;
            if (transfer != null && transfer.entered) {
                end(transfer, failure);
            }
        }
        for (HubTransfer transfer : List.copyOf(sending)) {
            if (transfer.withdrawn) {
                recycle(transfer);
            }
        }
        while (!lingering.isEmpty()) {
            finished(lingering.get(lingering.size() - 1));
        }
    }

    /** The connection to the relay is there again. */
    void back() {
        isAway = false;
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
        if (failure != null) {
            path.release(transfer);
        }
        active.remove(transfer);
        if (transfer.held) {
            held.remove(transfer);
        }
        Completion completion = transfer.completion;
        int cookie = transfer.cookie;
        long bytes = transfer.bytes;
        if (failure == null && transfer.target == null) {
            linger(transfer);
        } else {
            recycle(transfer);
        }
        completion.completed(cookie, bytes, failure);
    }

    /**
     * This rank is through, but the relay keeps what it contributed until the others are. Until the relay says so, no more
     * than a few collectives go ahead of it.
     */
    private void linger(HubTransfer transfer) {
        transfer.active = false;
        transfer.source = null;
        transfer.completion = null;
        transfer.turns.hold(transfer.collective);
        lingering.add(transfer);
    }

    private void finished(HubTransfer transfer) {
        if (lingering.remove(transfer)) {
            HubTurns turns = transfer.turns;
            int collective = transfer.collective;
            recycle(transfer);
            release(turns, collective);
        }
    }

    private HubTransfer findLingering(int number) {
        for (int i = 0; i < lingering.size(); i++) {
            if (lingering.get(i).number == number) {
                return lingering.get(i);
            }
        }
        return null;
    }

    /** A communicator is closed. */
    void forget(int context) {
        for (int i = lingering.size() - 1; i >= 0; i--) {
            if (lingering.get(i).context == context) {
                recycle(lingering.remove(i));
            }
        }
    }

    // ---- out

    @Override
    public boolean nextFrame(Path from, ByteBuffer header, int at, OutboundFrame out) {
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
            begin(FrameType.WITHDRAW, transfer, header, at);
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
            begin(FrameType.PART, transfer, header, at);
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

    private void begin(FrameType type, HubTransfer transfer, ByteBuffer header, int at) {
        Frame.begin(header, at, type);
        Frame.epoch(header, at, view.epoch());
        Frame.source(header, at, view.rank());
        Frame.destination(header, at, view.rank());
        Frame.transfer(header, at, transfer.number);
    }

    private void enter(HubTransfer transfer, ByteBuffer header, int at, OutboundFrame out) {
        // Not before: what is held may go after what was posted later.
        transfer.number = ++numbers;
        begin(FrameType.ENTER, transfer, header, at);
        Frame.flags(header, at, transfer.kind);
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
        HubTransfer transfer = find(Frame.transfer(header, at));
        switch (FrameType.of(Frame.type(header, at))) {
            case PART -> part(transfer, header, at, in);
            case GRANT -> {
                if (Frame.flags(header, at) == Enter.FINISHED) {
                    finished(findLingering(Frame.transfer(header, at)));
                } else if (transfer != null && Frame.flags(header, at) == Enter.AWAITS) {
                    int awaited = Frame.source(header, at);
                    transfer.awaitedRank = awaited == view.rank() ? ZipException.NONE : awaited;
                } else if (transfer != null) {
                    granted(transfer, Frame.credit(header, at));
                }
            }
            case VERDICT -> {
                if (in.bytes > TEXT_BYTES_MAX) {
                    throw new ZipException(ErrorCode.PROTOCOL, "the relay sent " + Frame.describe(header, at));
                }
                HubTransfer judged = transfer == null ? findLingering(Frame.transfer(header, at)) : transfer;
                Verdict verdict = new Verdict(judged, header, at, in.bytes);
                in.payload = Payload.of(verdict.text);
                in.attachment = verdict;
            }
            default -> throw new ZipException(ErrorCode.PROTOCOL, "the relay sent " + Frame.describe(header, at));
        }
    }

    private void granted(HubTransfer transfer, long upTo) {
        transfer.granted = Math.min(transfer.bytes, Math.max(transfer.granted, upTo));
        if (transfer.sendable(partBytes) > 0) {
            send(transfer);
        }
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
