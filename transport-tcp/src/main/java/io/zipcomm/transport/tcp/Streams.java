package io.zipcomm.transport.tcp;

import io.zipcomm.transport.TransportCounters;
import java.util.ArrayDeque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What the connections of one transport share. */
final class Streams {

    final TransportCounters counters = new TransportCounters();

    final StagingPool staging = new StagingPool();

    /** So many arrivals in a row on one connection make it likely that the next one comes there too. */
    private static final int LONE_ARRIVALS = 4;

    /** The connection that had bytes last; null if it takes no more. */
    private FrameStream latest;

    /** Arrivals in a row at {@link #latest}. */
    private int arrivals;

    private final Set<FrameStream> open = new LinkedHashSet<>();

    /** Connections that may have bytes which no event of the operating system will announce. */
    private final ArrayDeque<FrameStream> toRead = new ArrayDeque<>();

    private int blocked;
    private boolean closed;

    /** Bytes have come. */
    void arrivedAt(FrameStream stream) {
        arrivals = latest == stream ? arrivals + 1 : 0;
        latest = stream;
    }

    /** A connection takes no input for now. */
    void notReadable(FrameStream stream) {
        if (latest == stream) {
            latest = null;
            arrivals = 0;
        }
    }

    /** The connection on which all has come of late, or null. */
    FrameStream lone() {
        return arrivals >= LONE_ARRIVALS ? latest : null;
    }

    /** A connection takes no more output for now, or does again. */
    void blocked(boolean now) {
        blocked += now ? 1 : -1;
    }

    /** Whether any connection has output that it could not take. */
    boolean hasBlockedOutput() {
        return blocked > 0;
    }

    /** A connection's input was opened: there may be bytes that were read before. */
    void readLater(FrameStream stream) {
        if (!toRead.contains(stream)) {
            toRead.add(stream);
        }
    }

    boolean hasToRead() {
        return !toRead.isEmpty();
    }

    /** Reads what {@link #readLater} is about, until there is no more. Returns the number of connections. */
    int readNow() {
        int count = toRead.size();
        for (int i = 0; i < count; i++) {
            FrameStream stream = toRead.poll();
            if (stream.readSome() > 0) {
                // An end that was lost while nobody listened is never announced again.
                readLater(stream);
            }
        }
        return count;
    }

    void opened(FrameStream stream) {
        open.add(stream);
    }

    void closed(FrameStream stream) {
        open.remove(stream);
    }

    /** Closes all connections. Nobody is told of them any more. */
    void close() {
        closed = true;
        List.copyOf(open).forEach(FrameStream::closeStream);
        toRead.clear();
    }

    boolean isClosed() {
        return closed;
    }
}
