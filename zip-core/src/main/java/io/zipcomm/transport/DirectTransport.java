package io.zipcomm.transport;

import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import java.util.List;

/**
 * Direct paths of one kind, beside a {@link Transport}: that one has the relay and the control connection, sleeps for both,
 * and reaches the peers that this one does not.
 *
 * <p>Between two ranks there is one direct path at most, whichever transport opens it. So a pair is tried once: what has
 * failed, or was given up, at one end is refused to the other, and is not begun again. An end that has sent the last word
 * of its handshake does not give up any more, and one that gave up never sends it. A path that was open and is lost may be followed by another
 * of the same kind, where links have the relay to go back to and the path may be forgotten ({@link Path#isForgettable}).
 *
 * <p>Thread: everything here and on the paths is called by the holder of the engine only, one thread at a time but not
 * always the same. Nothing blocks.
 */
public interface DirectTransport extends AutoCloseable {

    /** By what peers find out whether this transport reaches them; known from the start. */
    List<Candidate> candidates();

    /**
     * The group is complete; paths may be opened from now on, also by peers.
     *
     * @param view   the group
     * @param events told of paths that open or cannot be opened
     */
    void start(GroupView view, PathEvents events);

    /**
     * Whether a path to a peer is worth an attempt: it published what this transport needs, and nothing has failed yet.
     *
     * @param peer rank in the world
     */
    boolean reaches(int peer);

    /**
     * Begins to open a path to a peer that it {@link #reaches}. The outcome is {@link PathEvents#opened} or
     * {@link PathEvents#unreachable}; nothing happens if an attempt is under way or the path is open.
     *
     * @param peer rank in the world
     */
    void connect(int peer);

    /**
     * There is another path to a peer: an attempt that is under way ends without a word, the peer's own are refused.
     *
     * @param peer rank in the world
     */
    void giveUp(int peer);

    /** Whether paths are being opened, which takes turns. */
    boolean isConnecting();

    /** Whether a path is open, so that turns must be short and frequent. */
    boolean hasPaths();

    /**
     * One bounded turn of I/O.
     *
     * @return how many paths had something to do
     */
    int poll();

    /**
     * The thread is about to sleep: whoever has something for this rank must make {@link Transport#await} return from now on.
     * A {@link #poll} follows, since what came before this call announces itself to nobody.
     *
     * @return how long it may sleep, in nanoseconds
     */
    long beforeSleep();

    /** The thread is awake. */
    void afterSleep();

    /** What reads and writes the memory of peers; null if no path of this transport can do so. */
    default RemoteMemory remoteMemory() {
        return null;
    }

    /** Whether frames that left a link wait for room, or peers for something that this rank has to hand over. */
    boolean hasOutput();

    /** This rank is about to leave: what peers need of it is handed over, and {@link #hasOutput} until then. */
    void leave();

    /** Closes every path at once; whatever waits in them is lost. Events are not called. */
    @Override
    void close();
}
