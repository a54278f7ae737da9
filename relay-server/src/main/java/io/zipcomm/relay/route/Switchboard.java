package io.zipcomm.relay.route;

import io.zipcomm.wire.Frame;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

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
    private final long memoryBytes;

    private final BitSet leaving = new BitSet();
    private final BitSet absent = new BitSet();

    /** Not read because too much waits. */
    private final List<Inflow> paused = new ArrayList<>();

    private long waitingBytes;

    /** Memory that what waits holds. */
    private long waitingMemory;

    /** How often flows have begun anew. */
    private int resets;

    private final HubLimits hubLimits;

    /** Null until a rank is connected, and if there is none. */
    private Hub hub;

    /**
     * A board to which nobody is connected yet.
     *
     * @param epoch            of the group
     * @param size             ranks in the group
     * @param memoryBytes      shared by the flows
     * @param fragmentBytesMax wanted limit of payloads; a small window lowers it
     * @param hubOperationsMax operations of the hub that one rank may have under way; 0 for no hub
     * @param hubReduces       whether the hub combines
     */
    public Switchboard(
            int epoch, int size, long memoryBytes, int fragmentBytesMax, int hubOperationsMax, boolean hubReduces) {
        this.epoch = epoch;
        this.memoryBytes = memoryBytes;
        windowBytes = FlowLedger.windowBytes(size, memoryBytes, WINDOW_BYTES_MIN, WINDOW_BYTES_MAX);
        this.fragmentBytesMax = FlowLedger.fragmentBytesMax(windowBytes, fragmentBytesMax);
        ledger = new FlowLedger(size, windowBytes);
        outlets = new Outlet[size];
        hubLimits = HubLimits.of(size, memoryBytes, this.fragmentBytesMax, hubOperationsMax, hubReduces);
    }

    /** Bytes of link frames, headers included, that one rank may have under way to another. */
    public long windowBytes() {
        return windowBytes;
    }

    /** Largest payload of a frame. */
    public int fragmentBytesMax() {
        return fragmentBytesMax;
    }

    /** What one rank may have under way in one operation of the hub; 0 if there is none. */
    public int hubWindowBytes() {
        return hubLimits.windowBytes();
    }

    /** A rank said that a collective of a communicator has failed. */
    public void collectiveFailed(int context, int rank) {
        if (hub != null) {
            hub.failed(context, rank);
            hub.exchange().flush();
        }
    }

    /** The same, said at a relay before this one, when nobody is connected yet. */
    public void collectiveHasFailed(int context, int rank, Exchange exchange) {
        hub(exchange);
        collectiveFailed(context, rank);
    }

    /** A rank has said that it leaves: when its connection ends it has taken what it was sent. */
    public void leaves(int rank) {
        leaving.set(rank);
    }

    /** There is no data connection of a rank any more, or there never was one, and there will be none. */
    public void absent(int rank) {
        absent.set(rank);
        if (hub != null) {
            hub.absent(rank);
            hub.exchange().flush();
        }
    }

    boolean isLeaving(int rank) {
        return leaving.get(rank);
    }

    boolean isAbsent(int rank) {
        return absent.get(rank);
    }

    /** The group is no more. */
    public void close() {
        if (hub != null) {
            hub.close();
            hub = null;
        }
    }

    /** The group's hub, made by the first rank that is connected; null if there is none. */
    Hub hub(Exchange exchange) {
        if (hub == null && hubLimits.windowBytes() > 0) {
            hub = new Hub(exchange, this, hubLimits);
        }
        return hub;
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

    /** Bytes that wait for ranks of this group. */
    public long waitingBytes() {
        return waitingBytes;
    }

    /** Bytes that its hub keeps. */
    long hubBytes() {
        return hub == null ? 0 : hub.keptBytes();
    }

    /** Memory of what waits for its ranks, and of what its hub keeps. */
    long heldBytes() {
        return waitingMemory + hubBytes();
    }

    /** There is too little memory: what its hub keeps most of fails. */
    void relieveHub(String reason) {
        hub.giveUp(reason);
    }

    /** Whether as much waits for its ranks as may. Windows bound that too, but not those of large groups. */
    boolean isFull() {
        return waitingBytes > memoryBytes;
    }

    /** Is told when less waits. */
    void pause(Inflow inflow) {
        paused.add(inflow);
    }

    /**
     * Counts bytes that begin or, if negative, cease to wait.
     *
     * @param held memory that they hold
     */
    void waiting(long bytes, long held) {
        waitingBytes += bytes;
        waitingMemory += held;
        if (!paused.isEmpty() && waitingBytes <= memoryBytes / 2) {
            List<Inflow> resumed = List.copyOf(paused);
            paused.clear();
            resumed.forEach(Inflow::memoryFreed);
        }
    }

    /**
     * A rank that was connected before has another connection: what it sent on the one before and has not gone on is lost, and so
     * is what was sent to it. All flows to and from it begin anew; whoever is at their other end is told, behind what the rank sent
     * before.
     */
    void beginAnew(int rank) {
        resets++;
        for (int other = 0; other < outlets.length; other++) {
            if (other != rank) {
                ledger.beginAnew(rank, other);
                ledger.beginAnew(other, rank);
                if (outlets[other] != null) {
                    outlets[other].reset(rank, resets);
                }
            }
        }
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
