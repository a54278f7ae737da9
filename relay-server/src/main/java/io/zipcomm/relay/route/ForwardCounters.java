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

    /** Operations of which relays have done a part, since they began. */
    public final LongAdder hubOperationsBegun = new LongAdder();

    /** Such operations that are under way now. */
    public final LongAdder hubOperations = new LongAdder();

    /** Bytes of contributions to them that came in. */
    public final LongAdder hubBytesIn = new LongAdder();

    /** Parts of results that went out. */
    public final LongAdder hubPartsSent = new LongAdder();

    /** Bytes that came in on data connections, whatever they were. */
    public final LongAdder wireBytesIn = new LongAdder();

    /** Bytes that were given to data connections. */
    public final LongAdder wireBytesOut = new LongAdder();

    /** Bytes that wait now for ranks that do not read, or in operations of the hub. */
    public final LongAdder bytesWaiting = new LongAdder();

    /** Memory that these hold, and that operations of the hub take beside them: what is limited. */
    public final LongAdder waitingMemory = new LongAdder();

    /** Memory that is under way in data connections now, coming in or going out: limited apart. */
    public final LongAdder bytesUnderWay = new LongAdder();

    /** Connections that were closed, operations of the hub that failed, and tasks that did, for a fault of the relay itself. */
    public final LongAdder defects = new LongAdder();
}
