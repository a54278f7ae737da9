package io.zipcomm.bench.worker;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Consumer;

/**
 * A file in memory that both processes have mapped. Each writes one cache line, which the other looks at: a message of up to
 * {@link #SHORT_BYTES_MAX} bytes stands in it, beside the count that says it is there. So a short round trip is two cache lines
 * that change their owner, and nothing else.
 *
 * <p>A longer message is copied twice, into slots and out of them, a slot at a time: while the reader copies one out, the writer
 * may fill the next. Without that, a message would take the time of both copies one after the other, and be in no cache any more
 * when the second begins.
 *
 * <p>Whoever has written a short message waits for an answer before it writes the next: nothing says that it was taken.
 */
final class FloorMemory extends FloorPath {

    /** What fits into a cache line beside the counts. */
    static final int SHORT_BYTES_MAX = 40;

    /** Bytes in a slot. */
    static final int SLOT_BYTES = 64 << 10;

    /** Slots in one direction. */
    static final int SLOTS = 4;

    private static final Path MEMORY = Path.of("/dev/shm");
    private static final VarHandle COUNT = MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder());

    /** Two lines of 64 bytes: processors fetch them in pairs. */
    private static final int LINE_BYTES = 128;

    /*
     *   0               8               16              24                    64
     *  +---------------+---------------+---------------+---------------------+
     *  | short messages| slots written | slots read    | the short message   |
     *  +---------------+---------------+---------------+---------------------+
     */
    private static final int SENT_OFFSET = 0;
    private static final int FILLED_OFFSET = SENT_OFFSET + Long.BYTES;
    private static final int EMPTIED_OFFSET = FILLED_OFFSET + Long.BYTES;
    private static final int SHORT_OFFSET = EMPTIED_OFFSET + Long.BYTES;

    private static final int SLOTS_OFFSET = 2 * LINE_BYTES;
    private static final int BYTES = SLOTS_OFFSET + 2 * SLOTS * SLOT_BYTES;

    private final MappedByteBuffer memory;
    private final int ownLine;
    private final int otherLine;
    private final int ownSlots;
    private final int otherSlots;
    private long sent;
    private long received;
    private long filled;
    private long emptied;

    private FloorMemory(Path file, int rank) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, BYTES);
        }
        ownLine = rank * LINE_BYTES;
        otherLine = LINE_BYTES - ownLine;
        ownSlots = SLOTS_OFFSET + rank * SLOTS * SLOT_BYTES;
        otherSlots = SLOTS_OFFSET + (1 - rank) * SLOTS * SLOT_BYTES;
    }

    /** Makes the file, whose name the other process is to be told. */
    static FloorMemory create(Consumer<String> name) throws IOException {
        Path file = Files.isWritable(MEMORY)
                ? Files.createTempFile(MEMORY, "zip-floor-", null)
                : Files.createTempFile("zip-floor-", null);
        // For the case that the other process never comes.
        file.toFile().deleteOnExit();
        // Pages that cannot be had are an error here; later they would end the process by a signal.
        Files.write(file, new byte[BYTES]);
        FloorMemory made = new FloorMemory(file, 1);
        name.accept(file.toString());
        return made;
    }

    /** Maps the file of the other process. Nobody needs its name any more: the memory lives as long as the two processes. */
    static FloorMemory open(String name) throws IOException {
        Path file = Path.of(name);
        FloorMemory opened = new FloorMemory(file, 0);
        Files.delete(file);
        return opened;
    }

    @Override
    void write(ByteBuffer buffer) {
        int length = buffer.remaining();
        if (length <= SHORT_BYTES_MAX) {
            memory.put(ownLine + SHORT_OFFSET, buffer, buffer.position(), length);
            sent++;
            COUNT.setRelease(memory, ownLine + SENT_OFFSET, sent);
        } else {
            for (int at = buffer.position(); at < buffer.limit(); at += SLOT_BYTES) {
                await(otherLine + EMPTIED_OFFSET, filled + 1 - SLOTS);
                memory.put(slot(ownSlots, filled), buffer, at, Math.min(SLOT_BYTES, buffer.limit() - at));
                filled++;
                COUNT.setRelease(memory, ownLine + FILLED_OFFSET, filled);
            }
        }
        buffer.position(buffer.limit());
    }

    @Override
    void read(ByteBuffer buffer) {
        int length = buffer.remaining();
        if (length <= SHORT_BYTES_MAX) {
            received++;
            await(otherLine + SENT_OFFSET, received);
            buffer.put(buffer.position(), memory, otherLine + SHORT_OFFSET, length);
        } else {
            for (int at = buffer.position(); at < buffer.limit(); at += SLOT_BYTES) {
                await(otherLine + FILLED_OFFSET, emptied + 1);
                buffer.put(at, memory, slot(otherSlots, emptied), Math.min(SLOT_BYTES, buffer.limit() - at));
                emptied++;
                COUNT.setRelease(memory, ownLine + EMPTIED_OFFSET, emptied);
            }
        }
        buffer.position(buffer.limit());
    }

    private static int slot(int slots, long number) {
        return slots + (int) (number % SLOTS) * SLOT_BYTES;
    }

    private void await(int offset, long least) {
        while ((long) COUNT.getAcquire(memory, offset) < least) {
            pause();
        }
    }
}
