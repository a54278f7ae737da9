package io.zipcomm.relay.route;

import java.util.concurrent.atomic.LongAdder;

/** What was forwarded since the relay started. Any thread. */
public final class ForwardCounters {

    /** Link frames taken in for a rank that was there. */
    public final LongAdder frames = new LongAdder();

    /** Their bytes, headers included. */
    public final LongAdder bytes = new LongAdder();

    /** Link frames for ranks that were gone. */
    public final LongAdder framesDropped = new LongAdder();

    /** Bytes that wait now for ranks that do not read. */
    public final LongAdder bytesWaiting = new LongAdder();
}
