package io.zipcomm.relay.route;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayDeque;

/**
 * Bytes in order, as the buffers they came in. Small pieces are gathered, so that the memory held stays within a small
 * multiple of the bytes, however they are cut. Owns what it holds.
 */
final class ByteQueue {

    /** Pieces up to this long are copied into a buffer with their neighbours. */
    private static final int SMALL_BYTES_MAX = 512;

    private static final int GATHERED_BYTES_MIN = 256;
    private static final int GATHERED_BYTES_MAX = 8 << 10;

    private final ArrayDeque<ByteBuf> buffers = new ArrayDeque<>();

    /** For each buffer, whether a frame ends with it. */
    private final ArrayDeque<Boolean> frameEnds = new ArrayDeque<>();

    private final ByteBufAllocator allocator;
    private long bytes;
    private final HeldMemory held = new HeldMemory();

    /** The last buffer, if pieces are gathered there. */
    private ByteBuf gathered;

    ByteQueue(ByteBufAllocator allocator) {
        this.allocator = allocator;
    }

    long bytes() {
        return bytes;
    }

    /** Memory that is not free because of it. */
    long heldBytes() {
        return held.bytes();
    }

    boolean isEmpty() {
        return bytes == 0;
    }

    /** Takes over a buffer with one byte or more, with whose last byte a frame ends or not. */
    void add(ByteBuf piece, boolean endsFrame) {
        int count = piece.readableBytes();
        bytes += count;
        if (count > SMALL_BYTES_MAX) {
            addBuffer(piece, endsFrame);
            return;
        }
        try {
            gather(piece, count, endsFrame);
        } catch (OutOfMemoryError e) {
            // It stays what it is: without this piece, what is here already may be half a frame.
            addBuffer(piece, endsFrame);
        }
    }

    private void addBuffer(ByteBuf buffer, boolean endsFrame) {
        gathered = null;
        buffers.add(buffer);
        held.add(buffer);
        frameEnds.add(endsFrame);
    }

    private void gather(ByteBuf piece, int count, boolean endsFrame) {
        if (gathered != null && gathered.maxWritableBytes() >= count) {
            gathered.writeBytes(piece);
            held.newestWritten();
            frameEnds.removeLast();
            frameEnds.add(endsFrame);
        } else {
            ByteBuf next = allocator.directBuffer(Math.max(GATHERED_BYTES_MIN, count), GATHERED_BYTES_MAX);
            next.writeBytes(piece);
            addBuffer(next, endsFrame);
            gathered = next;
        }
        piece.release();
    }

    /** Whether a frame ends with the oldest buffer, which there must be. */
    boolean oldestEndsFrame() {
        return frameEnds.element();
    }

    /** The oldest buffer, which the caller now owns; null if there is none. */
    ByteBuf poll() {
        ByteBuf oldest = buffers.poll();
        if (oldest != null) {
            bytes -= oldest.readableBytes();
            held.removeOldest();
            frameEnds.remove();
            if (buffers.isEmpty()) {
                gathered = null;
            }
        }
        return oldest;
    }

    void clear() {
        for (ByteBuf buffer = poll(); buffer != null; buffer = poll()) {
            buffer.release();
        }
    }
}
