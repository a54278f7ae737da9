package io.zipcomm.transport.aeron;

import io.zipcomm.membership.GroupView;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * The numbers by which ranks of a group find each other's streams. All peers of a rank send to one stream of it, each in
 * sessions of its own. Stream and sessions follow from the session key, so that nobody has to ask for them, and nobody outside
 * of the group can tell them: 64 bits to guess.
 *
 * <p>What a rank casts, all its peers read from one stream, in which each rank has one session.
 */
final class UdpNames {

    /** Addresses of one peer that a rank tries, each in a session of its own. */
    static final int ATTEMPTS_MAX = 8;

    /**
     * Paths to one peer, one after the other, whose sessions differ: after so many, the numbers are used again. A driver knows sessions for
     * about a minute after their end, and paths that are lost again and again are opened more seldom.
     */
    static final int ATTEMPT_ROUNDS = 16;

    private static final int SESSIONS_PER_RANK = ATTEMPT_ROUNDS * ATTEMPTS_MAX;

    private static final String LABEL = "Aeron over UDP to rank ";
    private static final String CAST_LABEL = "Aeron over UDP to all";
    private static final String GROUP_LABEL = "group of Aeron over UDP";
    private static final int GROUP_NAME_BYTES = 16;

    private final GroupView view;
    private final int stream;
    private final int firstSession;
    private final int castStream;
    private final int firstCastSession;

    UdpNames(GroupView view) {
        this.view = view;
        ByteBuffer own = numbers(view.rank());
        stream = own.getInt();
        firstSession = own.getInt();
        ByteBuffer all = ByteBuffer.wrap(code(CAST_LABEL));
        castStream = all.getInt();
        firstCastSession = all.getInt();
    }

    /** Size of the group. */
    int ranks() {
        return view.size();
    }

    /** The rank whose names these are. */
    int rank() {
        return view.rank();
    }

    private ByteBuffer numbers(int receiver) {
        return ByteBuffer.wrap(code(LABEL + receiver));
    }

    private byte[] code(String label) {
        return view.sessionKey().code(label.getBytes(StandardCharsets.US_ASCII));
    }

    /** Name of the group in a directory. Only its members can tell it. */
    String group() {
        return HexFormat.of().formatHex(code(GROUP_LABEL), 0, GROUP_NAME_BYTES);
    }

    /** The stream to which all send what is for this rank. */
    int stream() {
        return stream;
    }

    /** The stream to which all send what is for a peer. */
    int streamOf(int peer) {
        return numbers(peer).getInt();
    }

    /**
     * The session in which this rank sends to a peer.
     *
     * @param round   how many paths to the peer it had before, {@link #ATTEMPT_ROUNDS} being 0 again
     * @param attempt which of the peer's addresses this is
     */
    int sessionTo(int peer, int round, int attempt) {
        return numbers(peer).getInt(Integer.BYTES) + view.rank() * SESSIONS_PER_RANK + round * ATTEMPTS_MAX + attempt;
    }

    /** Sessions in which peers send to this rank, at most. */
    int sessions() {
        return view.size() * SESSIONS_PER_RANK;
    }

    /** Which peer sends to this rank in a session; -1 if none does. */
    int sender(int session) {
        long index = Integer.toUnsignedLong(session - firstSession);
        int rank = (int) Math.min(index / SESSIONS_PER_RANK, view.size());
        return rank < view.size() && rank != view.rank() ? rank : -1;
    }

    /** Of a session in which a peer sends to this rank: which round of it that is. */
    int round(int session) {
        return (int) (Integer.toUnsignedLong(session - firstSession) % SESSIONS_PER_RANK) / ATTEMPTS_MAX;
    }

    /** The stream of what is cast: the same for all senders and receivers. */
    int castStream() {
        return castStream;
    }

    /** The session in which a rank casts. */
    int castSession(int rank) {
        return firstCastSession + rank;
    }

    /** Whether a member sends to this rank on a stream in a session. */
    boolean admits(int onStream, int session) {
        return (onStream == stream && sender(session) >= 0) || (onStream == castStream && isCast(session));
    }

    private boolean isCast(int session) {
        int rank = session - firstCastSession;
        return rank >= 0 && rank < view.size() && rank != view.rank();
    }
}
