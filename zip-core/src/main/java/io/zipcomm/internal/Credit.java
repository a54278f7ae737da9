package io.zipcomm.internal;

/**
 * The credit window of one link, both ends of it: what this rank may still send to the peer without being asked, and what
 * it owes the peer for messages it has taken.
 *
 * <p>A frame that its receiver may have to keep (EAGER, REQUEST, an early CLEAR) costs its payload and
 * {@value #ENTRY_BYTES} bytes. The receiver gives the cost back when it no longer keeps it, as a running total in the header
 * of every frame it sends. So at most a window of bytes is ever kept for one peer, in memory whose sizes are powers of two:
 * less than two windows of it.
 */
final class Credit {

    /** What an entry costs beside its payload: about what is needed to keep track of it, and the smallest piece of memory. */
    static final int ENTRY_BYTES = 512;

    private final long windowBytes;

    /** Part of the window that eager payloads leave to announcements, so that these can always overtake. */
    private final long reserveBytes;

    private long charged;
    private long returned;

    private long kept;
    private long released;
    private long told;

    Credit(long windowBytes) {
        this.windowBytes = windowBytes;
        reserveBytes = windowBytes / 8;
    }

    /** Whether a payload may go at once. */
    boolean allowsEager(long bytes) {
        return available() - reserveBytes >= bytes + ENTRY_BYTES;
    }

    /** Whether an announcement may go. */
    boolean allowsEntry() {
        return available() >= ENTRY_BYTES;
    }

    private long available() {
        return windowBytes + returned - charged;
    }

    void charge(long bytes) {
        charged += bytes + ENTRY_BYTES;
    }

    /** An entry that was charged is not sent after all. */
    void refund() {
        charged -= ENTRY_BYTES;
    }

    /**
     * Takes the running total from a header of the peer.
     *
     * @return false if the peer gave back more than it was sent, or took back what it gave
     */
    boolean returned(long total) {
        if (total < returned || total > charged) {
            return false;
        }
        returned = total;
        return true;
    }

    /**
     * Counts an entry that came in.
     *
     * @return false if the peer had no credit for it
     */
    boolean keep(long bytes) {
        kept += bytes + ENTRY_BYTES;
        return kept - released <= windowBytes;
    }

    /** An entry that came in is no longer kept. */
    void release(long bytes) {
        released += bytes + ENTRY_BYTES;
    }

    /** The running total to put into the next header. */
    long tell() {
        told = released;
        return told;
    }

    /** Whether so much has been released that a frame of its own is worth it. */
    boolean isTellDue() {
        return released - told >= windowBytes / 4;
    }

    /** Bytes kept for the peer now. */
    long keptBytes() {
        return kept - released;
    }

    CreditBalance balance() {
        return new CreditBalance(charged, returned, kept, released, told);
    }
}
