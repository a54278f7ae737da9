package io.zipcomm.internal;

import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.Path;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;

/**
 * How a link outlives a path that was lost: acknowledgements while there is such a path, and afterwards the exchange of what
 * came in before, and the frames that did not, once more. Engine holder only.
 *
 * <p>Resumptions are numbered from 1, the same at both ends. Each end says RESUME with the number once, of its own accord or
 * as the answer, sends nothing else until it has the other's, and throws away what comes before that.
 *
 * <p>The flow through the relay may begin anew in the middle of that, and RESUME be lost with it. Who has no answer says it
 * again. Who has one begins the next resumption, which then tells the other that the one before was through.
 */
final class Resumption {

    /** In RESUME: the header of the frame behind the last whole one has come in, and was acted upon. */
    static final int FLAG_INTERRUPTED = 1;

    /** Frames that may come in without an acknowledgement, however short: the peer has to keep them. */
    private static final int UNTOLD_FRAMES_MAX = 256;

    /** An acknowledgement that is not due by the number of bytes or frames goes after this time. */
    private static final long TELL_AFTER_NS = 50_000_000;

    private final Replay replay;
    private final long untoldBytesMax;

    // What came in on a path that may be forgotten.
    private long untoldBytes;
    private int untoldFrames;
    private boolean tellDue;
    private boolean tellAwaited;
    private long tellAtNs;

    // The exchange.
    private int begun;
    private int answered;
    private boolean sayDue;
    private boolean asked;
    private long peerSequence;
    private long peerLanded;
    private boolean peerInterrupted;

    /** Of the payload of this frame some bytes have landed at the peer already; 0 if of none. */
    private long interruptedSequence;

    // The frame of which the rest is to come here.
    private boolean interrupted;
    private Payload payload;
    private long offset;
    private int bytes;
    private int landed;
    private Object attachment;

    /** Bytes of the frame coming in that had landed before it was interrupted. */
    private int landedBefore;

    Resumption(ReplayPool pool, long replayBytes) {
        replay = new Replay(pool, replayBytes);
        untoldBytesMax = replayBytes / 4;
    }

    Replay replay() {
        return replay;
    }

    /** How often the link has gone back. */
    int count() {
        return answered;
    }

    // ---- acknowledgements

    /** A numbered frame is in, on a path that may be forgotten: true if it is the first that the peer was not told of. */
    boolean received(int frameBytes) {
        untoldBytes += frameBytes;
        untoldFrames++;
        if (untoldBytes >= untoldBytesMax || untoldFrames >= UNTOLD_FRAMES_MAX) {
            tellDue = true;
        }
        return untoldFrames == 1;
    }

    boolean isTellDue() {
        return tellDue;
    }

    /** Tells the peer of what is in as soon as possible, if there is anything. */
    void tellNow() {
        tellDue = untoldFrames > 0;
    }

    /** What is to be told at once still is, but the peer need not know of anything else that is in, or comes in. */
    void nothingLaterToTell() {
        if (!tellDue) {
            nothingToTell();
        }
    }

    /** Tells the peer if that has waited long enough. Returns whether there is something to tell. */
    boolean lookAtUntold(long nowNs) {
        if (untoldFrames == 0) {
            tellAwaited = false;
            return false;
        }
        if (!tellAwaited) {
            tellAwaited = true;
            tellAtNs = nowNs + TELL_AFTER_NS;
        } else if (nowNs - tellAtNs >= 0) {
            tellDue = true;
        }
        return true;
    }

    /** Makes an ACK. */
    void tell(long sequence, ByteBuffer header, int at) {
        nothingToTell();
        Frame.begin(header, at, FrameType.ACK);
        Frame.credit(header, at, sequence);
    }

    private void nothingToTell() {
        untoldBytes = 0;
        untoldFrames = 0;
        tellDue = false;
        tellAwaited = false;
    }

    /** ACK came in. */
    void told(long sequenceSent, ByteBuffer header, int at) {
        long sequence = Frame.credit(header, at);
        boolean leaves = replay.leaving() != 0 && sequence >= replay.leaving();
        boolean unsent = replay.isSendingAgain() && sequence >= replay.againSequence();
        if (sequence <= 0 || sequence > sequenceSent || leaves || unsent) {
            throw Link.protocol("acknowledgement of frame " + sequence + " of " + sequenceSent, header, at);
        }
        replay.acknowledged(sequence);
    }

    // ---- the exchange

    /** Whether the peer has not answered yet, so that nothing but RESUME may go out. */
    boolean isUnanswered() {
        return begun != answered;
    }

    boolean isSayDue() {
        return sayDue;
    }

    /** Whether the peer began, and this end has not followed. */
    boolean isAsked() {
        return asked;
    }

