package io.zipcomm.internal;

import io.zipcomm.settings.ZipSettings;

/**
 * How a driving thread waits when there is nothing to do. With a core for each rank it spins, which spares the 25
 * microseconds of a wake-up. Where ranks share cores it yields between two looks: the next rank runs within microseconds,
 * and no core falls asleep. So it does where processor time is rationed: it looks for a short time only, since every look is
 * paid for.
 *
 * <p>Others may want the cores too. A thread that is off its core for much of its time blocks instead for a while, then
 * tries again: the scheduler serves those first who sleep. The while doubles as long as the core is soon lost again. Who
 * takes the core for little of the time, however often, costs less than a wake-up for every message would.
 *
 * <p>Engine holder only.
 */
public final class Waiter {

    /** What a thread does between two looks. */
    private enum Policy {
        SPIN,
        YIELD,
        BLOCK
    }

    /** Longest sleep, so that deadlines and stalled operations are looked at. */
    private static final long SLEEP_NS_MAX = 20_000_000;

    /** Between two looks of a spinning thread there are less than two microseconds, unless it lost its core. */
    private static final long PREEMPTED_NS = 100_000;

    /** Between two looks of a yielding thread others look, and one of them may have a segment to work on. */
    private static final long CROWDED_NS = 1_000_000;

    /**
     * How long a thread yields before it blocks, for each other rank that it shares its core with. To the scheduler, a core
     * on which all yield is as busy as one on which all work: it moves nobody. Who has longer to wait must sleep, so that
     * work finds the idle core; but a round of many ranks takes longer.
     */
    private static final long YIELD_NS = 50_000;

    /** More ranks to a core were not measured. */
    private static final int SHARERS_MAX = 3;

    /** What a thread may lose beyond its tolerated share before it blocks: less than a scheduler's slice. */
    private static final long LOST_NS_MAX = 1_000_000;

    /** One part in so many of the time may be lost for good. */
    private static final int TOLERATED_PART = 8;

    /** How long a thread that lost its core blocks before it spins again. */
    private static final long BLOCK_NS_MIN = 1_000_000;

    private static final long BLOCK_NS_MAX = 64_000_000;

    /** A core that is lost again so soon is one that others need. */
    private static final long CALM_NS = 20_000_000;

    private final Policy policy;
    private final long spinNs;
    private final String reason;

    private long lastLookNs;

    /** Time off the core beyond the tolerated share, as of {@link #lostAtNs}. */
    private long lostNs;

    private long lostAtNs;
    private long blockUntilNs;
    private long blockNs = BLOCK_NS_MIN;

    private boolean blocks;

    /** The last look was followed by another at once. */
    private boolean spun;

    private Waiter(Policy policy, long spinNs, String reason) {
        this.policy = spinNs == 0 ? Policy.BLOCK : policy;
        this.spinNs = spinNs;
        this.reason = reason;
        blocks = this.policy == Policy.BLOCK;
    }

    /**
     * The policy for a process: as the settings ask, or by what its host has for each rank.
     *
     * @param settings        of the process
     * @param ranksOnThisHost number of ranks, 1 or more
     * @param cores           processors that the Java platform sees
     * @param quota           of the process
     */
    public static Waiter choose(ZipSettings settings, int ranksOnThisHost, int cores, CpuQuota quota) {
        long spinNs = settings.spinTime().toNanos();
        int sharers = (ranksOnThisHost + cores - 1) / cores - 1;
        long yieldNs = Math.min(spinNs, YIELD_NS * Math.max(1, Math.min(sharers, SHARERS_MAX)));
        return switch (settings.waiting()) {
            case SPIN -> new Waiter(Policy.SPIN, spinNs, "asked for");
            case YIELD -> new Waiter(Policy.YIELD, yieldNs, "asked for");
            case BLOCK -> new Waiter(Policy.BLOCK, spinNs, "asked for");
            case AUTO -> {
                String ranks = ranksOnThisHost == 1 ? "1 rank" : ranksOnThisHost + " ranks";
                if (quota.isBelow(ranksOnThisHost)) {
                    yield new Waiter(
                            Policy.YIELD, Math.min(spinNs, YIELD_NS), ranks + " on this host, a quota of " + quota);
                }
                String reason = ranks + " on this host, " + cores + " cores";
                yield sharers == 0
                        ? new Waiter(Policy.SPIN, spinNs, reason)
                        : new Waiter(Policy.YIELD, yieldNs, reason);
            }
        };
    }

    /** Whether this thread spins for now. */
    boolean isSpinning() {
        return !blocks;
    }

    /**
     * Whether to look again at once.
     *
     * @param idleNs how long there has been no work; 0 at the first look of a wait
     * @param nowNs  instant
     */
    boolean spins(long idleNs, long nowNs) {
        boolean spinning = spun;
        spun = false;
        if (blocks && (policy == Policy.BLOCK || nowNs - blockUntilNs < 0)) {
            return false;
        }
        blocks = spinning && idleNs > 0 && losesTooMuch(nowNs);
        if (blocks) {
            boolean contended = nowNs - blockUntilNs < CALM_NS;
            blockNs = contended ? Math.min(BLOCK_NS_MAX, 2 * blockNs) : BLOCK_NS_MIN;
            blockUntilNs = nowNs + blockNs;
        }
        if (blocks || idleNs >= spinNs) {
            return false;
        }
        lastLookNs = nowNs;
        spun = true;
        pause();
        return true;
    }

    private boolean losesTooMuch(long nowNs) {
        long awayNs = nowNs - lastLookNs;
        if (awayNs <= (policy == Policy.YIELD ? CROWDED_NS : PREEMPTED_NS)) {
            return false;
        }
        lostNs = Math.max(0, lostNs - (nowNs - lostAtNs) / TOLERATED_PART) + awayNs;
        lostAtNs = nowNs;
        return lostNs > LOST_NS_MAX;
    }

    @SuppressWarnings("ThreadPriorityCheck") // yielding is the point, and measured
    private void pause() {
        if (policy == Policy.YIELD) {
            Thread.yield();
        } else {
            Thread.onSpinWait();
        }
    }

    long sleepNsMax() {
        return SLEEP_NS_MAX;
    }

    @Override
    public String toString() {
        String text = switch (policy) {
            case SPIN -> "spin for " + spinNs / 1000 + " us, then block";
            case YIELD -> "yield for " + spinNs / 1000 + " us, then block";
            case BLOCK -> "block at once";
        };
        return text + " (" + reason + ")";
    }
}
