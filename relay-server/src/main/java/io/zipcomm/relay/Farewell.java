package io.zipcomm.relay;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import java.util.concurrent.TimeUnit;

/**
 * Ends a connection so that the last message arrives: closing it while unread input is there would make the system reset
 * it, and the other end lose what it has not read. So the output is ended, and input thrown away until the other end
 * closes too, but not for long.
 */
@SuppressWarnings("FutureReturnValueIgnored") // see the package's description
final class Farewell extends ChannelInboundHandlerAdapter {

    private static final long LINGER_MS = 1000;

    private Farewell() {}

    /**
     * Sends the last message and ends the connection. The handler that served it hears no more of it.
     *
     * @param last taken over; may be empty
     */
    static void say(Channel channel, ByteBuf last) {
        if (!channel.isActive() || channel.pipeline().get(HttpDoor.class) != null) {
            last.release();
            channel.close();
        } else {
            answer(channel, last);
        }
    }

    /** The same for a message that some handler of the connection turns into bytes. */
    static void answer(Channel channel, Object last) {
        if (channel.pipeline().last() == null) {
            ReferenceCountUtil.release(last);
            channel.close();
            return;
        }
        channel.pipeline().replace(channel.pipeline().last(), null, new Farewell());
        if (channel.pipeline().get(FirstBytes.class) != null) {
            channel.pipeline().remove(FirstBytes.class);
        }
        giveBack(channel);
        channel.config().setAutoRead(true);
        channel.writeAndFlush(last).addListener(done -> endOutput(channel));
        closeSoon(channel);
    }

    /** Ends the connection. Whoever serves it hears of that when the other end has closed too; what still comes in is theirs. */
    static void end(Channel channel) {
        giveBack(channel);
        endOutput(channel);
        closeSoon(channel);
    }

    /** Memory of a frame that has begun, and of which nobody will hear any more. */
    private static void giveBack(Channel channel) {
        ChannelHandlerContext frames = channel.pipeline().context(WebSocketFrames.class);
        if (frames != null) {
            ((WebSocketFrames) frames.handler()).end(frames);
        }
    }

    private static void closeSoon(Channel channel) {
        var close = channel.eventLoop().schedule(() -> channel.close(), LINGER_MS, TimeUnit.MILLISECONDS);
        channel.closeFuture().addListener(closed -> close.cancel(false));
    }

    /** Each layer has a word for the end, the innermost first. The system's comes when they are on their way. */
    private static void endOutput(Channel channel) {
        ChannelHandlerContext webSocket = channel.pipeline().context(WebSocketBytes.class);
        SslHandler tls = channel.pipeline().get(SslHandler.class);
        ChannelFuture said = channel.newSucceededFuture();
        if (webSocket != null) {
            said = ((WebSocketBytes) webSocket.handler()).sayClose(webSocket, WebSocketCloseStatus.NORMAL_CLOSURE);
        }
        if (tls != null) {
            // Behind what was written before it, so there is nothing to wait for.
            said = tls.closeOutbound();
        }
        said.addListener(done -> ((DuplexChannel) channel).shutdownOutput());
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ReferenceCountUtil.release(message);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        context.close();
    }
}
