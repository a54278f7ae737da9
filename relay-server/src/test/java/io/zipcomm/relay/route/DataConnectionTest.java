package io.zipcomm.relay.route;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.zipcomm.buffer.DataType;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.Signature;
import io.zipcomm.relay.SumCombiner;
import io.zipcomm.wire.Enter;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a connection does with reads of certain lengths, without sockets. */
@Tag("once")
final class DataConnectionTest {

    private static final int EPOCH = 3;
    private static final int SIZE = 8;

    /** Longer than whatever is read into it, so that pieces of it are copied. */
    private static final int LONG_BUFFER_BYTES = 8192;

    private final Memory memory = new Memory();
    private final List<EmbeddedChannel> channels = new ArrayList<>();
    private final List<DataConnection> connections = new ArrayList<>();
    private final List<String> told = new ArrayList<>();
    private final EmbeddedChannel home = new EmbeddedChannel();
    private final ForwardCounters counters = new ForwardCounters();
    private final Exchange exchange = new Exchange(home.eventLoop(), memory, counters, 64 << 20);
    private final Switchboard board = new Switchboard(EPOCH, SIZE, 1 << 28, 1 << 16, 8, true);

    DataConnectionTest() {
        for (int rank = 0; rank < SIZE; rank++) {
            RateLimit unlimited = new RateLimit(0, 1, 0);
            connections.add(new DataConnection(rank, exchange, new Owner(rank), unlimited, unlimited));
            channels.add(new EmbeddedChannel(connections.get(rank)));
        }
        connections.forEach(connection -> connection.connect(connections.indexOf(connection), board));
    }

    @AfterEach
    void close() {
        connections.forEach(DataConnection::close);
        board.close();
        channels.forEach(EmbeddedChannel::finishAndReleaseAll);
        home.finishAndReleaseAll();
        assertEquals(0, counters.bytesWaiting.sum());
    }

    /** Has no direct memory when it is told so. */
    private static final class Memory extends AbstractByteBufAllocator {
        private boolean exhausted;

        @Override
        protected ByteBuf newHeapBuffer(int bytes, int bytesMax) {
            return UnpooledByteBufAllocator.DEFAULT.heapBuffer(bytes, bytesMax);
        }

        @Override
        protected ByteBuf newDirectBuffer(int bytes, int bytesMax) {
            if (exhausted) {
                throw new OutOfMemoryError("direct memory, says the test");
            }
            return UnpooledByteBufAllocator.DEFAULT.directBuffer(bytes, bytesMax);
        }

        @Override
        public boolean isDirectBufferPooled() {
            return false;
        }
    }

    /** Expels a rank as a session does. */
    private final class Owner implements DataConnection.Owner {
        private final int rank;

        Owner(int rank) {
            this.rank = rank;
        }

        @Override
        public void violated(ErrorCode code, String reason) {
            told.add(rank + " " + code);
            board.absent(rank);
            connections.get(rank).close();
        }

        @Override
        public void exceeded(ForwardLimit limit, String reason) {
            told.add(rank + " " + limit);
            board.absent(rank);
            connections.get(rank).close();
        }

        @Override
        public void limitReached(ForwardLimit limit) {
            // Of those that refuse and expel nobody.
            assertEquals(ForwardLimit.HUB_OPERATIONS, limit);
        }

        @Override
        public void dataEnded(String reason) {
            told.add(rank + " ended");
        }
    }

    private static byte[] frame(FrameType type, int from, int to, int payloadBytes, Consumer<ByteBuffer> more) {
        ByteBuffer frame =
                ByteBuffer.allocate(Frame.HEADER_BYTES + payloadBytes).order(ByteOrder.LITTLE_ENDIAN);
        Frame.begin(frame, 0, type);
        Frame.payloadBytes(frame, 0, payloadBytes);
        Frame.epoch(frame, 0, EPOCH);
        Frame.source(frame, 0, from);
        Frame.destination(frame, 0, to);
        more.accept(frame);
        return frame.array();
    }

