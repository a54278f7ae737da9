package io.zipcomm.relay.route;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.util.concurrent.Ticker;
import io.zipcomm.internal.Combiner;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What all data connections of one event loop share. That loop's thread only. */
public final class Exchange {

    private static final Logger log = LoggerFactory.getLogger(Exchange.class);

    private static final int WRITE_BYTES_MIN = 16 << 10;
    private static final int WRITE_BYTES_MAX = 128 << 10;

    private final EventLoop loop;
    private final ByteBufAllocator allocator;
    private final ForwardCounters counters;
    private final long waitingBytesMax;

    /** With output that has not been flushed. */
    private final List<Outlet> unflushed = new ArrayList<>();

    private final Ticker ticker;
    private final Set<Outlet> open = new LinkedHashSet<>();

    /** Null until it is needed first, and if there is none. */
    private Combiner combiner;

    private boolean combinerSought;
    private long waitingBytes;
    private long underWayBytes;
    private boolean relieving;

    /**
     * Made once for each event loop.
     *
     * @param waitingBytesMax memory for what waits for ranks that do not read, and as much for what is under way in
     *     connections; above it the one with most is given up
     */
    public Exchange(EventLoop loop, ByteBufAllocator allocator, ForwardCounters counters, long waitingBytesMax) {
        this.loop = loop;
        ticker = loop.ticker();
        this.allocator = allocator;
        this.counters = counters;
        this.waitingBytesMax = waitingBytesMax;
    }

    long nanoTime() {
        return ticker.nanoTime();
    }

    /**
     * Gives up ranks that take nothing. To be called now and then.
     *
     * @param timeoutNs how long they may take nothing while bytes wait for them
     * @param paused    whether the relay itself stood still since the last call
     */
    public void sweep(long nowNs, long timeoutNs, boolean paused) {
        List<Outlet> still = new ArrayList<>();
        for (Outlet outlet : open) {
            outlet.countUnderWay();
            if (outlet.standstill().lasts(nowNs, timeoutNs, paused)) {
                still.add(outlet);
            }
        }
        for (Outlet outlet : still) {
            outlet.giveUp(
                    ForwardLimit.STANDSTILL,
                    "does not read: for " + TimeUnit.NANOSECONDS.toMillis(timeoutNs) + " ms it took nothing of what"
                            + " waits for it, " + outlet.waitingBytes() + " bytes here and more in its connection");
        }
    }

    ByteBufAllocator allocator() {
        return allocator;
    }

    ForwardCounters counters() {
        return counters;
    }

    void opened(Outlet outlet) {
        open.add(outlet);
    }

    void closed(Outlet outlet) {
        open.remove(outlet);
    }

    /** Whether the module is here that combines what ranks contribute. */
    public boolean combines() {
        return combiner() != null;
    }

    /** Combines what ranks contribute; null if no module for that is here. */
    Combiner combiner() {
        if (!combinerSought) {
            combinerSought = true;
            for (Combiner.Provider provider : ServiceLoader.load(Combiner.Provider.class)) {
                combiner = provider.open();
            }
        }
        return combiner;
    }

    /** Does something after what is ready now of other connections. */
    void later(Runnable task) {
        loop.execute(() -> attemptAndFlush(task));
    }

    /** Does something after some time, unless that is cancelled. */
    Future<?> later(long delayNs, Runnable task) {
        return loop.schedule(() -> attemptAndFlush(task), delayNs, TimeUnit.NANOSECONDS);
    }

    private void attemptAndFlush(Runnable task) {
        attempt(task);
        attempt(this::flush);
    }

