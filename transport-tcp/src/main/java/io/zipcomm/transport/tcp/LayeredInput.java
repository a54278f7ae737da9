package io.zipcomm.transport.tcp;

import java.io.IOException;
import java.nio.ByteBuffer;

/** What a {@link LayeredSocket} has read from below and not taken apart yet. */
final class LayeredInput {

    /** Memory; what waits is from {@link #readAt} to {@link #writeAt}. */
    final ByteBuffer bytes;

    int readAt;
    int writeAt;

    /** What waits is too little to go on with. */
    boolean starved = true;

    LayeredInput(int capacity) {
        bytes = ByteBuffer.allocateDirect(capacity);
    }

    /** Reads more. Returns how many bytes, 0 if there are none now, -1 at the end. */
    int fill(StreamSocket under) throws IOException {
        if (readAt > 0) {
            bytes.limit(writeAt).position(readAt);
            bytes.compact();
            bytes.clear();
            writeAt -= readAt;
            readAt = 0;
        }
        int count = under.read(bytes, writeAt, bytes.capacity());
        bytes.clear();
        if (count > 0) {
            writeAt += count;
            starved = false;
        }
        return count;
    }
}
