package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What it costs that frames between hosts are kept until the peer has them. */
@Timeout(120)
final class RecordingTest extends WithRelay {

    private static final int MESSAGES = 20;
    private static final int MESSAGE_BYTES = 1 << 20;

    /** A message is 17 frames, which leave together; the socket may take them in several pieces. */
    private static final int CALLS_PER_MESSAGE_MAX = 8;

    @ParameterizedTest(name = "{0}")
    @CsvSource({"auto", "nio"})
    void shouldSendTheFramesOfALongMessageTogether(String io) throws Exception {
        TestGroup group = TestGroup.join(
                relay, "s", 2, TransportChoice.AUTO, false, Duration.ofSeconds(10), new TestGroup.Hosts(true, io));
        long[] calls = new long[2];
        Threads.each(2, rank -> {
            GroupCommunicator world = group.rank(rank).world;
            byte[] mine = new byte[MESSAGE_BYTES];
            new Random(rank).nextBytes(mine);
            byte[] theirs = new byte[MESSAGE_BYTES];
            byte[] expected = new byte[MESSAGE_BYTES];
            new Random(1 - rank).nextBytes(expected);
            long deadlineNs = System.nanoTime() + 30_000_000_000L;
            byte[] direct = new byte[1];
            while (direct[0] == 0) {
                // Both know that both send directly.
                exchange(world, mine, theirs);
                boolean own = "tcp".equals(group.rank(rank).pathTo(1 - rank));
                byte[] other = new byte[1];
                exchange(world, new byte[] {(byte) (own ? 1 : 0)}, other);
                direct[0] = (byte) (own && other[0] == 1 ? 1 : 0);
                assertTrue(System.nanoTime() - deadlineNs < 0, "no direct path");
            }
            long before = world.counters().writeCalls;
            for (int i = 0; i < MESSAGES; i++) {
                exchange(world, mine, theirs);
                assertArrayEquals(expected, theirs);
            }
            calls[rank] = world.counters().writeCalls - before;
            assertEquals("tcp", group.rank(rank).pathTo(1 - rank));
            return null;
        });
        System.out.printf("calls for %d messages of 1 MiB: %d and %d%n", MESSAGES, calls[0], calls[1]);
        for (long count : calls) {
            assertTrue(count <= (long) MESSAGES * CALLS_PER_MESSAGE_MAX, count + " calls");
        }
        group.leave();
    }

    /** First the lower rank sends, then the other. */
    private static void exchange(GroupCommunicator world, byte[] mine, byte[] theirs) {
        if (world.rank() == 0) {
            world.send(1, 3, mine);
            world.receive(1, 3, theirs);
        } else {
            world.receive(0, 3, theirs);
            world.send(0, 3, mine);
        }
    }
}