    /** A defect is not lost in a future that nobody asks. */
    private void attempt(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error e) {
            defect("what was to be done later", e);
        }
    }

    /** The relay itself did something wrong. */
    void defect(String where, Throwable cause) {
        counters.defects.increment();
        log.error("defect in the relay: {}", where, cause);
    }

    void flushLater(Outlet outlet) {
        unflushed.add(outlet);
    }

    /** Sends what was forwarded since the last call. */
    void flush() {
        // By index: flushing may fail, and that may put more to the list.
        for (int i = 0; i < unflushed.size(); i++) {
            unflushed.get(i).flush();
        }
        unflushed.clear();
    }

    /**
     * Counts bytes that begin or, if negative, cease to wait for a rank that does not read.
     *
     * @param held memory that they hold
     */
    void waiting(long bytes, long held) {
        counters.bytesWaiting.add(bytes);
        costs(held);
    }

    /** The same for memory beside data. */
    void costs(long bytes) {
        counters.waitingMemory.add(bytes);
        waitingBytes += bytes;
        relieveIfAbove(waitingBytes);
    }

    /** Counts memory that begins or, if negative, ceases to be held by what is under way in a connection, either way. */
    void underWay(long bytes) {
        counters.bytesUnderWay.add(bytes);
        underWayBytes += bytes;
        relieveIfAbove(underWayBytes);
    }

    private void relieveIfAbove(long bytes) {
        if (bytes > waitingBytesMax && !relieving) {
            relieving = true;
            // Not here: giving up a rank ends connections, one of which may be in the middle of forwarding.
            later(this::relieve);
        }
    }

    /**
     * Has ranks give way at once where they are to, and not after all connections have been read of which something is there: to
     * be called when nothing is being forwarded.
     */
    void relieveNow() {
        if (relieving) {
            relieve();
        }
    }

    /** The group that holds most gives way first: others are not to pay for it. */
    private void relieve() {
        relieving = false;
        while (waitingBytes > waitingBytesMax) {
            Switchboard largest = largestGroup();
            if (largest == null || largest.heldBytes() == 0) {
                return;
            }
            if (largest.hubBytes() * 2 >= largest.heldBytes()) {
                largest.relieveHub(
                        waitingBytes + " bytes wait in the relay of " + waitingBytesMax + " that may (memory)");
                flush();
            } else {
                giveUpSlowest(largest);
            }
        }
        if (underWayBytes > waitingBytesMax) {
            relieveConnections();
        }
    }

    private void relieveConnections() {
        // What channels got rid of since their last flush is not counted yet.
        open.forEach(Outlet::countUnderWay);
        while (underWayBytes > waitingBytesMax) {
            Outlet largest = null;
            for (Outlet outlet : open) {
                if (largest == null || outlet.underWayBytes() > largest.underWayBytes()) {
                    largest = outlet;
                }
            }
            if (largest == null || largest.underWayBytes() == 0) {
                return;
            }
            largest.giveUp(
                    ForwardLimit.MEMORY,
                    "does not read, or does not end a frame: " + largest.underWayBytes()
                            + " bytes are under way in its connection, and " + underWayBytes + " in all of "
                            + waitingBytesMax + " that may be");
        }
    }

    /**
     * What a channel is given beyond what it takes at once: less where many share the memory, of which bytes may hold more than
     * they are.
     */
    WriteBufferWaterMark writeBytes() {
        long share = waitingBytesMax / 2 / DataConnection.WASTE_MAX / Math.max(1, open.size());
        int high = (int) Math.max(WRITE_BYTES_MIN, Math.min(WRITE_BYTES_MAX, share));
        return new WriteBufferWaterMark(high / 2, high);
    }

    /** Null if there is none. */
    private Switchboard largestGroup() {
        Switchboard largest = null;
        for (Outlet outlet : open) {
            if (largest == null || outlet.board().heldBytes() > largest.heldBytes()) {
                largest = outlet.board();
            }
        }
        return largest;
    }

    /** The one of a group for which most waits; something waits for it. */
    private void giveUpSlowest(Switchboard group) {
        Outlet slowest = null;
        for (Outlet outlet : open) {
            if (outlet.board() == group && (slowest == null || outlet.heldBytes() > slowest.heldBytes())) {
                slowest = outlet;
            }
        }
        slowest.giveUp(
                ForwardLimit.MEMORY,
                "does not read: " + slowest.heldBytes() + " bytes wait for it, and " + waitingBytes + " in all of "
                        + waitingBytesMax + " that may");
    }
}
