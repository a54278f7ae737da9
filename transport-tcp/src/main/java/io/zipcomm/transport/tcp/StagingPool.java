package io.zipcomm.transport.tcp;

import io.zipcomm.buffer.Segment;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.Hello;
import java.util.ArrayDeque;

/**
 * Memory in which the connections of one transport gather what goes out and take what comes in: small until the other end
 * has proved who it is, then large. What a connection gives back the next one uses. Thread: that of the transport.
 */
final class StagingPool {

    /** A large segment: large enough to spare calls, small enough to stay in the second-level cache. */
    static final int LARGE_BYTES = 128 << 10;

    /** A small segment: two messages of the handshake. */
    static final int SMALL_BYTES = 2 * (Frame.HEADER_BYTES + Hello.PAYLOAD_BYTES);

    /** Large segments that are kept for the next connections. */
    private static final int IDLE_LARGE_MAX = 16;

    private final ArrayDeque<Segment> idleLarge = new ArrayDeque<>(0);
    private final ArrayDeque<Segment> idleSmall = new ArrayDeque<>(0);

    /**
     * The segment to stage in from now on.
     *
     * @param before the one so far; null if there is none
     * @param end    of what is in it, which stays where it is
     */
    Segment fitting(Segment before, int end, boolean large) {
        if (before != null && before.capacity() == (large ? LARGE_BYTES : SMALL_BYTES)) {
            return before;
        }
        Segment taken = take(large);
        if (before != null) {
            taken.bytes().put(0, before.bytes(), 0, end);
            give(before);
        }
        return taken;
    }

    private Segment take(boolean large) {
        Segment idle = (large ? idleLarge : idleSmall).poll();
        return idle != null ? idle : Segment.allocate(large ? LARGE_BYTES : SMALL_BYTES);
    }

    void give(Segment segment) {
        boolean large = segment.capacity() == LARGE_BYTES;
        ArrayDeque<Segment> idle = large ? idleLarge : idleSmall;
        // A call of the operating system that failed has left its bounds there.
        segment.bytes().clear();
        if (idle.size() < (large ? IDLE_LARGE_MAX : DirectPaths.STRANGERS_MAX)) {
            idle.push(segment);
        }
    }
}
