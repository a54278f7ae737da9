package io.zipcomm.relay;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.CodecException;
import java.io.IOException;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is wrong with the TLS, HTTP or WebSocket of a connection is the other end's fault, like a connection that breaks. */
final class WireFaults extends ChannelInboundHandlerAdapter {

    private static final Pattern CONTROL_CHARACTERS = Pattern.compile("\\p{Cntrl}");

    private static final Logger log = LoggerFactory.getLogger(WireFaults.class);

    /** Some libraries put into a text all that the other end sent. */
    private static final int TEXT_CHARS_MAX = 200;

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (!(cause instanceof CodecException)) {
            context.fireExceptionCaught(cause);
            return;
        }
        Throwable reason = cause.getCause() == null ? cause : cause.getCause();
        String text = text(reason);
        String leftOut = LogBudget.STRANGERS.take();
        if (leftOut != null) {
            log.info("{}: {}{}", context.channel().remoteAddress(), text, leftOut);
        }
        context.fireExceptionCaught(new IOException(text, reason));
    }

    /** What kind of fault it is, and the beginning of what there is to say of it, in one line. */
    private static String text(Throwable reason) {
        String kind = reason.getClass().getSimpleName();
        String message = reason.getMessage();
        if (message == null) {
            return kind;
        }
        boolean isLong = message.length() > TEXT_CHARS_MAX;
        String shown = isLong ? message.substring(0, TEXT_CHARS_MAX) + "..." : message;
        return kind + ": " + CONTROL_CHARACTERS.matcher(shown).replaceAll("?");
    }
}
