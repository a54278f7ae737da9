package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.channel.epoll.Epoll;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import java.io.IOException;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Two ranks that take each other for far away lose their direct connection again and again, under load both ways. */
@Timeout(120)
@Tag("once")
final class ResumeTest extends WithRelay {

    private static final int TIMES = 8;
    private static final int BLACK_HOLES = 2;

    private static final int MANY_TIMES = 20;
    private static final int MANY_BLACK_HOLES = 4;

    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(10);

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** What happens to the connection between the ranks. */
    private enum Loss {
        /** Its socket is reset. */
        RESET,
        /** Its socket ends as if this end had said all. */
        END,
        /** What one end sends is dropped on the way, or what both do. */
        BLACK_HOLE
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({"epoll", "nio"})
    void shouldComeAndGoUnderLoad(String io) throws Exception {
        comeAndGo(io, TIMES);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({"epoll", "nio"})
    @Tag("long")
    void shouldComeAndGoManyTimesUnderLoad(String io) throws Exception {
        comeAndGo(io, MANY_TIMES);
    }

    private void comeAndGo(String io, int times) throws Exception {
        assumeTrue(!io.equals("epoll") || Epoll.isAvailable(), "epoll does not load here");
        run(io, times, (random, round) -> random.nextBoolean() ? Loss.RESET : Loss.END);
    }

    @Test
    void shouldNoticeThatItsConnectionIsForgotten() throws Exception {
        noticeThatItIsForgotten(BLACK_HOLES);
    }

    @Test
    @Tag("long")
    void shouldNoticeManyTimesThatItsConnectionIsForgotten() throws Exception {
        noticeThatItIsForgotten(MANY_BLACK_HOLES);
    }

    private void noticeThatItIsForgotten(int times) throws Exception {
        assumeTrue(Epoll.isAvailable(), "epoll does not load here");
        run("epoll", times, (random, round) -> Loss.BLACK_HOLE);
    }

    /** Chooses how a connection is lost. */
    @FunctionalInterface
    private interface Choice {
        Loss of(SplittableRandom random, int round);
    }

    private void run(String io, int times, Choice choice) throws Exception {
        TestGroup group = TestGroup.join(
                relay, "s", 2, TransportChoice.AUTO, false, CLOSE_TIMEOUT, new TestGroup.Hosts(true, io).withSkips());
        AtomicBoolean over = new AtomicBoolean();
        long[] sums = new long[4];
        // Of each rank: one thread that loads, and one that looks on.
        Threads.each(3, who -> {
            try {
                if (who == 2) {
                    lose(group, times, choice);
                } else {
                    new Load(group.rank(who).world, seeds.seed(), over, sums).run();
                }
            } finally {
                over.compareAndSet(false, who == 2);
            }
            return null;
        });
        assertEquals(sums[0], sums[3], "what rank 0 sent and rank 1 received");
        assertEquals(sums[1], sums[2], "what rank 1 sent and rank 0 received");
        for (int rank = 0; rank < 2; rank++) {
            assertEquals(times, group.rank(rank).world.progress().resumptions(1 - rank), "resumptions of rank " + rank);
            assertEquals(
                    "operations 0, transfers 0, unexpected 0, cleared receives 0",
                    group.rank(rank).world.progress().leaks());
        }
        group.leave();
    }

    private void lose(TestGroup group, int times, Choice choice) throws InterruptedException {
        SplittableRandom random = new SplittableRandom(seeds.seed());
        await(() -> isDirect(group, 0) && isDirect(group, 1), "paths");
        for (int round = 0; round < times; round++) {
            int resumed = round;
            TimeUnit.MILLISECONDS.sleep(random.nextInt(40));
            int rank = random.nextInt(2);
            Loss loss = choice.of(random, round);
            boolean both = random.nextBoolean();
            // Both are of now: the other one may have gone on by another path when the first is over.
            DirectConnection one = group.rank(rank).direct(1 - rank);
            DirectConnection other = group.rank(1 - rank).direct(rank);
            group.rank(rank).act(() -> apply(loss, one));
            if (both) {
                group.rank(1 - rank).act(() -> apply(loss, other));
            }
            await(
                    () -> group.rank(0).world.progress().resumptions(1) > resumed
                            && group.rank(1).world.progress().resumptions(0) > resumed,
                    loss + " " + round + " at rank " + rank + (both ? " and the other" : ""));
            group.clock.awaitAfterPause(
                    () -> group.rank(rank).direct(1 - rank) != one
                            && group.rank(1 - rank).direct(rank) != other
                            && isDirect(group, 0)
                            && isDirect(group, 1),
                    PATIENCE,
                    "return " + round);
        }
    }

    private static boolean isDirect(TestGroup group, int rank) {
        return "tcp".equals(group.rank(rank).pathTo(1 - rank));
    }

    private static void await(BooleanSupplier condition, String what) throws InterruptedException {
        long deadlineNs = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - deadlineNs < 0, "not in time: " + what);
            TimeUnit.MILLISECONDS.sleep(1);
        }
    }

    private static void apply(Loss loss, DirectConnection connection) {
        if (connection.isEnded()) {
            return;
        }
        switch (loss) {
            case RESET -> connection.socket().abort();
            case END -> {
                try {
                    connection.socket().shutdownOutput();
                } catch (IOException e) {
                    // The other end was first.
                    connection.socket().abort();
                }
            }
            case BLACK_HOLE -> BlackHole.swallow(connection);
        }
    }

    @Test
    void shouldKeepThePathOfAPeerThatStandsStill() throws Exception {
        assumeTrue(Epoll.isAvailable(), "epoll does not load here");
        TestGroup group = TestGroup.join(
                relay, "s", 2, TransportChoice.AUTO, false, CLOSE_TIMEOUT, new TestGroup.Hosts(true, "epoll"));
        Threads.each(2, rank -> {
            GroupCommunicator world = group.rank(rank).world;
            byte[] mine = new byte[1];
            byte[] theirs = new byte[1];
            long deadlineNs = System.nanoTime() + PATIENCE.toNanos();
            while (mine[0] == 0 || theirs[0] == 0) {
                mine[0] = (byte) (isDirect(group, rank) ? 1 : 0);
                ZipFuture<Void> sent = world.sendAsync(1 - rank, 1, Payload.of(mine));
                world.receive(1 - rank, 1, theirs);
                sent.await();
                assertTrue(System.nanoTime() - deadlineNs < 0, "no direct path");
            }
            return null;
        });
        // Longer than silence may last; its operating system answers meanwhile.
        long stillNs = Silence.LOST_AFTER_NS + 2 * Silence.PING_AFTER_NS;
        group.rank(1).act(() -> java.util.concurrent.locks.LockSupport.parkNanos(stillNs));
        Threads.each(2, rank -> {
            GroupCommunicator world = group.rank(rank).world;
            ZipFuture<Long> answer = world.receiveAsync(1 - rank, 2, Payload.of(new byte[1]));
            TimeUnit.NANOSECONDS.sleep(stillNs);
            ZipFuture<Void> sent = world.sendAsync(1 - rank, 2, Payload.of(new byte[1]));
            answer.await();
            sent.await();
            return null;
        });
        for (int rank = 0; rank < 2; rank++) {
            assertEquals(0, group.rank(rank).world.progress().resumptions(1 - rank), "resumptions of rank " + rank);
            assertEquals("tcp", group.rank(rank).pathTo(1 - rank));
        }
        group.leave();
    }
}
