package io.zipcomm.relay;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.ContinuationWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;

/** Makes a stream of bytes of the messages of a WebSocket, and messages of what is written. */
@SuppressWarnings("FutureReturnValueIgnored") // see the package's description
final class WebSocketBytes extends ChannelDuplexHandler {

    private boolean closeSaid;

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (message instanceof BinaryWebSocketFrame || message instanceof ContinuationWebSocketFrame) {
            context.fireChannelRead(((WebSocketFrame) message).content());
            return;
        }
        if (!(message instanceof WebSocketFrame frame)) {
            // The rest of the request that opened it.
            io.netty.util.ReferenceCountUtil.release(message);
            return;
        }
        if (frame instanceof PingWebSocketFrame) {
            context.writeAndFlush(new PongWebSocketFrame(frame.content()));
            return;
        }
        boolean pong = frame instanceof PongWebSocketFrame;
        boolean close = frame instanceof CloseWebSocketFrame;
        frame.release();
        if (!pong) {
            sayClose(context, close ? WebSocketCloseStatus.NORMAL_CLOSURE : WebSocketCloseStatus.INVALID_MESSAGE_TYPE);
            // As if the connection had ended: whoever serves it sees that next.
            context.close();
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
