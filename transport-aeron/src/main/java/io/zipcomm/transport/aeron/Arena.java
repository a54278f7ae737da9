package io.zipcomm.transport.aeron;

import io.zipcomm.buffer.Segment;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Memory of one rank that other ranks of its host read in place: equal slots, each written once by their owner and then lent
 * to one reader or to many. A slot is free again when its owner has let go of it and every reader has given it back.
 *
 * <p>Each number in the shared file has one writer, so there is no lock and no instruction that locks. Readers give slots
 * back in the order in which they got them; the owner looks at what they have given back only when it is out of slots.
 * Something else must tell a reader that a slot is there, and order the owner's writes before that word.
 *
 * <p>Thread: one at a time. Nothing is allocated after {@link #create}, and nothing blocks.
 */
final class Arena implements AutoCloseable {

    /** No slot. */
    static final int NONE = -1;

    private static final int ZEROES = 1 << 20;

    private final MappedByteBuffer file;
    private final UnsafeBuffer lines;
    private final Segment memory;
    private final int slotBytes;

    /** Slots that nobody holds; the one used last is used next, since it is in the cache. */
    private final int[] free;

    private int freeCount;

    /** Holders of each slot: its owner, and each reader it is lent to. */
    private final int[] holders;

    private final Reader[] readers;
    private boolean closed;

    /** What one reader has. */
    private static final class Reader {
        final int[] lent;
        long lentCount;
        long returnedCount;
        boolean lost;

        Reader(int slots) {
            lent = new int[slots];
        }
    }

    private Arena(MappedByteBuffer file, int slotBytes, int slots, int readerCount) {
        this.file = file;
        this.slotBytes = slotBytes;
        int slotsAt = ArenaLayout.slotsAt(readerCount);
        lines = new UnsafeBuffer(file, 0, slotsAt);
        memory = Segment.of(file.slice(slotsAt, file.capacity() - slotsAt));
        free = new int[slots];
        holders = new int[slots];
        readers = new Reader[readerCount];
        for (int slot = slots - 1; slot >= 0; slot--) {
            free[freeCount++] = slot;
        }
        for (int i = 0; i < readerCount; i++) {
            readers[i] = new Reader(slots);
        }
    }

    /**
     * Makes a new arena, and takes its memory: a page that cannot be had is found missing here, and not when it is written.
     *
     * @param path       a file that does not exist; the caller deletes it
     * @param slotBytes a multiple of 8
     * @param slots     1 or more
     * @param readers    1 or more
     * @throws IOException if there is not that much memory, or the file exists
     */
    static Arena create(Path path, int slotBytes, int slots, int readers) throws IOException {
        long fileBytes = ArenaLayout.fileBytes(slotBytes, slots, readers);
        if (slotBytes <= 0
                || slotBytes % Long.BYTES != 0
                || slots < 1
                || readers < 1
                || fileBytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(slots + " slots of " + slotBytes + " bytes for " + readers + " readers");
        }
        FileChannel created = FileChannel.open(
                path, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try (FileChannel channel = created) {
            fill(channel, fileBytes);
            MappedByteBuffer file = channel.map(FileChannel.MapMode.READ_WRITE, 0, fileBytes);
            Arena arena = new Arena(file, slotBytes, slots, readers);
            arena.lines.putInt(ArenaLayout.SLOT_BYTES_AT, slotBytes);
            arena.lines.putInt(ArenaLayout.SLOTS_AT, slots);
            arena.lines.putInt(ArenaLayout.READERS_AT, readers);
            arena.lines.putLongRelease(ArenaLayout.MAGIC_AT, ArenaLayout.MAGIC);
            return arena;
        } catch (IOException | RuntimeException e) {
            Files.deleteIfExists(path);
            throw e;
        }
    }

    private static void fill(FileChannel channel, long bytes) throws IOException {
        ByteBuffer zeroes = ByteBuffer.allocateDirect((int) Math.min(ZEROES, bytes));
        for (long at = 0; at < bytes; ) {
            zeroes.clear().limit((int) Math.min(zeroes.capacity(), bytes - at));
            at += channel.write(zeroes, at);
        }
    }

    int slotBytes() {
        return slotBytes;
    }

    /** All slots, one behind the other. Its owner writes into those that it holds. */
    Segment memory() {
        return memory;
    }

    /** Where a slot begins in {@link #memory}. */
    int at(int slot) {
        return slot * slotBytes;
    }

    /**
     * Takes a free slot, which its owner holds until {@link #release}.
     *
     * @return a slot, or {@link #NONE} if all are held by somebody
     * @throws ZipException with code PROTOCOL if a reader has given back what it never had
     */
    int take() {
        if (freeCount == 0) {
            collect();
            if (freeCount == 0) {
                return NONE;
            }
        }
        int slot = free[--freeCount];
        holders[slot] = 1;
        return slot;
    }

    /** A reader is told of a slot, which its owner still holds. Once for each reader. */
    void lend(int slot, int reader) {
        Reader to = readers[reader];
        if (holders[slot] == 0 || to.lost || lentTo(reader) == to.lent.length) {
            throw new IllegalStateException("slot " + slot + " with " + holders[slot] + " holders to reader " + reader
                    + ", which has " + lentTo(reader) + (to.lost ? " and is lost" : ""));
        }
        holders[slot]++;
        to.lent[(int) (to.lentCount % to.lent.length)] = slot;
        to.lentCount++;
    }

    /** The owner has one more use for a slot that it holds, or has lent: it lets go of it once more. */
    void hold(int slot) {
        if (holders[slot] == 0) {
            throw new IllegalStateException("slot " + slot + " is free");
        }
        holders[slot]++;
    }

    /** The owner has no more use for a slot. */
    void release(int slot) {
        holders[slot]--;
        if (holders[slot] == 0) {
            free[freeCount++] = slot;
        }
    }

    /** How many slots a reader had when that was looked at last. */
    int lentTo(int reader) {
        return (int) (readers[reader].lentCount - readers[reader].returnedCount);
    }

    /**
     * Looks which slots one reader has given back.
     *
     * @return how many slots it has
     * @throws ZipException with code PROTOCOL if it has given back what it never had
     */
    int collect(int reader) {
        Reader from = readers[reader];
        if (from.lost || from.returnedCount == from.lentCount) {
            return lentTo(reader);
        }
        long returned = lines.getLongVolatile(ArenaLayout.returnedAt(reader));
        if (returned < from.returnedCount || returned > from.lentCount) {
            throw new ZipException(
                    ErrorCode.PROTOCOL,
                    "reader " + reader + " of shared memory has given back " + returned + " slots of "
                            + from.lentCount);
        }
        for (; from.returnedCount < returned; from.returnedCount++) {
            release(from.lent[(int) (from.returnedCount % from.lent.length)]);
        }
        return lentTo(reader);
    }

    private void collect() {
        for (int reader = 0; reader < readers.length; reader++) {
            collect(reader);
        }
    }

    /**
     * A reader counts no more, whatever it says. It may still read, so what it has stays as it is until the arena is closed.
     */
    void lose(int reader) {
        readers[reader].lost = true;
    }

    /** Slots that can be taken now. */
    int freeSlots() {
        collect();
        return freeCount;
    }

    /** Gives the mapping back; readers keep theirs. Nothing of this arena may be used after that. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            BufferUtil.free(file);
        }
    }
}
