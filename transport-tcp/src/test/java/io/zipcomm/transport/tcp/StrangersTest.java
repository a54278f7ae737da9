package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.channel.epoll.Epoll;
import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.membership.Candidate;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.Hello;
import java.io.File;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Thousands of strangers connect to a rank, and say nothing, half of something, or nonsense: its group hardly notices. */
@Timeout(120)
@Tag("once")
final class StrangersTest extends WithRelay {

    private static final int STRANGERS = 4_000;

    /** Sockets of strangers that this test holds open at a time: more than a rank puts up with. */
    private static final int HELD = 600;

    /** Connections of strangers that a rank holds at a time, as the documents say. */
    private static final int STRANGERS_MAX = 256;

    /**
     * Descriptors that come and go for other reasons: connections between the ranks, what the platform opens, and what it closes
     * a turn late.
     */
    private static final int DESCRIPTORS_ASIDE = 40 + Poller.ACCEPTS_PER_TURN;

    /**
     * Direct memory that strangers may cost in all: some hundred bytes each, of those that are held at a time, and what the
     * group's own connections take meanwhile.
     */
    private static final long DIRECT_BYTES_MAX = 3 << 20;

    private static final int ROUNDS_MIN = 100;
    private static final int MESSAGE_BYTES = 100_000;

    @ParameterizedTest(name = "{0}")
    @CsvSource({"epoll", "nio"})
    void shouldCostNextToNothing(String io) throws Exception {
        assumeTrue(!io.equals("epoll") || Epoll.isAvailable(), "epoll does not load here");
        TestGroup group = TestGroup.join(
                relay, "s", 2, TransportChoice.AUTO, true, Duration.ofSeconds(10), new TestGroup.Hosts(false, io));
        AtomicBoolean over = new AtomicBoolean();
        AtomicLong rounds = new AtomicLong();
        Threads.each(3, who -> {
            if (who < 2) {
                exchange(group.rank(who).world, over, who == 0 ? rounds : new AtomicLong());
                return null;
            }
            try {
                crowd(group, rounds);
            } finally {
                over.set(true);
            }
            return null;
        });
        assertEquals("tcp", group.rank(0).pathTo(1), "the ranks' own connection");
        group.leave();
    }

    /** Messages to and fro until it is over; both ranks do the same number, since the last one says so. */
    private static void exchange(GroupCommunicator world, AtomicBoolean over, AtomicLong rounds) {
        byte[] mine = new byte[MESSAGE_BYTES];
        byte[] theirs = new byte[MESSAGE_BYTES];
        boolean last = false;
        for (int round = 1; !last; round++) {
            if (world.rank() == 0) {
                last = over.get();
                mine[0] = (byte) (last ? 1 : 0);
                mine[round % MESSAGE_BYTES] =
                        (byte) (mine[round % MESSAGE_BYTES] + (round % MESSAGE_BYTES == 0 ? 0 : 1));
                world.send(1, 7, mine);
                world.receive(1, 7, theirs);
                assertArrayEquals(mine, theirs);
            } else {
                world.receive(0, 7, theirs);
                world.send(0, 7, theirs);
                last = theirs[0] == 1;
            }
            rounds.incrementAndGet();
        }
    }

    private void crowd(TestGroup group, AtomicLong rounds) throws Exception {
        SplittableRandom random = new SplittableRandom(seeds.seed());
        Candidate door = group.rank(0).view.self().candidates().get(0);
        ArrayDeque<Socket> held = new ArrayDeque<>();
        // What the ranks keep of what they send is theirs.
        long untilNs = System.nanoTime() + 20_000_000_000L;
        while (rounds.get() < ROUNDS_MIN) {
            assertTrue(System.nanoTime() - untilNs < 0, "only " + rounds + " rounds before any stranger");
            Thread.sleep(1);
        }
        int descriptors = descriptors();
        long directBytes = directBytes();
        long roundsBefore = rounds.get();
        int descriptorsMost = 0;
        long directBytesMost = 0;
        try {
            for (int i = 0; i < STRANGERS; i++) {
                if (held.size() >= HELD) {
                    held.remove().close();
                }
                Socket socket = new Socket();
                held.add(socket);
                socket.connect(new InetSocketAddress(door.host(), door.port()), 10_000);
                say(socket, random, group);
                descriptorsMost = Math.max(descriptorsMost, descriptors() - descriptors - held.size());
                directBytesMost = Math.max(directBytesMost, directBytes() - directBytes);
                if (i == STRANGERS / 2) {
                    // In the middle of the crowd the ranks find each other all the same.
                    group.rank(0).letConnect();
                    group.rank(1).letConnect();
                }
            }
            long deadlineNs = System.nanoTime() + 20_000_000_000L;
            while (!Objects.equals(group.rank(0).pathTo(1), "tcp") || rounds.get() - roundsBefore < ROUNDS_MIN) {
                assertTrue(System.nanoTime() - deadlineNs < 0, "no direct path, or only " + rounds + " rounds");
                Thread.sleep(1);
            }
        } finally {
            for (Socket socket : held) {
                socket.close();
            }
        }
        System.out.printf(
                "%d strangers: at most %d descriptors, %d bytes of direct memory; %d rounds meanwhile%n",
                STRANGERS, descriptorsMost, directBytesMost, rounds.get() - roundsBefore);
        assertTrue(descriptorsMost <= STRANGERS_MAX + DESCRIPTORS_ASIDE, "descriptors: " + descriptorsMost);
        assertTrue(directBytesMost <= DIRECT_BYTES_MAX, "direct memory: " + directBytesMost);
    }

    /** Nothing, a part of a handshake, all of a handshake without a proof, or nonsense. */
    private static void say(Socket socket, SplittableRandom random, TestGroup group) throws IOException {
        byte[] said = switch (random.nextInt(5)) {
            case 0 -> new byte[0];
            case 1 -> beginning(open(group), random.nextInt(1, Frame.HEADER_BYTES));
            case 2 -> beginning(open(group), random.nextInt(Frame.HEADER_BYTES, open(group).length));
            case 3 -> open(group);
            default -> nonsense(random);
        };
        try {
            socket.getOutputStream().write(said);
        } catch (SocketException e) {
            // Thrown out before it had said all.
            assertTrue(said.length > 0);
        }
    }

    private static byte[] beginning(byte[] bytes, int length) {
        return java.util.Arrays.copyOf(bytes, length);
    }

    private static byte[] nonsense(SplittableRandom random) {
        byte[] bytes = new byte[random.nextInt(1, 5000)];
        random.nextBytes(bytes);
        return bytes;
    }

    /** As rank 1 would say it to rank 0, but for the proof. */
    private static byte[] open(TestGroup group) {
        ByteBuffer frame = Frame.allocate(Frame.HEADER_BYTES + Hello.PAYLOAD_BYTES);
        Frame.begin(frame, 0, FrameType.HELLO);
        Frame.flags(frame, 0, Hello.OPEN);
        Frame.payloadBytes(frame, 0, Hello.PAYLOAD_BYTES);
        Frame.epoch(frame, 0, group.rank(0).view.epoch());
        Frame.source(frame, 0, 1);
        Frame.destination(frame, 0, 0);
        Hello.write(frame, Frame.HEADER_BYTES, new byte[Hello.NONCE_BYTES], new byte[32]);
        byte[] bytes = new byte[frame.capacity()];
        frame.get(0, bytes);
        return bytes;
    }

    private static int descriptors() {
        return Objects.requireNonNull(new File("/proc/self/fd").list(), "no list of descriptors").length;
    }

    private static long directBytes() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
    }
}
