package io.zipcomm.relay;

import io.netty.channel.SelectStrategy;
import io.netty.util.IntSupplier;
import io.netty.util.concurrent.Ticker;

/** Keeps an event loop awake for a while after its last work, so that what comes next finds it awake. */
final class SpinStrategy implements SelectStrategy {

    private final long spinNs;
    private final Ticker ticker = Ticker.systemTicker();
    private long workedNs = ticker.nanoTime();
    private boolean slept;

    SpinStrategy(long spinNs) {
        this.spinNs = spinNs;
    }

    @Override
    public int calculateStrategy(IntSupplier selectNow, boolean hasTasks) throws Exception {
        int due = selectNow.get();
        long nowNs = ticker.nanoTime();
        if (due > 0 || hasTasks || slept) {
            slept = false;
            workedNs = nowNs;
            return due > 0 || hasTasks ? due : CONTINUE;
        }
        if (nowNs - workedNs < spinNs) {
            return CONTINUE;
        }
        slept = true;
        return SELECT;
    }
}
