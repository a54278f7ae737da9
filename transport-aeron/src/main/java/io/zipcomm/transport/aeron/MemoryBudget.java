package io.zipcomm.transport.aeron;

import java.util.Optional;

/**
 * What a rank takes of the shared memory: sizes that fit what is free, whoever else takes its share.
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

    /** What a media driver takes for itself, about. */
    private static final long DRIVER_BYTES = 8 << 20;

    /**
     * Shares what is free: a half for arenas, a quarter for streams, and the rest for others.
     *
     * @param freeBytes bytes that may be taken
     * @param ranks     ranks that share the memory, 2 or more
     */
    static MemoryBudget of(long freeBytes, int ranks) {
        long forArena = freeBytes / 2 / ranks;
        int useful = Math.min(SLOTS_MAX, SLOTS_FOR_READER_MAX * (ranks - 1));
        int slots = (int) Math.min(useful, forArena / SLOT_BYTES);
        long streams = (long) ranks * (ranks - 1);
        long forTerm = freeBytes / 4 / streams / TERMS;
        int termBytes =
                (int) Math.max(TERM_BYTES_MIN, Math.min(TERM_BYTES_MAX, Long.highestOneBit(Math.max(1, forTerm))));
        return new MemoryBudget(Math.max(slots, slotsMin(ranks)), termBytes);
    }

    private static int slotsMin(int ranks) {
        return SLOTS_FOR_READER_MIN * (ranks - 1);
    }

    /** Bytes of one stream. */
    long streamBytes() {
        return (long) TERMS * termBytes + PAGE_BYTES;
    }

    /** Bytes of all ranks once each has a path to each: about, and no more than that. */
    long bytesMax(int ranks) {
        return DRIVER_BYTES + (long) ranks * slots * SLOT_BYTES + (long) ranks * (ranks - 1) * streamBytes();
    }

    /** Slots that one reader may have. */
    int slotsForReader(int ranks) {
        return Math.max(SLOTS_FOR_READER_MIN, Math.min(SLOTS_FOR_READER_MAX, slots / (ranks - 1)));
    }

    /**
     * Why so many ranks cannot share memory at all.
     *
     * @param freeBytes bytes that may be taken
     * @param ranks     ranks that share the memory
     * @return empty if they can
     */
    static Optional<String> problem(long freeBytes, int ranks) {
        MemoryBudget least = of(0, ranks);
        long needed = DRIVER_BYTES + (long) ranks * least.slots * SLOT_BYTES + 2 * least.streamBytes();
        return freeBytes >= needed
                ? Optional.empty()
                : Optional.of(freeBytes / 1024 + " KiB are free, " + ranks + " ranks need " + needed / 1024
                        + " KiB at least");
    }
}
