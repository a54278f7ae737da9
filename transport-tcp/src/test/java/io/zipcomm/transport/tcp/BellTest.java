package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import com.sun.management.UnixOperatingSystemMXBean;
import io.netty.channel.epoll.Epoll;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.LeakCheck;
import io.zipcomm.transport.Transport;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Processes of a host that end the sleep of one another. */
@Timeout(60)
final class BellTest {

    private static final long SLEEP_NS = TimeUnit.SECONDS.toNanos(10);
    private static final long WOKEN_NS_MAX = TimeUnit.MILLISECONDS.toNanos(500);

    /** Nothing is left to do for a transport that sleeps so long. */
    private static final long QUIET_NS = TimeUnit.MILLISECONDS.toNanos(50);

    private static final long RING_AFTER_MS = 50;

    private static final int CROWD = 20;
    private static final int RINGS = 1000;

    /** Descriptors of this JVM that are no ringers, and some to spare. */
    private static final int DESCRIPTORS_ASIDE = 200;

    private static final int STEADY_RINGS = 10_000;

    /** The least of so many counts: code that is compiled anew in the middle of a count puts its objects on the heap. */
    private static final int MEASUREMENTS = 5;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @TempDir
    Path folder;

    private final List<SocketChannel> ringers = new ArrayList<>();
    private TcpTransport transport;
    private Transport.Bell bell;

    private void open(String io) throws IOException {
        assumeTrue(!io.equals("epoll") || Epoll.isAvailable(), "epoll does not load here");
        transport = new TcpTransport(ZipSettings.builder()
                .relay("127.0.0.1:1")
                .session("s")
                .size(2)
                .transport(TransportChoice.TCP)
                .set(Setting.IO, io)
                .build());
        bell = transport.listenForBell(file());
    }

    @AfterEach
    void close() throws IOException {
        for (SocketChannel one : ringers) {
            one.close();
        }
        if (transport != null) {
            transport.close();
        }
    }

    private Path file() {
        return folder.resolve("bell");
    }

    private SocketChannel connect() throws IOException {
        SocketChannel ringer = SocketChannel.open(UnixDomainSocketAddress.of(file()));
        ringers.add(ringer);
        return ringer;
    }

    private static void ring(SocketChannel ringer, int times) throws IOException {
        ByteBuffer rings = ByteBuffer.allocateDirect(times);
        while (rings.hasRemaining()) {
            ringer.write(rings);
        }
    }

    /** Takes turns until there is nothing to do. */
    private void settle() {
        long work;
        do {
            work = transport.await(QUIET_NS, () -> false);
        } while (work > 0);
    }

    private void assertWakes() {
        long beganNs = System.nanoTime();
        int work = transport.await(SLEEP_NS, () -> false);
        long tookNs = System.nanoTime() - beganNs;
        assertTrue(work > 0 && tookNs < WOKEN_NS_MAX, work + " had something to do after " + tookNs + " ns");
    }

    private void assertSleeps() {
        long beganNs = System.nanoTime();
        assertEquals(0, transport.await(QUIET_NS, () -> false));
        long tookNs = System.nanoTime() - beganNs;
        assertTrue(tookNs >= QUIET_NS / 2, "slept for " + tookNs + " ns");
    }

