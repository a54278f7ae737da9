package io.zipcomm.testkit;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.random.RandomGenerator;

/** One direction of a simulated path: bytes under way, in order, each piece with the instant at which it arrives. */
final class Wire {

    /** How the bytes on a wire end. */
    enum End {
        /** The sender closed its output. */
        REGULAR,
        /** The connection broke. */
        BROKEN
    }

    private static final class Piece {
        final byte[] bytes;
        final long arrivalNs;
        int taken;

        Piece(byte[] bytes, long arrivalNs) {
            this.bytes = bytes;
            this.arrivalNs = arrivalNs;
        }

        int left() {
            return bytes.length - taken;
        }
    }

    private final int windowBytes;
    private final ArrayDeque<Piece> pieces = new ArrayDeque<>(1);
    private int bytes;
    private long lastArrivalNs;
    private End end;

    Wire(int windowBytes) {
        this.windowBytes = windowBytes;
    }

    /** Bytes that may be put. */
    int room() {
        return windowBytes - bytes;
    }

    /** Bytes under way. */
    int bytes() {
        return bytes;
    }

    /** How it ends, or null while it goes on. */
    End end() {
        return end;
    }

    /**
     * Puts bytes behind those under way.
     *
     * @param arrivalNs earliest instant of their arrival
     * @return the instant of their arrival
     */
    long put(byte[] piece, long arrivalNs) {
        lastArrivalNs = Math.max(lastArrivalNs, arrivalNs);
        pieces.add(new Piece(piece, lastArrivalNs));
        bytes += piece.length;
        return lastArrivalNs;
    }

    /** Ends the wire behind the bytes under way; a break overrides a regular end. */
    long finish(End how, long arrivalNs) {
        end = how;
        lastArrivalNs = Math.max(lastArrivalNs, arrivalNs);
        return lastArrivalNs;
    }

    /** Bytes that have arrived, or {@code most} if there are more. */
    int available(long nowNs, int most) {
        int sum = 0;
        for (Iterator<Piece> all = pieces.iterator(); all.hasNext() && sum < most; ) {
            Piece piece = all.next();
            if (piece.arrivalNs > nowNs) {
                break;
            }
            sum += piece.left();
        }
        return Math.min(sum, most);
    }

    /** Takes bytes that have arrived. */
    void take(ByteBuffer to, int at, int count) {
        for (int done = 0; done < count; ) {
            Piece piece = pieces.peek();
            int now = Math.min(count - done, piece.left());
            to.put(at + done, piece.bytes, piece.taken, now);
            piece.taken += now;
            done += now;
            if (piece.left() == 0) {
                pieces.remove();
            }
        }
        bytes -= count;
    }

    /** Whether the end has arrived, with at most {@code bytesLeft} bytes before it. */
    boolean endDue(long nowNs, int bytesLeft) {
        return end != null && bytes <= bytesLeft && lastArrivalNs <= nowNs;
    }

    /** Whether the end has arrived, whatever is before it. */
    boolean endDue(long nowNs) {
        return endDue(nowNs, Integer.MAX_VALUE);
    }

    /** Loses everything. */
    void clear() {
        pieces.clear();
        bytes = 0;
    }

    /** Loses some of what was put last: all, nothing, or something between. */
    void loseTail(RandomGenerator random) {
        int keep = random.nextInt(pieces.size() + 1);
        while (pieces.size() > keep) {
            bytes -= pieces.removeLast().left();
        }
    }
}
