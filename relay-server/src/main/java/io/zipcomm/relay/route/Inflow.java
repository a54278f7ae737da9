package io.zipcomm.relay.route;

import io.netty.channel.Channel;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * How fast one data connection is read. Above a limit it is not read for a while, which its sender meets as back pressure;
 * nothing is dropped. One timer at most. Event loop only.
 */
@SuppressWarnings("FutureReturnValueIgnored") // see the package's description
final class Inflow {

    /** Timers are no finer than this. */
    private static final long PAUSE_NS_MIN = TimeUnit.MILLISECONDS.toNanos(1);

    /** A connection under a rate that is told low looks again after this, since the rate may have been raised. */
    private static final long PAUSE_NS_MAX = TimeUnit.SECONDS.toNanos(1);

    private final Channel channel;
    private final Exchange exchange;
    private final DataConnection.Owner owner;
    private final RateLimit own;
    private final RateLimit shared;

    /** Waits for a rate; null if it does not. */
    private Future<?> timer;

    /** Waits until less waits for the ranks of the group. */
    private boolean forMemory;

    private boolean ended;

    Inflow(Channel channel, Exchange exchange, DataConnection.Owner owner, RateLimit own, RateLimit shared) {
        this.channel = channel;
        this.exchange = exchange;
        this.owner = owner;
        this.own = own;
        this.shared = shared;
    }

    /** Counts what was read, and pauses reading if that was too much. */
    void read(int bytes, Switchboard board) {
        if (own.isLimited() || shared.isLimited()) {
            long nowNs = exchange.nanoTime();
            long ownWaitNs = own.take(bytes, nowNs);
            long sharedWaitNs = shared.take(bytes, nowNs);
            if (timer == null && (ownWaitNs > 0 || sharedWaitNs > 0)) {
                owner.limitReached(ownWaitNs >= sharedWaitNs ? ForwardLimit.RANK_RATE : ForwardLimit.GROUP_RATE);
                waitFor(Math.max(ownWaitNs, sharedWaitNs));
            }
        }
        if (board != null && !forMemory && board.isFull()) {
            forMemory = true;
            owner.limitReached(ForwardLimit.SESSION_MEMORY);
            board.pause(this);
        }
        if (timer != null || forMemory) {
            channel.config().setAutoRead(false);
        }
    }

    private void waitFor(long waitNs) {
        long pauseNs = Math.max(PAUSE_NS_MIN, Math.min(PAUSE_NS_MAX, waitNs));
        timer = channel.eventLoop().schedule(this::timePassed, pauseNs, TimeUnit.NANOSECONDS);
    }

    private void timePassed() {
        timer = null;
        if (ended) {
            return;
        }
        long nowNs = exchange.nanoTime();
        long waitNs = Math.max(own.waitNs(nowNs), shared.waitNs(nowNs));
        if (waitNs > 0) {
            waitFor(waitNs);
        } else {
            resume();
        }
    }

    /** Less waits for the ranks of the group. */
    void memoryFreed() {
        forMemory = false;
        resume();
    }

    private void resume() {
        if (!ended && timer == null && !forMemory) {
            channel.config().setAutoRead(true);
        }
    }

    void end() {
        ended = true;
        if (timer != null) {
            timer.cancel(false);
        }
    }
}
