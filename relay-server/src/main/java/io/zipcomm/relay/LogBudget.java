package io.zipcomm.relay;

import io.zipcomm.relay.route.RateLimit;
import java.util.concurrent.TimeUnit;

/** Keeps those who are refused from filling the log: so many lines a second, and the number of those left out. Any thread. */
final class LogBudget {

    private static final int LINES_PER_SECOND = 20;

    private final RateLimit lines = new RateLimit(LINES_PER_SECOND, TimeUnit.SECONDS.toNanos(2), System.nanoTime());
    private long leftOut;

    /** How many lines were left out before this one; -1 if this one is to be left out too. */
    synchronized long take() {
        if (!lines.tryTake(1, System.nanoTime())) {
            leftOut++;
            return -1;
        }
        long before = leftOut;
        leftOut = 0;
        return before;
    }
}
