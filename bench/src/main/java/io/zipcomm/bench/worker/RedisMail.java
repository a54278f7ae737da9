package io.zipcomm.bench.worker;

import io.lettuce.core.protocol.CommandType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How ranks hand memory to each other through Redis. A list for each pair of ranks is a queue of notes: pushed by one,
 * popped by the other, which blocks until there is one ({@code RPUSH}, {@code BLPOP}). A piece of up to
 * {@link #NOTE_BYTES_MAX} travels in its note. A larger one is a key of its own; the reader's {@code GET} is sent right
 * behind its {@code BLPOP}, without waiting for it, so that the note costs no round trip. Memory larger than
 * {@link #PIECE_BYTES} is cut, so that writing the rest overlaps with reading the first.
 *
 * <p>Nothing is done before {@link #await}. What is read by one rank is deleted as it is read; what several read is deleted
 * when a barrier says that all have.
 */
final class RedisMail {

    /** Longest piece that is its own note: a list copies its elements twice, a key does not. */
    static final int NOTE_BYTES_MAX = 16 << 10;

    /** Longest piece: the client keeps it in one buffer while it comes. */
    static final int PIECE_BYTES = 256 << 10;

    /** Should a rank die, its keys do not stay for ever. */
    private static final long KEY_LIFE_S = 600;

    /** The last one to arrive wakes all. */
    private static final String BARRIER_SCRIPT = """
            if redis.call('INCR', KEYS[1]) == #KEYS - 1 then
                redis.call('DEL', KEYS[1])
                for i = 2, #KEYS do redis.call('RPUSH', KEYS[i], '') end
            end
            return 0
            """;

    private final RedisLink link;
    private final String prefix;
    private final int rank;
    private final int ranks;
    private final byte[] barrier;
    private final byte[][] barrierKeys;
    private final long[] sent;
    private final long[] received;
    private final long[] published;
    private List<byte[]> open = new ArrayList<>();
    private List<byte[]> readByAll = new ArrayList<>();

    RedisMail(RedisLink link, String prefix, int rank, int ranks) {
        this.link = link;
        this.prefix = prefix;
        this.rank = rank;
        this.ranks = ranks;
        barrier = link.load(BARRIER_SCRIPT);
        barrierKeys = new byte[1 + ranks][];
        barrierKeys[0] = key("arrived");
        for (int peer = 0; peer < ranks; peer++) {
            barrierKeys[1 + peer] = key("all:" + peer);
        }
        sent = new long[ranks];
        received = new long[ranks];
        published = new long[ranks];
    }

    private byte[] key(String name) {
        return (prefix + name).getBytes(StandardCharsets.US_ASCII);
    }

    private byte[] noteList(int from, int to) {
        return key("note:" + from + ":" + to);
    }

    private static int pieces(RedisMemory memory) {
        return Math.max(1, (memory.length() + PIECE_BYTES - 1) / PIECE_BYTES);
    }

    private static RedisPiece piece(RedisMemory memory, int number) {
        int at = number * PIECE_BYTES;
        return new RedisPiece(memory, at, Math.min(PIECE_BYTES, memory.length() - at));
    }

    /** Hands memory to one rank. */
    void send(int to, RedisMemory memory) {
        for (int i = 0; i < pieces(memory); i++) {
            RedisPiece piece = piece(memory, i);
            if (piece.length() <= NOTE_BYTES_MAX) {
                push(to, piece);
            } else {
                set(key("to:" + rank + ":" + to + ":" + sent[to]++), piece);
                push(to, RedisPiece.EMPTY);
            }
        }
    }

    /** Takes what another rank sends to this one. */
    void receive(int from, RedisMemory memory) {
        for (int i = 0; i < pieces(memory); i++) {
            RedisPiece piece = piece(memory, i);
            if (piece.length() <= NOTE_BYTES_MAX) {
                pop(noteList(from, rank), piece);
            } else {
                pop(noteList(from, rank), RedisPiece.EMPTY);
                byte[] key = key("to:" + from + ":" + rank + ":" + received[from]++);
                link.ask(CommandType.GETDEL, link.args().addKey(key), piece, 0);
            }
        }
    }

    /** Hands memory to all other ranks. */
    void publish(RedisMemory memory) {
        for (int i = 0; i < pieces(memory); i++) {
            RedisPiece piece = piece(memory, i);
            RedisPiece note = piece;
            if (piece.length() > NOTE_BYTES_MAX) {
                byte[] key = key("all:" + rank + ":" + published[rank]++);
                set(key, piece);
                open.add(key);
                note = RedisPiece.EMPTY;
            }
            for (int peer = 0; peer < ranks; peer++) {
                if (peer != rank) {
                    push(peer, note);
                }
            }
        }
    }

    /** Takes what another rank publishes. */
    void receivePublished(int from, RedisMemory memory) {
        for (int i = 0; i < pieces(memory); i++) {
            RedisPiece piece = piece(memory, i);
            if (piece.length() <= NOTE_BYTES_MAX) {
                pop(noteList(from, rank), piece);
            } else {
                pop(noteList(from, rank), RedisPiece.EMPTY);
                byte[] key = key("all:" + from + ":" + published[from]++);
                link.ask(CommandType.GET, link.args().addKey(key), piece, 0);
            }
        }
    }

    private void set(byte[] key, RedisPiece piece) {
        link.ask(
                CommandType.SET,
                link.args().addKey(key).addValue(piece).add("EX").add(KEY_LIFE_S));
    }

    private void push(int to, RedisPiece piece) {
        link.ask(CommandType.RPUSH, link.args().addKey(noteList(rank, to)).addValue(piece));
    }

    private void pop(byte[] list, RedisPiece target) {
        link.ask(CommandType.BLPOP, link.args().addKey(list).add(RedisLink.LIMIT.toSeconds()), target, 1);
    }

    /** Waits until all of the above is done. */
    void await() {
        link.await();
    }

    /**
     * Waits for all ranks: each counts itself, and the last one has the server wake all. Then all has been read that was
     * published before; it is deleted at the next barrier, of which nothing is timed if it is not itself.
     */
    void barrier() {
        if (ranks > 1) {
            if (!readByAll.isEmpty()) {
                link.ask(CommandType.UNLINK, link.args().addKeys(readByAll));
            }
            link.ask(
                    CommandType.EVALSHA,
                    link.args().add(barrier).add(barrierKeys.length).addKeys(barrierKeys));
            pop(barrierKeys[1 + rank], RedisPiece.EMPTY);
            link.await();
        }
        List<byte[]> emptied = readByAll;
        emptied.clear();
        readByAll = open;
        open = emptied;
    }

    /** The other ranks, those behind this one first: all ranks begin with another one. */
    int[] others() {
        return IntStream.range(1, ranks).map(i -> (rank + i) % ranks).toArray();
    }

    int rank() {
        return rank;
    }

    int ranks() {
        return ranks;
    }
}
