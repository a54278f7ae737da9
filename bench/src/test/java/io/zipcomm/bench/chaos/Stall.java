package io.zipcomm.bench.chaos;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Stops all Java threads of this process for a while, as a long pause of the collector does, while everything else of it runs.
 *
 * <p>A collection can only begin when every thread has come to a safepoint. A counted loop that the optimising compiler has
 * translated has none, with the flags {@link #FLAGS}: while one thread runs it, all others wait for the collection that was asked for.
 */
final class Stall {

    /** What a process needs in which this works. */
    static final String[] FLAGS = {
        "-XX:+UseSerialGC",
        "-XX:LoopStripMiningIter=0",
        "-XX:-UseCountedLoopSafepoints",
        "-XX:-TieredCompilation",
        // Or the loop may still be interpreted when it is to begin.
        "-XX:-BackgroundCompilation"
    };

    private static final int WARM_UP_RUNS = 40;
    private static final int WARM_UP_TURNS = 200_000;
    private static final long LOOK_MS = 5;

    private Stall() {}

    /**
     * Stops.
     *
     * @param ms for how long
     * @return how long a thread that looks every 5 ms stood still, in milliseconds
     */
    static long run(long ms) throws InterruptedException {
        long sum = 0;
        for (int i = 0; i < WARM_UP_RUNS; i++) {
            sum += turn(WARM_UP_TURNS, Long.MAX_VALUE);
        }
        Watch watch = new Watch();
        watch.start();
        watch.began.await();
        Thread collects = new Thread(System::gc, "collects");
        collects.start();
        long endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ms);
        sum += turn(Integer.MAX_VALUE, endNs);
        collects.join();
        watch.interrupt();
        watch.join();
        // So that the loop is of use to somebody.
        return TimeUnit.NANOSECONDS.toMillis(watch.longestNs) + (sum == 0 ? 1 : 0);
    }

    private static long turn(int turns, long endNs) {
        long last = 0;
        for (int i = 0; i < turns; i++) {
            last = System.nanoTime();
            if (last - endNs > 0) {
                break;
            }
        }
        return last;
    }

    private static final class Watch extends Thread {

        private final CountDownLatch began = new CountDownLatch(1);
        private long longestNs;

        private Watch() {
            super("watch");
        }

        @Override
        public void run() {
            long lastNs = System.nanoTime();
            began.countDown();
            try {
                while (true) {
                    Thread.sleep(LOOK_MS);
                    long nowNs = System.nanoTime();
                    longestNs = Math.max(longestNs, nowNs - lastNs);
                    lastNs = nowNs;
                }
            } catch (InterruptedException e) {
                longestNs = Math.max(longestNs, System.nanoTime() - lastNs);
            }
        }
    }
}
