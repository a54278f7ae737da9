package io.zipcomm.relay;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.WriteBufferWaterMark;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.relay.route.RateLimit;
import io.zipcomm.relay.route.Standstill;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The control connection of one rank, from its Join on. Event loop only. */
@SuppressWarnings("FutureReturnValueIgnored") // see the package's description
final class ControlConnection extends ChannelInboundHandlerAdapter {

    private static final Logger log = LoggerFactory.getLogger(ControlConnection.class);

    /** A rank that lets more than this wait, the largest group view included, does not read. */
    private static final int BACKLOG_BYTES_MAX = Frame.PAYLOAD_BYTES_MAX + (1 << 20);

    /** Messages of so much time may come at once. */
    private static final long BURST_NS = TimeUnit.SECONDS.toNanos(1);

    private static final long PAUSE_NS_MIN = TimeUnit.MILLISECONDS.toNanos(5);

    private final Channel channel;
    private final ControlReader reader;
    private final RateLimit messages;
    private final Standstill standstill;
    private boolean paused;
    private Member member;
    private String failure;
    private boolean ended;

    ControlConnection(Channel channel, RelaySettings settings) {
        this.channel = channel;
        standstill = new Standstill(channel);
        reader = new ControlReader(settings.controlBytesMax());
        messages = new RateLimit(settings.limits().controlMessagesPerSecond(), BURST_NS, System.nanoTime());
        channel.config().setWriteBufferWaterMark(new WriteBufferWaterMark(BACKLOG_BYTES_MAX / 2, BACKLOG_BYTES_MAX));
    }

    /** Said once, before anything comes in. */
    void belongsTo(Member member) {
        this.member = member;
    }

    /**
     * The group is complete: a message may have the size of any frame. The one that is long is the Abort of a failure with a
     * long story, and whoever has one is not to be expelled for it: its peers wait.
     */
    void allowLongMessages() {
        reader.limit(Frame.PAYLOAD_BYTES_MAX);
    }

    InetSocketAddress remoteAddress() {
        return (InetSocketAddress) channel.remoteAddress();
    }

    void send(ToRank message) {
        if (!ended) {
            sendFrame(ControlWriter.frame(channel.alloc(), message));
        }
    }

    /** Sends a frame that goes to others too; it is retained. */
    void sendShared(ByteBuf frame) {
        if (!ended) {
            sendFrame(frame.retainedDuplicate());
        }
    }

    private void sendFrame(ByteBuf frame) {
        channel.writeAndFlush(frame, channel.voidPromise());
        if (!channel.isWritable() && !ended) {
            // Not here: the caller may be telling every member something.
            channel.eventLoop().execute(() -> {
                if (!ended) {
                    member.violated(ErrorCode.LIMIT, "does not read its control connection");
                }
            });
        }
    }

    /** Says no and ends the connection. The member is not told. */
    void refuse(Refusal refusal) {
        if (!ended) {
            ended = true;
            Farewell.say(channel, ControlWriter.frame(channel.alloc(), ControlWriter.refused(refusal)));
        }
    }

    /** Ends the connection once everything is sent. The member is not told. */
    void finish() {
        if (!ended) {
            ended = true;
            Farewell.say(channel, Unpooled.EMPTY_BUFFER);
        }
    }

    /** Ends the connection at once. The member is not told. */
    void close() {
        ended = true;
        channel.close();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf in = (ByteBuf) message;
        try {
            while (!ended) {
                ToRelay next = reader.next(in);
                if (next == null) {
                    return;
                }
                count();
                member.message(next);
            }
        } catch (ControlReader.Violation e) {
            member.violated(e.refusal().code(), e.refusal().reason());
        } finally {
            in.release();
        }
    }

    /** Who says more than it may is read more slowly. */
    private void count() {
        long waitNs = messages.take(1, System.nanoTime());
        if (waitNs > 0 && !paused) {
            paused = true;
            member.slowed(RelayOption.CONTROL_MESSAGES_PER_SECOND);
            channel.config().setAutoRead(false);
            resumeIn(waitNs);
        }
    }

    private void resumeIn(long waitNs) {
        Runnable resume = () -> {
            long stillNs = messages.waitNs(System.nanoTime());
            if (ended) {
                paused = false;
            } else if (stillNs > 0) {
                resumeIn(stillNs);
            } else {
                paused = false;
                channel.config().setAutoRead(true);
            }
        };
        channel.eventLoop().schedule(resume, Math.max(PAUSE_NS_MIN, waitNs), TimeUnit.NANOSECONDS);
    }

    /** Takes over a rate that was changed. */
    void messagesPerSecond(int rate) {
        messages.perSecond(rate, System.nanoTime());
    }

    /** Whether the rank has taken nothing of what waits for it for longer than it may. */
    boolean standsStill(long nowNs, long timeoutNs, boolean paused) {
        return !ended && standstill.lasts(nowNs, timeoutNs, paused);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (!ended) {
            ended = true;
            member.controlEnded(failure == null ? "control connection ended" : "control connection failed: " + failure);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (!(cause instanceof IOException)) {
            log.error("defect in the relay: {} is closed", context.channel().remoteAddress(), cause);
        }
        failure = cause.getMessage();
        context.close();
    }
}
