package io.zipcomm.internal;

import io.zipcomm.buffer.Payload;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.Path;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;

/**
 * What goes out on a {@link Link}: the path, the numbers of the frames, and which of them comes next. On a path that may be
 * forgotten frames are recorded, and leave together. Engine holder only.
 */
final class LinkOutput {

    private final Engine engine;
    private final Link link;
    private final Credit credit;
    private final SendSide sends;
    private final ReceiveSide receives;
    private final Resumption resumption;

    private Path path;

    /** What goes out may have to be sent once more. */
    private boolean records;

    /**
     * The path is not one that may be forgotten, but the one before it was: what went out there, up to this frame, is not known
     * to be in. Recording goes on, since if that has to be sent once more, so has all behind it. 0 if there is nothing of the kind.
     */
    private long lastOnPathBefore;

    /** Frames may leave together: not through the relay, where flows take turns frame by frame, each within its window. */
    private boolean together;

    private int fragmentBytesMax;
    private long sequenceSent;

    private int probeContext;
    private int probeNumber;
    private int probeSignature;
    private boolean probeDue;

    LinkOutput(Engine engine, Link link, Credit credit, SendSide sends, ReceiveSide receives, Resumption resumption) {
        this.engine = engine;
        this.link = link;
        this.credit = credit;
        this.sends = sends;
        this.receives = receives;
        this.resumption = resumption;
    }

    /** Where frames go; null before there is a path. */
    Path path() {
        return path;
    }

    /** Whether what goes out is kept until the peer has it. */
    boolean records() {
        return records;
    }

    /** Number of the last frame that went out. */
    long sequenceSent() {
        return sequenceSent;
    }

    /**
     * Frames go on a path from now on.
     *
     * @param relay the path to go back to if this one is forgotten; null if there is none
     */
    void sendOn(Path next, Path relay) {
        boolean forgettable = relay != null && (next == relay || next.isForgettable());
        lastOnPathBefore = records && !forgettable ? sequenceSent : 0;
        path = next;
        together = next != relay && next.isForgettable() && next.takesFollowers();
        records = forgettable || lastOnPathBefore != 0;
        // What is recorded must fit the relay, and half a chunk, so that two frames fill one.
        fragmentBytesMax = records
                ? Math.min(
                        Math.min(next.fragmentBytesMax(), relay.fragmentBytesMax()),
                        ReplayPool.CHUNK_BYTES / 2 - Frame.HEADER_BYTES)
                : next.fragmentBytesMax();
    }

    /**
     * What went out on the path before is all in, and the peer's last frame there has come in too: what goes out on this one
     * need not be kept.
     *
     * @return whether it was kept until now
     */
    boolean stopRecordingIfSettled() {
        if (lastOnPathBefore == 0 || !resumption.replay().isAcknowledged(lastOnPathBefore)) {
            return false;
        }
        path.release(resumption.replay());
        resumption.replay().clear();
        lastOnPathBefore = 0;
        records = false;
        fragmentBytesMax = path.fragmentBytesMax();
        return true;
    }

    /** A PROBE goes as soon as possible. */
    void probe(int context, int number, int signature) {
        probeContext = context;
        probeNumber = number;
        probeSignature = signature;
        probeDue = true;
    }

    // ---- frames

    /** Makes the next frame that is numbered, if there is one and it can go. */
    boolean next(ByteBuffer header, int at, OutboundFrame frame) {
        if (records && !resumption.replay().hasRoom(frameBytesMax())) {
            return false;
        }
        if (!nextNumbered(header, at, frame)) {
            return false;
        }
        if (records) {
            record(header, at, frame);
        }
        return true;
    }

    /**
     * Makes a SWITCH, if it can go. Should it have to be sent once more there is no other path to move to, and a frame that says
     * nothing takes its number.
     */
    boolean lastOnThisPath(ByteBuffer header, int at, OutboundFrame frame) {
        if (records && !resumption.replay().hasRoom(Frame.HEADER_BYTES)) {
            return false;
        }
        Frame.begin(header, at, FrameType.CREDIT);
        stamp(header, at);
        if (records) {
            resumption.replay().record(header, at, frame, 0);
        }
        header.put(at + Frame.TYPE_OFFSET, (byte) FrameType.SWITCH.number());
        return true;
    }

    private boolean nextNumbered(ByteBuffer header, int at, OutboundFrame frame) {
        // Clearances before data: the peer's next segment waits for them.
        if (!receives.nextFrame(header, at)
                && !sends.nextFrame(fragmentBytesMax, header, at, frame)
                && !nextOwnFrame(header, at)) {
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
        return link.nextBye(header, at);
    }

    /** Numbers a frame. */
    void stamp(ByteBuffer header, int at) {
        address(header, at);
        Frame.sequence(header, at, ++sequenceSent);
        Frame.credit(header, at, credit.tell());
    }

    /** Says from whom a frame is, and for whom. */
    void address(ByteBuffer header, int at) {
        Frame.epoch(header, at, engine.view().epoch());
        Frame.source(header, at, engine.view().rank());
        Frame.destination(header, at, link.peer());
    }

    // ---- recording

    private int frameBytesMax() {
        return Frame.HEADER_BYTES + Math.max(fragmentBytesMax, engine.eagerBytes());
    }

    /** Records a frame, and those that can leave together with it. */
    private void record(ByteBuffer header, int at, OutboundFrame frame) {
        Replay replay = resumption.replay();
        boolean isData = Frame.type(header, at) == FrameType.DATA.number();
        Transfer send = (Transfer) frame.attachment;
        if (lastOnPathBefore != 0) {
            // Frames are shorter than those of the path's other peers, and lie elsewhere.
            frame.share = 0;
        }
        replay.record(header, at, frame, isData ? Frame.messageBytes(header, at) - Frame.offset(header, at) : 0);
        copied(send);
        int begin = (int) frame.offset;
        for (int count = 1; mayFollow() && replay.takesFollower(frameBytesMax()); count++) {
            Payload leaving = frame.payload;
            int bytes = frame.bytes;
            frame.payload = null;
            frame.bytes = 0;
            frame.attachment = null;
            if (!nextNumbered(replay.nextHeader(), replay.nextHeaderAt(), frame)) {
                frame.payload = leaving;
                frame.offset = begin;
                frame.bytes = bytes;
                frame.attachment = replay;
                return;
            }
            if (link.failure() != null) {
                return;
            }
            send = (Transfer) frame.attachment;
            replay.recordFollower(frame, begin, count);
            copied(send);
        }
    }

    /** Whether there is more to send at once. Completions may have changed anything. */
    private boolean mayFollow() {
        return together && link.mayFollow() && (sends.isReady() || receives.isReady());
    }

    private void copied(Transfer send) {
        if (send != null) {
            sends.payloadTaken(send);
        }
    }
}
