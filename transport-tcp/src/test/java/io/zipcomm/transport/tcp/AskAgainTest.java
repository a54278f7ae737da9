package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.settings.ZipSettings.TransportChoice;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two ranks that do not meet at first, and could later. */
@Timeout(60)
final class AskAgainTest extends WithRelay {

    private static final int REFUSALS = 2;
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(10);

    /** Pauses of 10 s and 20 s are 0.3 s here. */
    private static final int CLOCK_RATE = 100;

    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(20);

    @Test
    void shouldMeetLaterWhileThereIsTraffic() throws Exception {
        TestGroup group = TestGroup.join(
                relay,
                "s",
                2,
                TransportChoice.AUTO,
                false,
                CLOSE_TIMEOUT,
                new TestGroup.Hosts(false, "auto", CLOCK_RATE));
        for (int rank = 0; rank < 2; rank++) {
            group.rank(rank).refuseConnections(REFUSALS);
        }
        exchange(group);
        assertEquals("relay", group.rank(0).pathTo(1));
        long deadlineNs = System.nanoTime() + PATIENCE_NS;
        while (!"tcp".equals(group.rank(0).pathTo(1))) {
            assertTrue(System.nanoTime() - deadlineNs < 0, "still on the relay");
            exchange(group);
            TimeUnit.MILLISECONDS.sleep(1);
        }
        group.leave();
    }

    private static void exchange(TestGroup group) throws Exception {
        Threads.each(2, rank -> {
            byte[] one = {(byte) rank};
            if (rank == 0) {
                group.rank(0).world.send(1, 7, one);
            } else {
                group.rank(1).world.receive(0, 7, one);
            }
            return null;
        });
    }
}
