package io.zipcomm.relay.route;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The data connection of one rank: checks the header of every frame that comes in and hands the frame to its destination
 * once the whole of it is there. To begin earlier would tie the destination's connection to this one for as long as the
 * source takes for the rest, while other sources wait. Event loop only.
 *
 * <p>Payloads are not copied but passed on in the buffers into which they were read, frames that follow each other to one
 * destination together. The exception are pieces that would hold on to a much larger buffer.
 */
@SuppressWarnings("FutureReturnValueIgnored") // see the package's description
public final class DataConnection extends ChannelInboundHandlerAdapter {

    private static final Logger log = LoggerFactory.getLogger(DataConnection.class);

    /** What a data connection tells the session. */
    public interface Owner {

        /**
         * The rank broke the protocol or a limit.
         *
         * @param code   which
         * @param reason the facts, as a phrase
         */
        void violated(ErrorCode code, String reason);

        /**
         * The rank went beyond a limit, or what waits for it did.
         *
         * @param limit  which
         * @param reason the facts, as a phrase
         */
        void exceeded(ForwardLimit limit, String reason);

        /** The rank is read more slowly from now on, for a while, or something that it asked for was refused. */
        void limitReached(ForwardLimit limit);

        /**
         * The connection ended and not by {@link #close}.
         *
         * @param reason as a phrase
         */
        void dataEnded(String reason);
    }

    /** A piece is copied if the buffer that it came in is more than this many times larger. */
    static final int WASTE_MAX = 4;

    /** Until the group is complete there is nothing to say, but what layers say to each other; reads may be longer than that. */
    private static final int KEPT_BYTES_EARLY = 16 << 10;

    /** While one source sends without pause, its destinations get their share after so many bytes. */
    private static final int UNFLUSHED_BYTES_MAX = 64 << 10;

    /** Until it is connected to a board, the number that its rank was admitted with. */
    private int rank;

    private final Exchange exchange;
    private final Owner owner;

    /** The header of the frame under way, as far as it has come in. */
    private final ByteBuffer header = ByteBuffer.allocate(Frame.HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);

    /** Bytes of the frame under way that came with earlier reads. */
    private final ByteQueue begun;

    private final RateLimit ownRate;
    private final RateLimit groupRate;

    private Channel channel;
    private Wrapping wrapping;
    private Inflow inflow;
    private Switchboard board;
    private Outlet outlet;

    /** Null if there is no hub. */
    private HubMember hub;

    /** Null if the rank answers no questions. */
    private Pulse pulse;

    private boolean ended;

    /** Reading it has failed, perhaps within a frame: nothing of what still comes is of use. */
    private boolean broken;

    private boolean heard;

    /** PONG frames in what is being read. */
    private int answers;

    private String failure;

    // The frame under way.
    private int headerBytes;
    private int payloadBytesLeft;
    private Outlet destination;
    private boolean forHub;

    // Consecutive frames for one destination in the buffer that is being read.
    private Outlet runDestination;
    private int runStart;

    private int unflushedBytes;
    private int framesForwarded;
    private int framesDropped;
    private long bytesForwarded;
    private long bytesForwardedBefore;

    /**
     * A connection that forwards nothing until it is connected to a board.
     *
     * @param number    that its rank was admitted with
     * @param exchange of the channel's event loop
     * @param owner    told of the end
     * @param ownRate   bytes each second from this rank
     * @param groupRate bytes each second from all ranks of the group
     */
    public DataConnection(int number, Exchange exchange, Owner owner, RateLimit ownRate, RateLimit groupRate) {
        this.ownRate = ownRate;
        this.groupRate = groupRate;
        rank = number;
        this.exchange = exchange;
        this.owner = owner;
        begun = new ByteQueue(exchange.allocator());
    }

    /** The rank answers PING, so it is asked from now on. */
    public void asks(Pulse watch) {
        pulse = watch;
    }