    /** A frame whose payload is the number of its source. */
    private static byte[] eager(int from, int to, int payloadBytes) {
        byte[] frame =
                frame(FrameType.EAGER, from, to, payloadBytes, header -> Frame.messageBytes(header, 0, payloadBytes));
        Arrays.fill(frame, Frame.HEADER_BYTES, frame.length, (byte) from);
        return frame;
    }

    private static byte[] enter(int rank, int bytes) {
        return enter(rank, Enter.ALL_REDUCE, rank, bytes);
    }

    private static byte[] enter(int rank, int kind, int root, int bytes) {
        return frame(FrameType.ENTER, rank, root, 0, header -> {
            Frame.flags(header, 0, kind);
            Frame.tag(header, 0, 1);
            Frame.transfer(header, 0, 1);
            Frame.messageBytes(header, 0, bytes);
            Frame.signature(header, 0, Signature.of(Signature.ALL_REDUCE, DataType.FLOAT32, 1, 0, 0, 0, 0));
        });
    }

    private static byte[] part(int rank, int bytes, float value) {
        return frame(FrameType.PART, rank, rank, bytes, header -> {
            Frame.transfer(header, 0, 1);
            Frame.messageBytes(header, 0, bytes);
            for (int at = Frame.HEADER_BYTES; at < header.capacity(); at += Float.BYTES) {
                header.putFloat(at, value);
            }
        });
    }

    private void read(int rank, byte[]... bytes) {
        channels.get(rank).writeInbound(Unpooled.wrappedBuffer(bytes));
    }

    private void readIntoLongBuffer(int rank, byte[] bytes) {
        channels.get(rank).writeInbound(Unpooled.directBuffer(LONG_BUFFER_BYTES).writeBytes(bytes));
    }

    /** A frame as a rank got it. */
    private record Sent(FrameType type, int source, long sequence, String code, boolean isIntact) {
        @Override
        public String toString() {
            return type + " of " + source + code + (isIntact ? "" : " with other bytes in it");
        }
    }

    /** All that a rank was sent, as text. */
    private List<String> sent(int rank) {
        return framesSent(rank).stream().map(Sent::toString).toList();
    }

