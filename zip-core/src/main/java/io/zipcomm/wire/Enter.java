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

    /**
     * Added to the kind: this rank has entered before, on a connection that ended, or at a relay that is no more, or is asked to enter
     * again. From the relay, alone: it asks for that.
     */
    public static final int AGAIN = 0x100;

    /** In place of a kind, as an answer: this rank is through with the operation. The destination is the first member. */
    public static final int THROUGH = 0x200;

    /** In the flags of a GRANT: all ranks are through, and the relay keeps nothing of the operation. */
    public static final int FINISHED = 1;

    /** In the flags of a GRANT: the operation waits for the rank that is named as the source. */
    public static final int AWAITS = 2;

    /** In the flags of a GRANT from a rank: it has the whole result. */
    public static final int DONE = 4;

    /** Longest part. */
    public static final int PART_BYTES_MAX = 64 << 10;

    private Enter() {}

    /**
     * Whether an operation can begin anew when connections were lost: nothing of it is combined with anything, so whoever has given
     * can give once more.
     *
     * @param kind  of the operation
     * @param bytes length of its message
     */
    public static boolean repeats(int kind, long bytes) {
        return kind == MULTICAST || bytes == 0;
    }

    /**
     * Whether receivers say when they have the whole result. There is no need to where nothing was given that would be given once
     * more.
     *
     * @param kind  of the operation
     * @param bytes length of its message
     */
    public static boolean isConfirmed(int kind, long bytes) {
        return kind == MULTICAST && bytes > 0;
    }

    /**
     * The length of every part but a message's last: a power of two, so that no part ends within an element.
     *
     * @param fragmentBytesMax longest payload that the relay forwards
     */
    public static int partBytes(int fragmentBytesMax) {
        return Integer.highestOneBit(Math.min(fragmentBytesMax, PART_BYTES_MAX));
    }
}
