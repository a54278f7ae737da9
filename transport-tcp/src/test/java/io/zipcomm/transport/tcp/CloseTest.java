package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.buffer.Payload;
import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A rank that leaves while the program's own code holds its background thread. */
@Timeout(60)
final class CloseTest extends WithRelay {

    private static final Duration CLOSE_TIMEOUT = Duration.ofMillis(500);

    @Test
    void shouldNotWaitForAStageThatWaitsForIt() throws Exception {
        TestGroup group = TestGroup.join(relay, "s", 2, TransportChoice.RELAY, false, CLOSE_TIMEOUT);
        GroupCommunicator world = group.rank(0).world;
        CountDownLatch running = new CountDownLatch(1);
        CountDownLatch released = new CountDownLatch(1);
        AtomicReference<String> thread = new AtomicReference<>();
        CompletableFuture<Void> stage = world.receiveAsync(1, 7, Payload.of(new byte[1]))
                .thenRun(() -> {
                    thread.set(Thread.currentThread().getName());
                    running.countDown();
                    awaitUninterrupted(released);
                });
        group.rank(1).world.send(0, 7, new byte[1]);
        assertTrue(running.await(10, TimeUnit.SECONDS), "the stage does not run");
        assertEquals("zip-progress-0", thread.get());
        long beginNs = System.nanoTime();
        Threads.each(2, rank -> {
            group.rank(rank).world.close();
            return null;
        });
        long ms = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - beginNs);
        assertTrue(ms >= CLOSE_TIMEOUT.toMillis() && ms < 5_000, "closed after " + ms + " ms");
        released.countDown();
        stage.get(10, TimeUnit.SECONDS);
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
