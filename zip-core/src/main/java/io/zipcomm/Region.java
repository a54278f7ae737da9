package io.zipcomm;

import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * Memory of each member of a communicator that all of them read and write: one-sided operations, in which only the one that begins
 * them takes part. Made by {@link Communicator#expose}; over RDMA only, nothing here is done by messages instead.
 *
 * <pre>{@code
 * ByteBuffer memory = ByteBuffer.allocateDirect(1 << 20);
 * try (Region region = world.expose(memory)) {
 *     region.put(next, 0, greeting);
 *     region.fence();
 *     // What the rank before this one has put is in memory.
 * }
 * }</pre>
 *
 * <p><b>Memory model.</b>
 *
 * <ul>
 *   <li>An operation that has begun takes place some time before a {@link #flush} of its target, or a {@link #fence}, returns at
 *       the rank that began it. Until then its source must not be changed, nor its destination read.
 *   <li>When flush returns, what was put is in the target's memory: who gets it afterwards, from whatever rank, gets that, and
 *       so does the target itself once it has been told by a message, or any other way that Java's own memory model orders.
 *   <li>When fence returns, this holds for all that all members have begun before their fence, and the target reads it as any other
 *       memory: with ordinary reads, by the thread that called fence.
 *   <li>Between two flushes there is no order: neither of operations with one target, nor of the bytes of one. A put and a get of the
 *       same bytes in between may see any of them in any state.
 *   <li>What several ranks write at once to the same bytes, or one writes while others, or the target itself, read or write
 *       them, is undefined until the next fence; other bytes are not affected, and nothing is atomic, not even one byte after another.
 *   <li>This rank's own part is reached at once: operations with it are copies that are over when the call returns.
 * </ul>
 *
 * <p><b>Progress.</b> With hardware the target need not do anything. With software that moves bytes by the target's own doing
 * ({@code tcp}), and for puts in {@code shm}, an operation moves on while the target is in a call of this library that waits; while it
 * computes, in the turns that a thread of the library takes every 20 ms. The rank that began it moves it on by its own calls. Of a
 * target that stands still flush says DEADLINE.
 *
 * <p>Thread: any number may use one region. {@link #fence} and {@link #close} are collective: called in the same order on all
 * members, among the collectives of the communicator.
 *
 * <p>Blocking: {@link #put} and {@link #get} return when all has begun; they wait only where too much is under way. flush, fence
 * and close wait. The time of a call is the communicator's, or that of {@link #withTimeout}.
 *
 * <p>Ownership: sources and destinations belong to their operations until the next flush of the target, and are kept reachable until then.
 * The exposed memory is kept reachable until the region is closed. If members fail to close it together, that is until the world's
 * communicator is closed, and in shared memory, where nothing else keeps late writes out of freed memory, for the life of the process.
 * That keeps memory of {@link ByteBuffer#allocateDirect}; memory of an arena, or freed by hand, its owner must not free before that. Of
 * an arena that is closed already the call says BAD_ARGUMENT.
 *
 * <p>Errors: {@link io.zipcomm.error.ZipException}. BAD_ARGUMENT and CLOSED are thrown by the call, before anything has begun, and change
 * nothing. Any other failure is one of the communicator, as of a failed collective: all members are told, and it runs no
 * further collective and no operation of a region. What was to be read or written then is undefined, and memory that was given to
 * operations under way may still be read and written until the world's communicator is closed.
 */
public interface Region extends AutoCloseable {

    /** The communicator whose members have exposed memory. */
    Communicator communicator();

    /**
     * How much a member has exposed.
     *
     * @param rank in the communicator
     * @return bytes
     */
    long bytes(int rank);

    /** This region with another time for each call. It shares everything else with this one, and need not be closed. */
    Region withTimeout(Duration timeout);

    /**
     * Begins to write to a member's memory.
     *
     * @param target       rank in the communicator
     * @param targetOffset byte of the target's memory that is written first
     * @param source       direct; the bytes between position and limit, which stay as they are. Arrays are refused: to copy them
     *                     would cost more than the operation
     */
    void put(int target, long targetOffset, ByteBuffer source);

    /**
     * Begins to read a member's memory.
     *
     * @param target       rank in the communicator
     * @param sourceOffset byte of the target's memory that is read first
     * @param destination  direct and writable; between position and limit, which stay as they are
     */
    void get(int target, long sourceOffset, ByteBuffer destination);

    /**
     * Waits until everything that this rank has begun with a target has taken place.
     *
     * @param target rank in the communicator
     */
    void flush(int target);

    /** Waits until everything that this rank has begun has taken place. */
    void flush();

    /** {@link #flush()}, and waits until all members have done so. Collective. */
    void fence();

    /**
     * A last {@link #fence}, after which the memory is its owner's alone. Collective. Operations that begin meanwhile fail with
     * CLOSED. May be called again, without effect, and on a communicator that has failed or is closed: then it waits for nobody.
     */
    @Override
    void close();
}
