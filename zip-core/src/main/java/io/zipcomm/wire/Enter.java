package io.zipcomm.wire;

/**
 * What an ENTER frame says of an operation of the hub, in its flags, and into which parts contributions and results are cut.
 */
public final class Enter {

    /** The root contributes, the others get a copy. */
    public static final int MULTICAST = 1;

    /** All contribute, the root gets what comes of it. */
    public static final int REDUCE = 2;

    /** All contribute, all get what comes of it. */
    public static final int ALL_REDUCE = 3;

    /** In the flags of a GRANT: all ranks are through, and the relay keeps nothing of the operation. */
    public static final int FINISHED = 1;

    /** In the flags of a GRANT: the operation waits for the rank that is named as the source. */
    public static final int AWAITS = 2;

    /** Longest part. */
    public static final int PART_BYTES_MAX = 64 << 10;

    private Enter() {}

    /**
     * The length of every part but a message's last: a power of two, so that no part ends within an element.
     *
     * @param fragmentBytesMax longest payload that the relay forwards
     */
    public static int partBytes(int fragmentBytesMax) {
        return Integer.highestOneBit(Math.min(fragmentBytesMax, PART_BYTES_MAX));
    }
}
