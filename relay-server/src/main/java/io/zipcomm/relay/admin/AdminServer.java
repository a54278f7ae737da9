package io.zipcomm.relay.admin;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.relay.RelayServer;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers an operator over HTTP, on an address of its own. {@link #start} and {@link #close} block; any thread may call them.
 *
 * <p>A slow or hostile client costs one connection of few, and that for a few seconds; above that the oldest one makes room.
 */
@SuppressWarnings("FutureReturnValueIgnored") // see the package's description
public final class AdminServer implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(AdminServer.class);

    private static final int CONNECTIONS_MAX = 64;
    private static final long CONNECTION_MS_MAX = 10_000;
    private static final int LINE_BYTES_MAX = 1024;
    private static final int HEADERS_BYTES_MAX = 8192;
    private static final int BODY_BYTES_MAX = 1024;
    private static final long CLOSE_TIMEOUT_MS = 2000;

    private final MultiThreadIoEventLoopGroup loop = new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("zip-relay-admin", true), NioIoHandler.newFactory());
    private final Channel listener;
    private final RelayMetrics metrics;

    /** Open connections, the oldest first. The loop's thread only. */
    private final Deque<Channel> open = new ArrayDeque<>();

    private AdminServer(RelayServer relay, InetSocketAddress address, AdminActions actions) {
        metrics = new RelayMetrics(relay);
        Answers answers = new Answers(relay, metrics, actions, loop.next());
        ChannelFuture bound = new ServerBootstrap()
                .group(loop)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accepted(channel, answers);
                    }
                })
                .bind(address)
                .awaitUninterruptibly();
        listener = bound.channel();
        if (!bound.isSuccess()) {
            close();
            throw new ZipException(
                    ErrorCode.BAD_SETTING,
                    "admin cannot listen on " + address + ": " + bound.cause().getMessage(),
                    bound.cause());
        }
    }

    /**
     * Starts to answer.
     *
     * @param relay   about which
     * @param address where to listen; port 0 takes a free one
     * @param actions done when asked for
     * @return a running server; the caller closes it, before the relay or after
     * @throws ZipException with code BAD_SETTING if the address cannot be listened on
     */
    public static AdminServer start(RelayServer relay, InetSocketAddress address, AdminActions actions) {
        AdminServer server = new AdminServer(relay, address, actions);
        log.atInfo().addKeyValue("address", server.address()).log("admin listens");
        return server;
    }

    private void accepted(Channel channel, Answers answers) {
        if (open.size() >= CONNECTIONS_MAX) {
            open.peek().close();
        }
        open.add(channel);
        var deadline = channel.eventLoop().schedule(() -> channel.close(), CONNECTION_MS_MAX, TimeUnit.MILLISECONDS);
        channel.closeFuture().addListener(closed -> {
            deadline.cancel(false);
            open.remove(channel);
        });
        channel.pipeline()
                .addLast(new HttpServerCodec(new HttpDecoderConfig()
                        .setMaxInitialLineLength(LINE_BYTES_MAX)
                        .setMaxHeaderSize(HEADERS_BYTES_MAX)))
                .addLast(new HttpObjectAggregator(BODY_BYTES_MAX, true))
                .addLast(answers);
    }

    /** Where it listens: the port is the one it was given, or found free. */
    public InetSocketAddress address() {
        return (InetSocketAddress) listener.localAddress();
    }

    /** Ends all connections and the thread. */
    @Override
    public void close() {
        loop.shutdownGracefully(0, CLOSE_TIMEOUT_MS, TimeUnit.MILLISECONDS).awaitUninterruptibly(2 * CLOSE_TIMEOUT_MS);
        metrics.close();
    }
}
