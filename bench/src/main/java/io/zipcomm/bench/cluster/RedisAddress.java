package io.zipcomm.bench.cluster;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScanIterator;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import java.time.Duration;

/**
 * A Redis server that somebody runs, as the harness sees it: whether it answers, and what is left in it.
 *
 * @param uri such as {@code redis://127.0.0.1:6379}
 */
record RedisAddress(String uri) {

    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final String VERSION = "redis_version:";
    private static final long KEYS_AT_ONCE = 1000;

    private interface Use<T> {
        T apply(RedisCommands<String, String> commands);
    }

    /**
     * Asks the server for its version.
     *
     * @throws WorkerFailure if nobody answers there within five seconds, or it is no such address
     */
    String version() throws WorkerFailure {
        return use(commands -> commands.info("server")
                .lines()
                .filter(line -> line.startsWith(VERSION))
                .map(line -> line.substring(VERSION.length()).strip())
                .findFirst()
                .orElse("unknown"));
    }

    /**
     * Deletes what ranks that died have left.
     *
     * @param prefix what the keys begin with
     * @return how many there were
     */
    long removeKeys(String prefix) throws WorkerFailure {
        return use(commands -> {
            ScanArgs all = ScanArgs.Builder.limit(KEYS_AT_ONCE).match(prefix + "*");
            return ScanIterator.scan(commands, all).stream()
                    .mapToLong(commands::unlink)
                    .sum();
        });
    }

    private <T> T use(Use<T> use) throws WorkerFailure {
        RedisURI where;
        try {
            where = RedisURI.create(uri);
        } catch (IllegalArgumentException e) {
            throw new WorkerFailure("not an address of Redis, such as redis://HOST:6379: " + e.getMessage());
        }
        where.setTimeout(LIMIT);
        RedisClient client = RedisClient.create(where);
        try (StatefulRedisConnection<String, String> connection = client.connect()) {
            return use.apply(connection.sync());
        } catch (RedisException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new WorkerFailure(
                    "Redis at " + where.getHost() + ":" + where.getPort() + " does not answer: " + cause.getMessage());
        } finally {
            client.shutdown(Duration.ZERO, LIMIT);
        }
    }
}
