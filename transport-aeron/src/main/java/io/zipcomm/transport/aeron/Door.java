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
 * What one rank and its neighbours tell each other beside their streams: whether it sleeps or leaves, which media driver it
 * uses, and for each neighbour whether and where that wants to be sent to. A small file in shared memory; that it is there
 * says that its owner is ready.
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
     *  256    whether the owner leaves (4 bytes)
     *  260    1 if a media driver runs in the owner's process, 2 if none ever will (4 bytes)
     *  264    the neighbour whose driver all of the owner's streams use (4 bytes)
     *  384    one line for each neighbour:
     *           0   0, GONE, or the stream on which it wants to be sent to, and in the upper half the neighbour whose driver
     *               has it (8 bytes)
     *           8   the position at which its own stream ends (8 bytes)
     *           16  how often its own stream has ended, and went on at another driver (4 bytes); written last
     */
    private static final long MAGIC = 0x5a6970446f6f7232L;
    private static final int MAGIC_AT = 0;
    private static final int COUNT_AT = 8;
    private static final int SLEEP_AT = ArenaLayout.LINE_BYTES;
    private static final int LEAVES_AT = 2 * ArenaLayout.LINE_BYTES;
    private static final int RUNS_AT = LEAVES_AT + Integer.BYTES;
    private static final int USES_AT = RUNS_AT + Integer.BYTES;
    private static final int CELLS_AT = 3 * ArenaLayout.LINE_BYTES;
    private static final int KNOCK = 0;
    private static final int ENDED_AT = KNOCK + Long.BYTES;
    private static final int MOVES = ENDED_AT + Long.BYTES;

    private static final int RUNS = 1;
    private static final int RUNS_NONE = 2;

    /** In place of a stream: the neighbour wants no connection, or has ended the one there was. */
    private static final long GONE = -1;

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
        // Written, not only mapped: missing memory is an exception here, and would be a signal later.
        Files.write(made, new byte[(int) bytes(count)], StandardOpenOption.CREATE_NEW);
        Door door = map(made, bytes(count));
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
        Door door = map(path, bytes(count));
        if (door.lines.getLongVolatile(MAGIC_AT) != MAGIC || door.lines.getInt(COUNT_AT) != count) {
            door.close();
            throw new IOException("no door of this version");
        }
        return door;
    }

    private static long bytes(int count) {
        return CELLS_AT + (long) count * ArenaLayout.LINE_BYTES;
    }

    private static Door map(Path path, long bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
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

    /** The owner is about to leave. */
    void leaves() {
        lines.putIntRelease(LEAVES_AT, 1);
    }

    /** A media driver runs in the owner's process, for whoever wants it. */
    void runsDriver() {
        lines.putIntRelease(RUNS_AT, RUNS);
    }

    /** No media driver will run in the owner's process: nobody is to wait for one. */
    void runsNoDriver() {
        lines.putIntRelease(RUNS_AT, RUNS_NONE);
    }

    /** All streams of the owner use the driver of a neighbour. */
    void uses(int driver) {
        lines.putIntRelease(USES_AT, driver);
    }

    /** Where a neighbour wants to be sent to; 0 if it has not said so, or not any more. */
    long knock(int neighbour) {
        return Math.max(0, lines.getLongVolatile(cell(neighbour) + KNOCK));
    }

    /** The stream in a {@link #knock(int) knock}. */
    static int stream(long knock) {
        return (int) knock;
    }

    /** The neighbour in a {@link #knock(int) knock} whose driver has the stream. */
    static int driver(long knock) {
        return (int) (knock >> Integer.SIZE);
    }

    /** Whether a neighbour wants no connection, or has ended the one there was. */
    boolean isGone(int neighbour) {
        return lines.getLongVolatile(cell(neighbour) + KNOCK) == GONE;
    }

    /** How often a neighbour's own stream has ended and gone on at another driver. */
    int moves(int neighbour) {
        return lines.getIntVolatile(cell(neighbour) + MOVES);
    }

    /** The position at which it ended when it did so last. */
    long endedAt(int neighbour) {
        return lines.getLong(cell(neighbour) + ENDED_AT);
    }

    // ---- neighbours

    /** Different for each time that the owner sleeps; 0 while it is awake. */
    long sleep() {
        long turns = lines.getLongVolatile(SLEEP_AT);
        return (turns & 1) == 0 ? 0 : turns;
    }

    boolean isLeaving() {
        return lines.getIntVolatile(LEAVES_AT) != 0;
    }

    boolean hasDriver() {
        return lines.getIntVolatile(RUNS_AT) == RUNS;
    }

    boolean willHaveNoDriver() {
        return lines.getIntVolatile(RUNS_AT) == RUNS_NONE;
    }

    /** The neighbour whose driver all of the owner's streams use. */
    int used() {
        return lines.getIntVolatile(USES_AT);
    }

    /**
     * Says that the owner is wanted, or where it is to send from now on.
     *
     * @param neighbour who says so
     * @param stream    positive number of the stream on which it wants to be sent to; another one each time
     * @param driver    the neighbour whose driver has it
     */
    void knock(int neighbour, int stream, int driver) {
        lines.putLongRelease(cell(neighbour) + KNOCK, ((long) driver << Integer.SIZE) | stream);
    }

    /** Says that a neighbour's stream to the owner ends at a position, and goes on where the owner asked for it. */
    void move(int neighbour, long position) {
        int moves = lines.getInt(cell(neighbour) + MOVES);
        lines.putLong(cell(neighbour) + ENDED_AT, position);
        lines.putIntRelease(cell(neighbour) + MOVES, moves + 1);
    }

    /** Says that a neighbour wants no connection to the owner, or ends the one there is. */
    void leave(int neighbour) {
        lines.putLongRelease(cell(neighbour) + KNOCK, GONE);
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
