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

    /** Chunks of one size that wait to be used again. */
    private static final class Idle {
        private final int chunkBytes;
        private final int max;
        private Chunk first;
        private int count;

        Idle(int chunkBytes, long bytesMax) {
            this.chunkBytes = chunkBytes;
            max = (int) (bytesMax / chunkBytes);
        }

        Chunk take() {
            Chunk chunk = first;
            if (chunk == null) {
                return new Chunk(chunkBytes);
            }
            first = chunk.next;
            count--;
            chunk.next = null;
            chunk.end = 0;
            return chunk;
        }

        void give(Chunk chunk) {
            if (count < max) {
                chunk.next = first;
                first = chunk;
                count++;
            }
        }
    }

    private final Idle small;
    private final Idle large;
    private int inUse;

    /**
     * @param idleBytesMax memory of each size kept for re-use
     */
    ReplayPool(long idleBytesMax) {
        small = new Idle(CHUNK_BYTES, idleBytesMax);
        large = new Idle(LONG_CHUNK_BYTES, idleBytesMax);
    }

    Chunk take(boolean forLong) {
        inUse++;
        return (forLong ? large : small).take();
    }

    void give(Chunk chunk) {
        inUse--;
        (chunk.isLong() ? large : small).give(chunk);
    }

    /** Chunks taken and not given back. */
    int inUse() {
        return inUse;
    }
}
