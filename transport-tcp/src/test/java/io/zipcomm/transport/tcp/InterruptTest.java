package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.LeakCheck;
import io.zipcomm.transport.RelayAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whoever interrupts a thread that waits ends its wait, and the thread still knows that it was interrupted. */
@Timeout(60)
final class InterruptTest {

    private static final long SEEN_MS_MAX = 1000;

    /** Longer than the longest sleep of a driver, so that every moment of it is met. */
    private static final int MOMENTS_MS = 25;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    /** A thread that waits for something that never comes. */
    private static final class Waiting extends Thread {
        private final FutureTask<Boolean> result;

        /**
         * Starts waiting.
         *
         * @param wait ends with CANCELLED if interrupted
         */
        static Waiting begin(Runnable wait) {
            Waiting waiting = new Waiting(new FutureTask<>(() -> {
                try {
                    wait.run();
                    throw new AssertionError("there was nothing to wait for");
                } catch (ZipException e) {
                    if (e.code() != ErrorCode.CANCELLED) {
                        throw e;
                    }
                    return Thread.currentThread().isInterrupted();
                }
            }));
            waiting.start();
            return waiting;
        }

        private Waiting(FutureTask<Boolean> result) {
            super(result, "waits");
            this.result = result;
        }

        void assertWaiting() {
            assertFalse(result.isDone(), "it was not this thread that was interrupted");
        }

        void assertEndsByInterrupt() throws InterruptedException, ExecutionException, TimeoutException {
            interrupt();
            try {
                assertTrue(result.get(SEEN_MS_MAX, TimeUnit.MILLISECONDS), "the flag is gone");
            } catch (TimeoutException e) {
                e.setStackTrace(getStackTrace());
                throw e;
            }
            join();
        }
    }

    static Stream<Arguments> waits() {
        return Stream.of("epoll", "nio")
                .flatMap(io -> Stream.of(TransportChoice.TCP, TransportChoice.RELAY)
                        .flatMap(choice -> Stream.of("spin", "block").map(wait -> Arguments.of(io, choice, wait))));
    }

    @ParameterizedTest(name = "{0}, {1}, {2}")
    @MethodSource("waits")
    void shouldEndAReceiveWithinASecond(String io, TransportChoice choice, String wait) throws Exception {
        try (RelayServer relay = RelayServer.start(
                RelaySettings.builder().listen("127.0.0.1:0").insecure(true).build())) {
            List<Communicator> group = Threads.each(
                    2,
                    rank -> Zip.join(settings(io)
                            .relay("127.0.0.1:" + relay.address().getPort())
                            .session("s")
                            .size(2)
                            .rank(rank)
                            .transport(choice)
                            .set(Setting.WAIT, wait)
                            .build()));
            Communicator world = group.get(0);
            pass(group, 1);
            for (int afterMs = 0; afterMs <= MOMENTS_MS; afterMs++) {
                Waiting waiting = Waiting.begin(() -> world.receive(1, 2, new byte[10]));
                Thread.sleep(afterMs);
                waiting.assertEndsByInterrupt();
            }
            // One of two drives while the other sleeps: each is interrupted for itself.
            for (int afterMs = 0; afterMs < MOMENTS_MS; afterMs++) {
                Waiting first = Waiting.begin(() -> world.receive(1, 3, new byte[10]));
                Waiting second = Waiting.begin(() -> world.receive(1, 4, new byte[10]));
                Thread.sleep(afterMs);
                first.assertEndsByInterrupt();
                Thread.sleep(1);
                second.assertWaiting();
                second.assertEndsByInterrupt();
            }
            pass(group, 5);
            Threads.each(2, rank -> {
                group.get(rank).close();
                return null;
            });
        }
    }

