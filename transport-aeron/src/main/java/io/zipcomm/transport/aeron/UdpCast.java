package io.zipcomm.transport.aeron;

import io.zipcomm.buffer.Payload;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.TransportCounters;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Where the ways to all peers meet that have the same bytes to send: the first waits for the others, and when all are there,
 * the payload is written once, to a stream that all peers read. If one does not come in time, each goes by itself, with this
 * frame and the rest of the message: whoever is late holds up nobody for long.
 *
 * <p>Nothing is in the stream that a reader is not told of. It is written only when all of it may be sent at once, so that it
 * gets to those who read, whatever becomes of the others.
 *
 * <p>Engine holder only. Nothing is allocated once the ways are open.
 */
final class UdpCast {

    /** Shorter payloads go to each peer behind their header: that is half as many datagrams. */
    static final int BYTES_MIN = 16 << 10;

    /** How long the first waits for the last. */
    static final long MEETING_NS_MAX = 100_000;

    /** How long all of them wait for readers that have no room. */
    static final long ROOM_NS_MAX = 200_000;

    /** Frames cast in one turn: the thread must get to what came in. */
    static final int CASTS_PER_TURN = 8;

    /** What goes to one peer. */
    interface Way {

        /**
         * Its frame, which waited for the others, is in the stream, but for the header.
         *
         * @param position at which the payload begins
         */
        void cast(long position);

        /** It does not wait for others any more, if it did. */
        void alone();

        /** Time to write the header. */
        void goOn();
    }

    /** What all peers read. */
    interface Stream {

        /** Whether all of them read it. If it is not made yet, it is from now on. */
        boolean isOpen();

        /** Whether so many bytes could be sent at once. */
        boolean hasRoom(int bytes);

        /**
         * Writes bytes for which there is room.
         *
         * @return the position at which they begin; negative if that failed, and the stream is no more open
         */
        long write(Payload payload, long offset, int bytes);
    }

    private final int peers;
    private final Stream stream;
    private final TransportCounters counters;
    private final LongSupplier clock;
    private final List<Way> ways;

    /** How many of them wait, and with what. */
    private int waiting;

    private long share;
    private long offset;
    private int bytes;
    private long dueNs;

    /** All waited in vain for readers that have no room, and they have had none since. */
    private boolean crowded;

    private int castsLeft = CASTS_PER_TURN;

    /** What has this number, or a lower one, goes to each by itself. */
    private long sharePassed;

    /**
     * For a rank's ways to its peers, none of which is open.
     *
     * @param peers    how many others there are
     * @param counters of this rank
     * @param clock    in nanoseconds
     */
    UdpCast(int peers, Stream stream, TransportCounters counters, LongSupplier clock) {
        this.peers = peers;
        this.stream = stream;
        this.counters = counters;
        this.clock = clock;
        ways = new ArrayList<>(peers);
    }

    /** There is a way to one more peer. */
    void opened(Way way) {
        ways.add(way);
    }

    /** There is one less; nothing happens if it was none. */
    void ended(Way way) {
        if (ways.remove(way)) {
            pass();
        }
    }

    /** A turn begins. */
    void turn() {
        castsLeft = CASTS_PER_TURN;
    }

    /**
     * Takes up a frame, if it may be cast.
     *
     * @return whether its way is to wait, asking {@link #look} now and then
     */
    boolean joins(OutboundFrame frame) {
        boolean isForAll = frame.share > sharePassed && frame.sharers == peers && frame.bytes >= BYTES_MIN;
        if (!isForAll || ways.size() < peers || !stream.isOpen()) {
            return false;
        }
        boolean isOther = frame.share != share || frame.shareOffset != offset || frame.bytes != bytes;
        if (waiting > 0 && isOther) {
            pass();
            if (frame.share <= sharePassed) {
                return false;
            }
        }
        if (waiting == 0 && crowded && !stream.hasRoom(frame.bytes)) {
            sharePassed = frame.share;
            return false;
        }
        if (waiting == 0) {
            share = frame.share;
            offset = frame.shareOffset;
            bytes = frame.bytes;
            dueNs = clock.getAsLong() + MEETING_NS_MAX;
        }
        waiting++;
        if (waiting == peers) {
            dueNs = clock.getAsLong() + ROOM_NS_MAX;
        }
        return true;
    }

    /**
     * Casts the frame that all wait with, or lets them go if that takes too long.
     *
     * @param frame of the one that asks: all have the same bytes
     */
    void look(OutboundFrame frame) {
        if (waiting == peers && stream.isOpen() && stream.hasRoom(bytes)) {
            // Otherwise in the next turn, however late that is.
            if (castsLeft > 0) {
                cast(frame);
            }
        } else if (clock.getAsLong() - dueNs >= 0) {
            crowded |= waiting == peers;
            pass();
        }
    }

    private void cast(OutboundFrame frame) {
        long position = stream.write(frame.payload, frame.offset, bytes);
        if (position < 0) {
            pass();
            return;
        }
        waiting = 0;
        crowded = false;
        castsLeft--;
        counters.framesCast++;
        for (int i = 0; i < ways.size(); i++) {
            ways.get(i).cast(position);
        }
        // Meanwhile they may come back with the next frame, or end.
        for (int i = 0; i < ways.size(); i++) {
            ways.get(i).goOn();
        }
    }

    /** Nobody waits any more. */
    void pass() {
        if (waiting == 0) {
            return;
        }
        waiting = 0;
        sharePassed = Math.max(sharePassed, share);
        for (int i = 0; i < ways.size(); i++) {
            ways.get(i).alone();
        }
    }
}
