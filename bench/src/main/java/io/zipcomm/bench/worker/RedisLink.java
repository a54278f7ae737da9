package io.zipcomm.bench.worker;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.output.CommandOutput;
import io.lettuce.core.protocol.AsyncCommand;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import io.lettuce.core.protocol.ProtocolVersion;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * One rank's connection to Redis. In the plain style a command goes out when it is added, as Lettuce's own commands do. In
 * the tuned one those that are added before an {@link #await} go out together; the server carries them out in their order,
 * also those behind one that blocks, so that a round trip carries as many as there are. Replies are read on the connection's
 * thread while the caller waits.
 *
 * <p>Thread: one.
 */
final class RedisLink implements AutoCloseable {

    /** Longest wait for what other ranks have to do first. */
    static final Duration LIMIT = Duration.ofSeconds(60);

    private static final Duration CONNECT_LIMIT = Duration.ofSeconds(10);
    private static final long SPIN_NS = 50_000;

    private final String address;
    private final RedisClient client;
    private final StatefulRedisConnection<byte[], RedisPiece> connection;
    private final RedisPiece.Codec codec = new RedisPiece.Codec();
    private final List<RedisReply> awaited = new ArrayList<>();
    private final boolean pipelined;
    private final boolean spins;
    private AsyncCommand<byte[], RedisPiece, ?> last;

    /**
     * Connects.
     *
     * @param uri          such as {@code redis://127.0.0.1:6379}
     * @param style        how it is used
     * @param coresToSpare whether to look for replies for a moment before sleeping, if pipelined
     * @throws ZipException if nobody answers
     */
    RedisLink(String uri, RedisStyle style, boolean coresToSpare) {
        pipelined = style.isPipelined();
        spins = pipelined && coresToSpare;
        RedisURI where = RedisURI.create(uri);
        where.setTimeout(CONNECT_LIMIT);
        address = where.getHost() + ":" + where.getPort();
        client = RedisClient.create(where);
        client.setOptions(ClientOptions.builder()
                .autoReconnect(false)
                .protocolVersion(ProtocolVersion.RESP2)
                .build());
        try {
            connection = client.connect(codec);
        } catch (RedisException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            shutdown();
            throw new ZipException(ErrorCode.UNREACHABLE, "Redis at " + address + ": " + cause.getMessage(), e);
        }
        connection.setAutoFlushCommands(!pipelined);
    }

    /** Arguments for a command. */
    CommandArgs<byte[], RedisPiece> args() {
        return new CommandArgs<>(codec);
    }

    /** Adds a command that brings no value. Returns what is its reply after {@link #await}. */
    RedisReply ask(CommandType type, CommandArgs<byte[], RedisPiece> args) {
        RedisReply reply = RedisReply.done(codec, type.toString());
        ask(type, args, reply);
        return reply;
    }

    /**
     * Adds a command that brings a value.
     *
     * @param target        where the value goes
     * @param stringsBefore strings in the reply before it
     */
    void ask(CommandType type, CommandArgs<byte[], RedisPiece> args, RedisPiece target, int stringsBefore) {
        ask(type, args, RedisReply.value(codec, type.toString(), target, stringsBefore));
    }

    private void ask(CommandType type, CommandArgs<byte[], RedisPiece> args, RedisReply reply) {
        awaited.add(reply);
        dispatch(type, args, reply);
    }

    private <T> void dispatch(
            CommandType type, CommandArgs<byte[], RedisPiece> args, CommandOutput<byte[], RedisPiece, T> output) {
        AsyncCommand<byte[], RedisPiece, T> command = new AsyncCommand<>(new Command<>(type, output, args));
        connection.dispatch(command);
        last = command;
    }

    /** Has the server learn a script, which the tuned style only needs; returns its name. */
    byte[] load(String script) {
        var learned = connection.async().scriptLoad(script);
        connection.flushCommands();
        try {
            return learned.get(LIMIT.toNanos(), TimeUnit.NANOSECONDS).getBytes(StandardCharsets.US_ASCII);
        } catch (ExecutionException | TimeoutException e) {
            throw failure(e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    /**
     * Sends what was added and waits for all replies.
     *
     * @throws ZipException if one is an error, does not come in time, or brings no value or one of another length
     */
    void await() {
        if (awaited.isEmpty()) {
            return;
        }
        if (pipelined) {
            connection.flushCommands();
        }
        try {
            spin();
            // Replies come in the order of the commands.
            last.get(LIMIT.toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw failure(e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
        for (int i = 0; i < awaited.size(); i++) {
            String problem = awaited.get(i).problem();
            if (problem != null) {
                throw new ZipException(ErrorCode.PROTOCOL, "Redis at " + address + ", " + problem);
            }
        }
        awaited.clear();
    }

    private void spin() {
        if (spins) {
            long until = System.nanoTime() + SPIN_NS;
            while (!last.isDone() && System.nanoTime() < until) {
                Thread.onSpinWait();
            }
        }
    }

    private ZipException failure(Exception e) {
        if (e instanceof TimeoutException) {
            return new ZipException(
                    ErrorCode.DEADLINE,
                    "Redis at " + address + ": no reply for " + LIMIT.toSeconds() + " s, " + awaited.size()
                            + " commands under way");
        }
        String first = awaited.stream()
                .map(RedisReply::problem)
                .filter(problem -> problem != null)
                .findFirst()
                .orElse("no reply");
        return new ZipException(
                ErrorCode.PROTOCOL,
                "Redis at " + address + ", " + first + " (" + e.getCause().getMessage() + ")",
                e);
    }

    private static ZipException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new ZipException(ErrorCode.CANCELLED, "interrupted while waiting for Redis", e);
    }

    private void shutdown() {
        client.shutdown(Duration.ZERO, CONNECT_LIMIT);
    }

    @Override
    public void close() {
        connection.close();
        shutdown();
    }
}
