package io.zipcomm.relay.route;

import io.zipcomm.wire.Enter;

/**
 * What the hub of one group may do and keep.
 *
 * @param partBytes     length of every part but a message's last
 * @param windowBytes   what one rank may have under way in one operation: a multiple of a part; 0 if there is no hub
 * @param operationsMax operations that one rank may have under way
 * @param reduces       whether it combines
 */
record HubLimits(int partBytes, int windowBytes, int operationsMax, boolean reduces) {

    /** Parts in a window where memory allows it: enough to hide a round trip of some milliseconds. */
    private static final int PARTS_MAX = 8;

    /** One that comes in while another is combined or goes out. */
    private static final int PARTS_MIN = 2;

    /**
     * The largest windows that keep within a budget what all ranks may have under way at once.
     *
     * @param size             ranks in the group
     * @param budgetBytes      memory of the session
     * @param fragmentBytesMax longest payload of a frame
     * @param operationsMax    operations that one rank may have under way; 0 for no hub
     */
    static HubLimits of(int size, long budgetBytes, int fragmentBytesMax, int operationsMax, boolean reduces) {
        int part = Enter.partBytes(fragmentBytesMax);
        long share = operationsMax == 0 ? 0 : budgetBytes / ((long) size * operationsMax);
        long parts = Math.max(PARTS_MIN, Math.min(PARTS_MAX, share / part));
        return new HubLimits(part, operationsMax == 0 ? 0 : (int) parts * part, operationsMax, reduces);
    }

    /** Parts of a message; an empty one has one, which is empty. */
    long parts(long bytes) {
        return bytes == 0 ? 1 : (bytes + partBytes - 1) / partBytes;
    }

    int windowParts() {
        return windowBytes / partBytes;
    }
}
