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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes a stream of bytes of the messages of a WebSocket, and messages of what is written. */
@SuppressWarnings("FutureReturnValueIgnored") // see the package's description
final class WebSocketBytes extends ChannelDuplexHandler {

    private static final Logger log = LoggerFactory.getLogger(WebSocketBytes.class);

    private boolean closeSaid;

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (closeSaid && !(message instanceof CloseWebSocketFrame)) {
            // What was on its way when the last word was said.
            ReferenceCountUtil.release(message);
            return;
        }
        if (message instanceof BinaryWebSocketFrame || message instanceof ContinuationWebSocketFrame) {
            context.fireChannelRead(((WebSocketFrame) message).content());
            return;
        }
        if (!(message instanceof WebSocketFrame frame)) {
            // The rest of the request that opened it.
            ReferenceCountUtil.release(message);
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
        } else if (!(frame instanceof PongWebSocketFrame)) {
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
            sayClose(context, status);
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
        if (closeSaid) {
            return context.newSucceededFuture();
        }
        closeSaid = true;
        return context.writeAndFlush(new CloseWebSocketFrame(status));
    }

    @Override
    public void close(ChannelHandlerContext context, ChannelPromise promise) {
        if (context.channel().isActive()) {
            sayClose(context, WebSocketCloseStatus.NORMAL_CLOSURE);
        }
        context.close(promise);
    }
}