    /**
     * Looks whether the rank is there.
     *
     * @param paused whether the relay itself stood still since the last call
     */
    public void look(long nowNs, boolean paused) {
        if (pulse == null || ended) {
            return;
        }
        // Until the group is complete the rank does not read, and while it is held back it is not read.
        boolean excused = paused || board == null || !channel.config().isAutoRead();
        switch (pulse.look(nowNs, excused, channel)) {
            case ASK -> ask();
            case DEAD -> {
                if (end()) {
                    owner.dataEnded("data connection silent for " + pulse.timeoutMs() + " ms, PING was not answered");
                    channel.close();
                }
            }
            case NOTHING -> {}
        }
    }

    /** Where something waits to be sent there is no need to, and no room. */
    private void ask() {
        if (outlet == null) {
            if (channel.isWritable()) {
                channel.writeAndFlush(pulse.ask(channel, rank, 0), channel.voidPromise());
            }
        } else if (outlet.isHungry()) {
            outlet.offer(pulse.ask(channel, rank, board.epoch()));
            exchange.flush();
        }
    }

    /**
     * The group is complete: frames may come.
     *
     * @param rank whose it is in that group
     */
    public void connect(int rank, Switchboard board) {
        if (!ended) {
            this.rank = rank;
            this.board = board;
            outlet = new Outlet(rank, channel, exchange, board, owner);
            board.connect(rank, outlet);
            channel.config().setWriteBufferWaterMark(exchange.writeBytes());
            Hub ofGroup = board.hub(exchange);
            hub = ofGroup == null ? null : new HubMember(ofGroup, rank, outlet);
        }
    }

    /**
     * In place of one that was connected before: all flows of the rank begin anew, and those at their other ends are told.
     *
     * @param ofRank whose it is in that group
     */
    public void connectAgain(int ofRank, Switchboard group) {
        connect(ofRank, group);
        group.beginAnew(ofRank);
        if (hub != null) {
            hub.isBack();
        }
        exchange.flush();
    }

    /** Bytes of link frames that came in for ranks that were there, headers included. */
    public long bytesForwarded() {
        return bytesForwardedBefore + bytesForwarded;
    }

    /** Bytes that wait for this rank to read them. */
    public long waitingBytes() {
        return outlet == null ? 0 : outlet.waitingBytes();
    }

    /** Ranks to which this one has sent anything through the relay. */
    public int flows() {
        return board == null ? 0 : board.ledger().flowsFrom(rank);
    }

    /** Whether anything but answers to PING came in since the last call. */
    public boolean takeHeard() {
        boolean since = heard;
        heard = false;
        return since;
    }

    /** Ends the connection. The owner is not told. */
    public void close() {
        if (end()) {
            channel.close();
        }
    }

