package io.zipcomm.relay;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.ssl.SslHandler;
import io.zipcomm.error.ErrorCode;

/**
 * Tells by its first byte what a connection speaks, puts what unwraps it in its own place in front of the {@link Handshake},
 * and is gone: TLS, in which the first byte decides again, HTTP, or nothing. No memory is spent on a connection that has said
 * nothing.
 */
final class FirstBytes extends ChannelInboundHandlerAdapter {

    /** First byte of every TLS connection. */
    private static final int TLS_HANDSHAKE = 0x16;

    private static final int REQUEST_LINE_BYTES_MAX = 2 << 10;
    private static final int HEADER_BYTES_MAX = 8 << 10;
    private static final int CHUNK_BYTES_MAX = 1 << 10;
    private static final int BODY_BYTES_MAX = 1 << 10;

    private final RelayState state;
    private final RelayCertificates certificates;
    private final Handshake handshake;
    private final boolean inTls;

    /**
     * Made for each connection, and once more for what is in its TLS.
     *
     * @param certificates null without TLS
     * @param handshake    of the connection, which can refuse it
     */
    FirstBytes(RelayState state, RelayCertificates certificates, Handshake handshake, boolean inTls) {
        this.inTls = inTls;
        this.state = state;
        this.certificates = certificates;
        this.handshake = handshake;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf in = (ByteBuf) message;
        if (!in.isReadable()) {
            in.release();
            return;
        }
        RelaySettings settings = state.settings();
        int first = in.getUnsignedByte(in.readerIndex());
        if (first == TLS_HANDSHAKE && certificates != null && !inTls) {
            SslHandler tls = new TlsRecords(certificates.context().newEngine(context.alloc()));
            tls.setHandshakeTimeoutMillis(settings.handshakeTimeout().toMillis());
            putBehind(context, tls, new FirstBytes(state, certificates, handshake, true), new WireFaults());
        } else if (isHttp(first)) {
            boolean tlsMissing = settings.door().tlsRequired() && !inTls;
            putBehind(
                    context,
                    new HttpServerCodec(REQUEST_LINE_BYTES_MAX, HEADER_BYTES_MAX, CHUNK_BYTES_MAX),
                    new HttpObjectAggregator(BODY_BYTES_MAX, true),
                    new HttpDoor(state, handshake, tlsMissing),
                    new WireFaults());
        } else if (settings.door().tlsRequired() && !inTls) {
            in.release();
            handshake.turnDown(
                    new Refusal(ErrorCode.BAD_SETTING, "this relay wants TLS: an address with zips:// or wss://"));
            return;
        }
        context.pipeline().remove(this);
        context.fireChannelRead(in);
    }

    private static void putBehind(ChannelHandlerContext context, ChannelHandler... handlers) {
        for (int i = handlers.length - 1; i >= 0; i--) {
            context.pipeline().addAfter(context.name(), null, handlers[i]);
        }
    }

    /** GET and HEAD; no frame begins like that. */
    private static boolean isHttp(int first) {
        return first == 'G' || first == 'H';
    }
}
