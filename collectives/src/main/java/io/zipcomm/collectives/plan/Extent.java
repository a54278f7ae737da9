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
public record Extent(Memory memory, long offset, long bytes) {

    /** Checks that there is such a piece of some memory. */
    public Extent {
        if (offset < 0 || bytes < 0) {
            throw new IndexOutOfBoundsException(bytes + " bytes at " + offset);
        }
    }

    /** The beginning of the source. */
    public static Extent source(long bytes) {
        return new Extent(Memory.SOURCE, 0, bytes);
    }

    /** The beginning of the target. */
    public static Extent target(long bytes) {
        return new Extent(Memory.TARGET, 0, bytes);
    }

    /** Part of this extent. */
    public Extent part(long from, long length) {
        if (from < 0 || length < 0 || from + length > bytes) {
            throw new IndexOutOfBoundsException(length + " bytes at " + from + " of " + this);
        }
        return new Extent(memory, offset + from, length);
    }

    /** First byte after this extent. */
    public long end() {
        return offset + bytes;
    }

    /**
     * This extent cut into pieces that follow each other: all of {@code segmentBytes}, but for the last.
     *
     * @return at least one piece, also of an empty extent: sender and receiver of nothing still exchange a message
     */
    public List<Extent> segments(int segmentBytes) {
        List<Extent> segments = new ArrayList<>();
        long from = 0;
        do {
            long length = Math.min(segmentBytes, bytes - from);
            segments.add(part(from, length));
            from += length;
        } while (from < bytes);
        return segments;
    }
}
