package io.zipcomm.transport.aeron;

import io.zipcomm.buffer.Segment;
import java.nio.ByteBuffer;
import org.agrona.DirectBuffer;

/** The mapped memory of one stream as what payloads are copied from and to: a view that is made once. Engine holder only. */
final class StreamMemory {

    private ByteBuffer mapped;
    private Segment segment;

    /**
     * The memory that one of the stream's buffers is part of.
     *
     * @param buffer as Aeron gives it, of the same stream each time
     */
    @SuppressWarnings("ReferenceEquality") // whether it is the same memory, not whether it holds the same bytes
    Segment of(DirectBuffer buffer) {
        ByteBuffer now = buffer.byteBuffer();
        if (now != mapped) {
            mapped = now;
            segment = Segment.of(now);
        }
        return segment;
    }
}
