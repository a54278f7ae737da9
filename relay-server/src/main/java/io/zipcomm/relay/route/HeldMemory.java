package io.zipcomm.relay.route;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;

/**
 * The memory that buffers in a row hold on to, oldest first. A piece holds on to all of the buffer that it is a piece of; pieces
 * of one buffer that follow each other do so together, and it goes with the last of them. Owns nothing.
 */
final class HeldMemory {

    /** A power of two, as all lengths of the ring. */
    private static final int PLACES_MIN = 8;

    /** A ring: bytes that go with each buffer. */
    private long[] places = new long[PLACES_MIN];

    private int oldest;
    private int count;
    private long bytes;

    /** What the newest is a piece of; null if there is none. */
    private ByteBuf newestWhole;

    /** What a buffer is a piece of: itself, if it is none. */
    private static ByteBuf whole(ByteBuf piece) {
        ByteBuf whole = piece;
        for (ByteBuf outer = piece; outer != null; outer = outer.unwrap()) {
            whole = outer;
        }
        return whole;
    }

    /** Bytes that are not free as long as one buffer is held. */
    static long of(ByteBuf piece) {
        return ofWhole(whole(piece));
    }

    private static long ofWhole(ByteBuf whole) {
        if (!(whole instanceof CompositeByteBuf parts)) {
            return whole.capacity();
        }
        long sum = 0;
        for (int i = 0; i < parts.numComponents(); i++) {
            sum += of(parts.internalComponent(i));
        }
        return sum;
    }

    long bytes() {
        return bytes;
    }

    /** One more buffer is held. */
    @SuppressWarnings("ReferenceEquality") // the same buffer, not the same bytes
    void add(ByteBuf piece) {
        ByteBuf whole = whole(piece);
        if (count > 0 && whole == newestWhole) {
            setNewest(0);
        }
        if (count == places.length) {
            grow();
        }
        count++;
        newestWhole = whole;
        setNewest(ofWhole(whole));
    }

    /** The newest buffer has been written to, which may have made it larger. */
    void newestWritten() {
        setNewest(ofWhole(newestWhole));
    }

    private void setNewest(long held) {
        int place = (oldest + count - 1) & (places.length - 1);
        bytes += held - places[place];
        places[place] = held;
    }

    private void grow() {
        long[] larger = new long[2 * places.length];
        for (int i = 0; i < count; i++) {
            larger[i] = places[(oldest + i) & (places.length - 1)];
        }
        places = larger;
        oldest = 0;
    }

    void removeOldest() {
        bytes -= places[oldest];
        places[oldest] = 0;
        oldest = (oldest + 1) & (places.length - 1);
        count--;
        if (count == 0) {
            newestWhole = null;
        }
    }

    /** All but so many are not held any more. */
    void keepNewest(int most) {
        while (count > most) {
            removeOldest();
        }
    }
}
