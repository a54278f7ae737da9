package io.zipcomm.transport.aeron;

import io.aeron.ExclusivePublication;
import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
import io.zipcomm.transport.TransportCounters;
import io.zipcomm.wire.Frame;
import org.agrona.MutableDirectBuffer;

/**
 * The way out of an {@link IpcPath}: a frame is one message of the stream. A short payload is in it, behind the header; a
 * longer one is in a slot of this rank's arena, whose number is in the reserved value of the message.
 *
 * <p>Engine holder only. Nothing is allocated but for a frame that is released on its way.
 */
final class IpcOutput extends StreamOutput {

    /** In place of a slot: the payload, if there is one, is in the message itself. */
    static final long INLINE = 0;

    /** In place of a slot: there will be no further message. */
    static final long END = -1;

    /** The reserved value of a message whose payload is in slot 0; of slot 1 it is one more. */
    static final long FIRST_SLOT = 1;

    /** Longest message of the streams: what a claim takes at once. */
    static final int MESSAGE_BYTES_MAX = 2048 - 32;

    /** Longest payload behind a header. */
    static final int INLINE_BYTES_MAX = MESSAGE_BYTES_MAX - Frame.HEADER_BYTES;

    /** Slots filled in one turn: the thread must get to what came in, while it is in the cache. */
    private static final int SLOTS_PER_TURN = 4;

    private final IpcPath path;
    private final Arena arena;
    private final SharedSlots shared;
    private final int reader;
    private final int slotsMax;

    /** Where the frame's payload is; {@link Arena#NONE} if it is in no slot. */
    private int slot = Arena.NONE;

    private boolean wrote;
    private boolean turnOver;

    /**
     * @param reader   which of the arena's readers the peer is
     * @param slotsMax slots that the peer may have at once
     */
    IpcOutput(
            IpcPath path,
            ExclusivePublication publication,
            Arena arena,
            SharedSlots shared,
            int reader,
            int slotsMax,
            TransportCounters counters) {
        super(path, publication, counters);
        this.path = path;
        this.arena = arena;
        this.shared = shared;
        this.reader = reader;
        this.slotsMax = slotsMax;
    }

    /** Whether a frame waits for room, or for the next turn. */
    boolean hasOutput() {
        return pending || turnOver || (ending && !ended);
    }

    /**
     * Goes on in another stream, if no message is half written.
     *
     * @return the position at which the one before ends
     */
    long moveTo(ExclusivePublication next) {
        long position = publication.position();
        publication = next;
        blocked = false;
        return position;
    }

    @Override
    boolean mayGoOn() {
        return super.mayGoOn() && !turnOver;
    }

    @Override
    void flushed() {
        if (wrote) {
            wrote = false;
            path.wrote();
        }
    }

    @Override
    void writeAll() {
        int slots = 0;
        turnOver = false;
        while (path.isWritable() && (pending || take())) {
            if (slots == SLOTS_PER_TURN) {
                turnOver = true;
                return;
            }
            slots += frame.bytes > INLINE_BYTES_MAX ? 1 : 0;
            blocked = !write();
            if (blocked) {
                return;
            }
        }
        if (ending && !ended && path.isWritable()) {
            ended = mark(END);
            blocked = !ended;
            wrote |= ended;
        }
    }

    private boolean take() {
        slot = Arena.NONE;
        return takeNext();
    }

    /** Writes the frame, if there is room. */
    private boolean write() {
        boolean isWritten = frame.bytes > INLINE_BYTES_MAX ? writeBySlot() : writeInline();
        if (isWritten) {
            wrote = true;
            written();
        }
        return isWritten;
    }

    private boolean writeInline() {
        if (!claim(Frame.HEADER_BYTES + frame.bytes)) {
            return false;
        }
        MutableDirectBuffer buffer = claim.buffer();
        buffer.putBytes(claim.offset(), headerBytes, 0, Frame.HEADER_BYTES);
        if (frame.bytes > 0) {
            int at = buffer.wrapAdjustment() + claim.offset() + Frame.HEADER_BYTES;
            frame.payload.copyOut(frame.offset, stream.of(buffer), at, frame.bytes);
        }
        claim.reservedValue(INLINE).commit();
        taken();
        return true;
    }

    private boolean writeBySlot() {
        if (slot == Arena.NONE && !fillSlot()) {
            return false;
        }
        if (!claim(Frame.HEADER_BYTES)) {
            return false;
        }
        claim.putBytes(headerBytes, 0, Frame.HEADER_BYTES);
        arena.lend(slot, reader);
        arena.release(slot);
        claim.reservedValue(FIRST_SLOT + slot).commit();
        slot = Arena.NONE;
        return true;
    }

    /** Finds a slot with the payload, or places it in one. Returns false if there is none to be had. */
    private boolean fillSlot() {
        if (arena.lentTo(reader) >= slotsMax && arena.collect(reader) >= slotsMax) {
            return false;
        }
        // A released frame's payload is a copy at another offset.
        boolean isShared = frame.share != 0 && owes;
        slot = isShared ? shared.take(frame.share, frame.offset) : Arena.NONE;
        if (slot == Arena.NONE) {
            slot = arena.take();
            while (slot == Arena.NONE && shared.dropOldest()) {
                slot = arena.take();
            }
            if (slot == Arena.NONE) {
                return false;
            }
            frame.payload.copyOut(frame.offset, arena.memory(), arena.at(slot), frame.bytes);
            // Peers without a path in memory get it elsewhere.
            int others = Math.min(frame.sharers, path.siblings()) - 1;
            if (isShared && others > 0) {
                shared.put(frame.share, frame.offset, slot, others);
            }
        }
        taken();
        return true;
    }

    /** Copies what is left of a released frame. */
    void release(Object attachment) {
        if (!pending || !owes || frame.attachment != attachment) {
            return;
        }
        owes = false;
        Segment copy = Segment.allocate((frame.bytes + Long.BYTES - 1) / Long.BYTES * Long.BYTES);
        frame.payload.copyOut(frame.offset, copy, 0, frame.bytes);
        frame.payload = Payload.of(copy.bytes(), 0, frame.bytes, DataType.INT8);
        frame.offset = 0;
        frame.attachment = null;
    }

    /** Gives back what the path holds of the arena; what its reader has stays as it is. */
    void abandon() {
        if (slot != Arena.NONE) {
            arena.release(slot);
            slot = Arena.NONE;
        }
        pending = false;
        turnOver = false;
        ended = true;
    }
}
