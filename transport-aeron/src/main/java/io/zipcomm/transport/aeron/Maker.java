package io.zipcomm.transport.aeron;

import io.zipcomm.transport.Transport;
import java.io.IOException;
import java.util.function.BooleanSupplier;
import org.agrona.CloseHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes something in a thread of its own, so that nobody waits for it who need not: Aeron's drivers and clients take some
 * hundred milliseconds, in which classes are loaded.
 *
 * @param <T> what is made
 */
class Maker<T extends AutoCloseable> implements Runnable {

    private static final Logger LOG = LoggerFactory.getLogger(Maker.class);

    private final Source<T> source;
    private final Transport base;

    // Under the monitor.
    private boolean done;
    private boolean cancelled;
    private T made;
    private String problem;

    /**
     * How it is made.
     *
     * @param <T> what is made
     */
    interface Source<T> {

        /**
         * Makes it. May block.
         *
         * @param cancelled true if nobody needs it any more
         */
        T make(BooleanSupplier cancelled) throws IOException, InterruptedException;
    }

    /**
     * Makes nothing before {@link #start}.
     *
     * @param base woken up when there is an outcome
     */
    Maker(Source<T> source, Transport base) {
        this.source = source;
        this.base = base;
    }

    final void start(String threadName) {
        Thread thread = new Thread(this, threadName);
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public final void run() {
        T one = null;
        String reason = null;
        try {
            one = source.make(this::isCancelled);
        } catch (IOException | RuntimeException | Error e) {
            // Whatever it is: without an outcome the rank would wait for one.
            LOG.debug("not made", e);
            reason = String.valueOf(e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            reason = "interrupted";
        }
        if (!finish(one, reason)) {
            CloseHelper.close(one);
        }
        base.wakeup();
    }

    /** Answers false if there is something that nobody wants any more. */
    private synchronized boolean finish(T one, String reason) {
        done = true;
        problem = reason;
        made = cancelled ? null : one;
        return made == one;
    }

    final synchronized boolean isDone() {
        return done;
    }

    private synchronized boolean isCancelled() {
        return cancelled;
    }

    /** What was made; null if it was not, and then {@link #problem} says why. */
    final synchronized T made() {
        return made;
    }

    final synchronized String problem() {
        return problem;
    }

    /** What is made, or will be, is closed. */
    final void cancel() {
        T one;
        synchronized (this) {
            cancelled = true;
            one = made;
            made = null;
        }
        CloseHelper.close(one);
    }
}
