package io.zipcomm.bench.worker;

import java.nio.ByteBuffer;

/** Ranks that talk through Redis only. */
final class RedisTeam implements Team, AutoCloseable {

    private final RedisLink link;
    private final RedisMail mail;

    /**
     * Connects.
     *
     * @param uri     of the server
     * @param style   how to use it
     * @param session a name that occurs once: all keys begin with it
     * @param rank    this rank
     * @param ranks   how many there are
     */
    RedisTeam(String uri, RedisStyle style, String session, int rank, int ranks) {
        // A rank has two threads, its own and its connection's; the server has one, and somebody else may want one too.
        boolean coresToSpare = Runtime.getRuntime().availableProcessors() >= 2 * ranks + 2;
        link = new RedisLink(uri, style, coresToSpare);
        try {
            mail = new RedisMail(link, style, keyPrefix(session), rank, ranks);
        } catch (RuntimeException e) {
            link.close();
            throw e;
        }
    }

    /** What the keys of a session begin with. */
    static String keyPrefix(String session) {
        return "zip:" + session + ":";
    }

    @Override
    public int rank() {
        return mail.rank();
    }

    @Override
    public int size() {
        return mail.ranks();
    }

    @Override
    public Operations operations(String algorithm, int segments) {
        return new RedisOperations(mail, algorithm);
    }

    @Override
    public void send(int peer, long[] numbers, int count) {
        ByteBuffer bytes = ByteBuffer.allocate(count * Long.BYTES);
        bytes.asLongBuffer().put(numbers, 0, count);
        mail.send(peer, RedisMemory.of(bytes, 0, bytes.capacity()));
        mail.await();
    }

    @Override
    public void receive(int peer, long[] numbers, int count) {
        ByteBuffer bytes = ByteBuffer.allocate(count * Long.BYTES);
        mail.receive(peer, RedisMemory.of(bytes, 0, bytes.capacity()));
        mail.await();
        bytes.asLongBuffer().get(numbers, 0, count);
    }

    @Override
    public double sentBytes() {
        return Double.NaN;
    }

    @Override
    public void close() {
        link.close();
    }
}
