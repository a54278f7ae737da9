package io.zipcomm;

import io.zipcomm.buffer.Payload;
import io.zipcomm.membership.GroupView;
import io.zipcomm.transport.TransportCounters;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;

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
 * out of step: every later collective on it fails with COMMUNICATOR_FAILED, naming the first failure. After {@link #revoke}
 * nothing runs on it but {@link #agree} and, on the world's, {@link #shrink} and {@link #grow}: all else fails with REVOKED.
 * When the group has given this rank's place away, everything fails with EXPELLED.
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
     * This communicator with another deadline. It shares everything else with this one, and need not be closed. Communicators that are
     * made of it have the setting's deadline again.
     *
     * @param timeout positive
     */
    Communicator withTimeout(Duration timeout);

    /**
     * This communicator with deadlines that the platform sets: each call may take {@link #timeout}, but no longer than there is left.
     * It shares everything else with this one, and need not be closed. That goes for {@link #close} too, and for all that is made of
     * it: communicators of {@link #split} and {@link #duplicate}, regions and their handles, and the worlds of {@link #shrink} and
     * {@link #grow}. {@link Zip#join(io.zipcomm.settings.ZipSettings, Supplier)} bounds joining as well.
     *
     * <pre>{@code
     * Duration reserve = Duration.ofSeconds(2);
     * Communicator mine = world.withinRemaining(() -> Duration.ofMillis(lambda.getRemainingTimeInMillis()).minus(reserve));
     * }</pre>
     *
     * <p>A call for which nothing is left fails with DEADLINE before anything is sent; of a collective the other members are told. Closing
     * does not fail: pending operations end at once then, and nobody is waited for.
     *
     * @param remaining time until this process is ended, less what it needs to finish; asked on the calling thread as each call
     *                  begins. It must not call this library
     */
    Communicator withinRemaining(Supplier<Duration> remaining);

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

    /** What the connections of this process have carried since it joined its epoch; the same for all its communicators. */
    TransportCounters counters();

    /** Ranks of members that are known to be dead, in ascending order. Those that left are not among them. Does not block. */
    List<Integer> failed();

    /**
     * Ends everything that is under way on this communicator, messages too, and on all its members: it fails with REVOKED, and so
     * does every later call but {@link #agree}, {@link #shrink}, {@link #grow} and {@link #close}. That of the world takes all communicators with it.
     *
     * <p>Thread: any. Blocking: takes effect here before this returns, and on the other members as soon as the relay has told them. Again,
     * or after another member did so, it has no effect.
     */
    void revoke();

    /**
     * Agrees on one bit, also after deaths, failures and {@link #revoke}: every member that lives gets the same answer or fails alike.
     * Called by all members in the same order, and by one thread at a time; messages and other collectives may be under way.
     *
     * @param value this rank's part
     * @return whether all said true that said anything, those that died after it included; and who is gone
     * @throws io.zipcomm.error.ZipException with code DEADLINE, on all members alike, if a living member did not come within the time of
     *     one of those that did; RELAY_LOST if this rank lost its control connection; EXPELLED; CLOSED; BAD_ARGUMENT if another thread of
     *     this process waits for an agreement on this communicator; CANCELLED if the thread was interrupted: this rank's part
     *     counts all the same
     */
    Agreement agree(boolean value);

    /**
     * Goes on with those that live: all living members call this, or {@link #grow}, and get the world of the next epoch, in which they have ranks
     * from 0 on in the order that they had. Revokes this world. Of the world only.
     *
     * <p>Blocking: until all living members have called it; when the {@link #timeout} of one of them is over, those that have not are left out, if
     * enough have (setting {@code ZIP_SIZE_MIN}).
     *
     * @return the new world's communicator, to be closed by the caller; {@link GroupView#ranksBefore} tells who was who. This world,
     *     and all that was split from it, is of no use from then on: every call fails with REVOKED, and closing them need not be, though
     *     it is no error
     * @throws io.zipcomm.error.ZipException with code BAD_ARGUMENT, before anything is sent, if this is not the world's; JOIN_TIMEOUT if too
     *     few came (setting {@code ZIP_SIZE_MIN}); OPERATION_MISMATCH if members want different sizes; EXPELLED if this rank
     *     was left out; otherwise as {@link Zip#join}. Unless it is EXPELLED, this rank is still a member then, this world stays revoked,
     *     and the call may be repeated
     */
    Communicator shrink();

    /**
     * Goes on as {@link #shrink} does, and takes newcomers in: processes that have called {@link Zip#join} for this session. They get the ranks
     * behind those of the members, in the order in which they came.
     *
     * <p>Blocking: until all living members have called this and there are so many ranks; when the {@link #timeout} of one
     * member is over, it goes on with those that have come.
     *
     * @param size ranks wanted in all, 1 to the setting {@code ZIP_SIZE_MAX}; equal on all members. With as many living members, or more, no newcomers
     *             are waited for
     * @return as {@link #shrink}
     * @throws io.zipcomm.error.ZipException as {@link #shrink}; BAD_ARGUMENT also for a wrong size
     */
    Communicator grow(int size);

    /**
     * Ends this communicator. On the world's: waits until everything sent is on its way and every peer has been told, for
     * the setting {@code ZIP_CLOSE_TIMEOUT} at most, and leaves the group; the members may do so in any order. Pending
     * asynchronous operations end first, by success or by their deadline, or after {@code ZIP_OPERATION_TIMEOUT}. Its regions are
     * closed, though not together with the other members'. May be called again, without effect.
     */
    @Override
    void close();
}