    /** A message that is waited for in vain for a while, then comes: nobody was interrupted. */
    private static void pass(List<Communicator> group, int tag) throws Exception {
        Threads.each(2, rank -> {
            Communicator world = group.get(rank);
            if (rank == 1) {
                Thread.sleep(2 * MOMENTS_MS);
                world.send(0, tag, new int[] {tag});
            } else {
                int[] message = new int[1];
                world.receive(1, tag, message);
                assertEquals(tag, message[0]);
            }
            assertFalse(Thread.currentThread().isInterrupted());
            return null;
        });
    }

    private static ZipSettings.Builder settings(String io) {
        return ZipSettings.builder()
                .joinTimeout(Duration.ofSeconds(20))
                .operationTimeout(Duration.ofSeconds(20))
                .set(Setting.IO, io);
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldEndAJoinWhileTheRelayDoesNotAnswer(String io) throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            assertAttachEnds(io, silent.getLocalPort());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldEndAJoinWhileTheRelayDoesNotAccept(String io) throws Exception {
        List<SocketChannel> before = new ArrayList<>();
        try (ServerSocket full = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            try {
                // Those who fit into its queue, and more.
                for (int i = 0; i < 8; i++) {
                    SocketChannel one = SocketChannel.open();
                    before.add(one);
                    one.configureBlocking(false);
                    one.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), full.getLocalPort()));
                }
                assertAttachEnds(io, full.getLocalPort());
            } finally {
                for (SocketChannel one : before) {
                    one.close();
                }
            }
        }
    }

    private static void assertAttachEnds(String io, int port) throws Exception {
        ZipSettings settings =
                settings(io).relay("127.0.0.1:" + port).session("s").size(2).build();
        for (int afterMs : new int[] {0, 2 * MOMENTS_MS}) {
            TcpTransport transport = new TcpTransport(settings);
            try {
                RelayAddress relay = settings.relay();
                long deadlineNs = System.nanoTime() + settings.joinTimeout().toNanos();
                Waiting waiting = Waiting.begin(() -> transport.attach(relay, "s", 0, new byte[8], deadlineNs));
                Thread.sleep(afterMs);
                waiting.assertEndsByInterrupt();
            } finally {
                transport.close();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldKeepEveryInterruptThatComesWhilePolling(String io) throws Exception {
        int interrupts = 2000;
        AtomicInteger seen = new AtomicInteger();
        Thread waiter = new Thread(
                () -> {
                    try (Poller poller =
                            Poller.open(ZipSettings.IoChoice.valueOf(io.toUpperCase(java.util.Locale.ROOT)))) {
                        while (seen.get() < interrupts) {
                            poller.await(1_000_000, () -> false);
                            if (Thread.interrupted()) {
                                seen.incrementAndGet();
                            }
                        }
                    }
                },
                "waits");
        waiter.start();
        for (int i = 0; i < interrupts; i++) {
            assertEquals(i, seen.get(), "nobody was interrupted again");
            waiter.interrupt();
            long deadlineNs = System.nanoTime() + SEEN_MS_MAX * 1_000_000;
            while (seen.get() == i && System.nanoTime() - deadlineNs < 0) {
                Thread.onSpinWait();
            }
            if (seen.get() == i) {
                seen.set(interrupts);
                throw new AssertionError("interrupt " + i + " is lost");
            }
        }
        waiter.join();
        assertEquals(interrupts, seen.get());
    }

    /** Whoever was interrupted before may still have to wait, for those to whom it says goodbye. */
    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldSleepThoughInterruptedBefore(String io) throws IOException {
        try (Poller poller = Poller.open(ZipSettings.IoChoice.valueOf(io.toUpperCase(java.util.Locale.ROOT)))) {
            Thread.currentThread().interrupt();
            long beginNs = System.nanoTime();
            poller.await(20_000_000, () -> false);
            long tookNs = System.nanoTime() - beginNs;
            assertTrue(Thread.interrupted());
            assertTrue(tookNs >= 10_000_000, "slept for " + tookNs + " ns");
        }
    }
}
