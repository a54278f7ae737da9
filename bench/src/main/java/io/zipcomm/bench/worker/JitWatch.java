package io.zipcomm.bench.worker;

import java.util.function.LongSupplier;

/**
 * Watches whether the just-in-time compiler is done with what this process runs: it has been idle for {@link #QUIET_NS}, or
 * {@link #LIMIT_NS} have passed. Where the measuring threads spin on every core, it takes a second or two. Pure arithmetic:
 * the times come from outside.
 */
final class JitWatch {

    static final long QUIET_NS = 300_000_000;
    static final long LIMIT_NS = 3_000_000_000L;

    /** A compiler this busy counts as idle: small methods come up for ever. */
    private static final double IDLE_SHARE = 0.05;

    private static final double NS_PER_MS = 1e6;

    private final LongSupplier nanoTime;
    private final LongSupplier compiledMs;
    private final long beganNs;
    private long lookedNs;
    private long lookedMs;

    /**
     * A watch that begins now.
     *
     * @param nanoTime   the time
     * @param compiledMs how long the compiler has worked so far, in milliseconds
     */
    JitWatch(LongSupplier nanoTime, LongSupplier compiledMs) {
        this.nanoTime = nanoTime;
        this.compiledMs = compiledMs;
        beganNs = nanoTime.getAsLong();
        lookedNs = beganNs;
        lookedMs = compiledMs.getAsLong();
    }

    /** Whether it is done. To be asked now and then. */
    boolean isQuiet() {
        long nowNs = nanoTime.getAsLong();
        if (nowNs - beganNs >= LIMIT_NS) {
            return true;
        }
        if (nowNs - lookedNs < QUIET_NS) {
            return false;
        }
        long nowMs = compiledMs.getAsLong();
        boolean quiet = (nowMs - lookedMs) * NS_PER_MS < IDLE_SHARE * (nowNs - lookedNs);
        lookedNs = nowNs;
        lookedMs = nowMs;
        return quiet;
    }
}
