package io.zipcomm.bench.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;

/**
 * Waits until nobody on this machine wants a processor: who was measured before may still have code to compile or memory to
 * collect, and would take the time for it from who is measured next. Blocks the caller, for {@link #LIMIT_NS} at most; goes
 * on at once where the system does not tell.
 */
public final class Calm {

    /** Looks without anybody else, one after the other, that count as calm. */
    static final int LOOKS = 5;

    static final long LOOK_EVERY_NS = 1_000_000;

    /** Somebody works who has nothing to do with the run: no use in waiting. Less where a test sets it. */
    static final long LIMIT_NS = 1_000_000L * Long.getLong("zip.bench.calm-ms", 500);

    /** Who looks runs, too. */
    private static final int ONLY_THIS = 1;

    private static final int UNKNOWN = -1;

    private final IntSupplier runnable;
    private final long limitNs;

    private Calm(IntSupplier runnable, long limitNs) {
        this.runnable = runnable;
        this.limitNs = limitNs;
    }

    /** Of this machine. */
    public static Calm ofThisMachine() {
        return new Calm(Calm::threads, LIMIT_NS);
    }

    /** Of a machine that tells how many threads run or want to; -1 if it does not know. */
    static Calm of(IntSupplier runnable, long limitNs) {
        return new Calm(runnable, limitNs);
    }

    /** Waits. Returns whether it is calm, or not known to be otherwise. */
    public boolean await() throws InterruptedException {
        long beganNs = System.nanoTime();
        int calm = 0;
        while (calm < LOOKS) {
            int threads = runnable.getAsInt();
            if (threads == UNKNOWN) {
                return true;
            }
            calm = threads <= ONLY_THIS ? calm + 1 : 0;
            if (System.nanoTime() - beganNs >= limitNs) {
                return false;
            }
            TimeUnit.NANOSECONDS.sleep(LOOK_EVERY_NS);
        }
        return true;
    }

    /** Threads of the whole machine that run or want to. */
    private static int threads() {
        try {
            return threads(Files.readString(Path.of("/proc/loadavg")));
        } catch (IOException e) {
            return UNKNOWN;
        }
    }

    /** As in {@code 0.64 1.90 2.22 2/345 6789}: the two of 345 threads. */
    static int threads(String loadavg) {
        String[] words = loadavg.trim().split(" ", 5);
        int slash = words.length > 3 ? words[3].indexOf('/') : UNKNOWN;
        return slash > 0 ? Integer.parseInt(words[3].substring(0, slash)) : UNKNOWN;
    }
}
