package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A rank dies without a word: whoever waits for it is told soon, and who it was. */
@Timeout(60)
final class PeerDeathTest extends WithRelay {

    private static final int SIZE = 3;
    private static final int DOOMED = 1;
    private static final long TOLD_NS_MAX = 5_000_000_000L;
    private static final int LONG_BYTES = 8 << 20;

    /** So long the dead rank itself waits for its peers when it is cleaned up. */
    private static final Duration CLOSE_TIMEOUT = Duration.ofMillis(300);

    @ParameterizedTest(name = "{0}, control connection dies, too: {1}")
    @CsvSource({"TCP, false", "TCP, true", "RELAY, false", "RELAY, true", "AUTO, false", "AUTO, true"})
    void shouldEndOperationsThatWaitForADeadPeer(TransportChoice choice, boolean control) throws Exception {
        TestGroup group = TestGroup.join(relay, "s", SIZE, choice, false, CLOSE_TIMEOUT);
        Threads.each(SIZE, rank -> {
            greet(group.rank(rank).world, List.of(0, 1, 2));
            return null;
        });
        // Survivors wait in every way: for a message, for room, and for the middle of a message.
        List<ZipFuture<?>> pending = new ArrayList<>();
        for (int rank : new int[] {0, 2}) {
            GroupCommunicator world = group.rank(rank).world;
            pending.add(world.receiveAsync(DOOMED, 7, Payload.of(new byte[10])));
            pending.add(world.receiveAsync(DOOMED, 8, Payload.of(new byte[LONG_BYTES])));
            pending.add(world.sendAsync(DOOMED, 9, Payload.of(new byte[LONG_BYTES])));
        }
        long killedNs = System.nanoTime();
        group.rank(DOOMED).killTransport();
        if (control) {
            group.rank(DOOMED).killControl();
        }
        List<Future<Void>> waiting = Threads.start(2, one -> {
            GroupCommunicator world = group.rank(2 * one).world;
            world.receive(DOOMED, 10, new byte[10]);
            return null;
        });
        for (Future<Void> one : waiting) {
            assertNamesTheDead(Threads.thrown(ZipException.class, one));
        }
        for (ZipFuture<?> one : pending) {
            assertNamesTheDead(failure(one));
        }
        long tookNs = System.nanoTime() - killedNs;
        assertTrue(tookNs < TOLD_NS_MAX, "told after " + tookNs / 1_000_000 + " ms");
        // The others go on, and a new operation fails at once.
        Threads.each(2, one -> {
            GroupCommunicator world = group.rank(2 * one).world;
            greet(world, List.of(0, 2));
            try {
                world.send(DOOMED, 11, new byte[10]);
                throw new AssertionError("sent to a dead rank");
            } catch (ZipException e) {
                assertNamesTheDead(e);
            }
            return null;
        });
        group.leave();
    }

    private static ZipException failure(ZipFuture<?> future) {
        try {
            future.await();
            throw new AssertionError("an operation with a dead rank succeeded");
        } catch (ZipException e) {
            return e;
        }
    }

    private static void assertNamesTheDead(ZipException failure) {
        assertEquals(ErrorCode.PEER_LOST, failure.code(), failure.getMessage());
        assertEquals(DOOMED, failure.peer(), failure.getMessage());
        assertTrue(failure.getMessage().contains("rank " + DOOMED), failure.getMessage());
    }

    private static void greet(GroupCommunicator world, List<Integer> ranks) {
        for (int peer : ranks) {
            if (peer != world.rank()) {
                ZipFuture<Void> sent = world.sendAsync(peer, 1, Payload.of(new int[] {world.rank()}));
                int[] greeting = new int[1];
                world.receive(peer, 1, greeting);
                sent.await();
                assertArrayEquals(new int[] {peer}, greeting);
            }
        }
    }
}
