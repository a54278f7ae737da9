package io.zipcomm.transport.tcp;

import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The rest that a listening socket takes when accepting failed, as it does where the process has no descriptor left. The
 * connection stays where it is, and the system would report it again at once and for ever: a core, and a log, for nothing.
 */
final class AcceptPause {

    private static final Logger LOG = LoggerFactory.getLogger(AcceptPause.class);

    /** From a failure to the next attempt. */
    static final long PAUSE_NS = 100_000_000;

    /** Failures that are not so far apart belong together: the first of them is logged. */
    static final long EPISODE_NS = 60_000_000_000L;

    private final String where;
    private boolean resting;
    private boolean failed;
    private long failedNs;

    /**
     * @param where the socket listens, as a message goes on: {@code on port 4711}
     */
    AcceptPause(String where) {
        this.where = where;
    }

    /**
     * Accepting failed.
     *
     * @param reason as the system says
     */
    void begin(IOException reason, long nowNs) {
        if (!failed || nowNs - failedNs >= EPISODE_NS) {
            LOG.warn(
                    "no connection can be accepted {}, which is tried every {} ms from now on: {}",
                    where,
                    PAUSE_NS / 1_000_000,
                    Poller.describe(reason));
        }
        failed = true;
        failedNs = nowNs;
        resting = true;
    }

    /** Whether it is time to try again; says so once. */
    boolean isOver(long nowNs) {
        boolean over = resting && nowNs - failedNs >= PAUSE_NS;
        resting &= !over;
        return over;
    }
}
