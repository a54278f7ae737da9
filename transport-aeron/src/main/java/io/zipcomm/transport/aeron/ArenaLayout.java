package io.zipcomm.transport.aeron;

/**
 * What is where in the file of an {@link Arena}. All numbers are in the byte order of the machine, which is the same for
 * everybody who can map the file.
 */
final class ArenaLayout {

    /*
     *  0      magic, which says version and byte order (8 bytes)
     *  8      bytes of a slot (4 bytes)
     *  12     number of slots (4 bytes)
     *  16     number of readers (4 bytes)
     *  128    one line for each reader: how many slots it has given back, ever (8 bytes)
     *  ...    slots, from a page's beginning
     */

    static final long MAGIC = 0x5a69704172656e31L;

    static final int MAGIC_AT = 0;
    static final int SLOT_BYTES_AT = 8;
    static final int SLOTS_AT = 12;
    static final int READERS_AT = 16;

    /** Two cache lines: processors fetch them in pairs, and readers must not disturb each other. */
    static final int LINE_BYTES = 128;

    private static final int PAGE_BYTES = 4096;

    private ArenaLayout() {}

    /** Where a reader says how many slots it has given back. */
    static int returnedAt(int reader) {
        return (1 + reader) * LINE_BYTES;
    }

    /** Where the slots begin. */
    static int slotsAt(int readers) {
        int lines = (1 + readers) * LINE_BYTES;
        return (lines + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    }

    /** Bytes of the whole file; more than an {@code int} holds if there can be no such arena. */
    static long fileBytes(int slotBytes, int slots, int readers) {
        return slotsAt(readers) + (long) slotBytes * slots;
    }
}
