package io.zipcomm.relay;

import static io.zipcomm.relay.TestRank.join;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.util.ResourceLeakDetector;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.proto.MemberGone.Cause;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What ranks send each other through the relay. */
@Tag("once")
final class ForwardingTest {

    private static final int STREAM_TIMEOUT_S = 60;

    /** From each rank to each other. */
    private static final int FRAMES = 400;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final ResourceLeakDetector.Level level = ResourceLeakDetector.getLevel();
    private RelayFixture fixture;

    @BeforeEach
    void start() {
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
        fixture = new RelayFixture(RelayFixture.insecure());
    }

    @AfterEach
    void stop() {
        threads.shutdownNow();
        fixture.close();
        ResourceLeakDetector.setLevel(level);
    }

    private void restart(RelaySettings.Builder settings) {
        fixture.close();
        fixture = new RelayFixture(settings);
    }

    private RelayStats stats() {
        return fixture.relay.stats();
    }

    private List<TestRank> group(int size) {
        return fixture.group("s", size);
    }

    /** A group of which some ranks have small receive buffers, so that the relay has to wait in the middle of frames. */
    private List<TestRank> group(int size, IntPredicate slow) {
        List<TestRank> group = new ArrayList<>();
        for (int rank = 0; rank < size; rank++) {
            TestRank joined = fixture.opened(TestRank.admitted(fixture.at, join("s", size, rank)));
            joined.dataReceiveBytes = slow.test(rank) ? 4096 : 0;
            group.add(joined.attach());
        }
        group.forEach(TestRank::awaitReady);
        return group;
    }

    /** Streams in all directions at once, with frames of every length, while every rank returns credit. */
    @ParameterizedTest
    @EnumSource(
            value = RelaySettings.IoChoice.class,
            names = {"AUTO", "NIO"})
    void shouldKeepOrderAndBytesUnderLoadInAllDirections(RelaySettings.IoChoice io) throws Exception {
        restart(RelayFixture.insecure().io(io).set(RelayOption.SESSION_MEMORY, "4000000"));
        List<TestRank> group = group(4, rank -> true);
        List<Future<?>> streams = new ArrayList<>();
        for (TestRank rank : group) {
            Stream stream = new Stream(rank, group.size());
            streams.add(threads.submit(stream::send));
            streams.add(threads.submit(stream::receive));
        }
        for (Future<?> stream : streams) {
            stream.get(STREAM_TIMEOUT_S, TimeUnit.SECONDS);
        }
        assertEquals(4 * 3 * FRAMES, stats().framesForwarded());
        assertEquals(0, stats().framesDropped());
    }

    /** One rank's sending and receiving sides, which share the credit. */
    private static final class Stream {
        private final TestRank rank;
        private final int size;
        private final long[] sent;
        private final long[] acknowledged;
        private boolean allSent;
        private final Object lock = new Object();

        /** Frames and credit leave on two threads. */
        private final Object output = new Object();

        Stream(TestRank rank, int size) {
            this.rank = rank;
            this.size = size;
            sent = new long[size];
            acknowledged = new long[size];
        }

        Void send() throws InterruptedException {
            Random random = new Random(rank.rank());
            for (int number = 0; number < FRAMES; number++) {
                for (int to = 0; to < size; to++) {
                    if (to != rank.rank()) {
                        byte[] payload = payload(rank.rank(), to, number, random);
                        awaitRoom(to, Frame.HEADER_BYTES + payload.length);
                        write(rank.frame(FrameType.EAGER, to, payload));
                    }
                }
            }
            synchronized (lock) {
                allSent = true;
                lock.notifyAll();
            }
            return null;
        }

        private byte[] payload(int from, int to, int number, Random random) {
            // Tiny ones, which the relay gathers, and ones that come in many pieces.
            int bytes = 8 + random.nextInt(number % 3 == 0 ? rank.view.getFragmentBytesMax() - 8 : 200);
            byte[] payload = new byte[bytes];
            new Random(seed(from, to, number)).nextBytes(payload);
            ByteBuffer.wrap(payload).putInt(0, number);
            return payload;
        }

        private static long seed(int from, int to, int number) {
            return (from * 64L + to) * 1_000_000 + number;
        }

        private void awaitRoom(int to, int bytes) throws InterruptedException {
            synchronized (lock) {
                while (sent[to] + bytes - acknowledged[to] > rank.view.getFlowWindowBytes()) {
                    lock.wait();
                }
                sent[to] += bytes;
                lock.notifyAll();
            }
        }

        private void write(byte[] frame) {
            synchronized (output) {
                rank.data.write(frame);
            }
        }

