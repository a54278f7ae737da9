package io.zipcomm.relay;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.websocketx.WebSocketDecoderConfig;
import io.netty.handler.codec.http.websocketx.WebSocketFrameDecoder;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshaker;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshaker13;
import io.zipcomm.wire.Frame;
import java.nio.charset.StandardCharsets;

/**
 * A connection that speaks HTTP: opens the WebSocket, or answers one question, such as a platform's whether the relay is
 * well, and ends.
 */
@SuppressWarnings("FutureReturnValueIgnored") // see the package's description
final class HttpDoor extends SimpleChannelInboundHandler<FullHttpRequest> {

    /** Longest WebSocket frame. Ranks send no longer ones. */
    static final int FRAME_BYTES_MAX = 64 << 10;

    private static final String VERSION = "13";

    private static final WebSocketDecoderConfig FRAMES = WebSocketDecoderConfig.newBuilder()
            .maxFramePayloadLength(FRAME_BYTES_MAX)
            .expectMaskedFrames(true)
            .allowMaskMismatch(false)
            .allowExtensions(false)
            .withUTF8Validator(false)
            .closeOnProtocolViolation(false)
            .build();

    private final RelayState state;
    private final Handshake handshake;
    private final String path;
    private final boolean tlsMissing;
    private boolean answered;

    /**
     * For one connection.
     *
     * @param handshake  of the connection, which can refuse it
     * @param tlsMissing whether there should be TLS around it: then no WebSocket is
     */
    HttpDoor(RelayState state, Handshake handshake, boolean tlsMissing) {
        this.state = state;
        this.handshake = handshake;
        path = state.settings().door().webSocketPath();
        this.tlsMissing = tlsMissing;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
        if (answered) {
            return;
        }
        if (!request.decoderResult().isSuccess()) {
            answer(context, HttpResponseStatus.BAD_REQUEST, "not a request");
            return;
        }
        String asked = request.uri().split("\\?", 2)[0];
        boolean upgrade = request.headers().containsValue(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET, true);
        if (upgrade && asked.equals(path)) {
            if (tlsMissing) {
                answer(context, HttpResponseStatus.FORBIDDEN, "this relay wants TLS: wss");
            } else {
                open(context, request);
            }
        } else if (!request.method().equals(HttpMethod.GET) && !request.method().equals(HttpMethod.HEAD)) {
            answer(context, HttpResponseStatus.METHOD_NOT_ALLOWED, "GET only");
        } else if (asked.equals("/") || asked.equals("/health")) {
            answer(context, HttpResponseStatus.OK, "ok");
        } else if (asked.equals(path)) {
            answer(context, HttpResponseStatus.UPGRADE_REQUIRED, "a WebSocket is opened here");
        } else {
            answer(context, HttpResponseStatus.NOT_FOUND, "nothing is here");
        }
    }

    private void open(ChannelHandlerContext context, FullHttpRequest request) {
        String version = request.headers().get(HttpHeaderNames.SEC_WEBSOCKET_VERSION, "");
        if (!version.equals(VERSION) || !request.method().equals(HttpMethod.GET)) {
            answer(context, HttpResponseStatus.UPGRADE_REQUIRED, "WebSocket version 13 only");
            return;
        }
        try {
            // The answer is written when this returns; only then may frames be.
            handshaker().handshake(context.channel(), request);
        } catch (RuntimeException e) {
            answer(context, HttpResponseStatus.BAD_REQUEST, "not a WebSocket's handshake");
            return;
        }
        context.pipeline().replace(this, null, new WebSocketBytes(state));
    }

    private WebSocketServerHandshaker handshaker() {
        int firstBytesMax = Frame.HEADER_BYTES + state.settings().controlBytesMax();
        return new WebSocketServerHandshaker13(path, null, FRAMES) {
            @Override
            protected WebSocketFrameDecoder newWebsocketDecoder() {
                return new WebSocketFrames(decoderConfig(), firstBytesMax, handshake::turnDown);
            }
        };
    }

    private void answer(ChannelHandlerContext context, HttpResponseStatus status, String text) {
        byte[] body = (text + "\n").getBytes(StandardCharsets.US_ASCII);
        var response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, Unpooled.wrappedBuffer(body));
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, "text/plain")
                .set(HttpHeaderNames.CONTENT_LENGTH, body.length)
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        if (status.equals(HttpResponseStatus.UPGRADE_REQUIRED)) {
            response.headers()
                    .set(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET)
                    .set(HttpHeaderNames.SEC_WEBSOCKET_VERSION, VERSION);
        }
        answered = true;
        Farewell.answer(context.channel(), response);
    }
}
