package io.zipcomm.bench.worker;

import io.lettuce.core.protocol.CommandType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How ranks hand memory to each other through Redis. A list for each pair of ranks is a queue of notes: pushed by one,
 * popped by the other, which blocks until there is one ({@code RPUSH}, {@code BLPOP}). What the {@link RedisStyle} lets
 * travel in its note does; all else is a key, which the reader reads when it has the note. In the plain style every method
 * has done its commands, one after the other, when it returns. In the tuned one nothing is done before {@link #await}: the
 * reader's {@code GET} is sent right behind its {@code BLPOP}, so that the note costs no round trip.
 *
 * <p>What is read by one rank is deleted as it is read ({@code GETDEL}); what several read is deleted when a barrier says
 * that all have.
 */
final class RedisMail {

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
    private final RedisStyle style;
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

    RedisMail(RedisLink link, RedisStyle style, String prefix, int rank, int ranks) {
        this.link = link;
        this.style = style;
        this.prefix = prefix;
        this.rank = rank;
        this.ranks = ranks;
        barrier = style.isPipelined() ? link.load(BARRIER_SCRIPT) : null;
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

    private int pieces(RedisMemory memory) {
        return 1 + Math.max(0, memory.length() - 1) / style.pieceBytes();
    }

    private RedisPiece piece(RedisMemory memory, int number) {
        int at = number * style.pieceBytes();
        return new RedisPiece(memory, at, Math.min(style.pieceBytes(), memory.length() - at));
    }

    private boolean isNote(RedisPiece piece) {
        return piece.length() <= style.noteBytesMax();
    }

    /** Hands memory to one rank. */
    void send(int to, RedisMemory memory) {
        for (int i = 0; i < pieces(memory); i++) {
            RedisPiece piece = piece(memory, i);
            if (isNote(piece)) {
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
            if (isNote(piece)) {
                pop(noteList(from, rank), piece);
            } else {
                pop(noteList(from, rank), RedisPiece.EMPTY);
                byte[] key = key("to:" + from + ":" + rank + ":" + received[from]++);
                read(CommandType.GETDEL, key, piece);
            }
        }
    }

    /** Hands memory to all other ranks. */
    void publish(RedisMemory memory) {
        for (int i = 0; i < pieces(memory); i++) {
            RedisPiece piece = piece(memory, i);
            RedisPiece note = piece;
            if (!isNote(piece)) {
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
            if (isNote(piece)) {
                pop(noteList(from, rank), piece);
            } else {
                pop(noteList(from, rank), RedisPiece.EMPTY);
                byte[] key = key("all:" + from + ":" + published[from]++);
                read(CommandType.GET, key, piece);
            }
        }
    }

    private void set(byte[] key, RedisPiece piece) {
        link.ask(
                CommandType.SET,
                link.args().addKey(key).addValue(piece).add("EX").add(KEY_LIFE_S));
        asked();
    }

    private void push(int to, RedisPiece piece) {
        push(noteList(rank, to), piece);
    }

    private void push(byte[] list, RedisPiece piece) {
        link.ask(CommandType.RPUSH, link.args().addKey(list).addValue(piece));
        asked();
    }

    private void pop(byte[] list, RedisPiece target) {
        link.ask(CommandType.BLPOP, link.args().addKey(list).add(RedisLink.LIMIT.toSeconds()), target, 1);
        asked();
    }

    private void read(CommandType how, byte[] key, RedisPiece target) {
        link.ask(how, link.args().addKey(key), target, 0);
        asked();
    }

    /** A command was added: where they do not go out together, it goes now and is waited for. */
    private void asked() {
        if (!style.isPipelined()) {
            link.await();
        }
    }

    /** Waits until all of the above is done. */
    void await() {
        link.await();
    }

    /**
     * Waits for all ranks: each counts itself, and the last one wakes all. Then all has been read that was
     * published before; it is deleted at the next barrier, of which nothing is timed if it is not itself.
     */
    void barrier() {
        if (ranks > 1) {
            if (!readByAll.isEmpty()) {
                link.ask(CommandType.UNLINK, link.args().addKeys(readByAll));
                asked();
            }
            if (style.isPipelined()) {
                meetByScript();
            } else {
                meetByCommands();
            }
        }
        List<byte[]> emptied = readByAll;
        emptied.clear();
        readByAll = open;
        open = emptied;
    }

    private void meetByScript() {
        link.ask(
                CommandType.EVALSHA,
                link.args().add(barrier).add(barrierKeys.length).addKeys(barrierKeys));
        pop(barrierKeys[1 + rank], RedisPiece.EMPTY);
        link.await();
    }

    /** The counter counts on from barrier to barrier: resetting it would cost the last one a round trip. */
    private void meetByCommands() {
        RedisReply arrived = link.ask(CommandType.INCR, link.args().addKey(barrierKeys[0]));
        link.await();
        if (arrived.number() % ranks != 0) {
            pop(barrierKeys[1 + rank], RedisPiece.EMPTY);
            return;
        }
        for (int peer : others()) {
            push(barrierKeys[1 + peer], RedisPiece.EMPTY);
        }
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
