package io.zipcomm.relay.route;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import java.nio.ByteBuffer;

/** What one rank has contributed to an operation and nobody has used yet. Owns what it holds. */
final class Contribution {

    private final ByteBufAllocator allocator;
    private final ByteQueue pieces;

    /** The oldest piece, if some of it has been read. */
    private ByteBuf begun;

    private long excessCounted;

    Contribution(ByteBufAllocator allocator) {
        this.allocator = allocator;
        pieces = new ByteQueue(allocator);
    }

    void add(ByteBuf piece) {
        pieces.add(piece, false);
    }

    long bytes() {
        return pieces.bytes() + (begun == null ? 0 : begun.readableBytes());
    }

    /** Memory that its bytes hold beyond their number. */
    private long excess() {
        long held = pieces.heldBytes() + (begun == null ? 0 : HeldMemory.of(begun));
        return held - bytes();
    }

    /** How much more that is than when this was asked last. */
    long excessChange() {
        long change = excess() - excessCounted;
        excessCounted += change;
        return change;
    }

    /** Moves the oldest bytes, which must be there. */
    void read(ByteBuffer to, int count) {
        int left = count;
        while (left > 0) {
            if (begun == null) {
                begun = pieces.poll();
            }
            int some = Math.min(left, begun.readableBytes());
            to.limit(to.position() + some);
            begun.readBytes(to);
            left -= some;
            if (!begun.isReadable()) {
                begun.release();
                begun = null;
            }
        }
    }

    /** What was counted so far: it goes with all that is here to whoever takes that. */
    long takeExcess() {
        long taken = excessCounted;
        excessCounted = 0;
        return taken;
    }

    /** All that is here, as one buffer that the caller owns. */
    ByteBuf takeAll() {
        ByteBuf first = begun == null ? pieces.poll() : begun;
        begun = null;
        if (first == null || pieces.isEmpty()) {
            return first;
        }
        CompositeByteBuf all = allocator.compositeDirectBuffer(Integer.MAX_VALUE);
        for (ByteBuf piece = first; piece != null; piece = pieces.poll()) {
            all.addComponent(true, piece);
        }
        return all;
    }

    void clear() {
        if (begun != null) {
            begun.release();
            begun = null;
        }
        pieces.clear();
    }
}
