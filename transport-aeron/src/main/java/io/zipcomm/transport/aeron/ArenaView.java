package io.zipcomm.transport.aeron;

import io.zipcomm.buffer.Segment;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * An {@link Arena} as one of its readers sees it. Slots are given back in the order in which the reader was told of them.
 *
 * <p>Thread: one at a time. Nothing is allocated after {@link #open}, and nothing blocks.
 */
final class ArenaView implements AutoCloseable {

    private final MappedByteBuffer file;
    private final UnsafeBuffer lines;
    private final Segment memory;
    private final int slotBytes;
    private final int slots;
    private final int returnedAt;
    private long returned;
    private boolean closed;

    private ArenaView(MappedByteBuffer file, int reader) throws IOException {
        this.file = file;
        UnsafeBuffer header = new UnsafeBuffer(file, 0, ArenaLayout.LINE_BYTES);
        if (header.getLongVolatile(ArenaLayout.MAGIC_AT) != ArenaLayout.MAGIC) {
            throw new IOException("no shared memory of this version");
        }
        slotBytes = header.getInt(ArenaLayout.SLOT_BYTES_AT);
        slots = header.getInt(ArenaLayout.SLOTS_AT);
        int readers = header.getInt(ArenaLayout.READERS_AT);
        boolean sound = slotBytes > 0 && slotBytes % Long.BYTES == 0 && slots > 0 && reader < readers;
        if (!sound || ArenaLayout.fileBytes(slotBytes, slots, readers) != file.capacity()) {
            throw new IOException("shared memory of " + file.capacity() + " bytes is said to have " + slots
                    + " slots of " + slotBytes + " bytes and " + readers + " readers; this one is " + reader);
        }
        int slotsAt = ArenaLayout.slotsAt(readers);
        lines = new UnsafeBuffer(file, 0, slotsAt);
        memory = Segment.of(file.slice(slotsAt, file.capacity() - slotsAt));
        returnedAt = ArenaLayout.returnedAt(reader);
    }

    /**
     * Maps the arena of another rank.
     *
     * @param reader which of its readers this is, from 0
     * @throws IOException if it cannot be mapped, or is no arena
     */
    static ArenaView open(Path path, int reader) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            long bytes = channel.size();
            if (bytes < ArenaLayout.LINE_BYTES || bytes > Integer.MAX_VALUE) {
                throw new IOException("no shared memory: " + bytes + " bytes");
            }
            MappedByteBuffer file = channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes);
            try {
                return new ArenaView(file, reader);
            } catch (IOException e) {
                BufferUtil.free(file);
                throw e;
            }
        }
    }

    int slotBytes() {
        return slotBytes;
    }

    int slots() {
        return slots;
    }

    /** All slots, one behind the other. A reader reads those that it was told of and has not given back. */
    Segment memory() {
        return memory;
    }

    /** Where a slot begins in {@link #memory}. */
    int at(int slot) {
        return slot * slotBytes;
    }

    /** Gives back the slot that this reader was told of first, of those that it has. */
    void giveBack() {
        returned++;
        lines.putLongRelease(returnedAt, returned);
    }

    /** Gives the mapping back. Nothing of this view may be used after that. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            BufferUtil.free(file);
        }
    }
}
