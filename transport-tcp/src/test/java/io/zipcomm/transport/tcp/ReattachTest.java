package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.channel.epoll.Epoll;
import io.zipcomm.Communicator;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
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
import org.junit.jupiter.params.provider.ValueSource;

/** Ranks lose their data connection to the relay again and again, under load both ways: nothing is lost, and nothing fails. */
@Timeout(120)
@Tag("once")
final class ReattachTest extends WithRelay {

    private static final int TIMES = 10;
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(10);
    private static final long PATIENCE_NS = Duration.ofSeconds(30).toNanos();

    @ParameterizedTest(name = "{0}, {1}")
    @CsvSource({"epoll, RELAY", "nio, RELAY", "epoll, AUTO"})
    void shouldGoOnUnderLoad(String io, TransportChoice choice) throws Exception {
        assumeTrue(!io.equals("epoll") || Epoll.isAvailable(), "epoll does not load here");
        TestGroup group = TestGroup.join(relay, "s", 2, choice, false, CLOSE_TIMEOUT, new TestGroup.Hosts(true, io));
        AtomicBoolean over = new AtomicBoolean();
        long[] sums = new long[4];
        // Of each rank: one thread that loads, and one that looks on.
        Threads.each(3, who -> {
            try {
                if (who == 2) {
                    lose(group);
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
            assertEquals(
                    "operations 0, transfers 0, unexpected 0, cleared receives 0",
                    group.rank(rank).world.progress().leaks());
            if (choice == TransportChoice.RELAY) {
                int resumed = group.rank(rank).world.progress().resumptions(1 - rank);
                assertTrue(resumed >= TIMES, resumed + " resumptions of rank " + rank);
            }
        }
        group.leave();
    }

    private void lose(TestGroup group) throws InterruptedException {
        SplittableRandom random = new SplittableRandom(seeds.seed());
        for (int round = 0; round < TIMES; round++) {
            TimeUnit.MILLISECONDS.sleep(random.nextInt(40));
            int rank = random.nextInt(2);
            // Who ends its own socket may notice nothing: the relay says so.
            boolean reset = random.nextBoolean();
            boolean both = random.nextInt(3) == 0;
            lose(group, rank, reset);
            if (both) {
                lose(group, 1 - rank, reset);
            }
            await(() -> isThere(group, 0) && isThere(group, 1), "return " + round);
        }
    }

    /** What resets each new connection at once makes no loop without pauses. */
    @Test
    void shouldPauseLongerEachTimeAConnectionDoesNotLive() throws Exception {
        TestGroup group = TestGroup.join(relay, "s", 2, TransportChoice.RELAY, false, CLOSE_TIMEOUT);
        long beginNs = System.nanoTime();
        // After 0, 20, 40, 80, 160 and 320 ms.
        for (int time = 0; time < 6; time++) {
            lose(group, 0, true);
        }
        long ms = (System.nanoTime() - beginNs) / 1_000_000;
        assertTrue(ms >= 620, "back after " + ms + " ms");
        group.leave();
    }

    /** Ends the connection, and waits until there is another. */
    private static void lose(TestGroup group, int rank, boolean reset) throws InterruptedException {
        FrameStream[] lost = new FrameStream[1];
        AtomicBoolean told = new AtomicBoolean();
        group.rank(rank).act(() -> {
            lost[0] = group.rank(rank).relayConnection();
            if (!lost[0].isEnded()) {
                end(lost[0], reset);
            }
            told.set(true);
        });
        await(told::get, "a turn of rank " + rank);
        AtomicBoolean another = new AtomicBoolean();
        await(
                () -> {
                    group.rank(rank).act(() -> another.set(group.rank(rank).relayConnection() != lost[0]));
                    return another.get();
                },
                "another connection of rank " + rank);
    }

    private static void end(FrameStream connection, boolean reset) {
        try {
            if (reset) {
                connection.socket().abort();
            } else {
                connection.socket().shutdownOutput();
            }
        } catch (IOException e) {
            connection.socket().abort();
        }
    }

    private static boolean isThere(TestGroup group, int rank) {
        return !group.rank(rank).relayConnection().isEnded();
    }

    /** Its connection may end before or after it hears of that. */
    @ParameterizedTest(name = "told first: {0}")
    @ValueSource(booleans = {true, false})
    void shouldNotComeBackToAPlaceThatIsGivenAway(boolean toldFirst) throws Exception {
        TestGroup group = TestGroup.join(
                relay, "s", 2, TransportChoice.RELAY, false, Duration.ofMillis(100), new TestGroup.Hosts(true, "auto"));
        TestGroup.Rank expelled = group.rank(0);
        AtomicBoolean tried = new AtomicBoolean();
        AtomicBoolean tries = new AtomicBoolean(true);
        FrameStream[] lost = new FrameStream[1];
        if (toldFirst) {
            expelled.world.progress().expelled("by the test");
            assertExpelled(expelled.world);
        }
        expelled.act(() -> {
            lost[0] = expelled.relayConnection();
            lost[0].lost("by the test");
            tried.set(expelled.isConnecting());
            if (!toldFirst) {
                expelled.world.progress().expelled("by the test");
            }
        });
        assertExpelled(expelled.world);
        await(
                () -> {
                    expelled.act(() -> tries.set(lost[0] == null || expelled.isConnecting()));
                    return !tries.get();
                },
                "the end of all attempts");
        assertEquals(!toldFirst, tried.get());
        assertSame(lost[0], expelled.relayConnection());
        group.leave();
    }

    private static void assertExpelled(Communicator world) {
        ZipException failure = assertThrows(ZipException.class, () -> world.receive(1, 1, new byte[1]));
        assertEquals(ErrorCode.EXPELLED, failure.code(), failure::getMessage);
    }

    private static void await(BooleanSupplier condition, String what) throws InterruptedException {
        long deadlineNs = System.nanoTime() + PATIENCE_NS;
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - deadlineNs < 0, "not in time: " + what);
            TimeUnit.MILLISECONDS.sleep(2);
        }
    }
}
