package io.zipcomm.testkit;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Iterator;
import java.util.random.RandomGenerator;

/** One direction of a simulated path: bytes under way, in order, each piece with the instant at which it arrives. */
final class Wire {

    /** How the bytes on a wire end. */
    enum End {
        /** The sender closed its output. */
        REGULAR,
        /** The connection broke. */
        BROKEN,
        /** What follows comes on another wire. */
        RENEWED
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

    /** How many bytes were put, and ends of frames among them of which some may still be under way. */
    private long putBytes;

    private final ArrayDeque<Long> frameEnds = new ArrayDeque<>(1);

    // What takes the place of this wire, and of the one in the other direction, once it is RENEWED.
    private Wire next;
    private Wire nextBack;

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
        putBytes += piece.length;
        return lastArrivalNs;
    }

    /** What was put so far are whole frames. */
    void frameEnds() {
        frameEnds.add(putBytes);
    }

    /** Loses some of the frames that were put last, but none of which the receiver has a part. */
    void loseFrames(RandomGenerator random) {
        long taken = putBytes - bytes;
        frameEnds.removeIf(frameEnd -> frameEnd < taken);
        int lost = frameEnds.isEmpty() ? 0 : random.nextInt(frameEnds.size());
        for (int i = 0; i < lost; i++) {
            frameEnds.removeLast();
        }
        long surplus = frameEnds.isEmpty() ? bytes : putBytes - frameEnds.getLast();
        while (surplus > 0) {
            Piece last = pieces.removeLast();
            int cut = (int) Math.min(surplus, last.left());
            surplus -= cut;
            bytes -= cut;
            if (cut < last.left()) {
                pieces.add(
                        new Piece(Arrays.copyOfRange(last.bytes, last.taken, last.bytes.length - cut), last.arrivalNs));
            }
        }
    }

    /** Ends the wire: what follows comes on another, and so does the other direction. Returns when that has arrived. */
    long renew(Wire then, Wire thenBack, long arrivalNs) {
        next = then;
        nextBack = thenBack;
        return finish(End.RENEWED, arrivalNs);
    }

    Wire next() {
        return next;
    }

    Wire nextBack() {
        return nextBack;
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
