package io.zipcomm.collectives.plan;

import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
import java.util.ArrayDeque;

/** A piece of the library's own memory. */
final class Scratch {

    /** Never null, so that plans without scratch memory need no special case. */
    static final Scratch NONE = new Scratch(Long.BYTES);

    private final Segment segment;
    private final Payload payload;

    private Scratch(int capacity) {
        segment = Segment.allocate(capacity);
        payload = Payload.of(segment.bytes());
    }

    Segment segment() {
        return segment;
    }

    Payload payload() {
        return payload;
    }

    /** Scratch memory by powers of two, kept for the next operation up to a limit. Any thread. */
    static final class Pool {

        /** What is kept while nobody uses it. Operations that need more get it, and it is freed afterwards. */
        static final long KEPT_BYTES_MAX = 16 << 20;

        private static final int SMALLEST_SHIFT = 10;
        private static final int LARGEST_SHIFT = 30;

        private final ArrayDeque<Scratch>[] idle = newArray(LARGEST_SHIFT + 1);
        private long keptBytes;

        @SuppressWarnings("unchecked") // an array of a generic type can be made in no other way
        private static ArrayDeque<Scratch>[] newArray(int length) {
            return (ArrayDeque<Scratch>[]) new ArrayDeque<?>[length];
        }

        synchronized Scratch take(long bytes) {
            if (bytes == 0) {
                return NONE;
            }
            int shift = shiftOf(bytes);
            if (idle[shift] == null || idle[shift].isEmpty()) {
                return new Scratch(1 << shift);
            }
            keptBytes -= 1 << shift;
            return idle[shift].pop();
        }

        synchronized void giveBack(Scratch scratch) {
            int capacity = scratch.segment.capacity();
            if (scratch == NONE || keptBytes + capacity > KEPT_BYTES_MAX) {
                return;
            }
            int shift = shiftOf(capacity);
            if (idle[shift] == null) {
                idle[shift] = new ArrayDeque<>();
            }
            keptBytes += capacity;
            idle[shift].push(scratch);
        }

        synchronized long keptBytes() {
            return keptBytes;
        }

        private static int shiftOf(long bytes) {
            return Math.max(SMALLEST_SHIFT, Long.SIZE - Long.numberOfLeadingZeros(bytes - 1));
        }
    }
}
