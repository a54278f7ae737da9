package io.zipcomm.relay;

import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.WriteBufferWaterMark;
import io.zipcomm.relay.route.Reading;
import io.zipcomm.simulation.Host;
import io.zipcomm.simulation.StreamEnd;
import java.util.concurrent.atomic.AtomicInteger;

/** The relay as it is, from the first bytes of a connection on, over simulated connections and in virtual time. */
@SuppressWarnings("FutureReturnValueIgnored") // see the description of the package
public final class SimulatedRelay {

    /** As {@link RelayServer} has it. */
    private static final WriteBufferWaterMark WRITE_BYTES = new WriteBufferWaterMark(64 << 10, 128 << 10);

    private final Host host;
    private final PooledByteBufAllocator allocator;
    private final RelayState state;
    private final SimulatedLoop loop;
    private final Shard shard;
    private final int port;
    private boolean stopped;

    /**
     * Starts a relay.
     *
     * @param host      where
     * @param port      where it listens
     * @param settings  its options
     * @param allocator of all its memory
     */
    public SimulatedRelay(Host host, int port, RelaySettings settings, PooledByteBufAllocator allocator) {
        this.host = host;
        this.port = port;
        this.allocator = allocator;
        state = new RelayState(settings);
        loop = new SimulatedLoop(host);
        shard = new Shard(loop, state, new AtomicInteger(), allocator);
        shard.start();
        host.listen(port, this::accepted);
    }

    private void accepted(StreamEnd end) {
        host.whenRunning(() -> loop.run(() -> open(end)));
    }

    /** As {@link RelayServer} does it. */
    private void open(StreamEnd end) {
        SimulatedChannel channel = new SimulatedChannel(loop, end);
        channel.config().setAllocator(allocator);
        channel.config().setWriteBufferWaterMark(WRITE_BYTES);
        channel.config().setRecvByteBufAllocator(new Reading());
        Gate.Pass pass =
                state.gate().enter(end.remote().getAddress(), host.time().nowNs());
        channel.closeFuture().addListener(closed -> pass.left());
        Handshake handshake = new Handshake(state, name -> shard, pass);
        pass.whenEnded(() -> channel.eventLoop().execute(handshake::makeRoom));
        channel.pipeline().addLast(new FirstBytes(state, null, handshake, false), handshake);
        channel.attend(host::whenRunning);
        loop.register(channel);
    }

    /** Whether {@link #stop} was called. */
    public boolean isStopped() {
        return stopped;
    }

    /** What it has done and holds now. */
    public RelayStats stats() {
        return state.counters().stats(false);
    }

    /** Ends it without a word to anybody, as when its process is killed. Its host's connections are not closed by this. */
    public void stop() {
        stopped = true;
        host.unlisten(port);
        shard.close();
        loop.stop();
    }
}
