package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.IoChoice;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.wire.proto.Attach;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** When a lost data connection is opened again, by a clock that is set by hand. */
@Timeout(60)
final class RelayReturnTest {

    private static final Duration RELAY_TIMEOUT = Duration.ofSeconds(10);
    private static final RelayAddress RELAY = RelayAddress.parse("127.0.0.1:1");

    /** It fails in a way that nobody expects. */
    private static final class Failing extends NioPoller {
        private final List<Thread> threads = new ArrayList<>();

        @Override
        Poller another(IoChoice choice) {
            throw new IllegalStateException("a defect");
        }

        @Override
        Thread thread(Runnable task, String name) {
            Thread thread = super.thread(task, name);
            threads.add(thread);
            return thread;
        }
    }

    private final Failing poller = new Failing();
    private final Streams streams = new Streams();
    private final RelayReturn back = new RelayReturn(
            ZipSettings.builder()
                    .relay(RELAY.toString())
                    .session("s")
                    .size(2)
                    .relayTimeout(RELAY_TIMEOUT)
                    .build(),
            poller,
            streams,
            RELAY,
            Attach.getDefaultInstance());

    private void begin() {
        back.begin(new RelayConnection(streams, RELAY, 1 << 10), "by the test", 0);
    }

    private static long ns(long seconds) {
        return TimeUnit.SECONDS.toNanos(seconds);
    }

    @AfterEach
    void close() {
        back.close();
        poller.close();
    }

    @Test
    void shouldTryAgainAfterAFailureThatNobodyExpects() throws InterruptedException {
        begin();
        for (int tries = 1; tries <= 3; tries++) {
            assertNull(back.look(ns(tries)));
            assertEquals(tries, poller.threads.size());
            Thread thread = poller.threads.get(tries - 1);
            thread.join(30_000);
            assertFalse(thread.isAlive());
            // It is heard, and there is a pause.
            assertTrue(back.isDue(ns(tries)));
            assertNull(back.look(ns(tries)));
            assertFalse(back.isDue(ns(tries)));
        }
        ZipException failure = assertThrows(ZipException.class, () -> back.look(RELAY_TIMEOUT.toNanos()));
        assertEquals(ErrorCode.RELAY_LOST, failure.code());
        assertTrue(failure.getMessage().contains("a defect"), failure::getMessage);
    }

    @Test
    void shouldTryNothingWhileTheRelayLetsNobodyAttach() {
        begin();
        assertTrue(back.isDue(0));
        back.holdBack(0, ns(30));
        assertFalse(back.isDue(ns(30)));
        assertNull(back.look(ns(30)));
        assertEquals(0, poller.threads.size());
        back.release(ns(31));
        assertTrue(back.isDue(ns(31)), "at once");
    }

    @Test
    void shouldTryWhenTheConnectionEndsThatCameBack() {
        begin();
        back.holdBack(0, ns(30));
        back.close();
        begin();
        assertTrue(back.isDue(0));
    }

    @Test
    void shouldBoundHowLongARelayMayTake() {
        begin();
        back.holdBack(0, TimeUnit.DAYS.toNanos(1));
        assertNull(back.look(ns(600)));
        assertThrows(ZipException.class, () -> back.look(ns(600) + RELAY_TIMEOUT.toNanos()));
    }
}
