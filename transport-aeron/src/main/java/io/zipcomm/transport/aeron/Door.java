package io.zipcomm.transport.aeron;

import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * What one rank and its neighbours tell each other beside their streams: whether it sleeps, and for each neighbour whether
 * that wants to be connected. A small file in shared memory; that it is there says that its owner is ready.
 *
 * <p>Each number has one writer: the owner, or one neighbour.
 *
 * <p>Thread: one at a time. Nothing blocks.
 */
final class Door implements AutoCloseable {

    /*
     *  0      magic, which says version and byte order (8 bytes)
     *  8      number of neighbours, the owner included (4 bytes)
     *  128    how often the owner has fallen asleep or woken up: odd while it sleeps (8 bytes)
     *  256    one line for each neighbour: 0, the stream on which it wants to be sent to, or GONE (4 bytes)
     */
    private static final long MAGIC = 0x5a6970446f6f7231L;
    private static final int MAGIC_AT = 0;
    private static final int COUNT_AT = 8;
    private static final int SLEEP_AT = ArenaLayout.LINE_BYTES;
    private static final int CELLS_AT = 2 * ArenaLayout.LINE_BYTES;

    /** In place of a stream: the neighbour wants no connection, or has ended the one there was. */
    private static final int GONE = -1;

    private final MappedByteBuffer file;
    private final UnsafeBuffer lines;
    private boolean closed;

    private Door(MappedByteBuffer file) {
        this.file = file;
        lines = new UnsafeBuffer(file);
    }

    /**
     * Makes a rank's own door. It appears whole.
     *
     * @param path  a file that does not exist; the caller deletes it
     * @param count neighbours, the owner included
     */
    static Door create(Path path, int count) throws IOException {
        Path made = path.resolveSibling(path.getFileName() + ".new");
        Door door = map(made, bytes(count), StandardOpenOption.CREATE_NEW);
        door.lines.putInt(COUNT_AT, count);
        door.lines.putLongRelease(MAGIC_AT, MAGIC);
        try {
            Files.move(made, path, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            door.close();
            throw e;
        }
        return door;
    }

    /** Opens the door of a neighbour that is ready. */
    static Door open(Path path, int count) throws IOException {
        if (Files.size(path) != bytes(count)) {
            throw new IOException("a door of " + Files.size(path) + " bytes, expected " + bytes(count));
        }
        Door door = map(path, bytes(count), StandardOpenOption.WRITE);
        if (door.lines.getLongVolatile(MAGIC_AT) != MAGIC || door.lines.getInt(COUNT_AT) != count) {
            door.close();
            throw new IOException("no door of this version");
        }
        return door;
    }

    private static long bytes(int count) {
        return CELLS_AT + (long) count * ArenaLayout.LINE_BYTES;
    }

    private static Door map(Path path, long bytes, StandardOpenOption how) throws IOException {
        try (FileChannel channel = FileChannel.open(path, how, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return new Door(channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes));
        }
    }

    private static int cell(int neighbour) {
        return CELLS_AT + neighbour * ArenaLayout.LINE_BYTES;
    }

    // ---- the owner

    /** The owner is about to sleep: what it finds in its streams after this call was written before or is announced by a ring. */
    void sleeps() {
        lines.putLongVolatile(SLEEP_AT, lines.getLong(SLEEP_AT) | 1);
    }

    void wakes() {
        lines.putLongRelease(SLEEP_AT, (lines.getLong(SLEEP_AT) | 1) + 1);
    }

    /** The stream on which a neighbour wants to be sent to; 0 if it has not said so. */
    int knocked(int neighbour) {
        return Math.max(0, lines.getIntVolatile(cell(neighbour)));
    }

    /** Whether a neighbour wants no connection, or has ended the one there was. */
    boolean isGone(int neighbour) {
        return lines.getIntVolatile(cell(neighbour)) == GONE;
    }

    // ---- neighbours

    /** Different for each time that the owner sleeps; 0 while it is awake. */
    long sleep() {
        long turns = lines.getLongVolatile(SLEEP_AT);
        return (turns & 1) == 0 ? 0 : turns;
    }

    /**
     * Says that the owner is wanted.
     *
     * @param neighbour who says so
     * @param stream    positive number of the stream on which it wants to be sent to
     */
    void knock(int neighbour, int stream) {
        lines.putIntRelease(cell(neighbour), stream);
    }

    /** Says that a neighbour wants no connection to the owner, or ends the one there is. */
    void leave(int neighbour) {
        lines.putIntRelease(cell(neighbour), GONE);
    }

    /** Gives the mapping back. Nothing of this door may be used after that. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            BufferUtil.free(file);
        }
    }
}