    private boolean end() {
        if (ended) {
            return false;
        }
        ended = true;
        inflow.end();
        begun.clear();
        if (outlet != null) {
            board.disconnect(rank);
            outlet.close();
            if (hub != null) {
                hub.ended();
                exchange.flush();
            }
        }
        return true;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        channel = context.channel();
        wrapping = new Wrapping(context.pipeline());
        if (channel.config().getRecvByteBufAllocator() instanceof Reading reading) {
            reading.much();
        }
        inflow = new Inflow(channel, exchange, owner, ownRate, groupRate);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf in = (ByteBuf) message;
        try {
            if (!ended && !broken) {
                int bytes = in.readableBytes();
                exchange.counters().wireBytesIn.add(bytes);
                answers = 0;
                receive(in);
                // An answer to PING is as little as a heartbeat: it says nothing of what the rank wants.
                heard |= bytes > answers * Frame.HEADER_BYTES;
                if (pulse != null) {
                    pulse.heard();
                }
                if (!ended) {
                    inflow.read(bytes, board);
                }
            }
        } finally {
            in.release();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        long unwrapped = wrapping.keptBytes();
        if (outlet != null) {
            outlet.begun(begun.heldBytes() + unwrapped);
        } else if (!ended && unwrapped > KEPT_BYTES_EARLY) {
            owner.violated(ErrorCode.PROTOCOL, "frame before the group was complete");
        }
        flush();
        exchange.relieveNow();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (outlet != null && context.channel().isWritable()) {
            outlet.flush();
            // Taking results may have let others send more.
            exchange.flush();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (end()) {
            owner.dataEnded(failure == null ? "data connection ended" : "data connection failed: " + failure);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (!(cause instanceof IOException)) {
            exchange.counters().defects.increment();
            log.error("defect in the relay: {} is closed", context.channel().remoteAddress(), cause);
        }
        failure = cause.getMessage();
        broken = true;
        context.close();
    }

    /** Cuts what was read into frames. */
    private void receive(ByteBuf in) {
        int end = in.writerIndex();
        int at = in.readerIndex();
        int frameStart = at;
        runDestination = null;
        runStart = at;
        while (at < end) {
            if (headerBytes < Frame.HEADER_BYTES) {
                int count = Math.min(Frame.HEADER_BYTES - headerBytes, end - at);
                in.getBytes(at, header.array(), headerBytes, count);
                headerBytes += count;
                at += count;
                if (headerBytes < Frame.HEADER_BYTES) {
                    break;
                }
                Runnable verdict = beginFrame(in, frameStart);
                if (verdict != null) {
                    judge(in, frameStart, verdict);
                    return;
                }
            }
            int count = Math.min(payloadBytesLeft, end - at);
            if (forHub && count > 0 && hub.wantsPayload()) {
                hub.payload(share(in, at, count));
            }
            payloadBytesLeft -= count;
            at += count;
            if (payloadBytesLeft > 0) {
                break;
            }
            endFrame(in, frameStart);
            frameStart = at;
            Runnable verdict = forHub ? endHubFrame() : null;
            if (verdict != null) {
                judge(in, frameStart, verdict);
                return;
            }
        }
        forwardRun(in, frameStart);
        if (frameStart < end) {
            keep(in, frameStart, end - frameStart);
        }
        if (unflushedBytes >= UNFLUSHED_BYTES_MAX) {
            flush();
        }
    }

    /**
     * The rank did something wrong. What it sent before goes first: the verdict ends the connection, and operations that wait
     * for this rank, whose members are told at once.
     */
    private void judge(ByteBuf in, int frameStart, Runnable verdict) {
        forwardRun(in, frameStart);
        verdict.run();
        flush();
    }

    /** Decides on a frame whose header is complete. Answers how the owner is to be told what is wrong with it, or null. */
    private Runnable beginFrame(ByteBuf in, int frameStart) {
        destination = null;
        forHub = false;
        String problem = Frame.problem(header, 0);
        if (problem != null) {
            return violated(ErrorCode.PROTOCOL, problem);
        }
        if (board == null) {
            return violated(ErrorCode.PROTOCOL, "frame before the group was complete");
        }
        int to = Frame.destination(header, 0);
        if (Frame.epoch(header, 0) != board.epoch()) {
            return violated(
                    ErrorCode.STALE_EPOCH, "frame of epoch " + Frame.epoch(header, 0) + " in epoch " + board.epoch());
        }
        if (Frame.source(header, 0) != rank) {
            return violated(ErrorCode.PROTOCOL, "frame in the name of rank " + Frame.source(header, 0));
        }
        FrameType type = FrameType.of(Frame.type(header, 0));
        payloadBytesLeft = Frame.payloadBytes(header, 0);
        if (type.isHubFrame()) {
            // Results may go where the run goes, and must not get between its frames.
            forwardRun(in, frameStart);
            return beginHubFrame(type);
        }
        if (type == FrameType.PONG && pulse != null && pulse.answered()) {
            answers++;
            return null;
        }
        if (to < 0 || to >= board.size() || to == rank) {
            return violated(ErrorCode.PROTOCOL, "frame for rank " + to + " of " + board.size());
        }
        if (type == FrameType.RESET) {
            return outlet.resetAnswered(to, Frame.transfer(header, 0))
                    ? null
                    : violated(ErrorCode.PROTOCOL, "RESET for rank " + to + ", whose flow did not begin anew");
        }
        if (outlet.isStale(to)) {
            framesDropped++;
            return null;
        }
        if (type == FrameType.FLOW) {
            return creditReturned(to);
        }
        if (!type.isLinkFrame()) {
            return violated(ErrorCode.PROTOCOL, type + " frame on a data connection");
        }
        return linkFrame(to);
    }

    private Runnable beginHubFrame(FrameType type) {
        if (hub == null) {
            return violated(ErrorCode.PROTOCOL, type + " frame where there is no hub");
        }
        if (payloadBytesLeft > board.fragmentBytesMax()) {
            return tooLong();
        }
        String problem = hub.begin(header);
        forHub = problem == null;
        exchange.counters().hubBytesIn.add(type == FrameType.PART ? payloadBytesLeft : 0);
        unflushedBytes += payloadBytesLeft;
        return forHub ? null : violated(ErrorCode.PROTOCOL, problem);
    }

    private Runnable endHubFrame() {
        forHub = false;
        String problem = hub.end();
        return problem == null ? null : violated(ErrorCode.PROTOCOL, problem);
    }

    private Runnable creditReturned(int source) {
        String problem = board.ledger().taken(source, rank, Frame.credit(header, 0));
        if (problem != null) {
            return violated(ErrorCode.PROTOCOL, problem);
        }
        Outlet sender = board.outlet(source);
        if (sender != null) {
            sender.credit(rank);
        }
        return null;
    }

    private Runnable linkFrame(int to) {
        if (payloadBytesLeft > board.fragmentBytesMax()) {
            return tooLong();
        }
        Outlet receiver = board.outlet(to);
        if (receiver == null) {
            framesDropped++;
            return null;
        }
        int frameBytes = Frame.HEADER_BYTES + payloadBytesLeft;
        String problem = board.ledger().sent(rank, to, frameBytes);
        if (problem != null) {
            return violated(ErrorCode.PROTOCOL, problem);
        }
        destination = receiver;
        framesForwarded++;
        bytesForwarded += frameBytes;
        unflushedBytes += frameBytes;
        return null;
    }

    private Runnable tooLong() {
        String reason = "frame of " + payloadBytesLeft + " payload bytes, the limit is " + board.fragmentBytesMax();
        return () -> owner.exceeded(ForwardLimit.FRAGMENT, reason);
    }

    private Runnable violated(ErrorCode code, String reason) {
        return () -> owner.violated(code, reason);
    }

    /** The frame under way is complete: adds it to the run, if that goes the same way. */
    private void endFrame(ByteBuf in, int frameStart) {
        headerBytes = 0;
        if (destination != runDestination) {
            forwardRun(in, frameStart);
            runDestination = destination;
            runStart = frameStart;
        }
        if (destination == null) {
            begun.clear();
        }
    }

    /**
     * Only the first frame in a buffer can have begun before it, so what is there of that is the beginning of the first run. A
     * destination gets all of a frame at once, or nothing: others send to it, too.
     */
    private void forwardRun(ByteBuf in, int runEnd) {
        if (runDestination != null) {
            runDestination.offer(begun, share(in, runStart, runEnd - runStart));
        }
        runDestination = null;
    }

    private void keep(ByteBuf in, int from, int bytes) {
        boolean dropped = headerBytes == Frame.HEADER_BYTES && destination == null;
        if (!dropped) {
            begun.add(share(in, from, bytes), false);
        }
    }

    private ByteBuf share(ByteBuf in, int from, int bytes) {
        return (long) bytes * WASTE_MAX >= HeldMemory.of(in)
                ? in.retainedSlice(from, bytes)
                : exchange.allocator().directBuffer(bytes, bytes).writeBytes(in, from, bytes);
    }

    private void flush() {
        unflushedBytes = 0;
        exchange.flush();
        if (framesForwarded > 0) {
            exchange.counters().frames.add(framesForwarded);
            exchange.counters().bytes.add(bytesForwarded);
            framesForwarded = 0;
            bytesForwardedBefore += bytesForwarded;
            bytesForwarded = 0;
        }
        if (framesDropped > 0) {
            exchange.counters().framesDropped.add(framesDropped);
            framesDropped = 0;
        }
    }
}
