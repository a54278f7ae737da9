package io.zipcomm.relay;

import io.netty.channel.EventLoop;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/**
 * What all control connections of one event loop hold: messages that wait to be read by their ranks, and the beginnings of
 * messages that come in. Above its limit, the connection that holds most is given up. Event loop only.
 */
final class ControlBacklog {

    private final EventLoop loop;
    private final LongSupplier bytesMax;
    private final LongAdder gauge;
    private final Set<ControlConnection> open = new LinkedHashSet<>();
    private long bytes;
    private boolean relieving;

    /**
     * Made once for each event loop.
     *
     * @param bytesMax what may be held, as it is now
     * @param gauge    counts it for people
     */
    ControlBacklog(EventLoop loop, LongSupplier bytesMax, LongAdder gauge) {
        this.loop = loop;
        this.bytesMax = bytesMax;
        this.gauge = gauge;
    }

    void opened(ControlConnection connection) {
        open.add(connection);
    }

    void closed(ControlConnection connection) {
        open.remove(connection);
    }

    /** Counts bytes that begin or, if negative, cease to be held. */
    void held(long more) {
        bytes += more;
        gauge.add(more);
        if (bytes > bytesMax.getAsLong() && !relieving) {
            relieving = true;
            // Not here: whoever counts may be telling every member of a session something.
            loop.execute(this::relieve);
        }
    }

    private void relieve() {
        relieving = false;
        // Not all of it is released at once.
        long excess = bytes - bytesMax.getAsLong();
        while (excess > 0) {
            ControlConnection largest = null;
            for (ControlConnection connection : open) {
                if (largest == null || connection.heldBytes() > largest.heldBytes()) {
                    largest = connection;
                }
            }
            if (largest == null || largest.heldBytes() == 0) {
                return;
            }
            open.remove(largest);
            excess -= largest.heldBytes();
            largest.giveUp(
                    RelayOption.CONTROL_MEMORY,
                    "does not read its control connection, or does not end a message: " + largest.heldBytes()
                            + " bytes of it, and " + bytes + " in all of " + bytesMax.getAsLong()
                            + " that may be kept");
        }
    }
}
