package io.zipcomm.relay;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SelectStrategyFactory;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.ImmediateEventExecutor;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.net.InetSocketAddress;
import java.nio.channels.spi.SelectorProvider;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running relay: ranks of a session find each other here, and what they cannot send each other directly is forwarded.
 * It connects to nobody.
 *
 * <p>Any thread may call any method; {@link #start}, {@link #close} and {@link #awaitClosed} block, and must not be called
 * by the relay's own threads. These are daemon threads.
 */
@SuppressWarnings("FutureReturnValueIgnored") // see the package's description
public final class RelayServer implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(RelayServer.class);

    private static final int ACCEPT_QUEUE = 1024;
    private static final long CLOSE_TIMEOUT_MS = 5000;

    /** What the socket of a data connection is given beyond what it takes at once. The rest waits in its outlet. */
    private static final WriteBufferWaterMark WRITE_BYTES = new WriteBufferWaterMark(64 << 10, 128 << 10);

    private final RelaySettings settings;
    private final Counters counters = new Counters();
    private final Admission admission;

    /** Null without TLS. */
    private final RelayCertificates certificates;

    private final List<Shard> shards = new ArrayList<>();
    private final MultiThreadIoEventLoopGroup loops;
    private final Channel listener;

    /** The listener and all connections. Once closed, it closes what is added. */
    private final ChannelGroup channels = new DefaultChannelGroup(ImmediateEventExecutor.INSTANCE, true);

    private final AtomicBoolean closing = new AtomicBoolean();

    private RelayServer(RelaySettings settings) {
        this.settings = settings;
        admission = new Admission(settings);
        certificates = settings.door().tlsCert().isPresent() ? new RelayCertificates(settings.door()) : null;
        boolean epoll = useEpoll(settings.io());
        loops = new MultiThreadIoEventLoopGroup(
                settings.threads(), new DefaultThreadFactory("zip-relay", true), ioHandler(epoll));
        ByteBufAllocator allocator = PooledByteBufAllocator.DEFAULT;
        AtomicInteger epochs = new AtomicInteger();
        for (EventExecutor loop : loops) {
            Shard shard = new Shard((EventLoop) loop, settings, counters, epochs, allocator);
            shards.add(shard);
            shard.start();
        }
        listener = listen(epoll, allocator);
    }

    /**
     * Starts a relay. When this returns it accepts connections.
     *
     * @param settings where and how
     * @return a running relay; the caller closes it
     * @throws ZipException with code BAD_SETTING if the address cannot be listened on
     */
    public static RelayServer start(RelaySettings settings) {
        RelayServer relay = new RelayServer(settings);
        log.info(
                "relay listens on {}, {}{}",
                relay.address(),
                relay.listener.getClass().getSimpleName(),
                settings.secret().isPresent() ? "" : ", insecure: everybody is admitted");
        return relay;
    }

    private static boolean useEpoll(RelaySettings.IoChoice choice) {
        return switch (choice) {
            case NIO -> false;
            case AUTO -> Epoll.isAvailable();
            case EPOLL -> {
                if (!Epoll.isAvailable()) {
                    throw new ZipException(
                            ErrorCode.BAD_SETTING,
                            "relay option io is epoll, which is not available here: " + Epoll.unavailabilityCause());
                }
                yield true;
            }
        };
    }

    private IoHandlerFactory ioHandler(boolean epoll) {
        long spinNs = settings.spinTime().toNanos();
        if (spinNs == 0) {
            return epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
        }
        SelectStrategyFactory spin = () -> new SpinStrategy(spinNs);
        return epoll ? EpollIoHandler.newFactory(0, spin) : NioIoHandler.newFactory(SelectorProvider.provider(), spin);
    }

    private Channel listen(boolean epoll, ByteBufAllocator allocator) {
        Class<? extends ServerSocketChannel> type =
                epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
        ChannelFuture bound = new ServerBootstrap()
                .group(loops)
                .channel(type)
                .option(ChannelOption.SO_BACKLOG, ACCEPT_QUEUE)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.ALLOCATOR, allocator)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WRITE_BYTES)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accepted(channel);
                    }
                })
                .bind(settings.listen())
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            close();
            throw new ZipException(
                    ErrorCode.BAD_SETTING,
                    "relay cannot listen on " + settings.listen() + ": "
                            + bound.cause().getMessage(),
                    bound.cause());
        }
        channels.add(bound.channel());
        return bound.channel();
    }

    private void accepted(Channel channel) {
        boolean admitted = Counters.takeOne(counters.connections, settings.connectionsMax());
        if (admitted) {
            channel.closeFuture().addListener(closed -> counters.connections.decrementAndGet());
        }
        channels.add(channel);
        Handshake handshake = new Handshake(settings, counters, admission, this::shardOf, !admitted);
        channel.pipeline().addLast(new FirstBytes(settings, certificates, handshake::refuse, false), handshake);
    }

    private Shard shardOf(String session) {
        return shards.get(Math.floorMod(session.hashCode(), shards.size()));
    }

    /** Where the relay listens: the port is the one it was given, or found free. */
    public InetSocketAddress address() {
        return (InetSocketAddress) listener.localAddress();
    }

    /**
     * Reads the files of the certificate, its key and the authorities of ranks again; connections that come from now on get
     * what is in them, and others stay as they are. Nothing happens to a relay without TLS. Changed files are also found
     * without this, within ten seconds, when somebody connects.
     *
     * @throws ZipException with code BAD_SETTING if a file cannot be used; then everything stays as it was
     */
    public void reloadCertificates() {
        if (certificates != null) {
            certificates.reload();
        }
    }

    /** What the relay has done and holds now. */
    public RelayStats stats() {
        return counters.stats();
    }

    /** Blocks until the relay is closed. */
    public void awaitClosed() throws InterruptedException {
        loops.terminationFuture().await();
    }

    /** Ends all connections and threads. Ranks see that the relay is lost. Further calls wait for the first. */
    @Override
    public void close() {
        if (closing.compareAndSet(false, true)) {
            List<Future<?>> dropped = new ArrayList<>();
            for (Shard shard : shards) {
                dropped.add(shard.loop().submit(shard::close));
            }
            dropped.forEach(session -> session.awaitUninterruptibly(CLOSE_TIMEOUT_MS));
            // Not left to the event loops: one that is busy when it is told to end may end with channels open.
            channels.close().awaitUninterruptibly(CLOSE_TIMEOUT_MS);
            loops.shutdownGracefully(0, CLOSE_TIMEOUT_MS, TimeUnit.MILLISECONDS);
        }
        loops.terminationFuture().awaitUninterruptibly(2 * CLOSE_TIMEOUT_MS);
    }
}
