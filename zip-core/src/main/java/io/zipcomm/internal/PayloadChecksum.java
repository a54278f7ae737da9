package io.zipcomm.internal;

import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * CRC32C of what a payload's memory holds. Direct memory is read where it is; other memory is copied in pieces that stay in the
 * processor's cache. Allocates nothing. Engine holder only.
 */
final class PayloadChecksum {

    /** A multiple of the longest element. */
    private static final int PIECE_BYTES = 8 << 10;

    private final CRC32C crc = new CRC32C();
    private final Segment piece = Segment.allocate(PIECE_BYTES);

    /**
     * The checksum of a part of a payload.
     *
     * @param offset first byte, a multiple of the element's length
     * @param bytes  length, a multiple of the element's
     */
    int of(Payload payload, long offset, int bytes) {
        crc.reset();
        ByteBuffer memory = payload.direct();
        if (memory == null) {
            copied(payload, offset, bytes);
        } else {
            update(crc, memory, (int) offset, bytes);
        }
        return (int) crc.getValue();
    }

    private void copied(Payload payload, long offset, int bytes) {
        for (int done = 0; done < bytes; done += PIECE_BYTES) {
            int length = Math.min(PIECE_BYTES, bytes - done);
            payload.copyOut(offset + done, piece, 0, length);
            update(crc, piece.bytes(), 0, length);
        }
    }

    /** Adds a part of direct memory, whatever the buffer's position and limit are; they are cleared. */
    static void update(CRC32C crc, ByteBuffer memory, int at, int length) {
        crc.update(memory.clear().limit(at + length).position(at));
        memory.clear();
    }
}
