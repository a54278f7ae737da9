package io.zipcomm.relay;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.CodecException;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is wrong with the TLS, HTTP or WebSocket of a connection is the other end's fault, like a connection that breaks. */
final class WireFaults extends ChannelInboundHandlerAdapter {

    private static final Logger log = LoggerFactory.getLogger(WireFaults.class);

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (!(cause instanceof CodecException)) {
            context.fireExceptionCaught(cause);
            return;
        }
        Throwable reason = cause.getCause() == null ? cause : cause.getCause();
        String leftOut = LogBudget.STRANGERS.take();
        if (leftOut != null) {
            log.info("{}: {}{}", context.channel().remoteAddress(), reason, leftOut);
        }
        context.fireExceptionCaught(new IOException(reason.getMessage(), reason));
    }
}
