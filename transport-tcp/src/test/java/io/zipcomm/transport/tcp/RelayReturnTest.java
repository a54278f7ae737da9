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
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
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

    /** Knows the threads that connect. */
    private static class Watched extends NioPoller {
        final List<Thread> threads = new ArrayList<>();

        @Override
        Poller another(IoChoice choice) {
            return new NioPoller();
        }

        @Override
        Thread thread(Runnable task, String name) {
            Thread thread = super.thread(task, name);
            threads.add(thread);
            return thread;
        }
    }

    /** It fails in a way that nobody expects. */
    private static final class Failing extends Watched {
        @Override
        Poller another(IoChoice choice) {
            throw new IllegalStateException("a defect");
        }
    }

    private final Failing poller = new Failing();
    private final Streams streams = new Streams();
    private final RelayReturn back = returning(poller, RELAY);

    private RelayReturn returning(Poller on, RelayAddress to) {
        return new RelayReturn(
                ZipSettings.builder()
                        .relay(to.toString())
                        .session("s")
                        .size(2)
                        .relayTimeout(RELAY_TIMEOUT)
                        .build(),
                on,
                streams,
                to,
                Attach.getDefaultInstance());
    }

    private void begin() {
        begin(back, RELAY);
    }

    /** What has ended has number 0. */
    private void begin(RelayReturn returning, RelayAddress to) {
        returning.begin(new RelayConnection(streams, to, 1 << 10), "by the test", 0);
    }

    /** As often as a process that does not stand still. */
    private static void lookUntil(RelayReturn returning, long fromNs, long toNs) {
        for (long atNs = fromNs; atNs < toNs; atNs += ms(100)) {
            assertNull(returning.look(atNs));
        }
        assertNull(returning.look(toNs));
    }

    private static long ns(long seconds) {
        return TimeUnit.SECONDS.toNanos(seconds);
    }

    private static long ms(long ms) {
        return TimeUnit.MILLISECONDS.toNanos(ms);
    }

    @AfterEach
    void close() {
        back.close();
        poller.close();
    }

    /** A system that accepts for a relay that says nothing, and a rank that comes back to it. */
    private final class Mute implements AutoCloseable {
        private final ServerSocket relay = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        private final Watched ranks = new Watched();
        private final RelayAddress address = RelayAddress.parse("127.0.0.1:" + relay.getLocalPort());
        private final RelayReturn returning = returning(ranks, address);

        Mute() throws IOException {
            begin(returning, address);
        }

        int tries() {
            return ranks.threads.size();
        }

        /** An attempt begins and is connected, all at one instant. */
        void attempt(long nowNs) throws InterruptedException {
            int before = tries();
            assertNull(returning.look(nowNs));
            assertEquals(before + 1, tries(), "it tries");
            Thread thread = ranks.threads.get(before);
            thread.join(30_000);
            assertFalse(thread.isAlive());
            assertTrue(returning.isDue(nowNs), "it is connected");
            assertNull(returning.look(nowNs));
            assertFalse(returning.isDue(nowNs + RELAY_TIMEOUT.toNanos()), "it waits for the answer");
        }

        /** The attempt is given up at an instant, and not before. */
        void assertGivesUp(long atNs) {
            assertNull(returning.look(atNs - 1));
            assertFalse(returning.isDue(atNs + ns(1)), "too early");
            assertNull(returning.look(atNs));
            assertTrue(returning.isDue(atNs + ns(1)), "too late");
        }

        @Override
        public void close() throws IOException {
            returning.close();
            ranks.close();
            relay.close();
        }
    }

    @Test
    void shouldWaitLongForARelayThatHasSaidNothing() throws Exception {
        try (Mute mute = new Mute()) {
            mute.attempt(0);
            mute.assertGivesUp(ns(3));
        }
    }

    @Test
    void shouldTryAgainSoonWhenTheRelayWaitsAndDoesNotAnswer() throws Exception {
        try (Mute mute = new Mute()) {
            mute.attempt(0);
            mute.returning.detached(0, "by the test", ms(1200));
            // Said once more it changes nothing.
            mute.returning.detached(0, "by the test", ms(1400));
            mute.assertGivesUp(ms(1500));
            mute.attempt(ms(1600));
            mute.assertGivesUp(ms(2200));
            mute.attempt(ms(2300));
            mute.assertGivesUp(ms(3500));
        }
    }

    @Test
    void shouldTryAgainSoonWhenTheRelayWaitedBeforeTheAttempt() throws Exception {
        try (Mute mute = new Mute()) {
            mute.returning.detached(0, "by the test", 0);
            mute.attempt(ms(100));
            mute.assertGivesUp(ms(400));
        }
    }

    /** An attempt is not given longer by what is said of the connection before. */
    @Test
    void shouldNotWaitLongerBecauseTheRelayWaits() throws Exception {
        try (Mute mute = new Mute()) {
            mute.attempt(0);
            mute.returning.detached(0, "by the test", ms(2900));
            mute.assertGivesUp(ns(3));
        }
    }

    /** The relay tells of what this rank has given up itself: that says nothing of the attempt after it. */
    @Test
    void shouldNotGiveUpBecauseAnAttemptBeforeHasEnded() throws Exception {
        try (Mute mute = new Mute()) {
            mute.returning.detached(0, "by the test", 0);
            mute.attempt(0);
            mute.assertGivesUp(ms(300));
            mute.attempt(ms(400));
            mute.returning.detached(1, "by the test", ms(450));
            mute.assertGivesUp(ms(1000));
        }
    }

    /** What has come while the process stood still is read first. */
    @Test
    void shouldReadWhatHasComeBeforeItGivesUp() throws Exception {
        try (Mute mute = new Mute()) {
            mute.attempt(0);
            assertNull(mute.returning.look(ns(5)));
            mute.assertGivesUp(ns(5) + ms(50));
        }
    }

    /** The relay may be there again, and know what became of the group. */
    @Test
    void shouldTryOnceMoreAfterItStoodStill() throws Exception {
        try (Mute mute = new Mute()) {
            mute.attempt(0);
            assertNull(mute.returning.look(ns(60)));
            mute.assertGivesUp(ns(60) + ms(50));
            mute.attempt(ns(60) + ms(100));
            lookUntil(mute.returning, ns(60) + ms(100), ns(63) - 1);
            assertThrows(ZipException.class, () -> mute.returning.look(ns(63)));
        }
    }

    /** Little of its time is left: as good as none. */
    @Test
    void shouldTryForAWhileAfterItStoodStillUntilJustBeforeTheEnd() {
        begin();
        assertNull(back.look(RELAY_TIMEOUT.toNanos() - 1));
        lookUntil(back, RELAY_TIMEOUT.toNanos() - 1, RELAY_TIMEOUT.toNanos() + ns(3) - 2);
        assertThrows(ZipException.class, () -> back.look(RELAY_TIMEOUT.toNanos() + ns(3) - 1));
    }

    /** Its turns are so far apart that it might have stood still between them. */
    @Test
    void shouldGiveUpThoughItIsAlwaysLate() {
        begin();
        back.holdBack(0, 0);
        // It has 3 s more when less than that is left.
        long overNs = RELAY_TIMEOUT.toNanos() + ms(500);
        for (long atNs = 0; atNs < overNs; atNs += ms(500)) {
            assertNull(back.look(atNs));
        }
        assertThrows(ZipException.class, () -> back.look(overNs));
    }

    /** A rank that is held back may be let in then. */
    @Test
    void shouldBeLetInAfterItStoodStill() {
        begin();
        back.holdBack(0, ns(1));
        assertNull(back.look(ns(60)));
        back.release(ns(62));
        assertTrue(back.isDue(ns(62)));
    }

    /** Said late, it would take the place of what is said on the next connection. */
    @Test
    void shouldTakeBackWhatItSaidOnAConnectionThatItGivesUp() throws Exception {
        try (Mute mute = new Mute()) {
            mute.attempt(0);
            try (Socket given = mute.relay.accept()) {
                given.setSoTimeout(30_000);
                mute.assertGivesUp(ns(3));
                // With the next turn of the selector it is closed.
                mute.ranks.poll();
                assertThrows(SocketException.class, () -> given.getInputStream().readAllBytes());
            }
        }
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
        ZipException failure = assertThrows(ZipException.class, () -> lookUntil(back, ns(3), RELAY_TIMEOUT.toNanos()));
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
        lookUntil(back, 0, ns(600));
        assertThrows(ZipException.class, () -> lookUntil(back, ns(600), ns(600) + RELAY_TIMEOUT.toNanos()));
    }
}
