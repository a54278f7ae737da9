package io.zipcomm.internal;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
import java.nio.ByteBuffer;

/** Memory for {@link Replay}s in chunks of one size, shared by the links of an engine. Engine holder only. */
final class ReplayPool {

    /** Size of a chunk. A frame lies in one of them. */
    static final int CHUNK_BYTES = 128 << 10;

    /** Frames one behind the other. */
    static final class Chunk {
        final Segment memory = Segment.allocate(CHUNK_BYTES);
        final ByteBuffer bytes = memory.bytes();
        final Payload payload = Payload.of(bytes, 0, CHUNK_BYTES, DataType.INT8);

        /** End of the last frame. */
        int end;

        Chunk next;
    }

    private final int idleMax;
    private Chunk idle;
    private int idleCount;
    private int inUse;

    /**
     * @param idleBytesMax memory kept for re-use
     */
    ReplayPool(long idleBytesMax) {
        idleMax = (int) (idleBytesMax / CHUNK_BYTES);
    }

    Chunk take() {
        inUse++;
        Chunk chunk = idle;
        if (chunk == null) {
            return new Chunk();
        }
        idle = chunk.next;
        idleCount--;
        chunk.next = null;
        chunk.end = 0;
        return chunk;
    }

    void give(Chunk chunk) {
        inUse--;
        if (idleCount < idleMax) {
            chunk.next = idle;
            idle = chunk;
            idleCount++;
        }
    }

    /** Chunks taken and not given back. */
    int inUse() {
        return inUse;
    }
}
