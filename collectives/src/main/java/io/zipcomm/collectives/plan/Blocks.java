package io.zipcomm.collectives.plan;

import java.util.Arrays;

/** How memory is divided into one block for each rank. Immutable. */
public final class Blocks {

    private final int count;
    private final boolean packed;

    /** Length of each block, or -1 if they differ. */
    private final long evenBytes;

    /** First byte of each block; null if all have one length. */
    private final long[] offsets;

    /** Length of each block; null if all have one length. */
    private final long[] bytes;

    private Blocks(int count, boolean packed, long evenBytes, long[] offsets, long[] bytes) {
        this.count = count;
        this.packed = packed;
        this.evenBytes = evenBytes;
        this.offsets = offsets;
        this.bytes = bytes;
    }

    /** Blocks of one length, one after the other. */
    public static Blocks even(int count, long blockBytes) {
        return new Blocks(count, true, blockBytes, null, null);
    }

    /**
     * A length divided as evenly as can be in whole units: the first blocks may have a unit more than the last ones, and
     * if the length is no whole number of units, the last block that is not empty lacks the rest.
     */
    public static Blocks divide(long totalBytes, int unitBytes, int count) {
        if (totalBytes % ((long) unitBytes * count) == 0) {
            return even(count, totalBytes / count);
        }
        long units = (totalBytes + unitBytes - 1) / unitBytes;
        long[] lengths = new long[count];
        long left = totalBytes;
        for (int i = 0; i < count; i++) {
            long blockUnits = units / count + (i < units % count ? 1 : 0);
            lengths[i] = Math.min(left, blockUnits * unitBytes);
            left -= lengths[i];
        }
        return packed(lengths);
    }

    /**
     * Blocks of any lengths.
     *
     * @param counts        elements in each block
     * @param displacements first element of each block; null if they follow each other
     * @param elementBytes  bytes in an element
     */
    public static Blocks of(int[] counts, int[] displacements, int elementBytes) {
        long[] lengths = new long[counts.length];
        for (int i = 0; i < counts.length; i++) {
            lengths[i] = (long) counts[i] * elementBytes;
        }
        if (displacements == null) {
            return packed(lengths);
        }
        long[] starts = new long[counts.length];
        for (int i = 0; i < counts.length; i++) {
            starts[i] = (long) displacements[i] * elementBytes;
        }
        return new Blocks(counts.length, false, -1, starts, lengths);
    }

    /** Blocks of any lengths in bytes that follow each other. */
    public static Blocks ofBytes(long... lengths) {
        return packed(lengths);
    }

    private static Blocks packed(long[] lengths) {
        long[] starts = new long[lengths.length];
        long end = 0;
        for (int i = 0; i < lengths.length; i++) {
            starts[i] = end;
            end += lengths[i];
        }
        return new Blocks(lengths.length, true, -1, starts, lengths);
    }

    /** Number of blocks. */
    public int count() {
        return count;
    }

    /** Whether blocks follow each other by construction; never for blocks of which somebody said where they begin. */
    public boolean isPacked() {
        return packed;
    }

    /** Blocks of these lengths that follow each other. */
    public Blocks packed() {
        return packed ? this : packed(bytes);
    }

    /** First byte of a block. */
    public long offset(int block) {
        return offsets == null ? block * evenBytes : offsets[block];
    }

    /** Length of a block. */
    public long bytes(int block) {
        return bytes == null ? evenBytes : bytes[block];
    }

    /** Length of all blocks together. */
    public long totalBytes() {
        if (bytes == null) {
            return count * evenBytes;
        }
        long total = 0;
        for (long length : bytes) {
            total += length;
        }
        return total;
    }

    /** A block. */
    public Extent block(Memory memory, int block) {
        return new Extent(memory, offset(block), bytes(block));
    }

    /**
     * Blocks that follow each other in memory.
     *
     * @param first of them
     * @param end   the one after the last of them
     */
    public Extent range(Memory memory, int first, int end) {
        if (first == end) {
            return new Extent(memory, 0, 0);
        }
        long from = offset(first);
        return new Extent(memory, from, offset(end - 1) + bytes(end - 1) - from);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Blocks blocks
                && count == blocks.count
                && packed == blocks.packed
                && evenBytes == blocks.evenBytes
                && Arrays.equals(offsets, blocks.offsets)
                && Arrays.equals(bytes, blocks.bytes);
    }

    @Override
    public int hashCode() {
        return (Arrays.hashCode(offsets) * 31 + Arrays.hashCode(bytes)) * 31 + Long.hashCode(evenBytes);
    }
}
