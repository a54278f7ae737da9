package io.zipcomm.relay;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.AbstractScheduledEventExecutor;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Ticker;
import io.zipcomm.simulation.Host;
import io.zipcomm.simulation.VirtualTime;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;

/** An event loop without a thread, in virtual time: tasks run as events of the simulation. */
final class SimulatedLoop extends AbstractScheduledEventExecutor implements EventLoop {

    private final Host host;
    private final VirtualTime time;
    private final Ticker ticker;
    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
    private boolean drainDue;
    private boolean stopped;
    private long armedNs = Long.MAX_VALUE;

    SimulatedLoop(Host host) {
        this.host = host;
        time = host.time();
        ticker = time.ticker();
    }

    /** Does something as a part of this loop, and then what came of it. */
    void run(Runnable action) {
        if (stopped) {
            return;
        }
        action.run();
        drain();
    }

    private void drain() {
        drainDue = false;
        while (!stopped) {
            Runnable scheduled = pollScheduledTask(time.nowNs());
            while (scheduled != null) {
                tasks.add(scheduled);
                scheduled = pollScheduledTask(time.nowNs());
            }
            Runnable task = tasks.poll();
            if (task == null) {
                break;
            }
            task.run();
        }
        arm();
    }

    private void arm() {
        long dueNs = nextScheduledTaskDeadlineNanos();
        if (stopped || dueNs < 0) {
            return;
        }
        if (dueNs < armedNs) {
            armedNs = dueNs;
            time.at(dueNs, () -> {
                if (armedNs == dueNs) {
                    armedNs = Long.MAX_VALUE;
                }
                // Who stands still does not see that its time has come.
                host.whenRunning(this::drain);
            });
        }
    }

    /** Forgets all that there is to do. */
    void stop() {
        stopped = true;
        tasks.clear();
        cancelScheduledTasks();
    }

    @Override
    public void execute(Runnable task) {
        if (stopped) {
            return;
        }
        tasks.add(task);
        if (!drainDue) {
            drainDue = true;
            time.after(0, () -> host.whenRunning(this::drain));
        }
    }

    @Override
    public Ticker ticker() {
        return ticker;
    }

    @Override
    public boolean inEventLoop() {
        return true;
    }

    @Override
    public boolean inEventLoop(Thread thread) {
        return true;
    }

    @Override
    public EventLoopGroup parent() {
        return (EventLoopGroup) super.parent();
    }

    @Override
    public EventLoop next() {
        return (EventLoop) super.next();
    }

    @Override
    public ChannelFuture register(Channel channel) {
        return register(new DefaultChannelPromise(channel, this));
    }

    @Override
    public ChannelFuture register(ChannelPromise promise) {
        promise.channel().unsafe().register(this, promise);
        return promise;
    }

    @Override
    @Deprecated
    public ChannelFuture register(Channel channel, ChannelPromise promise) {
        channel.unsafe().register(this, promise);
        return promise;
    }

    @Override
    public Future<?> shutdownGracefully(long quietPeriod, long timeout, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Future<?> terminationFuture() {
        throw new UnsupportedOperationException();
    }

    @Override
    @Deprecated
    public void shutdown() {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean isShuttingDown() {
        return stopped;
    }

    @Override
    public boolean isShutdown() {
        return stopped;
    }

    @Override
    public boolean isTerminated() {
        return stopped;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return stopped;
    }
}
