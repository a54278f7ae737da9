package io.zipcomm.bench.worker;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;

/**
 * Leaves the cores to the just-in-time compilers until this process has nothing more to do. Where ranks share cores their
 * compilers get little of them while the ranks run, and lag behind for seconds.
 */
final class Rest {

    private static final long LOOK_MS = 20;

    /** So many looks in a row: one may fall into a time in which the system runs others. */
    private static final int IDLE_LOOKS = 3;

    /** Less than that is no compiler at work, but a look at sockets now and then. */
    private static final double IDLE_SHARE = 0.1;

    private static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(3);

    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private Rest() {}

    /** Sleeps until this process is idle, but for {@link #LIMIT_NS} at most. */
    static void untilIdle() {
        long beganNs = System.nanoTime();
        long nowNs = beganNs;
        int idle = 0;
        while (idle < IDLE_LOOKS && nowNs - beganNs < LIMIT_NS) {
            long usedNs = SYSTEM.getProcessCpuTime();
            long lookedNs = nowNs;
            try {
                TimeUnit.MILLISECONDS.sleep(LOOK_MS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
            nowNs = System.nanoTime();
            double share = (double) (SYSTEM.getProcessCpuTime() - usedNs) / (nowNs - lookedNs);
            idle = share > IDLE_SHARE ? 0 : idle + 1;
        }
    }
}
