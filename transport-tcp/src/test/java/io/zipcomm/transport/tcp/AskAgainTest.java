package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.zipcomm.settings.ZipSettings.TransportChoice;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two ranks that do not meet at first, and could later. */
@Timeout(60)
final class AskAgainTest extends WithRelay {

    private static final int REFUSALS = 2;
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(10);

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @Test
    void shouldMeetLaterWhileThereIsTraffic() throws Exception {
        TestGroup group = TestGroup.join(
                relay,
                "s",
                2,
                TransportChoice.AUTO,
                false,
                CLOSE_TIMEOUT,
                new TestGroup.Hosts(false, "auto").withSkips());
        for (int rank = 0; rank < 2; rank++) {
            group.rank(rank).refuseConnections(REFUSALS);
        }
        exchange(group);
        assertEquals("relay", group.rank(0).pathTo(1));
        AtomicBoolean over = new AtomicBoolean();
        Threads.each(2, who -> {
            if (who == 0) {
                try {
                    group.clock.awaitAfterPause(() -> "tcp".equals(group.rank(0).pathTo(1)), PATIENCE, "TCP");
                } finally {
                    over.set(true);
                }
            } else {
                while (!over.get()) {
                    exchange(group);
                }
            }
            return null;
        });
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
