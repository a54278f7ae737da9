package io.zipcomm.relay.route;

import io.zipcomm.wire.Frame;

/** The data connections of one complete group. Event loop only. */
public final class Switchboard {

    /** Two frames of 32 KiB, the longest message that travels at once by default. */
    private static final long WINDOW_BYTES_MIN = 2 * (Frame.HEADER_BYTES + (32 << 10));

    private static final long WINDOW_BYTES_MAX = 1 << 20;

    private final int epoch;
    private final long windowBytes;
    private final int fragmentBytesMax;
    private final FlowLedger ledger;
    private final Outlet[] outlets;

    /**
     * A board to which nobody is connected yet.
     *
     * @param epoch            of the group
     * @param size             ranks in the group
     * @param memoryBytes      shared by the flows
     * @param fragmentBytesMax wanted limit of payloads; a small window lowers it
     */
    public Switchboard(int epoch, int size, long memoryBytes, int fragmentBytesMax) {
        this.epoch = epoch;
        windowBytes = FlowLedger.windowBytes(size, memoryBytes, WINDOW_BYTES_MIN, WINDOW_BYTES_MAX);
        this.fragmentBytesMax = FlowLedger.fragmentBytesMax(windowBytes, fragmentBytesMax);
        ledger = new FlowLedger(size, windowBytes);
        outlets = new Outlet[size];
    }

    /** Bytes of link frames, headers included, that one rank may have under way to another. */
    public long windowBytes() {
        return windowBytes;
    }

    /** Largest payload of a frame. */
    public int fragmentBytesMax() {
        return fragmentBytesMax;
    }

    int epoch() {
        return epoch;
    }

    int size() {
        return outlets.length;
    }

    FlowLedger ledger() {
        return ledger;
    }

    /** Null if the rank is gone or never attached. */
    Outlet outlet(int rank) {
        return outlets[rank];
    }

    void connect(int rank, Outlet outlet) {
        outlets[rank] = outlet;
    }

    void disconnect(int rank) {
        outlets[rank] = null;
    }
}
