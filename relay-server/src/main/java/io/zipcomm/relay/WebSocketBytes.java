package io.zipcomm.relay;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.ContinuationWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.util.ReferenceCountUtil;
import io.zipcomm.relay.route.RateLimit;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes a stream of bytes of the messages of a WebSocket, and messages of what is written. */
@SuppressWarnings("FutureReturnValueIgnored") // see the package's description
final class WebSocketBytes extends ChannelDuplexHandler {

    private static final Logger log = LoggerFactory.getLogger(WebSocketBytes.class);

    /** Pings and the like of so much time may come at once. */
    private static final long BURST_NS = TimeUnit.SECONDS.toNanos(1);

    /** A reason for the end has 123 bytes at most. */
    private static final int REASON_CHARS_MAX = 120;

    private final Counters counters;

    /** Frames that say nothing to whoever serves the connection, who therefore cannot slow them down. */
    private final RateLimit asides;

    private boolean closeSaid;

    /** For one connection. */
    WebSocketBytes(RelayState state) {
        counters = state.counters();
        asides = new RateLimit(state.settings().limits().controlMessagesPerSecond(), BURST_NS, System.nanoTime());
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (closeSaid && !(message instanceof CloseWebSocketFrame)) {
            // What was on its way when the last word was said.
            ReferenceCountUtil.release(message);
            return;
        }
        if (!(message instanceof WebSocketFrame frame)) {
            // The rest of the request that opened it.
            ReferenceCountUtil.release(message);
            return;
        }
        boolean isData = frame instanceof BinaryWebSocketFrame || frame instanceof ContinuationWebSocketFrame;
        if (isData && frame.content().isReadable()) {
            context.fireChannelRead(frame.content());
            return;
        }
        if (!asides.tryTake(1, System.nanoTime())) {
            frame.release();
            tooMany(context);
            return;
        }
        if (frame instanceof PingWebSocketFrame) {
            answer(context, frame);
            return;
        }
        frame.release();
        if (frame instanceof CloseWebSocketFrame) {
            sayClose(context, WebSocketCloseStatus.NORMAL_CLOSURE);
            // As if the connection had ended: whoever serves it sees that next.
            context.close();
        } else if (!isData && !(frame instanceof PongWebSocketFrame)) {
            end(context, WebSocketCloseStatus.INVALID_MESSAGE_TYPE, "a message that is text");
        }
    }

    /** Who asks without reading the answers gets no more of them. */
    private static void answer(ChannelHandlerContext context, WebSocketFrame ping) {
        if (context.channel().isWritable()) {
            context.writeAndFlush(new PongWebSocketFrame(ping.content()));
        } else {
            ping.release();
        }
    }

    private void tooMany(ChannelHandlerContext context) {
        Refusal refusal = Refusal.limit(
                RelayOption.CONTROL_MESSAGES_PER_SECOND,
                "more than " + asides.perSecond() + " pings, or the like, each second");
        counters.refused(refusal);
        end(context, WebSocketCloseStatus.POLICY_VIOLATION, refusal.reason());
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (cause instanceof CorruptedWebSocketFrameException fault) {
            end(context, fault.closeStatus(), fault.getMessage());
        } else {
            context.fireExceptionCaught(cause);
        }
    }

    /** Says what is wrong and ends the connection. */
    private void end(ChannelHandlerContext context, WebSocketCloseStatus status, String fault) {
        if (!closeSaid) {
            String leftOut = LogBudget.STRANGERS.take();
            if (leftOut != null) {
                log.info("{}: WebSocket ended: {}{}", context.channel().remoteAddress(), fault, leftOut);
            }
            String reason = fault.substring(0, Math.min(REASON_CHARS_MAX, fault.length()));
            sayClose(context, new CloseWebSocketFrame(status, reason));
            Farewell.end(context.channel());
        }
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        if (!(message instanceof ByteBuf bytes) || !bytes.isReadable()) {
            context.write(message, promise);
        } else if (closeSaid) {
            bytes.release();
            promise.trySuccess();
        } else {
            context.write(new BinaryWebSocketFrame(bytes), promise);
        }
    }

    /** The last word, once. */
    ChannelFuture sayClose(ChannelHandlerContext context, WebSocketCloseStatus status) {
        return sayClose(context, new CloseWebSocketFrame(status));
    }

    private ChannelFuture sayClose(ChannelHandlerContext context, CloseWebSocketFrame word) {
        if (closeSaid) {
            word.release();
            return context.newSucceededFuture();
        }
        closeSaid = true;
        return context.writeAndFlush(word);
    }

    @Override
    public void close(ChannelHandlerContext context, ChannelPromise promise) {
        if (context.channel().isActive()) {
            sayClose(context, WebSocketCloseStatus.NORMAL_CLOSURE);
        }
        context.close(promise);
    }
}
