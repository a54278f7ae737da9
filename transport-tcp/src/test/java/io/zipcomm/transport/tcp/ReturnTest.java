package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** All connections to the relay are reset on the way, those of control too, and are opened again. */
@Timeout(120)
@Tag("once")
final class ReturnTest extends WithRelay {

    private static final int TIMES = 6;
    private static final Duration RELAY_TIMEOUT = Duration.ofMillis(1500);

    private ZipSettings.Builder settings(CuttingProxy proxy, int rank, TransportChoice choice) {
        return ZipSettings.builder()
                .relay("127.0.0.1:" + proxy.port())
                .session("s")
                .size(2)
                .rank(rank)
                .set(Setting.HOST_ID, "host-of-rank-" + rank)
                .transport(choice);
    }

    /** What is encrypted is encrypted anew when it is sent once more: a receiver takes each number once. */
    @ParameterizedTest(name = "{0}, encryption {1}")
    @CsvSource({"RELAY, off", "AUTO, off", "RELAY, relayed"})
    void shouldGoOnUnderLoad(TransportChoice choice, String encryption) throws Exception {
        try (CuttingProxy proxy = new CuttingProxy(relay.address())) {
            AtomicBoolean over = new AtomicBoolean();
            CountDownLatch joined = new CountDownLatch(2);
            long[] sums = new long[4];
            int[] resumed = new int[2];
            Threads.each(3, who -> {
                if (who == 2) {
                    assertTrue(joined.await(30, TimeUnit.SECONDS), "the group is not complete");
                    try {
                        cut(proxy, over);
                    } finally {
                        over.set(true);
                    }
                } else {
                    ZipSettings settings = settings(proxy, who, choice)
                            .set(Setting.ENCRYPTION, encryption)
                            .set(Setting.SECRET, "the relay must not know this")
                            .build();
                    try (Communicator world = Zip.join(settings)) {
                        joined.countDown();
                        new Load((GroupCommunicator) world, seeds.seed(), over, sums).run();
                        resumed[who] = ((GroupCommunicator) world).progress().resumptions(1 - who);
                    } finally {
                        over.set(true);
                    }
                }
                return null;
            });
            assertEquals(sums[0], sums[3], "what rank 0 sent and rank 1 received");
            assertEquals(sums[1], sums[2], "what rank 1 sent and rank 0 received");
            if (choice == TransportChoice.RELAY) {
                assertTrue(
                        Math.min(resumed[0], resumed[1]) >= TIMES, resumed[0] + " and " + resumed[1] + " resumptions");
            }
        }
    }

    /** Once all are there: control and data of both, two sockets each. */
    private void cut(CuttingProxy proxy, AtomicBoolean over) throws InterruptedException {
        SplittableRandom random = new SplittableRandom(seeds.seed());
        for (int round = 0; round < TIMES && !over.get(); round++) {
            long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
            while (proxy.openSockets() < 8) {
                assertTrue(System.nanoTime() - deadlineNs < 0, "not all are back: " + proxy.openSockets() + " sockets");
                TimeUnit.MILLISECONDS.sleep(2);
            }
            TimeUnit.MILLISECONDS.sleep(100 + random.nextInt(60));
            proxy.cut();
        }
    }

    /** What a rank said on a connection that was broken already is said again: the others would wait for it until their deadline. */
    @Test
    void shouldSayAgainWhatTheRelayHasNotHeard() throws Exception {
        try (CuttingProxy proxy = new CuttingProxy(relay.address());
                CuttingProxy sound = new CuttingProxy(relay.address())) {
            CyclicBarrier bothReady = new CyclicBarrier(3);
            CyclicBarrier bothRevoked = new CyclicBarrier(2);
            Threads.each(3, who -> {
                if (who == 2) {
                    bothReady.await(30, TimeUnit.SECONDS);
                    proxy.swallow();
                    bothReady.await(30, TimeUnit.SECONDS);
                    // What rank 0 says is sent at once; this is not what is waited for.
                    TimeUnit.MILLISECONDS.sleep(300);
                    proxy.cut();
                    return null;
                }
                ZipSettings settings = settings(who == 0 ? proxy : sound, who, TransportChoice.RELAY)
                        .operationTimeout(Duration.ofSeconds(60))
                        .build();
                try (Communicator world = Zip.join(settings)) {
                    Communicator half = world.split(0, who);
                    bothReady.await(30, TimeUnit.SECONDS);
                    bothReady.await(30, TimeUnit.SECONDS);
                    long beginNs = System.nanoTime();
                    assertTrue(world.agree(true).value());
                    if (who == 0) {
                        half.revoke();
                    }
                    ZipException revoked =
                            assertThrows(ZipException.class, () -> half.receive(1 - who, 1, new byte[1]));
                    assertEquals(ErrorCode.REVOKED, revoked.code(), revoked::getMessage);
                    long ms = (System.nanoTime() - beginNs) / 1_000_000;
                    assertTrue(ms < 10_000, "after " + ms + " ms");
                    // That a rank has left may be known before what it said at the relay.
                    bothRevoked.await(30, TimeUnit.SECONDS);
                }
                return null;
            });
        }
    }

    /** Nobody is there to come back to: what needs the relay fails when the time is over, and not before. */
    @Test
    void shouldFailWhenTheRelayStaysAway() throws Exception {
        CuttingProxy proxy = new CuttingProxy(relay.address());
        CyclicBarrier bothReady = new CyclicBarrier(2);
        Threads.each(2, rank -> {
            Communicator world = Zip.join(settings(proxy, rank, TransportChoice.RELAY)
                    .relayTimeout(RELAY_TIMEOUT)
                    .set(Setting.CLOSE_TIMEOUT, "100")
                    .build());
            try {
                byte[] one = new byte[1];
                ZipFuture<Void> sent = world.sendAsync(1 - rank, 1, Payload.of(one));
                world.receive(1 - rank, 1, one);
                sent.await();
                ZipFuture<Long> never = world.receiveAsync(1 - rank, 2, Payload.of(new byte[1]));
                bothReady.await(30, TimeUnit.SECONDS);
                proxy.close();
                long beginNs = System.nanoTime();
                ZipException failure = assertThrows(ZipException.class, never::await);
                long ms = (System.nanoTime() - beginNs) / 1_000_000;
                assertEquals(ErrorCode.RELAY_LOST, failure.code(), failure::getMessage);
                assertTrue(failure.getMessage().contains("not opened again in"), failure::getMessage);
                assertTrue(ms > RELAY_TIMEOUT.toMillis() / 2, "failed after " + ms + " ms");
                assertTrue(ms < 3 * RELAY_TIMEOUT.toMillis(), "failed after " + ms + " ms");
            } finally {
                world.close();
            }
            return null;
        });
    }
}
