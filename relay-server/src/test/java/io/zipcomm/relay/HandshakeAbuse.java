package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Frame;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Connections that never say who they are, or say it again and again. Part of {@link AbuseTest}. */
abstract class HandshakeAbuse extends AbuseTest.Abuse {

    private static final byte[] HTTP = ascii("GET / HTTP/1.1\r\nHost: relay.exam");
    private static final byte[] UPGRADE =
            ascii("GET /zip HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nSec-WebSocket-K");

    /** A record of TLS of 512 bytes, as far as its first 6. */
    private static final byte[] TLS = {0x16, 3, 1, 2, 0, 1};

    private static final String TIME_OVER = timeOver(AbuseRelay.HANDSHAKE_TIMEOUT_MS);

    private static final int LONGEST_TIMEOUT_MS = 16 * AbuseRelay.HANDSHAKE_TIMEOUT_MS;

    /** Tries, each with a machine that may be busy with something else. */
    private static final int TRIES = 5;

    private static String timeOver(int timeoutMs) {
        return "no message within " + timeoutMs + " ms (handshake-timeout)";
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private byte[] rightJoin() {
        return RawConnection.controlFrame(TestRank.message(suite.join("s", 2, 0)));
    }

    @Test
    void shouldEndHundredsOfHalfOpenConnectionsInTime() {
        // A machine that is slow to open them all before the first one's time is over gets more time.
        int timeoutMs = AbuseRelay.HANDSHAKE_TIMEOUT_MS;
        while (!endsHundredsOfHalfOpenConnections(timeoutMs)) {
            suite.closeAll();
            timeoutMs *= 2;
            assertTrue(timeoutMs <= LONGEST_TIMEOUT_MS, "they are never all half open at once");
        }
    }

    /** Returns false, and has shown nothing, if some ended before all had begun. */
    private boolean endsHundredsOfHalfOpenConnections(int timeoutMs) {
        suite.limit(RelayOption.HANDSHAKE_TIMEOUT, timeoutMs);
        int each = 100;
        byte[] join = rightJoin();
        List<RawConnection> frames = new ArrayList<>();
        List<RawConnection> others = new ArrayList<>();
        long before = suite.reached(RelayOption.HANDSHAKE_TIMEOUT);
        for (int i = 0; i < each; i++) {
            frames.add(begun(new byte[0]));
            frames.add(begun(Arrays.copyOf(join, 1 + i % (join.length - 1))));
            others.add(begun(TLS));
            others.add(begun(HTTP));
            others.add(begun(i % 2 == 0 ? UPGRADE : FloodAbuse.UPGRADE));
        }
        RawConnection inTls;
        try {
            inTls = suite.connectTls();
            inTls.write(Arrays.copyOf(join, join.length / 2));
        } catch (UncheckedIOException e) {
            // Its time was over.
            return false;
        }
        int all = 5 * each + 1;
        AtomicBoolean halfOpen = new AtomicBoolean();
        Await.until("all are half open, or some have ended", () -> {
            halfOpen.set(suite.relay.stats().handshakes() == all);
            return halfOpen.get() || suite.reached(RelayOption.HANDSHAKE_TIMEOUT) > before;
        });
        if (!halfOpen.get()) {
            return false;
        }
        // They keep nobody out.
        suite.group("t", 2).get(0).roundTrip();
        for (RawConnection half : frames) {
            assertEquals(timeOver(timeoutMs), half.expectRefusal(ErrorCode.LIMIT));
        }
        assertEquals(timeOver(timeoutMs), inTls.expectRefusal(ErrorCode.LIMIT));
        others.forEach(RawConnection::awaitEnd);
        assertEquals(before + all, suite.reached(RelayOption.HANDSHAKE_TIMEOUT));
        return true;
    }

    /** Nobody sees a frame of a WebSocket or a record of TLS before it ends, and who it is that sends it is not known. */
    @Test
    void shouldKeepLittleOfFramesThatDoNotEnd() throws Exception {
        int each = 200;
        long limit = 16 << 10;
        suite.limit(RelayOption.HANDSHAKE_TIMEOUT, 60_000);
        byte[] record = Arrays.copyOf(new byte[] {0x16, 3, 1, 0x40, 0, 1}, 5 + (16 << 10) - 1);
        byte[] longFrame = Arrays.copyOf(FloodAbuse.longFrame(1 << 16), 14 + (1 << 16) - 1);
        byte[] frame = FloodAbuse.frame(2, new byte[(int) limit]);
        byte[] half = Arrays.copyOf(frame, frame.length - 1);
        long refusedBefore = suite.reached(RelayOption.CONTROL_BYTES_MAX);
        long before = AbuseRelay.directBytes();
        long most = 0;
        List<RawConnection> tooLong = new ArrayList<>();
        for (int i = 0; i < each; i++) {
            begun(record);
            suite.webSocket().write(half);
            tooLong.add(suite.webSocket());
            tooLong.get(i).write(longFrame);
            most = Math.max(most, AbuseRelay.directBytes() - before);
            // One at a time: what lies in the relay before it is looked at is not what it keeps.
            long refused = refusedBefore + i + 1;
            Await.until(
                    "a frame that is too long is refused",
                    () -> suite.reached(RelayOption.CONTROL_BYTES_MAX) == refused);
        }
        Await.until("what is half open has come", () -> AbuseRelay.directBytes() - before >= 2L * each * limit);
        most = Math.max(most, AbuseRelay.directBytes() - before);
        // Buffers grow by doubling.
        long bound = 4L * each * limit + (1 << 20);
        assertTrue(most <= bound, most + " bytes of direct memory, expected at most " + bound);
        tooLong.forEach(RawConnection::awaitEnd);
        suite.group("s", 2).get(0).roundTrip();
    }

    private RawConnection begun(byte[] first) {
        RawConnection half = suite.connect();
        half.write(first);
        return half;
    }

    /** Each byte is progress, and the time is over all the same. */
    @Test
    void shouldEndSlowHandshakesInTime() throws Exception {
        byte[] join = rightJoin();
        List<RawConnection> slow = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            slow.add(i % 8 == 0 ? suite.connectTls() : suite.connect());
        }
        long beganNs = System.nanoTime();
        long patienceNs = TimeUnit.MILLISECONDS.toNanos(AbuseRelay.HANDSHAKE_TIMEOUT_MS);
        for (int at = 0; System.nanoTime() - beganNs < patienceNs; at++) {
            for (RawConnection one : slow) {
                try {
                    one.write(new byte[] {join[at]});
                } catch (UncheckedIOException e) {
                    // Its time is over.
                }
            }
            TimeUnit.MILLISECONDS.sleep(200);
        }
        for (RawConnection one : slow) {
            assertEquals(TIME_OVER, one.expectRefusal(ErrorCode.LIMIT));
        }
    }

