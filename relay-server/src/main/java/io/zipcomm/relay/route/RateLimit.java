package io.zipcomm.relay.route;

import java.util.concurrent.TimeUnit;

/**
 * How much of something may come in a second. Nothing is stored up for longer than the burst, and what comes too early is
 * paid for by waiting. One thread at a time.
 */
public final class RateLimit {

    private static final long SECOND_NS = TimeUnit.SECONDS.toNanos(1);

    /** No sum of times may overflow. */
    private static final long DEBT_NS_MAX = TimeUnit.DAYS.toNanos(365);

    private final long burstNs;
    private long perSecond;

    /** When what was taken so far would have come at exactly the rate. */
    private long paidUntilNs;

    /**
     * A limit of which nothing is used.
     *
     * @param perSecond 0 for no limit
     * @param burstNs   what may come in so much time may come at once
     * @param nowNs     on the clock of all further calls
     */
    public RateLimit(long perSecond, long burstNs, long nowNs) {
        this.perSecond = perSecond;
        this.burstNs = burstNs;
        paidUntilNs = nowNs - burstNs;
    }

    /**
     * Changes the rate from now on. What came too early is paid for at the new rate: a debt lasts so much shorter as the rate
     * is higher, and the other way round.
     *
     * @param rate 0 for no limit
     */
    public void perSecond(long rate, long nowNs) {
        long debtNs = waitNs(nowNs);
        if (rate != perSecond && debtNs > 0) {
            double scaledNs = rate == 0 ? 0 : (double) debtNs / rate * perSecond;
            paidUntilNs = nowNs + (long) Math.min((double) DEBT_NS_MAX, scaledNs);
        }
        perSecond = rate;
    }

    /** The rate; 0 for no limit. */
    public long perSecond() {
        return perSecond;
    }

    /** Whether there is a limit. */
    public boolean isLimited() {
        return perSecond > 0;
    }

    /**
     * Takes an amount that is there already.
     *
     * @return how long to take nothing more, in ns; 0 if more may come
     */
    public long take(long amount, long nowNs) {
        if (perSecond == 0) {
            return 0;
        }
        settle(nowNs);
        paidUntilNs += costNs(amount);
        return waitNs(nowNs);
    }

    /** Takes an amount if it may come now; otherwise takes nothing and answers false. */
    public boolean tryTake(long amount, long nowNs) {
        if (perSecond == 0) {
            return true;
        }
        settle(nowNs);
        long costNs = costNs(amount);
        if (paidUntilNs + costNs - nowNs > 0) {
            return false;
        }
        paidUntilNs += costNs;
        return true;
    }

    /** How long to take nothing more, in ns; 0 if more may come. */
    public long waitNs(long nowNs) {
        return perSecond == 0 ? 0 : Math.max(0, paidUntilNs - nowNs);
    }

    /** Whether it is as good as new. */
    public boolean isUnused(long nowNs) {
        return perSecond == 0 || paidUntilNs - (nowNs - burstNs) <= 0;
    }

    private void settle(long nowNs) {
        if (paidUntilNs - (nowNs - burstNs) < 0) {
            paidUntilNs = nowNs - burstNs;
        }
    }

    private long costNs(long amount) {
        long whole = amount / perSecond;
        return whole * SECOND_NS + (long) ((double) (amount % perSecond) * SECOND_NS / perSecond);
    }
}
