package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.channel.epoll.Epoll;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.relay.RelayOption;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.LeakCheck;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A data connection to the relay that something on the way has forgotten, while the control connection goes on. */
@Timeout(60)
@Tag("once")
final class RelaySilenceTest {

    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(1);
    private static final long SECONDS_MAX = 10;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private RelayServer relay;

    @BeforeEach
    void startRelay() {
        relay = RelayServer.start(RelaySettings.builder()
                .listen("127.0.0.1:0")
                .insecure(true)
                .set(RelayOption.HEARTBEAT_INTERVAL, "250")
                .set(RelayOption.HEARTBEAT_TIMEOUT, "2000")
                .build());
    }

    @AfterEach
    void stopRelay() {
        relay.close();
    }

    @Test
    void shouldGoOnWithinSeconds() throws Exception {
        assumeTrue(Epoll.isAvailable(), "epoll does not load here");
        TestGroup group = TestGroup.join(
                relay, "s", 2, TransportChoice.RELAY, false, CLOSE_TIMEOUT, new TestGroup.Hosts(false, "epoll"));
        CountDownLatch swallowed = new CountDownLatch(1);
        group.rank(0).act(() -> {
            BlackHole.swallow(group.rank(0).relayConnection());
            swallowed.countDown();
        });
        assertTrue(swallowed.await(SECONDS_MAX, TimeUnit.SECONDS), "the engine takes no turn");
        long startedNs = System.nanoTime();
        Threads.each(2, rank -> {
            byte[] theirs = new byte[1];
            ZipFuture<Void> sent = group.rank(rank).world.sendAsync(1 - rank, 7, Payload.of(new byte[] {(byte) rank}));
            group.rank(rank).world.receive(1 - rank, 7, theirs);
            sent.await();
            assertEquals(1 - rank, theirs[0]);
            return null;
        });
        long seconds = (System.nanoTime() - startedNs) / 1_000_000_000;
        assertTrue(seconds < SECONDS_MAX, "took " + seconds + " s");
        assertEquals(1, group.rank(0).world.progress().resumptions(1));
        group.leave();
    }

    @Test
    void shouldOutliveIdleness() throws Exception {
        TestGroup group = TestGroup.join(relay, "s", 2, TransportChoice.RELAY, false, CLOSE_TIMEOUT);
        // Longer than the silence that both ends allow.
        TimeUnit.SECONDS.sleep(6);
        Threads.each(2, rank -> {
            byte[] one = {(byte) rank};
            if (rank == 0) {
                group.rank(0).world.send(1, 7, one);
            } else {
                group.rank(1).world.receive(0, 7, one);
                assertEquals(0, one[0]);
            }
            return null;
        });
        group.leave();
    }
}
