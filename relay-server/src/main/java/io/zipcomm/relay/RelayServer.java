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
import io.netty.channel.epoll.EpollChannelOption;
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
import io.netty.util.concurrent.Ticker;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.relay.route.Reading;
import java.net.InetSocketAddress;
import java.nio.channels.spi.SelectorProvider;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;
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

    // As ranks have it for their connections.
    private static final int KEEPALIVE_IDLE_S = 10;
    private static final int KEEPALIVE_INTERVAL_S = 3;
    private static final int KEEPALIVE_PROBES = 3;

    /** What the socket of a data connection is given beyond what it takes at once. The rest waits in its outlet. */
    private static final WriteBufferWaterMark WRITE_BYTES = new WriteBufferWaterMark(64 << 10, 128 << 10);

    /** How long connections that were told of their end may take for it when the relay has drained. */
    private static final long FAREWELL_MS = 2000;

    private static final long FAREWELL_LOOK_MS = 20;

    private final RelayState state;
    private final Ticker ticker = Ticker.systemTicker();

    /** Null without TLS. */
    private final RelayCertificates certificates;

    private final List<Shard> shards = new ArrayList<>();
    private final MultiThreadIoEventLoopGroup loops;
    private final Channel listener;

    /** The listener and all connections. Once closed, it closes what is added. */
    private final ChannelGroup channels = new DefaultChannelGroup(ImmediateEventExecutor.INSTANCE, true);

    /** Held by who reloads. */
    private final Object reloading = new Object();

    private final AtomicBoolean closing = new AtomicBoolean();

    private RelayServer(RelaySettings settings) {
        state = new RelayState(settings);
        certificates = settings.door().tlsCert().isPresent() ? new RelayCertificates(settings.door()) : null;
        boolean epoll = useEpoll(settings.io());
        loops = new MultiThreadIoEventLoopGroup(
                settings.threads(), new DefaultThreadFactory("zip-relay", true), ioHandler(settings, epoll));
        ByteBufAllocator allocator = PooledByteBufAllocator.DEFAULT;
        AtomicInteger epochs = new AtomicInteger();
        for (EventExecutor loop : loops) {
            Shard shard = new Shard((EventLoop) loop, state, epochs, allocator);
            shards.add(shard);
            shard.start();
        }
        listener = listen(settings, epoll, allocator);
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
                settings.keys().isPresent() ? "" : ", insecure: everybody is admitted");
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

    private static IoHandlerFactory ioHandler(RelaySettings settings, boolean epoll) {
        long spinNs = settings.spinTime().toNanos();
        if (spinNs == 0) {
            return epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
        }
        SelectStrategyFactory spin = () -> new SpinStrategy(spinNs);
        return epoll ? EpollIoHandler.newFactory(0, spin) : NioIoHandler.newFactory(SelectorProvider.provider(), spin);
    }

    private Channel listen(RelaySettings settings, boolean epoll, ByteBufAllocator allocator) {
        Class<? extends ServerSocketChannel> type =
                epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
        ServerBootstrap server = new ServerBootstrap();
        if (epoll) {
            // For ranks that answer no PING: what is in between must not forget them, nor the system wait for hours.
            server.childOption(EpollChannelOption.TCP_KEEPIDLE, KEEPALIVE_IDLE_S)
                    .childOption(EpollChannelOption.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S)
                    .childOption(EpollChannelOption.TCP_KEEPCNT, KEEPALIVE_PROBES);
        }
        ChannelFuture bound = server.group(loops)
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
                            + bound.cause().getMessage() + "; another address: option listen",
                    bound.cause());
        }
        channels.add(bound.channel());
        return bound.channel();
    }

    private void accepted(Channel channel) {
        if (!(channel.remoteAddress() instanceof InetSocketAddress remote)) {
            // It was gone before it was here.
            channel.close();
            return;
        }
        Gate.Pass pass = state.gate().enter(remote.getAddress(), ticker.nanoTime());
        channel.closeFuture().addListener(closed -> pass.left());
        channels.add(channel);
        // Of its own, since a data connection has it read more at a time.
        channel.config().setRecvByteBufAllocator(new Reading());
        Handshake handshake = new Handshake(state, this::shardOf, pass);
        pass.whenEnded(() -> channel.eventLoop().execute(handshake::makeRoom));
        channel.pipeline().addLast(new FirstBytes(state, certificates, handshake, false), handshake);
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
     * @throws ZipException with code BAD_SETTING if a file cannot be used, or the key is not the certificate's; then
     *     everything stays as it was
     */
    public void reloadCertificates() {
        synchronized (reloading) {
            if (certificates != null) {
                certificates.take(certificates.load());
            }
        }
    }

    /** What the relay has done and holds now. */
    public RelayStats stats() {
        return state.counters().stats(state.draining());
    }

    /** The settings, as they are after the last reload. */
    public RelaySettings settings() {
        return state.settings();
    }

    /** The sessions that there are. Completes on one of the relay's threads, or fails if it closes. */
    public CompletableFuture<List<SessionView>> sessions() {
        CompletableFuture<List<SessionView>> all = CompletableFuture.completedFuture(List.of());
        for (Shard shard : shards) {
            CompletableFuture<List<SessionView>> some;
            try {
                some = CompletableFuture.supplyAsync(shard::views, shard.loop());
            } catch (RejectedExecutionException e) {
                some = CompletableFuture.failedFuture(e);
            }
            all = all.thenCombine(some, (one, other) -> {
                List<SessionView> both = new ArrayList<>(one);
                both.addAll(other);
                return both;
            });
        }
        return all;
    }

    /** Done when every event loop has done what there was to do before. Fails if the relay closes. */
    public CompletableFuture<Void> ping() {
        try {
            return CompletableFuture.allOf(shards.stream()
                    .map(shard -> CompletableFuture.runAsync(() -> {}, shard.loop()))
                    .toArray(CompletableFuture<?>[]::new));
        } catch (RejectedExecutionException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /**
     * Has somebody told of times, from the relay's threads: it must not block.
     *
     * @param gatheringNs how long a group took to be complete, from its first rank on, in ns
     * @param sessionNs   how long a session lived, in ns
     */
    public void observe(LongConsumer gatheringNs, LongConsumer sessionNs) {
        state.counters().gatheringNs = gatheringNs;
        state.counters().sessionNs = sessionNs;
    }

    /**
     * Takes over keys, limits and times while sessions go on, and reads the files of certificates again. Tokens are checked
     * against the new keys from the next join on; rates change at once, other limits for what comes next. If anything is
     * wrong, everything stays as it was. One reload follows the other.
     *
     * @param fresh what {@link RelayOption#fixed} is in it does not count
     * @return of what does not count, what is other than it was when the relay started: it takes a restart. Mostly empty
     * @throws ZipException with code BAD_SETTING if one has keys and the other is insecure, or a certificate cannot be used
     */
    public Set<RelayOption> reload(RelaySettings fresh) {
        Set<RelayOption> leftOut;
        synchronized (reloading) {
            // All that can fail before the first change.
            state.checkReload(fresh);
            RelayCertificates.Loaded loaded = certificates == null ? null : certificates.load();
            leftOut = state.settings().restartFor(fresh);
            state.reload(fresh);
            if (loaded != null) {
                certificates.take(loaded);
            }
            for (Shard shard : shards) {
                shard.loop().execute(shard::reloaded);
            }
        }
        log.atInfo()
                .addKeyValue("keys", fresh.keys().map(RelayKeys::size).orElse(0))
                .log("keys and limits are reloaded");
        if (!leftOut.isEmpty()) {
            log.warn("these options have changed, and stay as they are until a restart: {}", RelayOption.keys(leftOut));
        }
        return leftOut;
    }

    /**
     * Takes no new sessions from now on. Ranks may still join those that gather, and all go on until they end.
     *
     * @return done when there is no session any more and the last ranks had time to hear so, or the relay is closed; also for
     *     further calls
     */
    public CompletableFuture<Void> drain() {
        if (!state.draining()) {
            state.drain();
            log.atInfo()
                    .addKeyValue("sessions", state.counters().sessions.get())
                    .log("relay drains");
        }
        ping().thenRun(state::checkDrained);
        return state.drained().thenCompose(none -> farewells());
    }

    /** Done when the last connections have ended, which is not waited for much longer than they may take. */
    private CompletableFuture<Void> farewells() {
        CompletableFuture<Void> over = new CompletableFuture<>();
        loops.terminationFuture().addListener(ended -> over.complete(null));
        lookForLast(over, ticker.nanoTime() + TimeUnit.MILLISECONDS.toNanos(FAREWELL_MS));
        return over;
    }

    private void lookForLast(CompletableFuture<Void> over, long deadlineNs) {
        if (state.counters().connections.get() == 0 || ticker.nanoTime() - deadlineNs > 0) {
            over.complete(null);
        } else if (!loops.isShuttingDown()) {
            loops.schedule(() -> lookForLast(over, deadlineNs), FAREWELL_LOOK_MS, TimeUnit.MILLISECONDS);
        }
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
            state.drained().complete(null);
            dropped.forEach(session -> session.awaitUninterruptibly(CLOSE_TIMEOUT_MS));
            // Not left to the event loops: one that is busy when it is told to end may end with channels open.
            channels.close().awaitUninterruptibly(CLOSE_TIMEOUT_MS);
            loops.shutdownGracefully(0, CLOSE_TIMEOUT_MS, TimeUnit.MILLISECONDS);
        }
        loops.terminationFuture().awaitUninterruptibly(2 * CLOSE_TIMEOUT_MS);
    }
}
