package io.zipcomm.internal;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
import java.nio.ByteBuffer;

/** Memory for {@link Replay}s in chunks of two sizes, shared by the links of an engine. Engine holder only. */
final class ReplayPool {

    /** Size of a chunk for short messages. */
    static final int CHUNK_BYTES = 128 << 10;

    /**
     * Size of a chunk for long messages: as many frames as carry 1 MiB, which leave with one call of the operating system, and
     * a little more.
     */
    static final int LONG_CHUNK_BYTES = 18 * (64 << 10);

    /** Frames one behind the other. A frame lies in one chunk. */
    static final class Chunk {
        final Segment memory;
        final ByteBuffer bytes;
        final Payload payload;

        /** End of the last frame. */
        int end;

        Chunk next;

        private Chunk(int capacity) {
            memory = Segment.allocate(capacity);
            bytes = memory.bytes();
            payload = Payload.of(bytes, 0, capacity, DataType.INT8);
        }

        /** Bytes behind the last frame. */
        int room() {
            return memory.capacity() - end;
        }

        boolean isLong() {
            return memory.capacity() == LONG_CHUNK_BYTES;
        }
    }

    /** Memory of each size that is kept for re-use at the most, however much was in use. */
    private static final long IDLE_BYTES_MAX = 64 << 20;

    /** After so many chunks were taken, what was in use before is forgotten. */
    private static final int PERIOD = 1000;

    /** Chunks of one size: as many as were lately in use at once stay, or wait to be used again. */
    private static final class Sized {
        private final int chunkBytes;
        private final int min;
        private final int max;
        private Chunk first;
        private int idle;
        private int inUse;

        /** Chunks in use at the most, in this period and in the one before. */
        private int peak;

        private int lastPeak;
        private int taken;

        Sized(int chunkBytes, long idleBytesMin) {
            this.chunkBytes = chunkBytes;
            min = (int) (idleBytesMin / chunkBytes);
            max = Math.max(min, (int) (IDLE_BYTES_MAX / chunkBytes));
        }

        Chunk take() {
            if (++taken == PERIOD) {
                taken = 0;
                lastPeak = peak;
                peak = inUse;
            }
            inUse++;
            peak = Math.max(peak, inUse);
            Chunk chunk = first;
            if (chunk == null) {
                return new Chunk(chunkBytes);
            }
            first = chunk.next;
            idle--;
            chunk.next = null;
            chunk.end = 0;
            return chunk;
        }

        void give(Chunk chunk) {
            inUse--;
            int kept = Math.max(min, Math.max(peak, lastPeak));
            if (idle < max && idle + inUse < kept) {
                chunk.next = first;
                first = chunk;
                idle++;
            }
        }
    }

    private final Sized small;
    private final Sized large;

    /**
     * @param idleBytesMin memory of each size that is kept for re-use in any case
     */
    ReplayPool(long idleBytesMin) {
        small = new Sized(CHUNK_BYTES, idleBytesMin);
        large = new Sized(LONG_CHUNK_BYTES, idleBytesMin);
    }

    Chunk take(boolean forLong) {
        return (forLong ? large : small).take();
    }

    void give(Chunk chunk) {
        (chunk.isLong() ? large : small).give(chunk);
    }

    /** Chunks taken and not given back. */
    int inUse() {
        return small.inUse + large.inUse;
    }

    /** Chunks that wait to be used again. */
    int idle() {
        return small.idle + large.idle;
    }
}