    /**
     * The path is gone, and no more comes in on it.
     *
     * @param wasRecording whether frames went out on it
     * @param in           where frames came from; null if not on the path that is gone
     * @param frame        the last one that began there, if {@code in} is given
     * @param whole        whether that was all in
     */
    void begin(boolean wasRecording, Path in, InboundFrame frame, boolean whole) {
        begun++;
        sayDue = true;
        nothingToTell();
        replay.stopSendingAgain();
        if (wasRecording) {
            replay.taken();
            interruptedSequence = 0;
        }
        if (in != null && !whole && !interrupted) {
            // Perhaps it was the rest of a frame that had been interrupted before.
            makeWhole(frame);
            interrupted = true;
            payload = frame.payload;
            bytes = frame.bytes;
            landed = frame.bytes - in.missingBytes();
            offset = frame.offset;
            attachment = frame.attachment;
        }
        if (asked) {
            asked = false;
            answered();
        }
    }

    /** The flow through the relay began anew, and what was said on the one before may be lost. */
    void repeat() {
        sayDue = true;
    }

    /** Makes a RESUME. */
    void say(long sequenceReceived, ByteBuffer header, int at) {
        sayDue = false;
        Frame.begin(header, at, FrameType.RESUME);
        Frame.transfer(header, at, begun);
        Frame.credit(header, at, interrupted ? sequenceReceived - 1 : sequenceReceived);
        if (interrupted) {
            Frame.flags(header, at, FLAG_INTERRUPTED);
            Frame.messageBytes(header, at, landed);
        }
    }

    /** RESUME came in. If the peer began, what it says counts from {@link #begin} on. */
    void heard(long sequenceSent, ByteBuffer header, int at) {
        int number = Frame.transfer(header, at);
        long sequence = Frame.credit(header, at);
        if (number > 0 && number == answered) {
            // Said again by a peer that does not know yet that this end was through, and begins the next.
            return;
        }
        boolean overtakes = number == begun + 1 && isUnanswered();
        boolean answers = overtakes || (number == begun && isUnanswered());
        // Perhaps said again, on a flow that began before this end has followed.
        boolean begins = number == answered + 1 && !isUnanswered();
        boolean sent =
                sequence >= 0 && sequence <= sequenceSent && (replay.leaving() == 0 || sequence < replay.leaving());
        if (!sent || !(answers || begins)) {
            throw Link.protocol(
                    "unexpected number " + number + " after " + answered + ", or frame " + sequence + " of "
                            + sequenceSent,
                    header,
                    at);
        }
        peerSequence = sequence;
        peerInterrupted = (Frame.flags(header, at) & FLAG_INTERRUPTED) != 0;
        peerLanded = Frame.messageBytes(header, at);
        if (overtakes) {
            begun = number;
            sayDue = true;
        }
        if (answers) {
            answered();
        } else {
            asked = true;
        }
    }

    private void answered() {
        answered = begun;
        replay.acknowledged(peerSequence);
        boolean ours = peerInterrupted && !replay.isEmpty() && replay.oldestSequence() == peerSequence + 1;
        if (ours && replay.leaving() == 0) {
            if (peerLanded > replay.oldestPayloadBytes()) {
                throw new ZipException(
                        ErrorCode.PROTOCOL,
                        peerLanded + " bytes received of a frame of " + replay.oldestPayloadBytes());
            }
            interruptedSequence = peerSequence + 1;
        }
        replay.sendAgain();
    }

    // ---- once more

    /** Whether the peer owes word of some frames. */
    boolean isKeeping() {
        return !replay.isEmpty();
    }

    /** Whether frames wait to be sent once more. */
    boolean isReplaying() {
        return replay.isSendingAgain();
    }

    /** Gives out the next frame that did not come in. Returns whether it is the rest of one. */
    boolean replayNext(ByteBuffer header, int at, OutboundFrame frame) {
        boolean rest = replay.againSequence() == interruptedSequence;
        if (rest) {
            replay.restOfNextAgain((int) peerLanded, header, at, frame);
        } else {
            replay.nextAgain(header, at, frame);
        }
        return rest;
    }

    // ---- the rest of a frame

    boolean isInterrupted() {
        return interrupted;
    }

    /** REST came in: its payload goes where that of its frame went. */
    void rest(InboundFrame frame, ByteBuffer header, int at) {
        if (!interrupted || frame.bytes != bytes - landed) {
            throw Link.protocol("rest of " + frame.bytes + " bytes, expected " + (bytes - landed), header, at);
        }
        interrupted = false;
        landedBefore = landed;
        frame.payload = payload;
        frame.offset = offset + landed;
        frame.attachment = attachment;
        payload = null;
        attachment = null;
    }

    /** A numbered frame is all in: if it was interrupted, it is as if it had not been. */
    void makeWhole(InboundFrame frame) {
        frame.bytes += landedBefore;
        frame.offset -= landedBefore;
        landedBefore = 0;
    }

    /** The rest of the frame goes nowhere if it is the one with an attachment. */
    void release(Object given) {
        if (interrupted && attachment == given) {
            payload = null;
            attachment = null;
        }
    }

    // ---- the end

    /** Whether both ends know of each other that nothing is missing. */
    boolean isSettled() {
        return replay.isEmpty() && untoldFrames == 0 && !asked && !sayDue && !isUnanswered();
    }

    /** Nothing more will be sent or received, and no path sends from here. */
    void clear() {
        replay.clear();
        nothingToTell();
        payload = null;
        attachment = null;
    }
}