    // ---- rings

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldEndASleepWhenSomebodyRings(String io) throws Exception {
        open(io);
        SocketChannel ringer = connect();
        settle();
        Thread other = new Thread(() -> {
            try {
                Thread.sleep(RING_AFTER_MS);
                ring(ringer, 1);
            } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        other.start();
        assertWakes();
        other.join();
        assertSleeps();
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldNotSleepWhenSomebodyRangBefore(String io) throws Exception {
        open(io);
        SocketChannel ringer = connect();
        settle();
        for (int i = 0; i < RINGS; i++) {
            ring(ringer, 1);
            assertWakes();
        }
        assertSleeps();
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldEndASleepWhenSomebodyComesToRing(String io) throws Exception {
        open(io);
        ring(connect(), 1);
        assertWakes();
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldNotSleepWhileThereAreRingsLeft(String io) throws Exception {
        open(io);
        SocketChannel ringer = connect();
        settle();
        ring(ringer, 3 * UnixBell.RINGS_PER_TURN);
        for (int turn = 0; turn < 3; turn++) {
            assertWakes();
        }
        assertSleeps();
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldHearACrowd(String io) throws Exception {
        open(io);
        AtomicInteger ringing = new AtomicInteger(CROWD);
        List<Thread> crowd = new ArrayList<>();
        for (int i = 0; i < CROWD; i++) {
            Thread one = new Thread(() -> {
                try (SocketChannel ringer = SocketChannel.open(UnixDomainSocketAddress.of(file()))) {
                    for (int ring = 1; ring <= RINGS; ring++) {
                        ring(ringer, ring);
                    }
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
                ringing.decrementAndGet();
            });
            crowd.add(one);
            one.start();
        }
        while (ringing.get() > 0) {
            transport.await(QUIET_NS, () -> false);
        }
        for (Thread one : crowd) {
            one.join();
        }
        settle();
        SocketChannel last = connect();
        settle();
        ring(last, 1);
        assertWakes();
        assertSleeps();
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldAllocateNothingForARing(String io) throws Exception {
        open(io);
        SocketChannel ringer = connect();
        settle();
        ByteBuffer ring = ByteBuffer.allocateDirect(1);
        long least = Long.MAX_VALUE;
        for (int i = 0; i <= MEASUREMENTS; i++) {
            long bytes = 0;
            for (int j = 0; j < STEADY_RINGS; j++) {
                ringer.write(ring.clear());
                long before = THREADS.getCurrentThreadAllocatedBytes();
                int work = transport.await(SLEEP_NS, () -> false);
                bytes += THREADS.getCurrentThreadAllocatedBytes() - before;
                assertEquals(1, work);
            }
            least = Math.min(least, bytes);
        }
        System.out.printf("%s: %.2f bytes for a ring%n", io, (double) least / STEADY_RINGS);
        assertTrue(least < STEADY_RINGS, least + " bytes for " + STEADY_RINGS + " rings");
    }

    // ---- ringers

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldForgetThoseWhoEnd(String io) throws Exception {
        open(io);
        SocketChannel steady = connect();
        settle();
        for (int i = 0; i <= UnixBell.RINGERS_MAX; i++) {
            try (SocketChannel passing = SocketChannel.open(UnixDomainSocketAddress.of(file()))) {
                ring(passing, 1);
                assertWakes();
            }
            assertWakes();
        }
        settle();
        ring(steady, 1);
        assertWakes();
        assertSleeps();
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldHearOneTooManyWheneverItComes(String io) throws Exception {
        UnixOperatingSystemMXBean system = (UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        assumeTrue(
                system.getMaxFileDescriptorCount() > 2 * UnixBell.RINGERS_MAX + DESCRIPTORS_ASIDE,
                "too few descriptors");
        open(io);
        for (int i = 0; i < UnixBell.RINGERS_MAX; i++) {
            connect();
            transport.poll();
        }
        settle();
        for (int i = 0; i < 3; i++) {
            SocketChannel further = connect();
            assertWakes();
            assertEquals(-1, further.read(ByteBuffer.allocate(1)));
            assertThrows(IOException.class, () -> ring(further, 1));
            assertSleeps();
        }
        for (SocketChannel one : List.copyOf(ringers.subList(0, UnixBell.RINGERS_MAX))) {
            ring(one, 1);
            assertWakes();
        }
        ringers.get(0).close();
        settle();
        SocketChannel further = connect();
        settle();
        ring(further, 1);
        assertWakes();
        assertSleeps();
    }

    // ---- the file

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldRemoveItsFileWhenItIsClosed(String io) throws Exception {
        open(io);
        SocketChannel ringer = connect();
        settle();
        bell.close();
        assertFalse(Files.exists(file()));
        assertEquals(-1, ringer.read(ByteBuffer.allocate(1)));
        assertThrows(IOException.class, this::connect);
        assertSleeps();
        bell.close();

        bell = transport.listenForBell(file());
        ring(connect(), 1);
        assertWakes();
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldCloseWithTheTransport(String io) throws Exception {
        open(io);
        SocketChannel ringer = connect();
        SocketChannel late = connect();
        settle();
        ring(ringer, 1);
        SocketChannel waiting = connect();
        transport.close();
        assertFalse(Files.exists(file()));
        assertThrows(IOException.class, this::connect);
        assertEquals(-1, late.read(ByteBuffer.allocate(1)));
        for (SocketChannel one : List.of(ringer, late, waiting)) {
            assertThrows(IOException.class, () -> ring(one, 1));
        }
        bell.close();
        assertThrows(IOException.class, () -> transport.listenForBell(file()));
        assertFalse(Files.exists(file()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldSayThatThereIsABell(String io) throws Exception {
        open(io);
        IOException second = assertThrows(IOException.class, () -> transport.listenForBell(folder.resolve("second")));
        assertEquals("there is a bell already at " + file(), second.getMessage());
        assertFalse(Files.exists(folder.resolve("second")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldLeaveAFileAloneThatIsThere(String io) throws Exception {
        open(io);
        bell.close();
        Path there = Files.writeString(folder.resolve("there"), "something");
        assertThrows(FileAlreadyExistsException.class, () -> transport.listenForBell(there));
        assertEquals("something", Files.readString(there));
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldSayThatAPathIsTooLong(String io) throws Exception {
        open(io);
        bell.close();
        int room = UnixBell.PATH_BYTES_MAX - (folder + "/").getBytes(StandardCharsets.UTF_8).length;
        assumeTrue(room > 0, "the folder's own path is too long");
        Path longest = folder.resolve("b".repeat(room));
        Path tooLong = folder.resolve("b".repeat(room + 1));
        IOException failure = assertThrows(IOException.class, () -> transport.listenForBell(tooLong));
        assertEquals(
                "the path of a Unix domain socket has 103 bytes at most, and " + tooLong + " has 104",
                failure.getMessage());
        bell = transport.listenForBell(longest);
        SocketChannel ringer = SocketChannel.open(UnixDomainSocketAddress.of(longest));
        ringers.add(ringer);
        assertWakes();
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldSayWhereItCannotListen(String io) throws Exception {
        open(io);
        bell.close();
        Path nowhere = folder.resolve("missing").resolve("bell");
        IOException failure = assertThrows(IOException.class, () -> transport.listenForBell(nowhere));
        assertTrue(failure.getMessage().startsWith("cannot listen at " + nowhere + ": "), failure.getMessage());
        assertTrue(failure.getMessage().contains("No such file"), failure.getMessage());
    }
}
