package io.zipcomm.collectives;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
import java.util.Arrays;
import java.util.List;

/**
 * Several payloads of one type as if they were one, each behind the one before it: sent and received piece by piece, from
 * and to where they are.
 */
final class GatheredPayload extends Payload {

    private final Payload[] pieces;

    /** First byte of each piece, and behind them the length of all. No piece is empty, so all differ. */
    private final long[] starts;

    private GatheredPayload(DataType type, Payload[] pieces, long[] starts) {
        super(type, starts[pieces.length]);
        this.pieces = pieces;
        this.starts = starts;
    }

    /**
     * One payload for several.
     *
     * @param payloads at least one, all of one type, no two of which overlap
     * @return the one that has elements if there is only one: it may have a faster way to its memory
     */
    static Payload of(List<Payload> payloads) {
        Payload[] pieces = payloads.stream().filter(one -> one.bytes() > 0).toArray(Payload[]::new);
        if (pieces.length < 2) {
            return pieces.length == 0 ? payloads.get(0) : pieces[0];
        }
        long[] starts = new long[pieces.length + 1];
        for (int i = 0; i < pieces.length; i++) {
            starts[i + 1] = starts[i] + pieces[i].bytes();
        }
        return new GatheredPayload(pieces[0].type(), pieces, starts);
    }

    private int pieceAt(long offset) {
        int found = Arrays.binarySearch(starts, offset);
        return found >= 0 ? found : -found - 2;
    }

    @Override
    public void copyOut(long offset, Segment to, int at, int length) {
        int done = 0;
        for (int i = pieceAt(offset); done < length; i++) {
            long from = offset + done - starts[i];
            int bytes = (int) Math.min(length - done, pieces[i].bytes() - from);
            pieces[i].copyOut(from, to, at + done, bytes);
            done += bytes;
        }
    }

    @Override
    public void copyIn(long offset, Segment from, int at, int length) {
        int done = 0;
        for (int i = pieceAt(offset); done < length; i++) {
            long to = offset + done - starts[i];
            int bytes = (int) Math.min(length - done, pieces[i].bytes() - to);
            pieces[i].copyIn(to, from, at + done, bytes);
            done += bytes;
        }
    }

    @Override
    public boolean isReadOnly() {
        return Arrays.stream(pieces).anyMatch(Payload::isReadOnly);
    }

    @Override
    protected Object owner() {
        return this;
    }

    @Override
    protected long ownerOffset() {
        return 0;
    }
}
