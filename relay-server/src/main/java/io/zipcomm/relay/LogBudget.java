package io.zipcomm.relay;

import io.zipcomm.relay.route.RateLimit;
import java.util.concurrent.TimeUnit;

/** Keeps those who are refused from filling the log: so many lines a second, and the number of those left out. Any thread. */
final class LogBudget {

    /** Of those who are turned away, or end a connection by breaking its rules. */
    static final LogBudget STRANGERS = new LogBudget();

    private static final int LINES_PER_SECOND = 20;

    private final RateLimit lines = new RateLimit(LINES_PER_SECOND, TimeUnit.SECONDS.toNanos(2), System.nanoTime());
    private long leftOut;

    /** What is to be put behind a line about lines that were left out, or nothing; null if this line is to be left out, too. */
    synchronized String take() {
        if (!lines.tryTake(1, System.nanoTime())) {
            leftOut++;
            return null;
        }
        long before = leftOut;
        leftOut = 0;
        return before == 0 ? "" : "; " + before + " more were, without a line each";
    }
}
