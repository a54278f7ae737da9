package io.zipcomm.collectives.plan;

import java.util.ArrayList;
import java.util.List;

/**
 * A piece of memory.
 *
 * @param memory which
 * @param offset first byte
 * @param bytes  length, 0 or more
 */
public record Region(Memory memory, long offset, long bytes) {

    /** Checks that there is such a piece of some memory. */
    public Region {
        if (offset < 0 || bytes < 0) {
            throw new IndexOutOfBoundsException(bytes + " bytes at " + offset);
        }
    }

    /** The beginning of the source. */
    public static Region source(long bytes) {
        return new Region(Memory.SOURCE, 0, bytes);
    }

    /** The beginning of the target. */
    public static Region target(long bytes) {
        return new Region(Memory.TARGET, 0, bytes);
    }

    /** Part of this region. */
    public Region part(long from, long length) {
        if (from < 0 || length < 0 || from + length > bytes) {
            throw new IndexOutOfBoundsException(length + " bytes at " + from + " of " + this);
        }
        return new Region(memory, offset + from, length);
    }

    /** First byte after this region. */
    public long end() {
        return offset + bytes;
    }

    /**
     * This region cut into pieces that follow each other: all of {@code segmentBytes}, but for the last.
     *
     * @return at least one piece, also of an empty region: sender and receiver of nothing still exchange a message
     */
    public List<Region> segments(int segmentBytes) {
        List<Region> segments = new ArrayList<>();
        long from = 0;
        do {
            long length = Math.min(segmentBytes, bytes - from);
            segments.add(part(from, length));
            from += length;
        } while (from < bytes);
        return segments;
    }
}
