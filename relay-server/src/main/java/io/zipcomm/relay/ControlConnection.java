package io.zipcomm.relay;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.zipcomm.relay.route.Wrapping;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The control connection of one rank, from its Join on. Event loop only. */
@SuppressWarnings("FutureReturnValueIgnored") // see the package's description
final class ControlConnection extends ChannelInboundHandlerAdapter {

    private static final Logger log = LoggerFactory.getLogger(ControlConnection.class);

    /** A rank for which more waits when it is told of its end does not read, and would not hear of it. */
    private static final int LAST_WORDS_BYTES_MAX = 256 << 10;

    /** An Abort or a Suspect whose reason has the 2,000 characters that ranks cut it to is not longer. */
    private static final int REASON_BYTES_MAX = 8 << 10;

    /** Longest Recall; ranks leave out what is above it. */
    private static final int RECALL_BYTES_MAX = 256 << 10;

    /** A rank, and what else is in an Agree. */
    private static final int RANK_BYTES_MAX = 3;

    private static final int AGREE_BYTES_MAX = 64;

    /** What goes to so many ranks that it counts most may be said so often in a second. */
    private static final int TOLD_PER_SECOND = 4;

    private static final long PAUSE_NS_MIN = TimeUnit.MILLISECONDS.toNanos(5);

    private final Channel channel;
    private final Wrapping wrapping;
    private final ControlReader reader;
    private final ControlBacklog backlog;
    private final ControlOutput output;
    private final Counters counters;
    private final long waitingBytesMax;

    /** What came in while the rank was to be read more slowly. */
    private final Deque<ByteBuf> unread = new ArrayDeque<>();

    /** Memory of the message that comes in, and of what is unread. */
    private long begunBytes;

    /** Memory of what is unread. */
    private long unreadBytes;

    /** Memory of what the layers around the connection keep. */
    private long wrappedBytes;

    private boolean deaf;
    private boolean paused;
    private Member member;
    private String failure;
    private boolean ended;

    ControlConnection(Channel channel, RelaySettings settings, ControlBacklog backlog, Counters counters) {
        this.channel = channel;
        this.backlog = backlog;
        this.counters = counters;
        wrapping = new Wrapping(channel.pipeline());
        output = new ControlOutput(channel, backlog);
        reader = new ControlReader(settings.controlBytesMax());
        waitingBytesMax = settings.limits().controlWaitingMax();
        backlog.opened(this);
    }

    /** Said once, before anything comes in. */
    void belongsTo(Member member) {
        this.member = member;
    }

    /** The group is complete: the reason of a failure and a list of its ranks have room, however little is allowed before. */
    void allowReasons(int ranks) {
        reader.atLeast(Math.max(REASON_BYTES_MAX, RANK_BYTES_MAX * ranks + AGREE_BYTES_MAX));
    }

    /** It is asked for all that it knows of its group. */
    void allowRecall() {
        reader.atLeast(RECALL_BYTES_MAX);
    }

    InetSocketAddress remoteAddress() {
        return (InetSocketAddress) channel.remoteAddress();
    }

    void send(ToRank message) {
        if (!ended) {
            ControlFrame frame = new ControlFrame(ControlWriter.frame(channel.alloc(), message), backlog);
            sendShared(frame);
            frame.release();
        }
    }

    /** Sends a frame that goes to others too and stays the caller's. */
    void sendShared(ControlFrame frame) {
        addShared(frame);
        flush();
    }

    /** Puts a frame behind what waits, which goes when the caller calls {@link #flush}; it stays the caller's. */
    void addShared(ControlFrame frame) {
        if (!ended) {
            output.add(frame);
        }
    }

    /** Sends what waits. */
    void flush() {
        if (ended) {
            return;
        }
        output.flush();
        if (!ended && output.waitingBytes() > waitingBytesMax) {
            // Not here: the caller may be telling every member something.
            channel.eventLoop()
                    .execute(() -> giveUp(
                            RelayOption.CONTROL_WAITING_MAX,
                            "does not read its control connection: " + output.heldBytes() + " bytes wait for it"));
        }
    }

    /** It is in the way of others. Who does not read is not told, since that would have to wait, too. */
    void giveUp(RelayOption limit, String reason) {
        if (!ended) {
            deaf = output.heldBytes() > 0;
            member.exceeded(limit, reason);
        }
    }

