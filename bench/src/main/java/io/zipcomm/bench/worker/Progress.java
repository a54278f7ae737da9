package io.zipcomm.bench.worker;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts iterations, so that the harness can tell a slow worker from one that is stuck. Written by the thread that
 * measures, read by one that reports.
 */
public final class Progress {

    /** Message of rank 0, now and then, with the count. */
    public static final String KIND = "progress";

    private static final long PERIOD_MS = 2_000;

    private final AtomicLong iterations = new AtomicLong();

    Progress() {}

    void step() {
        iterations.setRelease(iterations.getPlain() + 1);
    }

    /** Reports for as long as the process lives. */
    void reportTo(HarnessLink harness) {
        Thread reporter = new Thread(
                () -> {
                    try {
                        while (true) {
                            Thread.sleep(PERIOD_MS);
                            harness.tell(Message.of(KIND).with("iterations", iterations.get()));
                        }
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                "zip-progress");
        reporter.setDaemon(true);
        reporter.start();
    }
}
