package io.zipcomm.bench.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.zipcomm.bench.cluster.GroupEnvironment;
import io.zipcomm.bench.cluster.RedisServer;
import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Every pattern against a real server, with threads for ranks, each with a connection of its own. */
@Tag("once")
final class RedisOperationsTest {

    private static final int NOTE_BYTES_MAX = RedisStyle.TUNED.noteBytesMax();
    private static final int PIECE_BYTES = RedisStyle.TUNED.pieceBytes();

    /** In notes, in keys, in several pieces, and in blocks of different lengths. */
    private static final long[] BYTES = {0, 4, 1000, NOTE_BYTES_MAX + 4L, 3L * PIECE_BYTES + 4, 8L * PIECE_BYTES};

    private static final long LIMIT_S = 60;

    private static RedisServer server;

    @BeforeAll
    static void startServer() throws Exception {
        String reason = RedisServer.unavailability();
        assumeTrue(reason == null, reason);
        server = RedisServer.start();
    }

    @BeforeEach
    void removeKeysOfOthers() {
        takeKeys();
    }

    @AfterAll
    static void stopServer() {
        if (server != null) {
            server.close();
        }
    }

    private interface Part<T> {
        T run(RedisTeam team) throws Exception;
    }

    /** Runs one part on each rank; the results by rank. */
    private static <T> List<T> onAll(RedisStyle style, int ranks, Part<T> part) throws Exception {
        String session = GroupEnvironment.randomSession("redis-test");
        ExecutorService threads = Executors.newFixedThreadPool(ranks);
        try {
            List<Future<T>> running = new ArrayList<>();
            for (int rank = 0; rank < ranks; rank++) {
                int own = rank;
                Callable<T> task = () -> {
                    try (RedisTeam team = new RedisTeam(server.uri(), style, session, own, ranks)) {
                        return part.run(team);
                    }
                };
                running.add(threads.submit(task));
            }
            List<T> results = new ArrayList<>();
            for (Future<T> one : running) {
                results.add(one.get(LIMIT_S, TimeUnit.SECONDS));
            }
            return results;
        } finally {
            threads.shutdownNow();
        }
    }

    @ParameterizedTest
    @CsvSource({"PLAIN, 1", "PLAIN, 2", "PLAIN, 3", "TUNED, 1", "TUNED, 2", "TUNED, 3"})
    void shouldBringTheRightDataByEveryPattern(RedisStyle style, int ranks) throws Exception {
        List<List<String>> problems = onAll(style, ranks, team -> {
            CaseRunner runner = new CaseRunner(team);
            List<String> wrong = new ArrayList<>();
            for (BenchOperation operation : BenchOperation.values()) {
                if (ranks < operation.ranksMin()) {
                    continue;
                }
                for (String algorithm : RedisOperations.algorithms(operation)) {
                    for (long bytes : operation.hasBytes() ? BYTES : new long[] {0}) {
                        CaseResult result =
                                runner.run(new CaseOrder(operation.label(), bytes, algorithm, 3, 1_000_000, false));
                        assertEquals(algorithm, result.algorithm());
                        assertEquals(team.rank() == 0 ? 3 : 0, result.times().count());
                        if (!result.mismatch().isEmpty()) {
                            wrong.add(operation + " by " + algorithm + ", " + bytes + " bytes: " + result.mismatch());
                        }
                    }
                }
            }
            return wrong;
        });
        problems.forEach(wrong -> assertEquals(List.of(), wrong));
    }

    @ParameterizedTest
    @EnumSource
    void shouldHoldEverybodyAtTheBarrierUntilTheLastArrives(RedisStyle style) throws Exception {
        List<Long> leftNs = onAll(style, 3, team -> {
            Runnable barrier = team.operations(CaseOrder.AUTO, 0).barrier();
            barrier.run();
            long arrivedNs = System.nanoTime();
            if (team.rank() == 1) {
                Thread.sleep(200);
                arrivedNs = System.nanoTime();
            }
            barrier.run();
            return team.rank() == 1 ? arrivedNs : System.nanoTime();
        });
        assertTrue(leftNs.get(0) > leftNs.get(1) && leftNs.get(2) > leftNs.get(1), leftNs.toString());
    }

    @ParameterizedTest
    @CsvSource({"PLAIN, arrived", "TUNED, ''"})
    void shouldLeaveNoKeysButTheCounterOfThePlainBarrier(RedisStyle style, String left) throws Exception {
        onAll(style, 2, team -> {
            Operations operations = team.operations(CaseOrder.AUTO, 0);
            Runnable broadcast = operations.broadcast(ByteBuffer.allocateDirect(1 << 20));
            Runnable barrier = operations.barrier();
            for (int i = 0; i < 3; i++) {
                barrier.run();
                broadcast.run();
            }
            barrier.run();
            barrier.run();
            return null;
        });
        String names = takeKeys().stream()
                .map(key -> key.substring(key.lastIndexOf(':') + 1))
                .collect(Collectors.joining(" "));
        assertEquals(left, names);
    }

    /** Names of all keys, which are deleted. */
    private static List<String> takeKeys() {
        RedisClient client = RedisClient.create(server.uri());
        try (StatefulRedisConnection<String, String> connection = client.connect()) {
            List<String> keys = connection.sync().keys("*");
            connection.sync().flushall();
            return keys;
        } finally {
            client.shutdown();
        }
    }

    @ParameterizedTest
    @CsvSource({"PLAIN, GET", "TUNED, BLPOP"})
    void shouldSayWhichLengthCameInsteadOfWhich(RedisStyle style, String command) throws Exception {
        List<String> errors = onAll(style, 2, team -> {
            Operations operations = team.operations(CaseOrder.AUTO, 0);
            ByteBuffer mine = ByteBuffer.allocateDirect(team.rank() == 0 ? 8 : 16);
            try {
                operations.broadcast(mine).run();
                return "none";
            } catch (ZipException e) {
                return e.getMessage();
            }
        });
        assertEquals("none", errors.get(0));
        assertTrue(errors.get(1).contains(command + ": 8 bytes came instead of 16"), errors.get(1));
    }

    @Test
    void shouldSayWhereNobodyAnswers() throws Exception {
        int unused;
        try (ServerSocket socket = new ServerSocket(0)) {
            unused = socket.getLocalPort();
        }
        ZipException e = assertThrows(
                ZipException.class,
                () -> new RedisTeam("redis://127.0.0.1:" + unused, RedisStyle.PLAIN, "nowhere", 0, 1).close());
        assertEquals(ErrorCode.UNREACHABLE, e.code());
        assertTrue(e.getMessage().contains("127.0.0.1:" + unused), e.getMessage());
    }
}
