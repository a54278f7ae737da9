package io.zipcomm.relay.route;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.collection.IntObjectHashMap;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.util.BitSet;

/**
 * What goes out to one rank: whole frames, in the order in which they came in. The socket gets as much as it takes soon;
 * the rest waits here, bounded by the windows of the flows to this rank. Credit does not wait behind it. Event loop only.
 */
@SuppressWarnings("FutureReturnValueIgnored") // see the package's description
final class Outlet {

    private final int rank;
    private final Channel channel;
    private final Exchange exchange;
    private final ByteQueue waiting;
    private final Switchboard board;
    private final DataConnection.Owner owner;
    private final Standstill standstill;

    /** TLS makes copies. */
    private final boolean copied;

    /** What the channel may still have of what it was given. */
    private final HeldMemory given = new HeldMemory();

    private int givenSinceFlush;

    /** Destinations of this rank's flows that have returned credit of which the rank has not been told. */
    private final BitSet credited = new BitSet();

    /**
     * The last buffer that the socket was given ends within a frame: nothing but the rest of the frame may follow. Only whole
     * frames are taken over, so it is there.
     */
    private boolean midFrame;

    /** A rank for which much waits gets a part of a result of the hub after so much of it. */
    private static final int HUBS_TURN_BYTES = 256 << 10;

    /** The next part goes before what waits. */
    private boolean hubsTurn;

    private long bytesSinceTurn;
    private long begunBytes;
    private long underWayBytes;

    private boolean flushDue;
    private boolean closed;

    /**
     * Numbers of the flows from and to this rank that began anew, by the rank at their other end, until this rank has said that it
     * knows: what it says to that rank before belongs to the flow before. Null if there are none.
     */
    private IntObjectHashMap<Integer> unanswered;

    /** Has results for this rank when there is room; null if there is no hub. */
    private HubMember feeder;

    Outlet(int rank, Channel channel, Exchange exchange, Switchboard board, DataConnection.Owner owner) {
        this.rank = rank;
        this.channel = channel;
        this.exchange = exchange;
        this.board = board;
        this.owner = owner;
        waiting = new ByteQueue(exchange.allocator());
        standstill = new Standstill(channel);
        copied = channel.pipeline().get(SslHandler.class) != null;
        exchange.opened(this);
    }

    /** Takes over whole frames. They are sent on the exchange's next flush or when the socket takes them. */
    void offer(ByteBuf frames) {
        take(frames, true);
    }

    /** Takes over a frame of which the beginning is apart. */
    void offer(ByteBuf beginning, ByteBuf rest) {
        take(beginning, false);
        take(rest, true);
    }

    /**
     * Takes over frames of which the beginning is apart.
     *
     * @param beginning pieces of the first frame; left empty. There may be none
     * @param rest      of that frame, and more frames
     */
    void offer(ByteQueue beginning, ByteBuf rest) {
        for (ByteBuf piece = beginning.poll(); piece != null; piece = beginning.poll()) {
            take(piece, false);
        }
        take(rest, true);
    }

    private void take(ByteBuf frames, boolean endsFrame) {
        if (closed) {
            frames.release();
            return;
        }
        if ((waiting.isEmpty() || hubsTurn) && (midFrame || channel.isWritable())) {
            write(frames, endsFrame);
        } else {
            int bytes = frames.readableBytes();
            long heldBefore = waiting.heldBytes();
            waiting.add(frames, endsFrame);
            countWaiting(bytes, waiting.heldBytes() - heldBefore);
        }
        flushLater();
    }

    /** The destination of one of this rank's flows has returned credit. Any number of times makes one frame. */
    void credit(int destination) {
        if (!closed) {
            credited.set(destination);
            flushLater();
        }
    }

    /** The flows from and to another rank begin anew: this rank is told behind what that rank sent before. */
    void reset(int other, int number) {
        if (closed) {
            return;
        }
        credited.clear(other);
        if (unanswered == null) {
            unanswered = new IntObjectHashMap<>();
        }
        unanswered.put(other, Integer.valueOf(number));
        ByteBuf frame = exchange.allocator().directBuffer(Frame.HEADER_BYTES).writeZero(Frame.HEADER_BYTES);
        frame.setByte(Frame.VERSION_OFFSET, Frame.VERSION);
        frame.setByte(Frame.TYPE_OFFSET, FrameType.RESET.number());
        frame.setIntLE(Frame.EPOCH_OFFSET, board.epoch());
        frame.setIntLE(Frame.SOURCE_OFFSET, other);
        frame.setIntLE(Frame.DESTINATION_OFFSET, rank);
        frame.setIntLE(Frame.TRANSFER_OFFSET, number);
        offer(frame);
    }

    /** Whether what this rank says to another belongs to a flow that is over. */
    boolean isStale(int other) {
        return unanswered != null && unanswered.containsKey(other);
    }

    /** This rank knows that a flow began anew. Answers whether it was told of one. */
    boolean resetAnswered(int other, int number) {
        Integer awaited = unanswered == null ? null : unanswered.get(other);
        if (awaited == null) {
            return false;
        }
        if (awaited == number) {
            unanswered.remove(other);
            unanswered = unanswered.isEmpty() ? null : unanswered;
        }
        return true;
    }

