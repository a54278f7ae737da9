package io.zipcomm.relay;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DuplexChannel;
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
        if (!channel.isActive() || channel.pipeline().first() == null) {
            last.release();
            channel.close();
            return;
        }
        channel.pipeline().replace(channel.pipeline().first(), null, new Farewell());
        channel.config().setAutoRead(true);
        channel.writeAndFlush(last).addListener(done -> ((DuplexChannel) channel).shutdownOutput());
        var close = channel.eventLoop().schedule(() -> channel.close(), LINGER_MS, TimeUnit.MILLISECONDS);
        channel.closeFuture().addListener(closed -> close.cancel(false));
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