        Void receive() throws InterruptedException {
            int[] next = new int[size];
            long[] taken = new long[size];
            for (int left = (size - 1) * FRAMES; left > 0; ) {
                RawConnection.In in = rank.data.read();
                assertEquals(rank.rank(), Frame.destination(in.header(), 0));
                if (in.type() == FrameType.FLOW) {
                    credit(in);
                } else {
                    check(in, next[in.source()]++);
                    left--;
                    taken[in.source()] += in.bytes();
                    synchronized (output) {
                        rank.sendCredit(in.source(), taken[in.source()]);
                    }
                }
            }
            return awaitLastCredit();
        }

        /** The sender may still wait for room, and its credit comes on this connection. */
        private Void awaitLastCredit() throws InterruptedException {
            while (!isOver()) {
                RawConnection.In in = rank.data.read();
                assertEquals(FrameType.FLOW, in.type());
                credit(in);
            }
            return null;
        }

        /** Waits until there is credit to come or nothing more to send. */
        private boolean isOver() throws InterruptedException {
            synchronized (lock) {
                while (Arrays.equals(acknowledged, sent) && !allSent) {
                    lock.wait();
                }
                return Arrays.equals(acknowledged, sent);
            }
        }

        private void credit(RawConnection.In in) {
            synchronized (lock) {
                assertTrue(Frame.credit(in.header(), 0) >= acknowledged[in.source()]);
                acknowledged[in.source()] = Frame.credit(in.header(), 0);
                lock.notifyAll();
            }
        }

        private void check(RawConnection.In in, int number) {
            byte[] expected = new byte[in.payload().length];
            new Random(seed(in.source(), rank.rank(), number)).nextBytes(expected);
            ByteBuffer.wrap(expected).putInt(0, number);
            assertEquals(ByteBuffer.wrap(expected), ByteBuffer.wrap(in.payload()), "frame " + number);
        }
    }

    /** Credit goes before waiting frames, but not into one of which the socket has taken a part. */
    @Test
    void shouldNotPutCreditIntoTheMiddleOfFrame() {
        int size = 10;
        List<TestRank> group = group(size, rank -> rank == 1);
        TestRank slow = group.get(1);
        TestRank busy = group.get(0);
        int credits = 300;
        for (int i = 0; i < credits; i++) {
            slow.send(0, new byte[0]);
            assertEquals(1, busy.receiveWithoutCredit().source());
        }
        byte[] payload = new byte[60_000];
        new Random(3).nextBytes(payload);
        int frames = 16 * (size - 1);
        for (TestRank sender : group) {
            for (int i = 0; sender != slow && i < 16; i++) {
                sender.send(1, payload);
            }
        }
        Await.until("frames wait", () -> stats().bytesWaiting() > 0);
        long told = 0;
        for (int i = 1; frames > 0 || told < (long) credits * Frame.HEADER_BYTES; i++) {
            if (i <= credits) {
                busy.sendCredit(1, (long) i * Frame.HEADER_BYTES);
                busy.roundTrip();
            }
            RawConnection.In in = slow.data.read();
            if (in.type() == FrameType.FLOW) {
                told = Frame.credit(in.header(), 0);
            } else {
                assertEquals(ByteBuffer.wrap(payload), ByteBuffer.wrap(in.payload()));
                frames--;
            }
            if (frames == 0 && i < credits) {
                busy.sendCredit(1, (long) credits * Frame.HEADER_BYTES);
                i = credits;
            }
        }
    }

    @Test
    void shouldExpelRankThatExceedsItsWindow() {
        List<TestRank> group = group(3);
        TestRank sender = group.get(0);
        byte[] payload = new byte[sender.view.getFragmentBytesMax()];
        long window = sender.view.getFlowWindowBytes();
        long room = window / (payload.length + Frame.HEADER_BYTES);
        for (int i = 0; i < room; i++) {
            sender.send(1, payload);
        }
        sender.roundTrip();
        // Another flow has a window of its own.
        sender.send(2, payload);
        assertEquals(payload.length, group.get(2).receive().payload().length);
        sender.send(1, payload);

        String reason = sender.expectRefusal(ErrorCode.PROTOCOL);
        assertEquals(
                "flow from rank 0 to rank 1 has " + (room + 1) * (payload.length + Frame.HEADER_BYTES)
                        + " bytes under way, its window is " + window,
                reason);
        assertTrue(group.get(1).expectGone(0, Cause.EXPELLED).getDetail().contains(reason));
        group.get(2).expectGone(0, Cause.EXPELLED);
        // What was within the window still arrives.
        for (int i = 0; i < room; i++) {
            assertEquals(payload.length, group.get(1).receiveWithoutCredit().payload().length);
        }
        assertEquals(1, stats().membersExpelled());
    }