    /** All that a rank was sent, which must be whole frames. */
    private List<Sent> framesSent(int rank) {
        ByteBuf all = Unpooled.buffer();
        for (ByteBuf one = channels.get(rank).readOutbound();
                one != null;
                one = channels.get(rank).readOutbound()) {
            all.writeBytes(one);
            one.release();
        }
        List<Sent> frames = new ArrayList<>();
        while (all.isReadable()) {
            ByteBuffer header = ByteBuffer.allocate(Frame.HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            all.readBytes(header.array());
            assertNull(Frame.problem(header, 0));
            FrameType type = FrameType.of(Frame.type(header, 0));
            byte[] payload = new byte[Frame.payloadBytes(header, 0)];
            all.readBytes(payload);
            byte[] expected = payload.clone();
            Arrays.fill(expected, (byte) Frame.source(header, 0));
            frames.add(new Sent(
                    type,
                    Frame.source(header, 0),
                    Frame.sequence(header, 0),
                    type == FrameType.VERDICT ? " " + ErrorCode.of(Frame.flags(header, 0)) : "",
                    type != FrameType.EAGER || Arrays.equals(expected, payload)));
        }
        return frames;
    }

    private void isFull(int rank, boolean full) {
        channels.get(rank).unsafe().outboundBuffer().setUserDefinedWritability(1, !full);
        channels.get(rank).runPendingTasks();
    }

    private static byte[] piece(byte[] frame, int from, int to) {
        return Arrays.copyOfRange(frame, from, to);
    }

    /** The rest of a frame and what is wrong come in one read, while the destination waits for the source in the hub. */
    private void expectFrameBeforeVerdict(boolean full) {
        read(0, enter(0, 8));
        isFull(0, full);
        byte[] frame = eager(1, 0, 1000);
        byte[] wrong = frame(FrameType.BYE, 1, 0, 0, header -> Frame.epoch(header, 0, EPOCH + 1));
        read(1, piece(frame, 0, 700));
        read(1, piece(frame, 700, frame.length), eager(1, 0, 10), wrong);
        isFull(0, false);
        assertEquals(List.of("EAGER of 1", "EAGER of 1", "VERDICT of 1 PEER_LEFT"), sent(0));
        assertEquals(List.of("1 STALE_EPOCH"), told);
    }

    @Test
    void shouldEndFramesBeforeItJudgesTheirSource() {
        expectFrameBeforeVerdict(false);
    }

    @Test
    void shouldKeepFramesThatWaitApartFromWhatItJudges() {
        expectFrameBeforeVerdict(true);
    }

    /** Whatever fails, a frame is sent whole or not at all. */
    @Test
    void shouldSendNoPieceOfAFrameWhoseRestFindsNoMemory() {
        for (boolean full : new boolean[] {false, true}) {
            int source = full ? 1 : 2;
            isFull(0, full);
            byte[] frame = eager(source, 0, 1000);
            readIntoLongBuffer(source, piece(frame, 0, 900));
            memory.exhausted = true;
            readIntoLongBuffer(source, piece(frame, 900, frame.length));
            memory.exhausted = false;
            read(3, eager(3, 0, 10));
            isFull(0, false);
            assertEquals(List.of("EAGER of 3"), sent(0));
            assertEquals(full ? 2 : 1, counters.defects.sum());
        }
        assertEquals(List.of("2 ended", "1 ended"), told);
    }

    /** Small pieces are gathered where they wait, which takes memory, too. */
    @Test
    void shouldLetSmallPiecesWaitWithoutMemoryToGatherThem() {
        isFull(0, true);
        byte[] frame = eager(1, 0, 1000);
        read(1, piece(frame, 0, 900));
        memory.exhausted = true;
        read(1, piece(frame, 900, frame.length));
        memory.exhausted = false;
        read(2, eager(2, 0, 10));
        isFull(0, false);
        assertEquals(List.of("EAGER of 1", "EAGER of 2"), sent(0));
        assertEquals(0, counters.defects.sum());
    }

    /** The root is gone amid a part: what came of it goes, too. */
    @Test
    void shouldLetGoOfAPartOfWhichTheRestDoesNotCome() {
        read(1, enter(1, Enter.MULTICAST, 0, 1000));
        read(0, enter(0, Enter.MULTICAST, 0, 1000));
        ByteBuf piece = Unpooled.wrappedBuffer(piece(part(0, 1000, 1), 0, 900));
        channels.get(0).writeInbound(piece);
        assertEquals(1, piece.refCnt());
        board.absent(0);
        assertEquals(0, piece.refCnt());
        assertEquals(List.of("VERDICT of 0 PEER_LEFT"), sent(1));
    }

    /** What is combined is more than is at once, and the last of it cannot be. */
    @Test
    void shouldFailAnOperationInWhichItHasADefect() {
        int bytes = 1 << 16;
        for (int rank = SIZE - 1; rank >= 0; rank--) {
            read(rank, enter(rank, bytes), part(rank, bytes, rank == SIZE - 1 ? SumCombiner.DEFECT : 1));
        }
        for (int rank = 0; rank < SIZE; rank++) {
            assertEquals(List.of(), sent(rank), "combining is not interrupted");
        }
        home.runPendingTasks();
        for (int rank = 0; rank < SIZE; rank++) {
            assertEquals(List.of("VERDICT of " + ZipException.NONE + " INTERNAL"), sent(rank));
        }
        assertEquals(1, counters.defects.sum());
        assertEquals(0, counters.hubOperations.sum());
        assertEquals(0, counters.bytesWaiting.sum());
        assertTrue(told.isEmpty(), told::toString);
    }

    // At random

    /** What a rank sends, which comes in pieces of any length, and what came of it. */
    private static final class Traffic {
        private final ByteBuf unread = Unpooled.buffer();
        private final long[] sentTo = new long[SIZE];
        private int entered;
        private boolean isWrong;
    }

    private static byte[] numbered(int from, int to, long number, int payloadBytes) {
        byte[] frame = eager(from, to, payloadBytes);
        Frame.sequence(ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN), 0, number);
        return frame;
    }

