package io.zipcomm.internal;

/** Tags of the messages of collectives: negative, so that they never meet those of users. */
public final class CollectiveTag {

    private static final long NUMBER_MASK = 0x7fff_ffffL;

    private CollectiveTag() {}

    /**
     * The tag of one message.
     *
     * @param number  of the collective on its communicator
     * @param ordinal of the message among those from its sender to its receiver in this collective
     */
    public static long of(int number, int ordinal) {
        return Long.MIN_VALUE | ((number & NUMBER_MASK) << Integer.SIZE) | Integer.toUnsignedLong(ordinal);
    }

    /** Whether a tag is one of these. */
    static boolean is(long tag) {
        return tag < 0;
    }

    /** Number of the collective. */
    static int number(long tag) {
        return (int) ((tag >>> Integer.SIZE) & NUMBER_MASK);
    }

    /** Number of the message in the collective. */
    static int ordinal(long tag) {
        return (int) tag;
    }
}
