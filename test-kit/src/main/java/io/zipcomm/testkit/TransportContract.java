package io.zipcomm.testkit;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.Candidate;
import io.zipcomm.testkit.FrameStub.Received;
import io.zipcomm.testkit.FrameStub.Sent;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.Transport;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What every transport keeps, checked at the level of frames and paths. A module tests its transport by extending this
 * class once for each kind of path and giving it {@link #wire wirings}; what a kind of path cannot do it says by
 * overriding one of the questions, and the tests that need it are skipped visibly.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
public abstract class TransportContract {

    /** Attempts to break a path in the middle of a frame. */
    private static final int CUTS = 24;

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int IDLE_TURNS = 60;

    /** Rounds until the receiver sees a part of a frame, and frames in each. */
    private static final int PIECES_ROUNDS_MAX = 50;

    private static final int PIECES_FRAMES_MAX = 64;

    /** Content of memory that was taken away. */
    private static final int MARK = -1;

    private static final int SEVERAL_MIB = (5 << 20) + 8 * 13;
    private static final int OTHER_RANK = 2;
    private static final String REGULAR_END = "the link's last frame is the end of such a path";

    /** For tests that leave something to chance. */
    @RegisterExtension
    protected final Seeds seeds = new Seeds();

    /** Every test leaves nothing behind. */
    @RegisterExtension
    protected final LeakCheck leaks = new LeakCheck();

    private Wiring wiring;
    private List<FrameStub> stubs = new ArrayList<>();

    /** For subclasses. */
    protected TransportContract() {}

    /**
     * Transports of one group in this process, started, each with a path to each other. {@code toString} adds to the
     * message of a test that waits in vain.
     */
    public interface Wiring extends AutoCloseable {

        /** Epoch of the group. */
        int epoch();

        /** A rank's transport. */
        Transport transport(int rank);

        /** The path under test from a rank to a peer: open, and not bound by anyone yet. The same each time. */
        Path path(int rank, int peer);

        /**
         * Nobody had anything to do: lets time pass, a few milliseconds at most.
         *
         * @throws InterruptedException if the thread was interrupted
         */
        void idle() throws InterruptedException;

        /** Closes the transports and whatever else was opened. */
        @Override
        void close();
    }

    /**
     * Opens transports and paths between them.
     *
     * @param size ranks
     * @param seed decides what the wiring leaves to chance
     * @throws Exception if it cannot be done
     */
    protected abstract Wiring wire(int size, long seed) throws Exception;

    /**
     * The same, so that a receiver sees frames of which a part has come in. Wherever a sender without room stops in the middle of a
     * frame, that is so.
     *
     * @param size ranks
     * @param seed decides what the wiring leaves to chance
     * @throws Exception if it cannot be done
     */
    protected Wiring wireInPieces(int size, long seed) throws Exception {
        return wire(size, seed);
    }

    /**
     * How long a rank may wait for a frame in which nobody else takes turns. Short where frames are lost: they are sent again
     * only in turns of their sender.
     */
    protected long waitNs() {
        return 1_000_000_000L;
    }

    /** Whether {@link Transport#await} blocks, as everywhere but in simulation. */
    protected boolean blocks() {
        return true;
    }

    /** Whether a rank learns from the path itself that its peer's end broke, not only from the control plane. */
    protected boolean noticesBreaks() {
        return true;
    }

    /** Whether closing a path's output tells the peer's end, which otherwise only the link's last frame does. */
    protected boolean tellsRegularEnds() {
        return true;
    }

    /** Whether a malformed frame of a peer reaches this end, and is not caught on the way. */
    protected boolean seesMalformedFrames() {
        return true;
    }

    /** Whether the bytes counted are those of the frames and nothing else. */
    protected boolean countsExactly() {
        return true;
    }

    /** Whether a receiver can see a frame of which a part has come in. */
    protected boolean receivesInPieces() {
        return true;
    }

    /** Whether peers read payloads in this end's memory: then it is told a moment after they have them. */
    protected boolean lendsMemory() {
        return false;
    }

    /** Whether the operating system moves the bytes, call by call. */
    protected boolean callsTheSystem() {
        return true;
    }

    /** Whether the ends are on different hosts, and the path direct: something between them may forget it. */
    protected boolean forgets() {
        return false;
    }

    /** Whether the path goes through the relay, and so begins anew when a connection to it was lost: it may be forgotten, too. */
    protected boolean isRelayed() {
        return false;
    }

    /** More bytes than one direction of a path ever holds while its receiver does not read. */
    protected int bytesUnderWayMax() {
        return 32 << 20;
    }

    @AfterEach
    final void closeWiring() {
        if (wiring != null) {
            wiring.close();
            wiring = null;
        }
    }

    // Frames arrive.

    @Test
    void shouldDescribeItsPaths() throws Exception {
        open(2);
        Path path = wiring.path(0, 1);
        assertEquals(1, path.peer());
        assertFalse(path.name().isEmpty());
        assertTrue(path.fragmentBytesMax() > 0 && path.fragmentBytesMax() <= Frame.PAYLOAD_BYTES_MAX);
        assertEquals(0, path.fragmentBytesMax() % Long.BYTES, "fragments hold whole elements");
        assertEquals(forgets() || isRelayed(), path.isForgettable());
        assertEquals(forgets() || isRelayed(), wiring.path(1, 0).isForgettable());
        assertSame(wiring.transport(0).relayed(1), wiring.transport(0).relayed(1));
    }

    @Test
    void shouldDeliverPayloadsOfEveryLengthAndKind() throws Exception {
        openBound(2);
        int fragment = stubs.get(0).path.fragmentBytesMax();
        List<Integer> lengths = new ArrayList<>(List.of(0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 63, 64, 65, 127, 1000, 1024));
        lengths.addAll(List.of(fragment - 1, fragment));
        lengths.removeIf(length -> length > fragment);
        int kinds = Memory.Kind.values().length;
        List<byte[]> expected = new ArrayList<>();
        int[] next = new int[1];
        stubs.get(1).memory = bytes -> Memory.allocate(Memory.Kind.of(next[0]++, bytes), bytes);
        for (int length : lengths) {
            for (int kind = 0; kind < kinds; kind++) {
                Memory memory =
                        Memory.allocate(Memory.Kind.of(kind, length), length).fill(length + kind);
                stubs.get(0).send(memory);
                expected.add(memory.read());
            }
        }
        stubs.get(0).path.flush();
        untilReceived(1, expected.size());
        assertContents(1, expected);
        assertTaken(
                () -> stubs.get(0).sent.stream().allMatch(frame -> frame.taken || frame.bytes == 0),
                "the memory of all frames");
        untilNoOutput();
    }

    @Test
    void shouldDeliverSeveralMebibytesInFragments() throws Exception {
        openBound(2);
        FrameStub from = stubs.get(0);
        FrameStub to = stubs.get(1);
        int fragment = from.path.fragmentBytesMax();
        for (Memory.Kind kind : List.of(Memory.Kind.DIRECT_BUFFER, Memory.Kind.FLOATS, Memory.Kind.HEAP_BUFFER)) {
            from.sent.clear();
            to.received.clear();
            Memory memory = Memory.allocate(kind, SEVERAL_MIB).fill(kind.unit());
            List<byte[]> expected = new ArrayList<>();
            byte[] all = memory.read();
            for (Sent fragmentSent : from.sendInFragments(memory, fragment)) {
                expected.add(Arrays.copyOfRange(all, fragmentSent.offset, fragmentSent.offset + fragmentSent.bytes));
            }
            to.memory = bytes -> Memory.allocate(kind, bytes);
            from.path.flush();
            untilReceived(1, expected.size());
            assertContents(1, expected);
        }
    }

    @Test
    void shouldKeepOrderOfManySmallFrames() throws Exception {
        openBound(2);
        RandomGenerator random = seeds.random();
        int count = 20_000;
        List<byte[]> expected = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Memory memory =
                    Memory.allocate(Memory.Kind.BYTES, random.nextInt(0, 33)).fill(i);
            stubs.get(0).send(memory);
            expected.add(memory.read());
        }
        stubs.get(0).path.flush();
        untilReceived(1, count);
        assertContents(1, expected);
    }

    @Test
    void shouldSendAgainAfterAnIdleTime() throws Exception {
        openBound(2);
        for (int i = 0; i < 6; i++) {
            settle();
            stubs.get(i % 2).send(Memory.allocate(Memory.Kind.LONGS, 800).fill(i));
            stubs.get(i % 2).path.flush();
            untilReceived(1 - i % 2, i / 2 + 1);
        }
    }

    @Test
    void shouldCarryBothDirectionsAtOnce() throws Exception {
        openBound(2);
        RandomGenerator random = seeds.random();
        List<List<byte[]>> expected = List.of(new ArrayList<>(), new ArrayList<>());
        int most = Math.min(stubs.get(0).path.fragmentBytesMax(), 100_000);
        for (int i = 0; i < 600; i++) {
            int rank = i % 2;
            int bytes = random.nextInt(4) > 0 ? random.nextInt(200) : random.nextInt(most + 1);
            Memory memory = Memory.allocate(Memory.Kind.of(random.nextInt(64), bytes), bytes)
                    .fill(i);
            stubs.get(rank).send(memory);
            expected.get(1 - rank).add(memory.read());
        }
        for (FrameStub stub : stubs) {
            stub.memory = bytes -> Memory.allocate(Memory.Kind.of(random.nextInt(64), bytes), bytes);
            stub.path.flush();
        }
        untilReceived(0, expected.get(0).size());
        untilReceived(1, expected.get(1).size());
        assertContents(0, expected.get(0));
        assertContents(1, expected.get(1));
    }

    @Test
    void shouldThrowAwayWhatNobodyWants() throws Exception {
        openBound(2);
        int most = Math.min(stubs.get(0).path.fragmentBytesMax(), 50_000);
        List<byte[]> expected = new ArrayList<>();
        int[] next = new int[1];
        stubs.get(1).memory = bytes -> next[0]++ % 3 == 0 ? null : Memory.allocate(Memory.Kind.HEAP_BUFFER, bytes);
        for (int i = 0; i < 60; i++) {
            Memory memory =
                    Memory.allocate(Memory.Kind.BYTES, 1 + i * (most - 1) / 60).fill(i);
            stubs.get(0).send(memory);
            expected.add(i % 3 == 0 ? null : memory.read());
        }
        stubs.get(0).path.flush();
        untilReceived(1, expected.size());
        assertContents(1, expected);
    }

    // Back pressure.

    @Test
    void shouldStopAskingForFramesWhenPeerReadsNothing() throws Exception {
        open(2);
        bind(0, 1).path.openInput();
        FrameStub to = bind(1, 0);
        FrameStub from = stubs.get(0);
        Memory memory = Memory.allocate(Memory.Kind.DIRECT_BUFFER, Math.min(from.path.fragmentBytesMax(), 1 << 16))
                .fill(1);
        int count = bytesUnderWayMax() / memory.bytes() + 2;
        for (int i = 0; i < count; i++) {
            from.send(memory);
        }
        from.path.flush();
        settle();
        assertFalse(from.toSend.isEmpty(), "everything was taken though nothing was read");
        assertTrue(to.received.isEmpty() && to.comingIn() == null, "frames came in before the input was opened");
        long bytes = (long) from.sent.size() * (memory.bytes() + Frame.HEADER_BYTES);
        assertTrue(bytes <= bytesUnderWayMax(), bytes + " bytes under way");
        to.memory = length -> null;
        to.path.openInput();
        untilReceived(1, count);
        untilNoOutput();
    }

    @Test
    void shouldNotLetASlowReaderHoldUpOthers() throws Exception {
        open(3);
        FrameStub toSlow = bind(0, 1);
        FrameStub toQuick = bind(0, OTHER_RANK);
        FrameStub slow = bind(1, 0);
        FrameStub quick = bind(OTHER_RANK, 0);
        toSlow.path.openInput();
        toQuick.path.openInput();
        quick.path.openInput();
        int length = Math.min(toSlow.path.fragmentBytesMax(), 1 << 16);
        Memory memory = Memory.allocate(Memory.Kind.BYTES, length).fill(3);
        int count = bytesUnderWayMax() / length + 2;
        IntStream.range(0, count).forEach(i -> toSlow.send(memory));
        toSlow.path.flush();
        settle();
        assertFalse(toSlow.toSend.isEmpty(), "everything was taken though nothing was read");
        IntStream.range(0, 100).forEach(i -> toQuick.send(memory));
        toQuick.path.flush();
        until(() -> quick.received.size() == 100, "frames to the quick reader");
        slow.memory = bytes -> null;
        slow.path.openInput();
        until(() -> slow.received.size() == count, "frames to the slow reader");
        assertNoBreaches();
    }

    // Release.

    @Test
    void shouldCopyWhatIsLeftOfAReleasedOutgoingFrame() throws Exception {
        for (Memory.Kind kind : List.of(Memory.Kind.DIRECT_BUFFER, Memory.Kind.DOUBLES, Memory.Kind.BYTES)) {
            open(2);
            FrameStub from = bind(0, 1);
            FrameStub to = bind(1, 0);
            from.path.openInput();
            int length = from.path.fragmentBytesMax();
            List<byte[]> expected = new ArrayList<>();
            int count = bytesUnderWayMax() / length + 2;
            for (int i = 0; i < count; i++) {
                Memory memory = Memory.allocate(kind, length).fill(i % 7);
                from.send(memory);
                expected.add(Memory.pattern(i % 7, length));
            }
            from.path.flush();
            settle();
            Sent frame = from.underWay();
            assumeTrue(frame != null, "frames leave this path whole or not at all");
            from.release(frame);
            frame.memory.fill(-1);
            to.path.openInput();
            untilReceived(1, count);
            assertContents(1, expected);
            assertFalse(frame.taken);
            assertTaken(() -> from.payloadsTaken >= count - 1, "the memory of all frames but one");
            assertEquals(count - 1, from.payloadsTaken);
            closeWiring();
        }
    }

    @Test
    void shouldNotTouchMemoryOfAReleasedIncomingFrame() throws Exception {
        assumeTrue(receivesInPieces(), "frames reach this path whole or not at all");
        for (Memory.Kind kind : List.of(Memory.Kind.DIRECT_BUFFER, Memory.Kind.DOUBLES, Memory.Kind.BYTES)) {
            stubs = new ArrayList<>();
            wiring = wireInPieces(2, seeds.seed());
            FrameStub from = bind(0, 1);
            FrameStub to = bind(1, 0);
            to.memory = bytes -> Memory.allocate(kind, bytes);
            from.path.openInput();
            int fragment = from.path.fragmentBytesMax();
            int count = Math.min(bytesUnderWayMax() / fragment + 2, PIECES_FRAMES_MAX);
            List<Received> released = new ArrayList<>();
            // Once is enough where a sender stops in the middle of a frame. Elsewhere it is left to chance, which is
            // given one more time.
            for (int round = 0; released.isEmpty() && round < PIECES_ROUNDS_MAX; round++) {
                int length = fragment - round % 8 * (fragment / 16 / Long.BYTES * Long.BYTES);
                for (int i = 0; i < count; i++) {
                    from.send(Memory.allocate(kind, length).fill((round * count + i) % 7));
                }
                from.path.flush();
                if (round == 0) {
                    settle();
                    to.path.openInput();
                    receiveWhatHasLeft(to, released);
                }
                int all = (round + 1) * count;
                until(
                        () -> {
                            releaseEverySecond(to, released);
                            return to.received.size() == all;
                        },
                        "all frames");
            }
            assertFalse(released.isEmpty(), "no frame was seen while it came in");
            for (Received frame : to.received) {
                int unit = frame.released ? MARK : (int) (frame.sequence - 1) % 7;
                assertNull(frame.memory.difference(Memory.pattern(unit, frame.bytes)), "frame " + frame.sequence);
            }
            assertNoBreaches();
            closeWiring();
        }
    }

    /** Only the receiver takes turns, until it has all that had left: what of the last frame had no room has not. */
    private void receiveWhatHasLeft(FrameStub to, List<Received> released) throws InterruptedException {
        for (int idle = 0; released.isEmpty() && idle < IDLE_TURNS; idle++) {
            if (wiring.transport(1).poll() > 0) {
                idle = 0;
            } else {
                wiring.idle();
            }
            releaseEverySecond(to, released);
        }
    }

    /** Takes the memory of the frame that is coming in away, unless the frame before it has lost its own, and marks it. */
    private static void releaseEverySecond(FrameStub to, List<Received> released) {
        Received frame = to.comingIn();
        long last = released.isEmpty() ? 0 : released.get(released.size() - 1).sequence;
        if (frame != null && (released.isEmpty() || frame.sequence > last + 1)) {
            to.release(frame);
            frame.memory.write(Memory.pattern(MARK, frame.bytes));
            released.add(frame);
        }
    }

    @Test
    void shouldIgnoreReleaseOfFramesThatAreNotUnderWay() throws Exception {
        openBound(2);
        Sent gone = stubs.get(0).send(Memory.allocate(Memory.Kind.BYTES, 40).fill(1));
        stubs.get(0).path.flush();
        untilReceived(1, 1);
        stubs.get(0).path.release(gone);
        stubs.get(1).path.release(stubs.get(1).received.get(0));
        stubs.get(0).path.release(new Object());
        stubs.get(0).send(Memory.allocate(Memory.Kind.BYTES, 50).fill(2));
        stubs.get(0).path.flush();
        untilReceived(1, 2);
        assertContents(1, List.of(Memory.pattern(1, 40), Memory.pattern(2, 50)));
    }

    // Ends.

    @Test
    void shouldEndAfterTheLastFrame() throws Exception {
        assumeTrue(tellsRegularEnds(), REGULAR_END);
        openBound(2);
        FrameStub from = stubs.get(0);
        FrameStub to = stubs.get(1);
        int length = Math.min(from.path.fragmentBytesMax(), 1 << 16);
        List<byte[]> expected = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            from.send(Memory.allocate(Memory.Kind.BYTES, length).fill(i));
            expected.add(Memory.pattern(i, length));
        }
        from.path.flush();
        until(from.toSend::isEmpty, "all frames to be asked for");
        from.closeOutput();
        until(() -> to.ended, "the end");
        assertNull(to.failure);
        assertContents(1, expected);
        // The other direction goes on.
        to.send(Memory.allocate(Memory.Kind.BYTES, length).fill(99));
        to.path.flush();
        until(to.toSend::isEmpty, "the answer to be asked for");
        to.closeOutput();
        until(() -> from.ended, "the end of the other direction");
        assertNull(from.failure);
        assertContents(0, List.of(Memory.pattern(99, length)));
    }

    @Test
    void shouldEndWithoutAFrame() throws Exception {
        assumeTrue(tellsRegularEnds(), REGULAR_END);
        openBound(2);
        stubs.get(1).closeOutput();
        until(() -> stubs.get(0).ended, "the end");
        assertNull(stubs.get(0).failure);
        assertTrue(stubs.get(0).received.isEmpty());
    }

    @Test
    void shouldTellABrokenEndFromACleanOne() throws Exception {
        assumeTrue(noticesBreaks(), "breaks are noticed by the control plane");
        open(2);
        FrameStub from = bind(0, 1);
        FrameStub to = bind(1, 0);
        from.path.openInput();
        Memory memory =
                Memory.allocate(Memory.Kind.BYTES, from.path.fragmentBytesMax()).fill(1);
        int count = bytesUnderWayMax() / memory.bytes() + 2;
        IntStream.range(0, count).forEach(i -> from.send(memory));
        from.path.flush();
        settle();
        wiring.transport(0).close();
        to.path.openInput();
        until(() -> to.ended, "the break");
        assertNotNull(to.failure, "a broken path ended like a clean one");
        assertFalse(from.ended, "the end that closed was told");
        assertTrue(to.received.size() < count);
        assertNoBreaches();
    }

    @Test
    void shouldSayHowMuchOfAFrameIsMissingWhenThePathBroke() throws Exception {
        assumeTrue(forgets(), "nobody asks a path that is not forgotten");
        int cut = 0;
        for (int attempt = 0; attempt < CUTS; attempt++) {
            Memory.Kind kind = attempt % 2 == 0 ? Memory.Kind.DIRECT_BUFFER : Memory.Kind.DOUBLES;
            // A simulated network may be one in which frames arrive whole: look at several.
            openBound(2, seeds.seed() + attempt);
            FrameStub from = stubs.get(0);
            FrameStub to = stubs.get(1);
            int length = from.path.fragmentBytesMax();
            for (int i = 0; i < 64; i++) {
                from.send(Memory.allocate(kind, length).fill(i));
            }
            to.memory = bytes -> Memory.allocate(kind, bytes);
            from.path.flush();
            int some = attempt;
            until(
                    () -> (to.received.size() >= some && to.comingIn() != null) || to.received.size() == 64,
                    "some frames");
            from.path.close();
            until(() -> to.ended, "the break");
            int missing = to.path.missingBytes();
            Received frame = to.comingIn();
            assertEquals(frame == null, missing == 0);
            if (frame != null) {
                byte[] sent = Memory.pattern(frame.sequence - 1, length);
                Arrays.fill(sent, length - missing, length, (byte) 0);
                assertNull(frame.memory.difference(sent), missing + " bytes of " + length + " are missing");
                cut += missing < length ? 1 : 0;
            }
            assertNoBreaches();
            closeWiring();
        }
        assertTrue(cut > 0, "no frame was cut");
    }

    @Test
    void shouldTellNobodyHereWhenAPathIsClosed() throws Exception {
        openBound(2);
        FrameStub from = stubs.get(0);
        from.send(Memory.allocate(Memory.Kind.BYTES, 100).fill(1));
        from.path.flush();
        untilReceived(1, 1);
        from.path.close();
        from.path.close();
        if (noticesBreaks()) {
            until(() -> stubs.get(1).ended, "the end");
            assertNotNull(stubs.get(1).failure);
        }
        settle();
        assertFalse(from.ended);
    }

    @Test
    void shouldCloseMoreThanOnce() throws Exception {
        openBound(2);
        stubs.get(0).send(Memory.allocate(Memory.Kind.BYTES, 100).fill(1));
        stubs.get(0).path.flush();
        wiring.transport(0).close();
        wiring.transport(0).close();
        stubs.get(0).path.close();
        settle();
        assertFalse(stubs.get(0).ended);
        assertNoBreaches();
    }

    // Malformed input.

    @Test
    void shouldRefuseMalformedHeaders() throws Exception {
        assumeTrue(seesMalformedFrames(), "malformed frames are caught on the way");
        List<Consumer<ByteBuffer>> spoilings = List.of(
                header -> header.put(Frame.VERSION_OFFSET, (byte) 99),
                header -> header.put(Frame.TYPE_OFFSET, (byte) 0),
                header -> header.put(Frame.TYPE_OFFSET, (byte) 77),
                header -> header.put(Frame.TYPE_OFFSET, (byte) -1),
                header -> header.putInt(Frame.PAYLOAD_BYTES_OFFSET, -1),
                header -> header.putInt(Frame.PAYLOAD_BYTES_OFFSET, Integer.MAX_VALUE),
                header -> header.putInt(Frame.PAYLOAD_BYTES_OFFSET, Frame.PAYLOAD_BYTES_MAX + 1),
                header -> header.putLong(Frame.MESSAGE_BYTES_OFFSET, -5),
                header -> header.putLong(Frame.MESSAGE_BYTES_OFFSET, Long.MAX_VALUE),
                header -> header.put(Frame.TYPE_OFFSET, (byte) FrameType.CREDIT.number()),
                header -> header.put(Frame.TYPE_OFFSET, (byte) FrameType.CONTROL.number()),
                header -> header.put(Frame.TYPE_OFFSET, (byte) FrameType.HELLO.number()));
        for (int i = 0; i < spoilings.size(); i++) {
            open(3);
            FrameStub from = bind(0, 1);
            FrameStub to = bind(1, 0);
            FrameStub other = bind(1, OTHER_RANK);
            FrameStub far = bind(OTHER_RANK, 1);
            stubs.forEach(stub -> stub.path.openInput());
            from.send(Memory.allocate(Memory.Kind.BYTES, 100).fill(1));
            from.send(Memory.allocate(Memory.Kind.BYTES, 100).fill(2)).spoil = spoilings.get(i);
            from.send(Memory.allocate(Memory.Kind.BYTES, 100).fill(3));
            from.path.flush();
            int number = i;
            until(() -> to.ended, "the end of a path with malformed header " + number);
            assertNotNull(to.failure, "malformed header " + i);
            assertEquals(ErrorCode.PROTOCOL, to.failure.code(), "malformed header " + i);
            assertEquals(1, to.received.size(), "malformed header " + i);
            far.send(Memory.allocate(Memory.Kind.BYTES, 100).fill(4));
            far.path.flush();
            until(() -> other.received.size() == 1, "a frame on another path");
            closeWiring();
        }
    }

    @Test
    void shouldEndThePathWhoseFrameTheHandlerRefuses() throws Exception {
        openBound(2);
        FrameStub to = stubs.get(1);
        to.refusal = new ZipException(ErrorCode.PROTOCOL, "frame 9 follows frame 3");
        stubs.get(0).send(Memory.allocate(Memory.Kind.BYTES, 1000).fill(1));
        stubs.get(0).send(Memory.allocate(Memory.Kind.BYTES, 1000).fill(2));
        stubs.get(0).path.flush();
        until(() -> to.ended, "the end");
        assertNotNull(to.failure);
        assertEquals(ErrorCode.PROTOCOL, to.failure.code());
        assertTrue(to.failure.getMessage().contains("frame 9 follows frame 3"), to.failure.getMessage());
        assertTrue(to.received.isEmpty());
        assertNoBreaches();
        if (noticesBreaks()) {
            until(() -> stubs.get(0).ended, "the end at the peer");
        }
    }

    @Test
    void shouldSurviveStrangersOnItsAddresses() throws Exception {
        openBound(2);
        List<Candidate> candidates = wiring.transport(1).candidates().stream()
                .filter(Candidate::isAddress)
                .toList();
        assumeTrue(!candidates.isEmpty(), "listens nowhere");
        RandomGenerator random = seeds.random();
        for (Candidate candidate : candidates) {
            for (int bytes : List.of(0, 1, 63, 64, 65, 120, 5000, 1 << 20)) {
                strange(candidate, Memory.pattern(random.nextLong(), bytes));
            }
            byte[] hello = new byte[Frame.HEADER_BYTES];
            ByteBuffer header = ByteBuffer.wrap(hello).order(java.nio.ByteOrder.LITTLE_ENDIAN);
            Frame.begin(header, 0, FrameType.HELLO);
            Frame.payloadBytes(header, 0, Frame.PAYLOAD_BYTES_MAX);
            strange(candidate, hello);
            Frame.begin(header, 0, FrameType.EAGER);
            strange(candidate, hello);
        }
        settle();
        stubs.get(0).send(Memory.allocate(Memory.Kind.BYTES, 1000).fill(1));
        stubs.get(0).path.flush();
        untilReceived(1, 1);
        assertContents(1, List.of(Memory.pattern(1, 1000)));
    }

    private void strange(Candidate candidate, byte[] bytes) throws IOException {
        try (Socket socket = new Socket()) {
            InetAddress host = InetAddress.getByName(candidate.host());
            socket.connect(new InetSocketAddress(host, candidate.port()), (int) PATIENCE.toMillis());
            OutputStream out = socket.getOutputStream();
            for (int at = 0; at < bytes.length; at += 4096) {
                out.write(bytes, at, Math.min(4096, bytes.length - at));
                wiring.transport(1).poll();
            }
        } catch (IOException e) {
            assertTrue(
                    e instanceof java.net.SocketException || e instanceof java.net.SocketTimeoutException,
                    () -> "the stranger saw " + e);
        }
        wiring.transport(1).poll();
    }

    // Waiting.

    @Test
    void shouldWakeUpAWaitingThread() throws Exception {
        assumeTrue(blocks(), "never blocks");
        openBound(2);
        settle();
        Transport transport = wiring.transport(0);
        CountDownLatch waiting = new CountDownLatch(1);
        Thread waker = new Thread(() -> {
            try {
                waiting.await();
                Thread.sleep(20);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            transport.wakeup();
        });
        waker.start();
        long beginNs = System.nanoTime();
        waiting.countDown();
        transport.await(PATIENCE.toNanos(), () -> false);
        long tookNs = System.nanoTime() - beginNs;
        waker.join();
        assertTrue(tookNs < PATIENCE.toNanos() / 2, "woke up after " + tookNs / 1_000_000 + " ms");
    }

    @Test
    void shouldNotMissAWakeupBeforeTheWait() throws Exception {
        assumeTrue(blocks(), "never blocks");
        openBound(2);
        settle();
        for (int i = 0; i < 3; i++) {
            wiring.transport(0).wakeup();
            assertQuick(() -> wiring.transport(0).await(PATIENCE.toNanos(), () -> false), "after a wakeup");
            assertQuick(() -> wiring.transport(0).await(PATIENCE.toNanos(), () -> true), "with a wakeup due");
        }
    }

    @Test
    void shouldWaitAsLongAsItIsTold() throws Exception {
        assumeTrue(blocks(), "never blocks");
        openBound(2);
        settle();
        // A wakeup that is left over may shorten one wait.
        wiring.transport(0).await(1, () -> false);
        for (long ms : new long[] {1, 5, 50, 200}) {
            long bestNs = Long.MAX_VALUE;
            for (int i = 0; i < 3; i++) {
                long beginNs = System.nanoTime();
                wiring.transport(0).await(ms * 1_000_000, () -> false);
                bestNs = Math.min(bestNs, System.nanoTime() - beginNs);
            }
            long leastNs = ms * 1_000_000 * 9 / 10;
            long shortestNs = bestNs;
            assertTrue(
                    bestNs >= leastNs && bestNs < ms * 1_000_000 + 100_000_000,
                    () -> "asked to wait " + ms + " ms, waited " + shortestNs / 1000 + " us");
        }
        assertQuick(() -> wiring.transport(0).await(0, () -> false), "a wait of nothing");
    }

    @Test
    void shouldReturnFromAWaitWhenAFrameComes() throws Exception {
        assumeTrue(blocks(), "never blocks");
        openBound(2);
        settle();
        for (int i = 1; i <= 20; i++) {
            stubs.get(0).send(Memory.allocate(Memory.Kind.BYTES, 500).fill(i));
            stubs.get(0).path.flush();
            int wanted = i;
            assertQuick(
                    () -> {
                        while (stubs.get(1).received.size() < wanted) {
                            wiring.transport(0).poll();
                            wiring.transport(1).await(waitNs(), () -> false);
                        }
                    },
                    "frame " + i);
        }
    }

    private static void assertQuick(Runnable wait, String what) {
        long beginNs = System.nanoTime();
        wait.run();
        long tookMs = (System.nanoTime() - beginNs) / 1_000_000;
        assertTrue(tookMs < PATIENCE.toMillis() / 2, what + " took " + tookMs + " ms");
    }

    // Counters.

    @Test
    void shouldCountWhatItCarries() throws Exception {
        openBound(2);
        settle();
        Transport from = wiring.transport(0);
        Transport to = wiring.transport(1);
        long sentBefore = from.counters().bytesSent();
        long receivedBefore = to.counters().bytesReceived();
        long framesBefore = from.counters().framesSent;
        long framesReceivedBefore = to.counters().framesReceived;
        int length = Math.min(stubs.get(0).path.fragmentBytesMax(), 10_000);
        int count = 200;
        for (int i = 0; i < count; i++) {
            stubs.get(0).send(Memory.allocate(Memory.Kind.BYTES, length).fill(i));
        }
        stubs.get(0).path.flush();
        untilReceived(1, count);
        settle();
        long exactly = (long) count * (length + Frame.HEADER_BYTES);
        long sent = from.counters().bytesSent() - sentBefore;
        long received = to.counters().bytesReceived() - receivedBefore;
        long most = countsExactly() ? exactly : exactly + exactly / 10 + 4096;
        assertAll(
                () -> assertEquals(count, from.counters().framesSent - framesBefore),
                () -> assertEquals(count, to.counters().framesReceived - framesReceivedBefore),
                () -> assertTrue(sent >= exactly && sent <= most, sent + " bytes sent of " + exactly),
                () -> assertTrue(received >= exactly && received <= most, received + " received of " + exactly),
                () -> assertEquals(callsTheSystem(), from.counters().writeCalls > 0),
                () -> assertEquals(callsTheSystem(), to.counters().readCalls > 0));
    }

    // Chance.

    @Test
    void shouldKeepEverythingInARandomExchange() throws Exception {
        RandomGenerator random = seeds.random();
        open(3);
        List<FrameStub> all = new ArrayList<>();
        List<List<byte[]>> expected = new ArrayList<>();
        for (int rank = 0; rank < 3; rank++) {
            for (int peer = 0; peer < 3; peer++) {
                if (rank != peer) {
                    FrameStub stub = bind(rank, peer);
                    stub.memory = bytes -> random.nextInt(8) == 0
                            ? null
                            : Memory.allocate(Memory.Kind.of(random.nextInt(64), bytes), bytes);
                    all.add(stub);
                    expected.add(new ArrayList<>());
                }
            }
        }
        int most = Math.min(all.get(0).path.fragmentBytesMax(), 200_000);
        List<FrameStub> shut = new ArrayList<>(all);
        int rounds = 400;
        for (int round = 0; round < rounds; round++) {
            int chosen = random.nextInt(all.size());
            FrameStub stub = all.get(chosen);
            int frames = random.nextInt(1, 8);
            for (int i = 0; i < frames; i++) {
                int bytes = random.nextInt(3) > 0 ? random.nextInt(100) : random.nextInt(most + 1);
                Memory memory = Memory.allocate(Memory.Kind.of(random.nextInt(64), bytes), bytes)
                        .fill(round);
                stub.send(memory);
                expected.get(chosen).add(memory.read());
            }
            stub.path.flush();
            Sent underWay = stub.underWay();
            if (underWay != null && random.nextBoolean()) {
                stub.release(underWay);
                underWay.memory.fill(-2);
            }
            if (!shut.isEmpty() && random.nextInt(rounds / 20) == 0) {
                shut.remove(random.nextInt(shut.size())).path.openInput();
            }
            for (int i = random.nextInt(3); i > 0; i--) {
                wiring.transport(random.nextInt(3)).poll();
            }
        }
        shut.forEach(stub -> stub.path.openInput());
        for (int i = 0; i < all.size(); i++) {
            FrameStub from = all.get(i);
            FrameStub to = peerOf(from, all);
            int count = expected.get(i).size();
            until(() -> to.received.size() == count, "frames on " + from.state() + " to " + to.state());
            for (int frame = 0; frame < count; frame++) {
                Received got = to.received.get(frame);
                assertEquals(frame + 1, got.sequence);
                if (got.memory != null) {
                    assertNull(got.memory.difference(expected.get(i).get(frame)));
                }
            }
        }
        untilNoOutput();
        assertNoBreaches();
    }

    private FrameStub peerOf(FrameStub stub, List<FrameStub> all) {
        return all.stream()
                .filter(other -> other.rank() == stub.path.peer() && other.path.peer() == stub.rank())
                .findFirst()
                .orElseThrow();
    }

    // Fixture.

    private void open(int size) throws Exception {
        open(size, seeds.seed());
    }

    private void open(int size, long seed) throws Exception {
        stubs = new ArrayList<>();
        wiring = wire(size, seed);
    }

    private void openBound(int size) throws Exception {
        openBound(size, seeds.seed());
    }

    private void openBound(int size, long seed) throws Exception {
        open(size, seed);
        bind(0, 1).path.openInput();
        bind(1, 0).path.openInput();
    }

    private FrameStub bind(int rank, int peer) {
        FrameStub stub = new FrameStub(rank, wiring.epoch(), wiring.path(rank, peer));
        stubs.add(stub);
        return stub;
    }

    private int turn() {
        int busy = 0;
        for (int rank = 0; rank < size(); rank++) {
            busy += wiring.transport(rank).poll();
        }
        return busy;
    }

    private int size() {
        return stubs.stream().mapToInt(FrameStub::rank).max().orElse(0) + 1;
    }

    private void until(BooleanSupplier done, String what) throws InterruptedException {
        long limitNs = System.nanoTime() + PATIENCE.toNanos();
        while (!done.getAsBoolean()) {
            if (turn() == 0) {
                wiring.idle();
            }
            assertTrue(System.nanoTime() < limitNs, () -> "no end of waiting for " + what + ": " + state());
        }
    }

    /** Frames' memory is theirs again: at once, but where peers read it. */
    private void assertTaken(BooleanSupplier taken, String what) throws InterruptedException {
        if (lendsMemory()) {
            until(taken, what);
        }
        assertTrue(taken.getAsBoolean(), what);
    }

    private void untilReceived(int rank, int count) throws InterruptedException {
        FrameStub stub = stubs.get(rank);
        until(() -> stub.received.size() >= count || stub.ended, count + " frames at rank " + rank);
        assertEquals(count, stub.received.size(), this::state);
    }

    private void untilNoOutput() throws InterruptedException {
        until(
                () -> IntStream.range(0, size())
                        .noneMatch(rank -> wiring.transport(rank).hasOutput()),
                "output to leave");
    }

    /** Takes turns until nothing happens any more. */
    private void settle() throws InterruptedException {
        for (int idle = 0; idle < IDLE_TURNS; idle++) {
            if (turn() > 0) {
                idle = 0;
            }
            wiring.idle();
        }
    }

    /** Checks what came in at the first stub of a rank. Null stands for a payload that was thrown away. */
    private void assertContents(int rank, List<byte[]> expected) {
        List<Received> received = stubs.get(rank).received;
        assertEquals(expected.size(), received.size());
        long first = received.isEmpty() ? 0 : received.get(0).sequence;
        for (int i = 0; i < expected.size(); i++) {
            Received frame = received.get(i);
            assertEquals(first + i, frame.sequence, "order");
            byte[] content = expected.get(i);
            if (content != null) {
                assertEquals(content.length, frame.bytes, "length of frame " + i);
                String difference = content.length == 0 ? null : frame.memory.difference(content);
                assertNull(difference, "frame " + i);
            }
        }
        assertNoBreaches();
    }

    private void assertNoBreaches() {
        List<String> breaches =
                stubs.stream().flatMap(stub -> stub.breaches.stream()).toList();
        assertEquals(List.of(), breaches);
    }

    private String state() {
        return String.join("; ", stubs.stream().map(FrameStub::state).toList()) + System.lineSeparator() + wiring;
    }
}