    /** One thing more that a rank says: mostly a frame for another, or its part of a collective, and at last something wrong. */
    private void say(Traffic traffic, int rank, Random random) {
        int what = random.nextInt(40);
        if (what == 0 && rank > 1) {
            traffic.isWrong = true;
            traffic.unread.writeBytes(frame(FrameType.BYE, rank, 0, 0, header -> Frame.epoch(header, 0, EPOCH + 1)));
        } else if (what < 8) {
            // The third goes out in one buffer with its header, the others apart from it.
            int bytes = ++traffic.entered % 3 == 0 ? 64 : 16 << 10;
            for (byte[] frame : List.of(enter(rank, bytes), part(rank, bytes, 1))) {
                ByteBuffer header = ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN);
                Frame.transfer(header, 0, traffic.entered);
                if (Frame.type(header, 0) == FrameType.ENTER.number()) {
                    Frame.tag(header, 0, traffic.entered);
                }
                traffic.unread.writeBytes(frame);
            }
        } else {
            int to = (rank + 1 + random.nextInt(SIZE - 1)) % SIZE;
            traffic.sentTo[to]++;
            traffic.unread.writeBytes(numbered(rank, to, traffic.sentTo[to], random.nextInt(3000)));
        }
    }

    /** Whatever is sent, read, written and judged in whatever order, each rank gets whole frames, those of one rank in order. */
    @RepeatedTest(60)
    void shouldSendWholeFramesInOrderWhateverComesBetween(RepetitionInfo round) {
        Random random = new Random(round.getCurrentRepetition());
        List<Traffic> traffic = new ArrayList<>();
        boolean[] full = new boolean[SIZE];
        for (int rank = 0; rank < SIZE; rank++) {
            traffic.add(new Traffic());
        }
        for (int step = 0; step < 600; step++) {
            int rank = random.nextInt(SIZE);
            Traffic own = traffic.get(rank);
            for (int i = random.nextInt(3); i > 0 && !own.isWrong && step < 500; i--) {
                say(own, rank, random);
            }
            int pieceBytes = Math.min(own.unread.readableBytes(), 1 + random.nextInt(6000));
            if (pieceBytes > 0 && channels.get(rank).isOpen()) {
                channels.get(rank).writeInbound(own.unread.readBytes(pieceBytes));
            }
            int reader = random.nextInt(SIZE);
            if (channels.get(reader).isOpen()) {
                full[reader] = !full[reader];
                isFull(reader, full[reader]);
            }
            home.runPendingTasks();
        }
        for (int rank = 0; rank < SIZE; rank++) {
            ByteBuf rest = traffic.get(rank).unread;
            while (rest.isReadable() && channels.get(rank).isOpen()) {
                channels.get(rank).writeInbound(rest.readBytes(Math.min(rest.readableBytes(), 6000)));
            }
            home.runPendingTasks();
        }
        for (int rank = 0; rank < SIZE; rank++) {
            if (channels.get(rank).isOpen()) {
                isFull(rank, false);
            }
        }
        home.runPendingTasks();
        for (int rank = 0; rank < SIZE; rank++) {
            expectAll(rank, traffic);
        }
        assertEquals(0, counters.defects.sum());
    }

    /** In order, nothing between, and from those whose connection lives to the last. */
    private void expectAll(int rank, List<Traffic> traffic) {
        long[] got = new long[SIZE];
        for (Sent one : framesSent(rank)) {
            assertTrue(one.isIntact(), () -> "rank " + rank + " got " + one);
            if (one.type() == FrameType.EAGER) {
                got[one.source()]++;
                assertEquals(got[one.source()], one.sequence(), "of rank " + one.source() + " for " + rank);
            }
        }
        for (int from = 0; from < SIZE && !traffic.get(rank).isWrong; from++) {
            assertEquals(traffic.get(from).sentTo[rank], got[from], "of rank " + from + " for " + rank);
        }
    }
}