    /** Says who is told when {@link #isHungry} becomes true. */
    void feeds(HubMember member) {
        feeder = member;
    }

    /** Whether what is offered now goes out soon, and does not have to wait here. */
    boolean isHungry() {
        return !closed && (waiting.isEmpty() || hubsTurn) && !midFrame && channel.isWritable();
    }

    private void write(ByteBuf frames, boolean endsFrame) {
        midFrame = !endsFrame;
        hubsTurn &= midFrame;
        exchange.counters().wireBytesOut.add(frames.readableBytes());
        if (!copied) {
            given.add(frames);
            givenSinceFlush++;
        }
        channel.write(frames, channel.voidPromise());
    }

    private void flushLater() {
        if (!flushDue) {
            flushDue = true;
            exchange.flushLater(this);
        }
    }

    /** Gives the socket what it takes. Also to be called when it takes more again. */
    void flush() {
        flushDue = false;
        if (closed || !channel.isWritable()) {
            // What was written is on its way; the rest follows when the channel is writable again.
            flushChannel();
            return;
        }
        // Credit before data: a sender must not stall because much else is under way to it.
        if (!credited.isEmpty() && !midFrame) {
            write(creditFrames(), true);
        }
        long taken = 0;
        long released = 0;
        while (!waiting.isEmpty() && (midFrame || channel.isWritable())) {
            if (bytesSinceTurn >= HUBS_TURN_BYTES && feeder != null && !midFrame) {
                bytesSinceTurn = 0;
                hubsTurn = true;
                try {
                    feeder.feed();
                } finally {
                    // Nothing else may go before what waits.
                    hubsTurn = false;
                }
                continue;
            }
            boolean endsFrame = waiting.oldestEndsFrame();
            long heldBefore = waiting.heldBytes();
            ByteBuf oldest = waiting.poll();
            released += heldBefore - waiting.heldBytes();
            int bytes = oldest.readableBytes();
            taken += bytes;
            bytesSinceTurn += bytes;
            write(oldest, endsFrame);
        }
        if (taken > 0) {
            countWaiting(-taken, -released);
        }
        if (feeder != null && isHungry()) {
            feeder.feed();
        }
        flushChannel();
    }

    private void flushChannel() {
        channel.flush();
        givenSinceFlush = 0;
        countUnderWay();
    }

    /** What has come in of a frame of this rank holds so much memory. */
    void begun(long bytes) {
        if (bytes != begunBytes) {
            begunBytes = bytes;
            countUnderWay();
        }
    }

    /** Notes the memory that the channel holds now, both ways. */
    void countUnderWay() {
        long now = closed ? 0 : begunBytes + channelBytes();
        if (now != underWayBytes) {
            exchange.underWay(now - underWayBytes);
            underWayBytes = now;
        }
    }

    /** The channel has one buffer or more for each that it was given and has not sent. */
    private long channelBytes() {
        ChannelOutboundBuffer left = channel.unsafe().outboundBuffer();
        given.keepNewest(left == null ? 0 : left.size() + givenSinceFlush);
        return Math.max(given.bytes(), standstill.heldBytes());
    }

    /** As it was when it was last counted. */
    long underWayBytes() {
        return underWayBytes;
    }

    private ByteBuf creditFrames() {
        ByteBuf frames = exchange.allocator().directBuffer(credited.cardinality() * Frame.HEADER_BYTES);
        for (int from = credited.nextSetBit(0); from >= 0; from = credited.nextSetBit(from + 1)) {
            int at = frames.writerIndex();
            frames.writeZero(Frame.HEADER_BYTES);
            frames.setByte(at + Frame.VERSION_OFFSET, Frame.VERSION);
            frames.setByte(at + Frame.TYPE_OFFSET, FrameType.FLOW.number());
            frames.setIntLE(at + Frame.EPOCH_OFFSET, board.epoch());
            frames.setIntLE(at + Frame.SOURCE_OFFSET, from);
            frames.setIntLE(at + Frame.DESTINATION_OFFSET, rank);
            frames.setLongLE(at + Frame.CREDIT_OFFSET, board.ledger().taken(rank, from));
        }
        credited.clear();
        return frames;
    }

    Switchboard board() {
        return board;
    }

    long waitingBytes() {
        return waiting.bytes();
    }

    /** Memory that what waits holds. */
    long heldBytes() {
        return waiting.heldBytes();
    }

    private void countWaiting(long bytes, long held) {
        exchange.waiting(bytes, held);
        board.waiting(bytes, held);
    }

    Standstill standstill() {
        return standstill;
    }

    /** Something of this rank came to nothing at a limit, and the rank goes on. */
    void limitReached(ForwardLimit limit) {
        owner.limitReached(limit);
    }

    void giveUp(ForwardLimit limit, String reason) {
        owner.exceeded(limit, reason);
        close();
    }

    /** Throws away what waits. What the socket was given is still sent, if the rank reads it. */
    void close() {
        if (!closed) {
            closed = true;
            countWaiting(-waiting.bytes(), -waiting.heldBytes());
            waiting.clear();
            countUnderWay();
            exchange.closed(this);
        }
    }
}
