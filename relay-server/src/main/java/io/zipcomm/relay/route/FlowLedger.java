package io.zipcomm.relay.route;

import io.zipcomm.wire.Frame;

/**
 * End-to-end credit of every flow of a group. A flow is what one rank, the source, sends to another, the destination. Its
 * source may have one window of link frames under way, counted with their headers; the destination returns credit by
 * saying how much it has taken since the flow began. That bounds what can pile up for a rank that does not read.
 */
final class FlowLedger {

    private final long windowBytes;

    /** A row for each source that has sent anything: bytes sent and bytes taken, alternating, by destination. */
    private final long[][] rows;

    FlowLedger(int size, long windowBytes) {
        this.windowBytes = windowBytes;
        rows = new long[size][];
    }

    /**
     * Counts a link frame that came in from its source.
     *
     * @param frameBytes header and payload
     * @return null if the window has room, otherwise what is wrong
     */
    String sent(int source, int destination, int frameBytes) {
        long[] row = row(source);
        int at = 2 * destination;
        long sent = row[at] + frameBytes;
        long underWay = sent - row[at + 1];
        if (underWay > windowBytes) {
            return flow(source, destination) + " has " + underWay + " bytes under way, its window is " + windowBytes;
        }
        row[at] = sent;
        return null;
    }

    /**
     * Notes what the destination of a flow has taken.
     *
     * @param credit bytes since the flow began
     * @return null if that can be, otherwise what is wrong
     */
    String taken(int source, int destination, long credit) {
        // Nobody has rows made for others: all of them are memory by the square of the ranks.
        long[] row = rows[source];
        int at = 2 * destination;
        long sent = row == null ? 0 : row[at];
        long taken = row == null ? 0 : row[at + 1];
        if (credit < taken || credit > sent) {
            return flow(source, destination) + ": destination says that it took " + credit + " bytes, of " + sent
                    + " sent and after " + taken;
        }
        if (row != null) {
            row[at + 1] = credit;
        }
        return null;
    }

    /** Nothing of the flow has been sent or taken. */
    void beginAnew(int source, int destination) {
        if (rows[source] != null) {
            rows[source][2 * destination] = 0;
            rows[source][2 * destination + 1] = 0;
        }
    }

    /** Bytes that the destination has taken since the flow began. */
    long taken(int source, int destination) {
        return rows[source] == null ? 0 : rows[source][2 * destination + 1];
    }

    /** Destinations to which a source has sent anything. */
    int flowsFrom(int source) {
        int flows = 0;
        if (rows[source] != null) {
            for (int at = 0; at < rows[source].length; at += 2) {
                flows += rows[source][at] > 0 ? 1 : 0;
            }
        }
        return flows;
    }

    private long[] row(int source) {
        if (rows[source] == null) {
            rows[source] = new long[2 * rows.length];
        }
        return rows[source];
    }

    private static String flow(int source, int destination) {
        return "flow from rank " + source + " to rank " + destination;
    }

    /** The largest window that keeps all flows of a group within a budget, as far as its bounds allow. */
    static long windowBytes(int size, long budgetBytes, long minBytes, long maxBytes) {
        long flows = (long) size * (size - 1);
        return flows == 0 ? maxBytes : Math.max(minBytes, Math.min(maxBytes, budgetBytes / flows));
    }

    /** The largest payload of which two frames fit a window, so that one can be filled while the other is under way. */
    static int fragmentBytesMax(long windowBytes, int wantedBytes) {
        return (int) Math.min(wantedBytes, windowBytes / 2 - Frame.HEADER_BYTES);
    }
}
