package io.zipcomm.transport;

import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import java.io.IOException;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * The I/O of one process in one group: opens {@link Path}s to peers and moves frames over them.
 *
 * <p>Thread: everything here and on the paths is called by the holder of the engine only, one thread at a time but not
 * always the same, except {@link #wakeup}. Nothing blocks but {@link #attach} and {@link #await}.
 */
public interface Transport extends AutoCloseable {

    /** Addresses at which peers may open a direct path to this process; known from the start. */
    List<Candidate> candidates();

    /**
     * Port on which peers of other hosts may reach this process, and from which it may open connections to them. The
     * control connection is opened from it as well, so that the relay can tell peers what a NAT makes of it.
     *
     * @return a TCP port; 0 if no peer of another host can reach this process
     */
    int rendezvousPort();

    /**
     * Connects to the relay, so that every peer has a relayed path as soon as the group is complete. Until then it may be
     * called again, for another relay; the connection to the one before is closed.
     *
     * @param relay      where the relay listens
     * @param session    name of the session
     * @param rank       this process's rank
     * @param ticket     from the relay's admission
     * @param deadlineNs instant on {@link System#nanoTime()}'s clock
     * @throws io.zipcomm.error.ZipException with code RELAY_UNREACHABLE, CANCELLED if the thread is interrupted, or what
     *     the relay refused with
     */
    void attach(RelayAddress relay, String session, int rank, byte[] ticket, long deadlineNs);

    /**
     * The relay says that a connection to it has ended. Unless there is another by now, it is opened again, as if its end had been
     * seen here.
     *
     * @param number of the connection, as the relay counts them
     * @param reason as a phrase
     */
    default void detached(int number, String reason) {}

    /** There is no place at the relay to come back to: a connection to it that has ended, or ends, is not opened again. */
    default void relayOver() {}

    /**
     * The relay was started again and knows of no connection: what there is to it has ended, even if that is not to be seen here, and is
     * opened again: after {@link #relayRestored}.
     *
     * @param timeoutNs how long the relay may take before it lets anybody attach
     */
    default void relayRestarted(long timeoutNs) {}

    /** The control connection is there, so the relay lets this rank attach. Told after {@link #relayRestarted}, and at other times. */
    default void relayRestored() {}

    /**
     * The group is complete; paths may be used from now on.
     *
     * @param view   the group
     * @param events told of paths that open and end
     */
    void start(GroupView view, PathEvents events);

    /**
     * The path to a peer through the relay.
     *
     * @param peer rank in the world
     * @return the same path each time, or null if this process is not attached
     */
    Path relayed(int peer);

    /**
     * The path to the relay itself, for operations of which it does a part. Its peer is -1; it ends with
     * {@link PathEvents#relayLost}.
     *
     * @return the same path each time, or null if there is none
     */
    default Path hub() {
        return null;
    }

    /**
     * Begins to open a direct path. The outcome is {@link PathEvents#opened} or {@link PathEvents#unreachable}; nothing
     * happens if an attempt is under way. Both peers may call this; one path comes of it.
     *
     * @param peer rank in the world
     */
    void connect(int peer);

    /**
     * Opens a direct path to a peer that does the same at the same instant. The outcome is told as for {@link #connect},
     * and a failure only if that was called.
     *
     * @param peer        rank in the world
     * @param atNs        the instant, on {@link System#nanoTime()}'s clock
     * @param roundTripNs from one end through the relay to the other and back
     */
    void punch(int peer, long atNs, long roundTripNs);

    /** Whether direct paths are being opened, which takes turns. */
    boolean isConnecting();

    /**
     * One bounded turn of I/O, without blocking.
     *
     * @return how many paths had something to do
     */
    int poll();

    /**
     * Blocks until there is I/O to do, {@link #wakeup} was called since the last turn, or the time is over; then does one
     * turn.
     *
     * @param timeoutNs  nanoseconds, rounded up to milliseconds
     * @param wakeupDue  asked once more before the thread blocks; true prevents that
     * @return how many paths had something to do
     */
    int await(long timeoutNs, BooleanSupplier wakeupDue);

    /** Makes {@link #await} return. Any thread. */
    void wakeup();

    /**
     * Lets other processes of this host end {@link #await} from now on, by a bell: they connect to a Unix domain socket, keep
     * the connection, and write one byte for each ring; what the byte is does not matter. A ring that comes while nobody waits
     * ends the next {@link #await}, and several in a row may end one only. To {@link #await} and {@link #poll} whoever rings,
     * connects or leaves is one more path that had something to do.
     *
     * <p>The transport may close such a connection, as when there are too many. Who rings learns it from a failed write, and
     * connects again, which rings as well.
     *
     * @param file the socket's, which must not exist. Whoever may write to it may ring, so it belongs into a directory that
     *     others cannot enter. Its name with all directories has 103 bytes at most
     * @return to end it
     * @throws IOException if there can be no such socket, there is one already, or this transport has no bell, as by default
     */
    default Bell listenForBell(java.nio.file.Path file) throws IOException {
        throw new IOException(getClass().getSimpleName() + " cannot be woken by other processes");
    }

    /** What reads and writes the memory of peers; null if no path of this transport can do so. */
    default RemoteMemory remoteMemory() {
        return null;
    }

    /**
     * Lets a descriptor of native code end {@link #await}.
     *
     * @param descriptor of a kind that can be waited for; stays its owner's, who closes the watch before it
     * @return off at first
     * @throws IOException if this transport cannot wait for it, as by default
     */
    default DescriptorWatch watch(int descriptor) throws IOException {
        throw new IOException(getClass().getSimpleName() + " waits for no descriptors of others");
    }

    /** Whether bytes that left a link wait for a connection to take them. */
    boolean hasOutput();

    /**
     * This rank is about to leave: what peers need of it is handed over, and {@link #hasOutput} until then.
     */
    default void leave() {}

    /**
     * Whether the engine is to run a thread of its own for what nobody waits for. Not where turns come from elsewhere, as in a
     * simulation.
     */
    default boolean isDrivenInBackground() {
        return true;
    }

    /** What was sent and received, for measurement. */
    TransportCounters counters();

    /**
     * Closes every path and connection, and the bell, at once; whatever waits in them is lost. Events are not called.
     */
    @Override
    void close();

    /** What waits for a descriptor. Engine holder only. */
    interface DescriptorWatch extends AutoCloseable {

        /**
         * While it is on, {@link Transport#await} returns as soon as the descriptor is readable, and counts that as something to do.
         * Costs a call of the operating system.
         */
        void turn(boolean on);

        /** Forgets the descriptor. May be called again, and after the transport was closed. */
        @Override
        void close();
    }

    /** What other processes of this host ring. */
    interface Bell extends AutoCloseable {

        /** Ends all connections to it and removes the file. May be called again, and after the transport was closed. */
        @Override
        void close();
    }
}
