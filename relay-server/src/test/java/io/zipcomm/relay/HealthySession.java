package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.proto.ToRank;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32C;
import javax.net.ssl.SSLException;

/**
 * A session that does nothing wrong, in a thread of its own, beside whatever is done to its relay. Round by round each rank
 * sends the next one a frame of random length and content, and a heartbeat; what comes in must be that, all of it, once, in
 * order and in time.
 */
final class HealthySession implements AutoCloseable {

    /** No round takes longer: four frames through the relay, four heartbeats and their answers. */
    static final Duration ROUND_MAX = Duration.ofSeconds(2);

    private static final int SHORT_BYTES_MAX = 4 << 10;
    private static final int LONG_EVERY = 16;
    private static final long PAUSE_MS = 5;

    private final List<TestRank> ranks;
    private final CRC32C[] sent;
    private final CRC32C[] received;
    private final Random random = new Random(4);
    private final Thread driver = new Thread(this::drive, "healthy-session");
    private final AtomicLong rounds = new AtomicLong();
    private final AtomicLong worstNs = new AtomicLong();
    private volatile Throwable failure;
    private volatile boolean stop;

    /** Begins to work. */
    HealthySession(List<TestRank> ranks) {
        this.ranks = List.copyOf(ranks);
        sent = checksums();
        received = checksums();
        driver.setDaemon(true);
        driver.start();
    }

    private CRC32C[] checksums() {
        return ranks.stream().map(rank -> new CRC32C()).toArray(CRC32C[]::new);
    }

    int size() {
        return ranks.size();
    }

    private void drive() {
        try {
            while (!stop) {
                long beganNs = System.nanoTime();
                round(rounds.get());
                worstNs.accumulateAndGet(System.nanoTime() - beganNs, Math::max);
                rounds.incrementAndGet();
                TimeUnit.MILLISECONDS.sleep(PAUSE_MS);
            }
        } catch (Throwable e) {
            failure = e;
        }
    }

    private void round(long number) {
        List<byte[]> payloads = new ArrayList<>();
        int longest = number % LONG_EVERY == 0 ? ranks.get(0).view.getFragmentBytesMax() : SHORT_BYTES_MAX;
        for (int rank = 0; rank < ranks.size(); rank++) {
            byte[] payload = new byte[Long.BYTES + random.nextInt(longest - Long.BYTES)];
            random.nextBytes(payload);
            ByteBuffer.wrap(payload).putLong(0, number);
            payloads.add(payload);
            sent[rank].update(payload);
            ranks.get(rank).send((rank + 1) % ranks.size(), payload);
            ranks.get(rank).heartbeat(number);
        }
        for (int from = 0; from < ranks.size(); from++) {
            RawConnection.In in = ranks.get((from + 1) % ranks.size()).receive();
            assertEquals(FrameType.EAGER, in.type());
            assertEquals(from, in.source());
            assertEquals(in.payload().length, Frame.messageBytes(in.header(), 0));
            assertArrayEquals(payloads.get(from), in.payload(), () -> "round " + number);
            received[from].update(in.payload());
            ToRank answer = ranks.get(from).control.expect(ToRank.MessageCase.HEARTBEAT);
            assertEquals(number, answer.getHeartbeat().getNumber());
        }
    }

    /** Waits until it has done one more whole round, and answers how long the longest has taken since the last call. */
    Duration served() {
        long now = rounds.get();
        Await.until("the healthy session goes on", () -> failure != null || rounds.get() >= now + 2);
        if (failure != null) {
            throw new AssertionError("the healthy session after " + rounds.get() + " rounds", failure);
        }
        return Duration.ofNanos(worstNs.getAndSet(0));
    }

    long rounds() {
        return rounds.get();
    }

    /** Ends the traffic, compares what was sent and what came, and leaves as ranks do. */
    @Override
    public void close() {
        served();
        stop = true;
        try {
            driver.join(TimeUnit.SECONDS.toMillis(20));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        assertEquals(Thread.State.TERMINATED, driver.getState());
        for (int rank = 0; rank < ranks.size(); rank++) {
            assertEquals(sent[rank].getValue(), received[rank].getValue(), "what rank " + rank + " sent");
        }
        ranks.forEach(TestRank::leave);
        ranks.forEach(HealthySession::endOutput);
        ranks.forEach(HealthySession::assertNothingMore);
        TestRank.closeAll(ranks);
    }

    private static void endOutput(TestRank rank) {
        try {
            rank.data.socket.shutdownOutput();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Nothing came twice: behind what was awaited there is credit, and then the end. */
    private static void assertNothingMore(TestRank rank) {
        try {
            for (RawConnection.In in = rank.data.read(); in != null; in = rank.data.read()) {
                assertEquals(FrameType.FLOW, in.type());
            }
        } catch (UncheckedIOException e) {
            // In TLS both ends miss the other's last word.
            assertInstanceOf(SSLException.class, e.getCause());
        }
    }
}
