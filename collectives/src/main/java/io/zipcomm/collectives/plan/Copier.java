package io.zipcomm.collectives.plan;

import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;

/** Copies between memories of any kind. Thread: one at a time. */
final class Copier {

    private static final int STAGING_BYTES = 64 << 10;

    /** Between two memories that are not segments; made when needed first. */
    private Segment staging;

    /**
     * Copies {@code bytes} bytes, a whole number of the payloads' elements. A segment is the payload's memory from byte 0,
     * or null.
     */
    void copy(
            Payload from,
            Segment fromSegment,
            long fromOffset,
            Payload to,
            Segment toSegment,
            long toOffset,
            long bytes) {
        if (fromSegment != null) {
            to.copyIn(toOffset, fromSegment, (int) fromOffset, (int) bytes);
        } else if (toSegment != null) {
            from.copyOut(fromOffset, toSegment, (int) toOffset, (int) bytes);
        } else if (from.array() != null && to.array() != null && from.type() == to.type()) {
            int elementBytes = from.type().bytes();
            System.arraycopy(
                    from.array(),
                    from.arrayIndex() + (int) (fromOffset / elementBytes),
                    to.array(),
                    to.arrayIndex() + (int) (toOffset / elementBytes),
                    (int) (bytes / elementBytes));
        } else if (from.direct() != null && to.direct() != null) {
            // Whoever wrote to a socket from there last may have left a limit.
            to.direct().clear().put((int) toOffset, from.direct().clear(), (int) fromOffset, (int) bytes);
        } else {
            copyStaged(from, fromOffset, to, toOffset, bytes);
        }
    }

    private void copyStaged(Payload from, long fromOffset, Payload to, long toOffset, long bytes) {
        if (staging == null) {
            staging = Segment.allocate(STAGING_BYTES);
        }
        long done = 0;
        while (done < bytes) {
            int length = (int) Math.min(STAGING_BYTES, bytes - done);
            from.copyOut(fromOffset + done, staging, 0, length);
            to.copyIn(toOffset + done, staging, 0, length);
            done += length;
        }
    }
}
