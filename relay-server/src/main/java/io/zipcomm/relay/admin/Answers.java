package io.zipcomm.relay.admin;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.CodecException;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.zipcomm.error.ZipException;
import io.zipcomm.relay.RelayOption;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.SessionView;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One answer to each connection. The thread of the admin server only. */
@Sharable
@SuppressWarnings("FutureReturnValueIgnored") // see the package's description
final class Answers extends SimpleChannelInboundHandler<FullHttpRequest> {

    private static final Logger log = LoggerFactory.getLogger(Answers.class);

    private static final String TEXT = "text/plain; charset=utf-8";
    private static final String METRICS = "text/plain; version=0.0.4; charset=utf-8";
    private static final String JSON = "application/json";

    /** How long the relay's threads may take for what was asked of them. */
    private static final long RELAY_MS_MAX = 2000;

    /** Sessions are looked at no more often. */
    private static final long VIEWS_NS = TimeUnit.MILLISECONDS.toNanos(500);

    private final RelayServer relay;
    private final RelayMetrics metrics;
    private final AdminActions actions;
    private final EventLoop loop;

    private CompletableFuture<List<SessionView>> views;
    private long viewedNs;

    Answers(RelayServer relay, RelayMetrics metrics, AdminActions actions, EventLoop loop) {
        this.relay = relay;
        this.metrics = metrics;
        this.actions = actions;
        this.loop = loop;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
        if (request.decoderResult().isFailure()) {
            say(context, HttpResponseStatus.BAD_REQUEST, "this is no HTTP request\n");
            return;
        }
        String path = request.uri().replaceFirst("[?#].*", "");
        HttpMethod wanted = switch (path) {
            case "/health", "/ready", "/metrics", "/sessions" -> HttpMethod.GET;
            case "/drain", "/reload" -> HttpMethod.POST;
            default -> null;
        };
        if (wanted == null) {
            say(
                    context,
                    HttpResponseStatus.NOT_FOUND,
                    "there are GET /health, /ready, /metrics, /sessions and POST /drain, /reload\n");
        } else if (!request.method().equals(wanted)) {
            say(context, HttpResponseStatus.METHOD_NOT_ALLOWED, "expected " + wanted + "\n");
        } else if (wanted.equals(HttpMethod.POST) && !mayCommand(context, request)) {
            say(
                    context,
                    HttpResponseStatus.FORBIDDEN,
                    "commands are taken from this machine only, and not from web pages\n");
        } else {
            answer(context, path);
        }
    }

    /** From this machine, and not by a browser: a page from anywhere may make that send a POST to a loopback address. */
    private static boolean mayCommand(ChannelHandlerContext context, FullHttpRequest request) {
        InetSocketAddress remote = (InetSocketAddress) context.channel().remoteAddress();
        return remote.getAddress().isLoopbackAddress()
                && !request.headers().contains(HttpHeaderNames.ORIGIN)
                && !request.headers().contains("Sec-Fetch-Site");
    }

    private void answer(ChannelHandlerContext context, String path) {
        switch (path) {
            case "/health" ->
                relay.ping()
                        .orTimeout(RELAY_MS_MAX, TimeUnit.MILLISECONDS)
                        .whenCompleteAsync((done, problem) -> health(context, problem), loop);
            case "/ready" -> ready(context);
            case "/metrics" -> say(context, HttpResponseStatus.OK, METRICS, metrics.scrape());
            case "/sessions" -> views().whenCompleteAsync((seen, problem) -> sessions(context, seen, problem), loop);
            case "/drain" -> {
                actions.drain();
                say(context, HttpResponseStatus.ACCEPTED, "draining\n");
            }
            case "/reload" -> reload(context);
            default -> throw new IllegalStateException(path);
        }
    }

    private static void health(ChannelHandlerContext context, Throwable problem) {
        if (problem == null) {
            say(context, HttpResponseStatus.OK, "ok\n");
        } else {
            say(
                    context,
                    HttpResponseStatus.SERVICE_UNAVAILABLE,
                    "a thread of the relay does not answer within " + RELAY_MS_MAX + " ms, or has ended\n");
        }
    }

    private void ready(ChannelHandlerContext context) {
        if (relay.stats().draining()) {
            say(context, HttpResponseStatus.SERVICE_UNAVAILABLE, "draining\n");
        } else {
            say(context, HttpResponseStatus.OK, "ready\n");
        }
    }

    /** Shared by those who ask within a short time: looking costs the relay's threads something. */
    private CompletableFuture<List<SessionView>> views() {
        long nowNs = System.nanoTime();
        if (views == null || nowNs - viewedNs > VIEWS_NS) {
            viewedNs = nowNs;
            views = relay.sessions().orTimeout(RELAY_MS_MAX, TimeUnit.MILLISECONDS);
        }
        return views;
    }

    private void sessions(ChannelHandlerContext context, List<SessionView> seen, Throwable problem) {
        if (problem == null) {
            say(context, HttpResponseStatus.OK, JSON, SessionsJson.of(relay.stats(), seen));
        } else {
            health(context, problem);
        }
    }

    private void reload(ChannelHandlerContext context) {
        try {
            Set<RelayOption> leftOut = actions.reload();
            String rest = leftOut.isEmpty() ? "" : "; a restart is needed for " + RelayOption.keys(leftOut);
            say(context, HttpResponseStatus.OK, "reloaded" + rest + "\n");
        } catch (ZipException e) {
            say(context, HttpResponseStatus.UNPROCESSABLE_ENTITY, "nothing is changed: " + e.getMessage() + "\n");
        }
    }

    private static void say(ChannelHandlerContext context, HttpResponseStatus status, String text) {
        say(context, status, TEXT, text);
    }

    private static void say(ChannelHandlerContext context, HttpResponseStatus status, String type, String text) {
        var response = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1, status, Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.UTF_8)));
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, type)
                .set(HttpHeaderNames.CONTENT_LENGTH, response.content().readableBytes())
                .set(HttpHeaderNames.CONNECTION, "close");
        context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (cause instanceof IOException || cause instanceof CodecException) {
            log.debug("admin request from {} failed: {}", context.channel().remoteAddress(), cause.toString());
        } else {
            log.error("defect in the admin server", cause);
        }
        context.close();
    }
}
