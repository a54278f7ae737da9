package io.zipcomm.transport.aeron;

import java.util.Optional;

/**
 * What a rank takes of the shared memory: sizes that fit what is free when all ranks take as much. A page that is missing
 * later would end the process by a signal, so nothing is promised that may not be there.
 *
 * @param slots     slots of its arena
 * @param termBytes term buffers of its streams
 */
record MemoryBudget(int slots, int termBytes) {

    /** Bytes of a slot: the longest message that travels at once fits into one. */
    static final int SLOT_BYTES = 64 << 10;

    /** A reader that has one is sent another. */
    private static final int SLOTS_FOR_READER_MIN = 2;

    /** With more a writer runs ahead of its reader, and the slots fall out of the cache. */
    private static final int SLOTS_FOR_READER_MAX = 16;

    private static final int SLOTS_MAX = 128;

    private static final int TERM_BYTES_MIN = 64 << 10;
    private static final int TERM_BYTES_MAX = 1 << 20;

    /** A stream is three term buffers, and a page that describes them. */
    private static final int TERMS = 3;

    private static final int PAGE_BYTES = 4096;

    /** What a media driver takes for itself: 11 MiB of counters and of buffers between it and its clients, and some pages. */
    static final long DRIVER_BYTES = 12 << 20;

    /**
     * Shares what is free: the driver takes what it needs, streams a quarter of the rest if they need no more, and arenas up to
     * a half of the rest. If it can be, there is room left for another driver with its streams, to which those of the first
     * move when its rank leaves.
     *
     * @param freeBytes bytes that may be taken before anybody has taken anything; {@link #problem} has none with it
     * @param ranks     ranks that share the memory, 2 or more
     */
    static MemoryBudget of(long freeBytes, int ranks) {
        long rest = freeBytes - DRIVER_BYTES;
        long forTerm = rest / 4 / streams(ranks) / TERMS;
        int termBytes =
                (int) Math.max(TERM_BYTES_MIN, Math.min(TERM_BYTES_MAX, Long.highestOneBit(Math.max(1, forTerm))));
        long forNextDriver = DRIVER_BYTES + streams(ranks) * streamBytes(termBytes);
        long forArenas = Math.min(rest / 2, rest - streams(ranks) * streamBytes(termBytes) - forNextDriver);
        long slots = (forArenas / ranks - ArenaLayout.slotsAt(ranks)) / SLOT_BYTES;
        int useful = Math.min(SLOTS_MAX, SLOTS_FOR_READER_MAX * (ranks - 1));
        return new MemoryBudget((int) Math.max(slotsMin(ranks), Math.min(useful, slots)), termBytes);
    }

    private static long streams(int ranks) {
        return (long) ranks * (ranks - 1);
    }

    private static int slotsMin(int ranks) {
        return SLOTS_FOR_READER_MIN * (ranks - 1);
    }

    /** Bytes of one stream. */
    private static long streamBytes(int termBytes) {
        return (long) TERMS * termBytes + PAGE_BYTES;
    }

    /** Slots that one reader may have. */
    int slotsForReader(int ranks) {
        return Math.max(SLOTS_FOR_READER_MIN, Math.min(SLOTS_FOR_READER_MAX, slots / (ranks - 1)));
    }

    /** Bytes that so many ranks take when each is connected to each. */
    long totalBytes(int ranks) {
        return DRIVER_BYTES
                + ranks * ArenaLayout.fileBytes(SLOT_BYTES, slots, ranks)
                + streams(ranks) * streamBytes(termBytes);
    }

    /**
     * Why so many ranks cannot share memory at all.
     *
     * @param freeBytes bytes that may be taken before anybody has taken anything
     * @param ranks     ranks that share the memory, 2 or more
     * @return empty if they can
     */
    static Optional<String> problem(long freeBytes, int ranks) {
        long needed = new MemoryBudget(slotsMin(ranks), TERM_BYTES_MIN).totalBytes(ranks);
        return freeBytes >= needed
                ? Optional.empty()
                : Optional.of(freeBytes / 1024 + " KiB are free, " + ranks + " ranks need " + needed / 1024
                        + " KiB at least");
    }
}
