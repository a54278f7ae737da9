package io.zipcomm.relay;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.websocketx.WebSocket13FrameDecoder;
import io.netty.handler.codec.http.websocketx.WebSocketDecoderConfig;
import io.zipcomm.relay.route.Unwrapper;
import java.util.List;
import java.util.function.Consumer;

/**
 * Cuts what comes into the frames of a WebSocket, and keeps a frame until the whole of it is there. Of a stranger's it keeps no
 * more than the first message may need.
 */
final class WebSocketFrames extends WebSocket13FrameDecoder implements Unwrapper {

    /** A frame's header, and a word or two behind the first message. */
    private static final int SLACK_BYTES = 1 << 10;

    private final int firstBytesMax;
    private final Consumer<Refusal> refuse;
    private boolean isKnown;
    private boolean isReading;

    /** Nothing that comes is of use any more. */
    private boolean isDeaf;

    /**
     * For one connection.
     *
     * @param config        of frames from ranks
     * @param firstBytesMax longest first message
     * @param refuse        ends the connection, if nothing has been decided
     */
    WebSocketFrames(WebSocketDecoderConfig config, int firstBytesMax, Consumer<Refusal> refuse) {
        super(config);
        this.firstBytesMax = firstBytesMax;
        this.refuse = refuse;
    }

    @Override
    public long keptBytes() {
        return internalBuffer().capacity();
    }

    @Override
    public void known() {
        isKnown = true;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        isReading = true;
        try {
            super.channelRead(context, message);
        } finally {
            isReading = false;
        }
        if (!isKnown && !isDeaf && actualReadableBytes() > firstBytesMax + SLACK_BYTES) {
            refuse.accept(Refusal.limit(
                    RelayOption.CONTROL_BYTES_MAX,
                    "first message of " + actualReadableBytes()
                            + " bytes and more in one frame of a WebSocket, the limit is " + firstBytesMax));
        }
    }

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) throws Exception {
        if (isDeaf) {
            in.skipBytes(in.readableBytes());
        } else {
            super.decode(context, in, out);
        }
    }

    /** The connection is to end: if much of a frame is here, gives the memory back and hears nothing any more. */
    void end(ChannelHandlerContext context) {
        if (actualReadableBytes() > SLACK_BYTES) {
            forget(context);
        }
    }

    private void forget(ChannelHandlerContext context) {
        isDeaf = true;
        if (isReading) {
            // Who reads skips the rest.
            return;
        }
        try {
            // The base class lets go of what it keeps when it has read and nothing is left.
            super.channelRead(context, Unpooled.EMPTY_BUFFER);
        } catch (Exception e) {
            context.fireExceptionCaught(e);
        }
    }
}
