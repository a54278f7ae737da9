package io.zipcomm.transport.aeron;

import io.aeron.logbuffer.LogBufferDescriptor;
import io.zipcomm.buffer.Segment;
import java.nio.ByteBuffer;
import org.agrona.DirectBuffer;

/**
 * The mapped memory of one stream as what payloads are copied from and to: a view of each of its terms, made once. Engine
 * holder only.
 */
final class StreamMemory {

    private final ByteBuffer[] mapped = new ByteBuffer[LogBufferDescriptor.PARTITION_COUNT];
    private final Segment[] segments = new Segment[mapped.length];

    /** The term that was asked for last. */
    private int term;

    /**
     * The memory that one of the stream's buffers is part of.
     *
     * @param buffer as Aeron gives it; of the same stream each time, or of the one that takes its place
     */
    Segment of(DirectBuffer buffer) {
        ByteBuffer now = buffer.byteBuffer();
        for (int i = 0; i < mapped.length; i++) {
            if (isTerm(now)) {
                return segments[term];
            }
            term = (term + 1) % mapped.length;
        }
        // Behind the term asked for last is the one that has not been asked for for longest.
        term = (term + 1) % mapped.length;
        mapped[term] = now;
        segments[term] = Segment.of(now);
        return segments[term];
    }

    @SuppressWarnings("ReferenceEquality") // whether it is the same memory, not whether it holds the same bytes
    private boolean isTerm(ByteBuffer now) {
        return mapped[term] == now;
    }
}
