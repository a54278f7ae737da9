package io.zipcomm.transport.rdma;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ZipException;
import io.zipcomm.testkit.DirectWiring;
import io.zipcomm.testkit.LeakCheck;
import io.zipcomm.testkit.Seeds;
import io.zipcomm.transport.FrameHandler;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.rdma.ffi.Native;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Ranks that sleep until there is a message, where libfabric can wake them: two threads, a rank each. */
@Tag("once")
final class RdmaSleepTest {

    private static final int MESSAGES = 400;

    /** A sleep that is not ended by a message. */
    private static final long SLEEP_NS = TimeUnit.SECONDS.toNanos(3);

    /** Far less than a sleep, and more than a thread may have to wait for a core. */
    private static final long WOKEN_NS_MAX = TimeUnit.MILLISECONDS.toNanos(500);

    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(60);

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @RegisterExtension
    final Seeds seeds = new Seeds();

    private DirectWiring wiring;

    @AfterEach
    void close() {
        if (wiring != null) {
            wiring.close();
        }
    }

    /** Whenever a message comes, before the sleep, in it or as it begins, the sleep is soon over. */
    @Test
    void shouldWakeForEveryMessage() throws Exception {
        wiring = RdmaWiring.open(2, 1, Native.TCP);
        End sender = new End(wiring.path(0, 1));
        End receiver = new End(wiring.path(1, 0));
        RandomGenerator random = seeds.random();
        CompletableFuture<Void> receiving = CompletableFuture.runAsync(() -> {
            long limitNs = System.nanoTime() + PATIENCE_NS;
            while (receiver.received < MESSAGES && System.nanoTime() - limitNs < 0) {
                wiring.transport(1).await(SLEEP_NS, () -> false);
            }
        });
        long longestNs = 0;
        for (int i = 1; i <= MESSAGES; i++) {
            LockSupport.parkNanos(random.nextInt(2_000_000));
            long sentNs = System.nanoTime();
            sender.send();
            while (receiver.received < i && System.nanoTime() - sentNs < PATIENCE_NS) {
                wiring.transport(0).poll();
            }
            longestNs = Math.max(longestNs, System.nanoTime() - sentNs);
        }
        receiving.get(90, TimeUnit.SECONDS);
        assertNull(receiver.failure);
        assertEquals(MESSAGES, receiver.received);
        long took = longestNs;
        assertTrue(longestNs < WOKEN_NS_MAX, () -> "a message took " + took / 1000 + " us");
    }

    @Test
    void shouldSleepForAsLongAsNothingComes() {
        wiring = RdmaWiring.open(2, 1, Native.TCP);
        new End(wiring.path(0, 1));
        new End(wiring.path(1, 0));
        // What the opening of the path has left.
        for (int i = 0; i < 100; i++) {
            wiring.transport(0).await(1_000_000, () -> false);
            wiring.transport(1).await(1_000_000, () -> false);
        }
        long cpuNs = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        long beganNs = System.nanoTime();
        while (System.nanoTime() - beganNs < SLEEP_NS) {
            wiring.transport(1).await(20_000_000, () -> false);
        }
        long usedNs = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - cpuNs;
        assertTrue(usedNs < SLEEP_NS / 50, () -> usedNs / 1000 + " us of processor time");
    }

    /** Sends short frames, and counts them. */
    private static final class End implements FrameHandler {
        private final Path path;
        private int due;
        private long sequence;
        private int handled;
        volatile int received;
        volatile ZipException failure;

        End(Path path) {
            this.path = path;
            path.bind(this);
            path.openInput();
        }

        void send() {
            due++;
            path.flush();
        }

        @Override
        public boolean nextFrame(Path asking, ByteBuffer header, int at, OutboundFrame out) {
            if (due == 0) {
                return false;
            }
            due--;
            Frame.begin(header, at, FrameType.EAGER);
            Frame.source(header, at, 0);
            Frame.destination(header, at, 1);
            Frame.sequence(header, at, ++sequence);
            return true;
        }

        @Override
        public void payloadTaken(OutboundFrame out) {}

        @Override
        public void headerReceived(Path from, ByteBuffer header, int at, InboundFrame in) {}

        @Override
        public void frameReceived(Path from, InboundFrame in) {
            handled++;
            received = handled;
        }

        @Override
        public void ended(Path which, ZipException why) {
            failure = why;
        }
    }
}
