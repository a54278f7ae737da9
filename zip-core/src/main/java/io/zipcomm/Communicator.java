package io.zipcomm;

import io.zipcomm.buffer.Payload;
import io.zipcomm.membership.GroupView;
import io.zipcomm.transport.TransportCounters;
import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * A rank's handle on a group of processes: who it is, and messages to and from the others. Collective operations are in
 * {@code io.zipcomm.collectives.Collectives}.
 *
 * <p>Thread: any number of threads may use one communicator. The thread that waits for an operation drives the I/O of all
 * of them; a background thread does so for asynchronous operations that nobody waits for. Collective operations, and
 * {@link #split} and {@link #duplicate}, must be called in the same order on all members.
 *
 * <p>Blocking: methods without {@code Async} in their name return when the operation ended or its deadline passed. The
 * deadline of a call is {@link #timeout}, by default the setting {@code ZIP_OPERATION_TIMEOUT}.
 *
 * <p>Ownership: memory given to an operation belongs to it until it ends, in success or failure: it is then not touched
 * again.
 *
 * <p>Errors: {@link io.zipcomm.error.ZipException}, with a code. A wrong argument is reported before anything is sent.
 * After a failed receive or send the communicator goes on; after a failed collective it does not, since its members are
 * out of step: every later collective on it fails with COMMUNICATOR_FAILED, naming the first failure.
 */
public interface Communicator extends AutoCloseable {

    /** Largest tag of a message. */
    int TAG_MAX = Integer.MAX_VALUE;

    /** This process's rank in this communicator, 0 to {@code size() - 1}. */
    int rank();

    /** Number of members. */
    int size();

    /**
     * A member's rank in the world.
     *
     * @param rank rank in this communicator
     */
    int worldRank(int rank);

    /** The group of the world: epoch, members, hosts. The same for all communicators of a process. */
    GroupView view();

    /** Deadline of a call, counted from its start. */
    Duration timeout();

    /**
     * This communicator with another deadline. It shares everything else with this one, and need not be closed.
     *
     * @param timeout positive
     */
    Communicator withTimeout(Duration timeout);

    /**
     * Sends a message and waits until its memory may be used again. That does not mean the peer has it.
     *
     * @param peer    rank in this communicator, not this rank
     * @param tag     0 to {@link #TAG_MAX}; the receiver asks for it
     * @param payload what to send
     */
    void send(int peer, int tag, Payload payload);

    /**
     * Waits for a message. Messages from one peer with one tag arrive in the order in which they were sent.
     *
     * @param peer    rank in this communicator, not this rank
     * @param tag     as given by the sender
     * @param payload where to; may be longer than the message
     * @return length of the message in bytes
     */
    long receive(int peer, int tag, Payload payload);

    /** {@link #send(int, int, Payload)} without waiting. */
    ZipFuture<Void> sendAsync(int peer, int tag, Payload payload);

    /** {@link #receive(int, int, Payload)} without waiting; gives the length of the message in bytes. */
    ZipFuture<Long> receiveAsync(int peer, int tag, Payload payload);

    /** Sends all of an array. */
    default void send(int peer, int tag, float[] array) {
        send(peer, tag, Payload.of(array));
    }

    /** Sends all of an array. */
    default void send(int peer, int tag, double[] array) {
        send(peer, tag, Payload.of(array));
    }

    /** Sends all of an array. */
    default void send(int peer, int tag, int[] array) {
        send(peer, tag, Payload.of(array));
    }

    /** Sends all of an array. */
    default void send(int peer, int tag, long[] array) {
        send(peer, tag, Payload.of(array));
    }

    /** Sends all of an array. */
    default void send(int peer, int tag, byte[] array) {
        send(peer, tag, Payload.of(array));
    }

    /** Sends the bytes between position and limit, which stay as they are. */
    default void send(int peer, int tag, ByteBuffer buffer) {
        send(peer, tag, Payload.of(buffer));
    }

    /** Receives into an array. */
    default long receive(int peer, int tag, float[] array) {
        return receive(peer, tag, Payload.of(array));
    }

    /** Receives into an array. */
    default long receive(int peer, int tag, double[] array) {
        return receive(peer, tag, Payload.of(array));
    }

    /** Receives into an array. */
    default long receive(int peer, int tag, int[] array) {
        return receive(peer, tag, Payload.of(array));
    }

    /** Receives into an array. */
    default long receive(int peer, int tag, long[] array) {
        return receive(peer, tag, Payload.of(array));
    }

    /** Receives into an array. */
    default long receive(int peer, int tag, byte[] array) {
        return receive(peer, tag, Payload.of(array));
    }

    /** Receives between position and limit, which stay as they are. */
    default long receive(int peer, int tag, ByteBuffer buffer) {
        return receive(peer, tag, Payload.of(buffer));
    }

    /**
     * Makes communicators of members that give the same colour, ranked by key and then by rank here. Collective.
     *
     * @param color 0 or more, or -1 to be in none
     * @param key   order within the colour
     * @return a communicator to be closed by the caller; null for colour -1
     */
    Communicator split(int color, int key);

    /** A communicator of the same members whose messages and operations never mix with this one's. Collective. */
    Communicator duplicate();

    /**
     * Lets all members read and write memory of this rank, as this one may theirs. Collective.
     *
     * @param memory direct and writable; the bytes between position and limit, which stay as they are. It may be empty, and have another
     *               length on each rank. It must not be freed by hand before the region is closed
     * @return a region, to be closed by the caller
     * @throws io.zipcomm.error.ZipException with code UNREACHABLE, on all members alike and without further consequences, if two of them
     *     have no path with remote memory access between them; LIMIT if the memory cannot be registered
     */
    Region expose(ByteBuffer memory);

    /** What the connections of this process have carried since it joined; the same for all its communicators. */
    TransportCounters counters();

    /**
     * Ends this communicator. On the world's: waits until everything sent is on its way and every peer has been told, for
     * the setting {@code ZIP_CLOSE_TIMEOUT} at most, and leaves the group; the members may do so in any order. Pending
     * asynchronous operations end first, by success or by their deadline. Its regions are closed, though not together with the other
     * members'. May be called again, without effect.
     */
    @Override
    void close();
}
