package io.zipcomm.relay.route;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.ReferenceCountUtil;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is counted against what a pool of buffers has given away, without sockets: channels that take all or nothing. */
@Tag("once")
final class HeldMemoryTest {

    private static final int SIZE = 16;
    private static final int READ_BYTES = 64 << 10;
    private static final int DEAF = 0;
    private static final int LIMIT = 16 << 20;

    /** A pool without anything that it keeps for later. */
    private final PooledByteBufAllocator pool = new PooledByteBufAllocator(true, 0, 1, 8192, 9, 0, 0, false);

    private final ForwardCounters counters = new ForwardCounters();
    private final Socket home = new Socket();
    private final Exchange exchange = new Exchange(home.eventLoop(), pool, counters, LIMIT);
    private final Switchboard board = new Switchboard(1, SIZE, 1 << 30, 1 << 16, 0, false);
    private final List<Rank> ranks = new ArrayList<>();

    /** Takes what it is given, unless it is full. */
    private static final class Socket extends EmbeddedChannel {
        private boolean isFull;

        @Override
        protected void doWrite(ChannelOutboundBuffer in) throws Exception {
            if (!isFull) {
                super.doWrite(in);
            }
        }

        private void forget() {
            outboundMessages().forEach(ReferenceCountUtil::release);
            outboundMessages().clear();
        }
    }

    /** Credit to be returned when so much of a rank's stream is in. */
    private record Due(long streamed, int to, long sent) {}

    private final class Rank implements DataConnection.Owner {
        private final int rank;
        private final Socket socket = new Socket();
        private final DataConnection connection;
        private final long[] sent = new long[SIZE];
        private final Deque<Due> due = new ArrayDeque<>();
        private long streamed;
        private ForwardLimit exceeded;

        Rank(int rank) {
            this.rank = rank;
            socket.config().setAllocator(pool);
            connection = new DataConnection(rank, exchange, this, new RateLimit(0, 1, 0), new RateLimit(0, 1, 0));
            socket.pipeline().addLast(connection);
            connection.connect(rank, board);
        }

        private ByteBuf frame(int to, int bytes) {
            ByteBuffer header = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
            Frame.begin(header, 0, FrameType.EAGER);
            Frame.payloadBytes(header, 0, bytes - Frame.HEADER_BYTES);
            Frame.messageBytes(header, 0, bytes - Frame.HEADER_BYTES);
            Frame.epoch(header, 0, board.epoch());
            Frame.source(header, 0, rank);
            Frame.destination(header, 0, to);
            sent[to] += bytes;
            return Unpooled.wrappedBuffer(header.array());
        }

        /** For all frames that are in. */
        private void returnCredit() {
            while (due.element().streamed() <= streamed) {
                Due next = due.remove();
                assertNull(board.ledger().taken(rank, next.to(), next.sent()));
            }
        }

        /** What a read brings. No other task of the event loop is done before other connections are read. */
        private void reads(ByteBuf... parts) {
            ByteBuf in = pool.directBuffer(READ_BYTES, READ_BYTES);
            for (ByteBuf part : parts) {
                in.writeBytes(part, Math.min(part.readableBytes(), in.writableBytes()));
            }
            socket.writeInbound(in);
        }

        @Override
        public void violated(ErrorCode code, String reason) {
            throw new AssertionError(reason);
        }

        @Override
        public void exceeded(ForwardLimit limit, String reason) {
            exceeded = limit;
            connection.close();
        }

        @Override
        public void limitReached(ForwardLimit limit) {
            throw new AssertionError(limit);
        }

        @Override
        public void dataEnded(String reason) {
            throw new AssertionError(reason);
        }
    }

    private void connectAll() {
        for (int rank = 0; rank < SIZE; rank++) {
            ranks.add(new Rank(rank));
        }
    }

    @AfterEach
    void endAll() {
        for (Rank rank : ranks) {
            rank.connection.close();
            rank.socket.isFull = false;
            rank.socket.finishAndReleaseAll();
        }
        home.finishAndReleaseAll();
        assertEquals(0, pool.pinnedDirectMemory(), "buffers that nobody released");
        assertEquals(0, counters.bytesWaiting.sum());
        assertEquals(0, counters.waitingMemory.sum());
        assertEquals(0, counters.bytesUnderWay.sum());
    }

    /** A quarter of what each read brings waits, and holds all of it. */
    @Test
    void shouldBoundWhatSmallPartsOfLargeReadsHold() {
        connectAll();
        Rank deaf = ranks.get(DEAF);
        deaf.socket.isFull = true;
        int waits = READ_BYTES / 4 + 512;
        long most = 0;
        for (int round = 0; round < 60; round++) {
            for (Rank source : ranks.subList(2, SIZE)) {
                int goes = READ_BYTES - waits;
                source.reads(source.frame(DEAF, waits), source.frame(1, goes));
                board.ledger().taken(source.rank, 1, source.sent[1]);
                most = Math.max(most, pool.pinnedDirectMemory());
                ranks.get(1).socket.forget();
            }
        }
        assertEquals(ForwardLimit.MEMORY, deaf.exceeded, most + " bytes were held at most");
        assertTrue(most <= LIMIT + (1 << 20), most + " bytes were held");
    }

    /** Of frames of all lengths, cut anywhere, to ranks that read, or not, or now and then. */
    @Test
    void shouldCountNoLessThanBuffersHold() {
        connectAll();
        Random random = new Random(5);
        List<ByteBuf> streams = new ArrayList<>();
        ranks.forEach(any -> streams.add(Unpooled.buffer()));
        long most = 0;
        for (int step = 0; step < 3000; step++) {
            if (step % 50 == 0) {
                for (Rank rank : ranks) {
                    rank.socket.isFull = random.nextInt(3) == 0;
                    rank.socket.flush();
                    rank.socket.runPendingTasks();
                }
            }
            Rank source = ranks.get(random.nextInt(SIZE));
            ByteBuf stream = streams.get(source.rank);
            while (stream.readableBytes() < READ_BYTES) {
                int to = (source.rank + 1 + random.nextInt(SIZE - 1)) % SIZE;
                int bytes = Frame.HEADER_BYTES + random.nextInt(random.nextBoolean() ? 300 : 1 << 16);
                stream.writeBytes(source.frame(to, bytes));
                source.due.add(new Due(source.streamed + stream.readableBytes(), to, source.sent[to]));
            }
            stream.discardReadBytes();
            int count = random.nextBoolean() ? READ_BYTES : 1 + random.nextInt(READ_BYTES);
            ByteBuf in = pool.directBuffer(READ_BYTES, READ_BYTES).writeBytes(stream, count);
            source.socket.writeInbound(in);
            home.runPendingTasks();
            source.streamed += count;
            source.returnCredit();
            ranks.forEach(rank -> rank.socket.forget());
            exchange.sweep(0, Long.MAX_VALUE, false);
            long pinned = pool.pinnedDirectMemory();
            long counted = counters.waitingMemory.sum() + counters.bytesUnderWay.sum();
            most = Math.max(most, pinned);
            // The pool rounds what it gives away up to the next of four lengths below each power of two.
            ranks.forEach(rank -> assertNull(rank.exceeded));
            assertTrue(pinned <= counted * 5 / 4 + 1024, "step " + step + ": " + pinned + " held, counted " + counted);
        }
        assertTrue(most > 1 << 20, "only " + most + " bytes were held");
    }
}
