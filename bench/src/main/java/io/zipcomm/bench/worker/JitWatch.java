package io.zipcomm.bench.worker;

import java.util.function.LongSupplier;

/**
 * Watches whether the just-in-time compilers are done with what a group of processes runs: they have been idle for
 * {@link #QUIET_NS}, or {@link #LIMIT_NS} for each process have passed. Where the measuring threads spin on every core, each
 * takes a second or two. Pure arithmetic: the times come from outside.
 */
final class JitWatch {

    static final long QUIET_NS = 300_000_000;

    /** Less where a test sets it. */
    static final long LIMIT_NS = 1_000_000L * Long.getLong("zip.bench.warm-up-ms", 2500);

    /** A compiler this busy counts as idle: small methods come up for ever. */
    private static final double IDLE_SHARE = 0.05;

    private static final double NS_PER_MS = 1e6;

    private final LongSupplier nanoTime;
    private final LongSupplier compiledMs;
    private final int processes;
    private final long beganNs;
    private long lookedNs;
    private long lookedMs;

    /**
     * A watch that begins now.
     *
     * @param nanoTime   the time
     * @param compiledMs how long the compilers have worked so far, in milliseconds; asked at every look
     * @param processes  how many compilers these are
     */
    JitWatch(LongSupplier nanoTime, LongSupplier compiledMs, int processes) {
        this.nanoTime = nanoTime;
        this.compiledMs = compiledMs;
        this.processes = processes;
        beganNs = nanoTime.getAsLong();
        lookedNs = beganNs;
        lookedMs = 0;
    }

    /** Whether it has taken so long that it ends in any case. */
    boolean isOver() {
        return nanoTime.getAsLong() - beganNs >= processes * LIMIT_NS;
    }

    /** Whether it is done. To be asked now and then. */
    boolean isQuiet() {
        long nowNs = nanoTime.getAsLong();
        long nowMs = compiledMs.getAsLong();
        if (isOver()) {
            return true;
        }
        if (nowNs - lookedNs < QUIET_NS) {
            return false;
        }
        boolean quiet = (nowMs - lookedMs) * NS_PER_MS < IDLE_SHARE * (nowNs - lookedNs);
        lookedNs = nowNs;
        lookedMs = nowMs;
        return quiet;
    }
}