    /** Bytes of messages that it keeps, out and in. */
    long heldBytes() {
        return output.heldBytes() + begunBytes;
    }

    /** Says no and ends the connection. The member is not told. */
    void refuse(Refusal refusal) {
        endWith(ControlWriter.frame(channel.alloc(), ControlWriter.refused(refusal)));
    }

    /** Ends the connection once everything is sent. The member is not told. */
    void finish() {
        endWith(Unpooled.EMPTY_BUFFER);
    }

    private void endWith(ByteBuf last) {
        if (ended || deaf || output.waitingBytes() > LAST_WORDS_BYTES_MAX) {
            last.release();
            close();
            return;
        }
        end();
        output.finish();
        Farewell.say(channel, last);
    }

    /** Ends the connection at once. The member is not told. */
    void close() {
        if (!ended) {
            end();
            output.clear();
            channel.close();
        }
    }

    private void end() {
        ended = true;
        backlog.closed(this);
        reader.clear();
        unread.forEach(ByteBuf::release);
        unread.clear();
        unreadBytes = 0;
        wrappedBytes = 0;
        countBegun();
    }

    private void countBegun() {
        long now = reader.heldBytes() + unreadBytes + wrappedBytes;
        backlog.held(now - begunBytes);
        begunBytes = now;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf in = (ByteBuf) message;
        if (ended) {
            in.release();
            return;
        }
        unread.add(in);
        unreadBytes += in.capacity();
        readOn();
    }

    /** Takes messages out of what came in, until it is empty or the rank has said as much as it may. */
    private void readOn() {
        try {
            while (!ended && !paused && !unread.isEmpty()) {
                ByteBuf in = unread.element();
                ToRelay next = reader.next(in);
                if (next == null) {
                    unreadBytes -= in.capacity();
                    unread.remove().release();
                } else {
                    charge(1);
                    member.message(next);
                }
            }
        } catch (ControlReader.Violation e) {
            member.violated(e.refusal());
        }
        if (!ended) {
            countBegun();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        if (!ended) {
            wrappedBytes = wrapping.keptBytes();
            countBegun();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (!ended && channel.isWritable()) {
            output.flush();
        }
    }

    /**
     * What the rank said went to others, too: that counts as a message for each of them, but as no more than a quarter of what
     * it may say in a second, so that its heartbeats are not late for it.
     */
    void chargeFor(int recipients) {
        charge(cost(recipients));
    }

    /** What the rank is told as it comes back counts as much, and is felt when it says something next, or comes back once more. */
    void chargeForReturn(int messages) {
        member.messages.take(cost(messages), nanoTime());
    }

    private long cost(int messages) {
        return Math.min(messages, Math.max(1, member.messages.perSecond() / TOLD_PER_SECOND));
    }

    /** Who says more than it may is read more slowly. */
    private void charge(long count) {
        long waitNs = member.messages.take(count, nanoTime());
        if (waitNs > 0 && !paused) {
            paused = true;
            member.limitReached(RelayOption.CONTROL_MESSAGES_PER_SECOND);
            channel.config().setAutoRead(false);
            resumeIn(waitNs);
        }
    }

    private void resumeIn(long waitNs) {
        Runnable resume = () -> {
            long stillNs = member.messages.waitNs(nanoTime());
            if (ended) {
                paused = false;
            } else if (stillNs > 0) {
                resumeIn(stillNs);
            } else {
                paused = false;
                readOn();
                if (!paused && !ended) {
                    channel.config().setAutoRead(true);
                }
            }
        };
        channel.eventLoop().schedule(resume, Math.max(PAUSE_NS_MIN, waitNs), TimeUnit.NANOSECONDS);
    }

    private long nanoTime() {
        return channel.eventLoop().ticker().nanoTime();
    }

    /** Whether the rank has taken nothing of what waits for it for longer than it may. */
    boolean standsStill(long nowNs, long timeoutNs, boolean paused) {
        return !ended && output.standsStill(nowNs, timeoutNs, paused);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (!ended) {
            end();
            output.clear();
            member.controlEnded(failure == null ? "control connection ended" : "control connection failed: " + failure);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (!(cause instanceof IOException)) {
            counters.defect();
            log.error("defect in the relay: {} is closed", context.channel().remoteAddress(), cause);
        }
        failure = cause.getMessage();
        context.close();
    }
}
