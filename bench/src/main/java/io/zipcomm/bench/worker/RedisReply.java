package io.zipcomm.bench.worker;

import io.lettuce.core.codec.RedisCodec;
import io.lettuce.core.output.CommandOutput;
import java.nio.ByteBuffer;

/** What came back for one command: a word that says it is done, a number, or a value, which goes to where it belongs. */
final class RedisReply extends CommandOutput<byte[], RedisPiece, Void> {

    private final String command;
    private final RedisPiece target;
    private int stringsBefore;
    private int length = -1;
    private long number;

    private RedisReply(RedisCodec<byte[], RedisPiece> codec, String command, RedisPiece target, int stringsBefore) {
        super(codec, null);
        this.command = command;
        this.target = target;
        this.stringsBefore = stringsBefore;
    }

    /** Of a command that says that it is done, or how many there are. */
    static RedisReply done(RedisCodec<byte[], RedisPiece> codec, String command) {
        return new RedisReply(codec, command, null, 0);
    }

    /**
     * Of a command that brings a value.
     *
     * @param target        where it goes; its length is what is expected
     * @param stringsBefore strings that come before it, such as the name of the list
     */
    static RedisReply value(
            RedisCodec<byte[], RedisPiece> codec, String command, RedisPiece target, int stringsBefore) {
        return new RedisReply(codec, command, target, stringsBefore);
    }

    @Override
    public void set(ByteBuffer bytes) {
        if (bytes == null || target == null || stringsBefore-- > 0) {
            return;
        }
        length = bytes.remaining();
        if (length == target.length() && length > 0) {
            target.memory().read(target.at(), bytes);
        }
    }

    @Override
    public void set(long number) {
        this.number = number;
    }

    /** The number that came, such as the value of a counter; 0 if none did. */
    long number() {
        return number;
    }

    /** What is wrong with it, once it is complete; null if nothing is. */
    String problem() {
        if (hasError()) {
            return command + ": " + getError();
        }
        if (target == null || length == target.length()) {
            return null;
        }
        return length < 0
                ? command + ": nothing came"
                : command + ": " + length + " bytes came instead of " + target.length();
    }
}
