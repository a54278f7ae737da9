package io.zipcomm.relay.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.relay.RelayOption;
import io.zipcomm.relay.RelaySettings;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A signal and a request may come at once. */
@Timeout(60)
final class ReloadOrderTest {

    private static final long PATIENCE_S = 20;

    private final AtomicInteger reads = new AtomicInteger();
    private final CountDownLatch readOld = new CountDownLatch(1);
    private final CountDownLatch goOn = new CountDownLatch(1);

    /** The second to read has read what the third finds changed, and is slow. */
    private RelaySettings settings() {
        int read = reads.incrementAndGet();
        RelaySettings found = RelaySettings.builder()
                .listen("127.0.0.1:0")
                .insecure(true)
                .set(RelayOption.ADMIN, "off")
                .set(RelayOption.SESSIONS_MAX, Integer.toString(read))
                .build();
        if (read == 2) {
            readOld.countDown();
            try {
                assertTrue(goOn.await(PATIENCE_S, TimeUnit.SECONDS));
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
        return found;
    }

    @Test
    void shouldEndWithWhatWasReadLast() throws Exception {
        try (Daemon daemon = Daemon.start(this::settings)) {
            Thread early = new Thread(daemon::reload, "early");
            Thread late = new Thread(daemon::reload, "late");
            early.start();
            assertTrue(readOld.await(PATIENCE_S, TimeUnit.SECONDS));
            late.start();
            long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
            while (late.isAlive() && late.getState() != Thread.State.BLOCKED) {
                assertTrue(System.nanoTime() - deadlineNs < 0, "late is " + late.getState());
                Thread.onSpinWait();
            }
            // Whatever hangs in a reload, the relay can be told to end.
            assertFalse(daemon.isDraining());
            goOn.countDown();
            early.join(TimeUnit.SECONDS.toMillis(PATIENCE_S));
            late.join(TimeUnit.SECONDS.toMillis(PATIENCE_S));
            assertEquals(3, daemon.relay().settings().sessionsMax());
        }
    }
}