    /** One address takes every place there is and says nothing; others get in at once, and it is its own oldest that go. */
    @Test
    void shouldKeepNobodyOutByHalfOpenConnections() {
        int places = 50;
        suite.limit(RelayOption.HANDSHAKES_MAX, places);
        List<RawConnection> silent = List.of();
        long tookMs = Long.MAX_VALUE;
        for (int i = 0; i < TRIES && tookMs >= AbuseRelay.HANDSHAKE_TIMEOUT_MS / 2; i++) {
            suite.closeAll();
            Await.until("all places are free", () -> suite.relay.stats().handshakes() == 0);
            suite.awaitNoOtherSession();
            silent = takePlaces(places);
            long beganNs = System.nanoTime();
            suite.group("s", 2).get(0).roundTrip();
            tookMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - beganNs);
        }
        assertTrue(tookMs < AbuseRelay.HANDSHAKE_TIMEOUT_MS / 2, "joining took " + tookMs + " ms");
        // The first connection of the group took the place of the oldest; once it had said who it is, there was one for
        // the next.
        String reason = silent.get(0).expectRefusal(ErrorCode.LIMIT);
        assertTrue(reason.startsWith("made room for a newer connection"), reason);
        suite.expectLimit(RelayOption.HANDSHAKES_MAX, reason);
        for (RawConnection other : silent.subList(1, places)) {
            assertEquals(TIME_OVER, other.expectRefusal(ErrorCode.LIMIT));
        }
    }

    /** Silent connections, as many as the relay has places for them. */
    private List<RawConnection> takePlaces(int places) {
        List<RawConnection> silent = new ArrayList<>();
        for (int i = 0; i < places; i++) {
            silent.add(suite.connectFrom("127.0.0.2"));
        }
        Await.until("all places are taken", () -> suite.relay.stats().handshakes() == places);
        return silent;
    }

    /** What FuzzAbuse does in one thread, over sockets, in TLS and not. */
    @Test
    void shouldStandRandomConnections() {
        FuzzInput input = new FuzzInput(20, Frame.HEADER_BYTES, List.of(rightJoin(), TLS, HTTP, FloodAbuse.UPGRADE));
        for (int i = 0; i < 600; i++) {
            try (RawConnection stranger = i % 10 == 0 ? suite.connectTls() : new RawConnection(suite.at)) {
                stranger.write(input.next());
                if (i % 4 == 0) {
                    stranger.reset();
                }
            } catch (UncheckedIOException e) {
                // The relay may be done with it before we are.
            }
        }
    }

    // Storms

    @Test
    void shouldStandThousandsWhoConnectAndGo() {
        byte[] join = rightJoin();
        for (int i = 0; i < 3000; i++) {
            try (RawConnection one = new RawConnection(suite.at)) {
                one.write(Arrays.copyOf(join, i % 3 == 0 ? 0 : i % join.length));
                if (i % 2 == 0) {
                    one.reset();
                }
            }
        }
    }

    /** A session of hundreds whose connections all break, again and again, and that always comes together anew. */
    @Test
    void shouldAdmitHundredsOfRanksThatAreCutAndComeAgain() {
        int size = 200;
        String token = suite.token("storm");
        for (int storm = 0; storm < 3; storm++) {
            List<TestRank> ranks = new ArrayList<>();
            for (int rank = 0; rank < size; rank++) {
                ranks.add(TestRank.asking(
                        suite.at, TestRank.join("storm", size, rank).setToken(token)));
            }
            ranks.forEach(rank -> rank.awaitAdmitted().attach());
            ranks.forEach(TestRank::awaitReady);
            ranks.get(0).send(size - 1, new byte[] {(byte) storm});
            assertEquals(storm, ranks.get(size - 1).receive().payload()[0]);
            for (TestRank rank : ranks) {
                rank.control.reset();
                rank.data.reset();
            }
            suite.awaitNoOtherSession();
        }
    }

    @Test
    void shouldRefuseStormsOfRanksWithoutRight() {
        String foreign = RelayTokens.mint(TokenKey.of(RelaySecret.random()), TokenRequest.forSession("storm"));
        List<TestRank> ranks = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            ranks.add(suite.asking(TestRank.join("storm", 500, i).setToken(foreign)));
        }
        for (TestRank rank : ranks) {
            assertEquals("the token is not valid here", rank.expectRefusal(ErrorCode.UNAUTHORIZED));
        }
        assertEquals(1, suite.relay.stats().sessions());
    }

    /** Whole handshakes of TLS, which are what costs a relay most. */
    @Test
    void shouldStandStormsOfTls() {
        byte[] join = rightJoin();
        for (int i = 0; i < 150; i++) {
            RawConnection one = suite.connectTls();
            one.write(Arrays.copyOf(join, i % join.length));
            if (i % 2 == 0) {
                one.reset();
            }
        }
    }
}