    @Test
    void shouldExpelRankThatReturnsCreditItNeverGot() {
        List<TestRank> group = group(2);
        group.get(0).send(1, new byte[100]);
        group.get(1).receiveWithoutCredit();
        group.get(1).sendCredit(0, 165);
        group.get(1).expectRefusal(ErrorCode.PROTOCOL);
        group.get(0).expectGone(1, Cause.EXPELLED);
    }

    @Test
    void shouldExpelRankThatTakesCreditBack() {
        List<TestRank> group = group(2);
        group.get(0).send(1, new byte[100]);
        group.get(1).receive();
        group.get(1).sendCredit(0, 163);
        group.get(1).expectRefusal(ErrorCode.PROTOCOL);
        group.get(0).expectGone(1, Cause.EXPELLED);
    }

    @Test
    void shouldNotSlowOtherFlowsForRankThatDoesNotRead() {
        restart(RelayFixture.insecure().set(RelayOption.SESSION_MEMORY, "67108864"));
        List<TestRank> group = group(4);
        TestRank sender = group.get(0);
        byte[] payload = new byte[sender.view.getFragmentBytesMax()];
        long frameBytes = (long) Frame.HEADER_BYTES + payload.length;
        long room = sender.view.getFlowWindowBytes() / frameBytes;
        // Rank 1 never reads; ranks 0, 2 and 3 fill their windows to it.
        for (int from : new int[] {0, 2, 3}) {
            for (int i = 0; i < room; i++) {
                group.get(from).send(1, payload);
            }
        }
        for (int i = 0; i < 500; i++) {
            sender.send(2, payload);
            assertEquals(payload.length, group.get(2).receive().payload().length);
        }
        assertTrue(stats().bytesWaiting() <= 3 * sender.view.getFlowWindowBytes());
        group.get(1).roundTrip();
        for (int i = 0; i < 3 * room; i++) {
            assertEquals(payload.length, group.get(1).receive().payload().length);
        }
        Await.until("nothing waits", () -> stats().bytesWaiting() == 0);
    }

    @Test
    void shouldExpelTheSlowestReaderWhenMemoryRunsOut() {
        restart(RelayFixture.insecure().set(RelayOption.MEMORY, "2097152"));
        List<TestRank> group = group(8, rank -> rank == 0);
        byte[] payload = new byte[group.get(0).view.getFragmentBytesMax()];
        long room = group.get(0).view.getFlowWindowBytes() / (payload.length + Frame.HEADER_BYTES);
        for (int from = 1; from < 8; from++) {
            for (int i = 0; i < room; i++) {
                group.get(from).send(0, payload);
            }
        }
        String reason = group.get(0).expectRefusal(ErrorCode.LIMIT);
        assertTrue(reason.startsWith("does not read: "), reason);
        for (int rank = 1; rank < 8; rank++) {
            group.get(rank).expectGone(0, Cause.EXPELLED);
        }
        Await.until("nothing waits", () -> stats().bytesWaiting() == 0);
        group.get(1).send(2, payload);
        assertEquals(1, group.get(2).receive().source());
    }

    @Test
    void shouldDropFramesForRanksThatAreGone() {
        List<TestRank> group = group(3);
        group.get(2).close();
        group.get(0).expectGone(2, Cause.LOST);
        group.get(1).expectGone(2, Cause.LOST);
        for (int i = 0; i < 100; i++) {
            group.get(0).send(2, new byte[50_000]);
        }
        group.get(0).send(1, new byte[] {5});
        assertEquals(5, group.get(1).receive().payload()[0]);
        Await.until("frames are counted", () -> stats().framesDropped() == 100);
    }

    @Test
    void shouldForwardFramesThatComeByteByByte() {
        List<TestRank> group = group(2);
        byte[] one = group.get(0).frame(FrameType.EAGER, 1, new byte[] {1, 2, 3});
        byte[] two = group.get(0).frame(FrameType.REQUEST, 1, new byte[0]);
        for (byte[] frame : List.of(one, two, one)) {
            for (byte b : frame) {
                group.get(0).data.write(new byte[] {b});
            }
        }
        for (FrameType type : List.of(FrameType.EAGER, FrameType.REQUEST, FrameType.EAGER)) {
            RawConnection.In in = group.get(1).receive();
            assertEquals(type, in.type());
            assertEquals(0, in.source());
            assertEquals(type == FrameType.EAGER ? 3 : 0, in.payload().length);
        }
    }
}
