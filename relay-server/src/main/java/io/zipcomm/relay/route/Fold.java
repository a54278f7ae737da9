package io.zipcomm.relay.route;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Segment;
import io.zipcomm.internal.Combiner;

/**
 * Combines the contributions to one operation, in rank order whatever the order in which they come: (a + b) + c, each
 * element as soon as it can be. Of a result that is forming, a window is kept. Event loop only.
 */
final class Fold {

    private final Combiner combiner;
    private final ByteBufAllocator allocator;
    private final HubSeat[] seats;
    private final DataType type;
    private final int reduction;
    private final long bytes;
    private final int partBytes;

    /** Parts that are forming, each at its number modulo their count. */
    private final ByteBuf[] parts;

    /**
     * For one operation.
     *
     * @param seats by place; null where nobody has entered yet
     */
    Fold(
            Combiner combiner,
            ByteBufAllocator allocator,
            HubLimits limits,
            HubSeat[] seats,
            DataType type,
            int reduction,
            long bytes) {
        this.combiner = combiner;
        this.allocator = allocator;
        this.seats = seats;
        this.type = type;
        this.reduction = reduction;
        this.bytes = bytes;
        partBytes = limits.partBytes();
        parts = new ByteBuf[limits.windowParts()];
    }

    /** Bytes of the result that are final. */
    long finished() {
        HubSeat last = seats[seats.length - 1];
        return last == null ? 0 : last.folded;
    }

    /** Memory that was taken for a part and has no data yet. */
    long unfilledBytes() {
        long filled = seats[0].folded;
        long partsBytes = (filled + partBytes - 1) / partBytes * partBytes;
        return Math.min(bytes, partsBytes) - filled;
    }

    /**
     * Combines what one rank has contributed, as far as those before it have.
     *
     * @param atMost bytes
     * @return how many
     */
    long fold(int place, long atMost) {
        HubSeat seat = seats[place];
        if (seat == null) {
            return 0;
        }
        long limit = place == 0 ? bytes : seats[place - 1] == null ? 0 : seats[place - 1].folded;
        long before = seat.folded;
        while (seat.folded - before < atMost) {
            int inBlock = Combiner.BLOCK_BYTES - (int) (seat.folded % Combiner.BLOCK_BYTES);
            int inPart = partBytes - (int) (seat.folded % partBytes);
            long ready = Math.min(limit - seat.folded, seat.kept.bytes());
            int count = (int) Math.min(ready, Math.min(inBlock, inPart));
            count -= count % type.bytes();
            if (count == 0) {
                break;
            }
            block(seat, place, count);
            seat.folded += count;
        }
        return seat.folded - before;
    }

    private void block(HubSeat seat, int place, int count) {
        Segment left = combiner.left();
        int at = (int) (seat.folded % partBytes);
        int slot = slot(seat.folded);
        if (place == 0) {
            if (parts[slot] == null) {
                int length = (int) Math.min(partBytes, bytes - seat.folded);
                parts[slot] = allocator.directBuffer(length, length).writerIndex(length);
            }
            seat.kept.read(left.bytes().clear(), count);
        } else {
            parts[slot].getBytes(at, left.bytes().clear().limit(count));
            seat.kept.read(combiner.right().bytes().clear(), count);
            combiner.right().bytes().clear();
            left.bytes().clear();
            combiner.combine(type, reduction, count, place == seats.length - 1 ? seats.length : 0);
        }
        parts[slot].setBytes(at, left.bytes().clear().limit(count));
        left.bytes().clear();
    }

    private int slot(long offset) {
        return (int) (offset / partBytes % parts.length);
    }

    /** A part that is final, which the caller now owns. */
    ByteBuf take(long part) {
        int slot = (int) (part % parts.length);
        ByteBuf taken = parts[slot];
        parts[slot] = null;
        return taken;
    }

    void clear() {
        for (int i = 0; i < parts.length; i++) {
            if (parts[i] != null) {
                parts[i].release();
                parts[i] = null;
            }
        }
    }
}
