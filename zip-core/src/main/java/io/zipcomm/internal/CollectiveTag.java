package io.zipcomm.internal;

/**
 * Tags of the messages of collectives: negative, so that they never meet a user's tag. They hold the number of the
 * operation on its communicator and the number of the message among those between two ranks in one direction.
 */
public final class CollectiveTag {

    /** Operation numbers wrap here; no two operations so far apart are ever in flight together. */
    private static final int NUMBER_MASK = Integer.MAX_VALUE;

    private CollectiveTag() {}

    /**
     * The tag of a message.
     *
     * @param number  of the operation, 0 or more
     * @param ordinal of the message, 0 or more
     */
    public static long of(int number, int ordinal) {
        return Long.MIN_VALUE | (long) (number & NUMBER_MASK) << Integer.SIZE | ordinal;
    }

    /** Whether a tag is one of a collective's. */
    public static boolean isCollective(long tag) {
        return tag < 0;
    }

    /** Number of the operation. */
    public static int number(long tag) {
        return (int) (tag >>> Integer.SIZE) & NUMBER_MASK;
    }

    /** Number of the message. */
    public static int ordinal(long tag) {
        return (int) tag;
    }

    /** For errors: {@code operation #7, message 3}, or {@code tag 12}. */
    public static String describe(long tag) {
        return isCollective(tag) ? "operation #" + number(tag) + ", message " + ordinal(tag) : "tag " + tag;
    }
}
