package io.zipcomm.internal;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;

/**
 * Says which thread holds the engine. The holder is asked to let go by {@link #isContended}, and the thread that has
 * waited longest gets it next. Taking a free token is one atomic instruction.
 *
 * <p>Threads that wait stand in a ring of places. The holder hands the token to the one at the head, and it is free if there
 * is none. A thread that took its place just when the token became free finds that out by itself.
 */
// A lock of the platform allocates something for each thread that waits, and an operation that was prepared must not.
final class EngineToken {

    /** Threads that may wait at once; further ones poll until there is a place. A power of two. */
    static final int PLACES = 1024;

    /** Time between looks for a place while there is none. */
    private static final long CROWDED_NS = 50_000;

    private final AtomicReference<Thread> holder = new AtomicReference<>();
    private final AtomicReferenceArray<Thread> places = new AtomicReferenceArray<>(PLACES);

    /** The place of who waited longest; moved by the holder. */
    private final AtomicLong head = new AtomicLong();

    private final AtomicLong tail = new AtomicLong();

    boolean tryAcquire() {
        return !isContended() && holder.compareAndSet(null, Thread.currentThread());
    }

    /**
     * Waits for the token, for as long as others want it. The thread's interrupt waits too.
     *
     * @param wakeHolder gets the holder out of its sleep; run once {@link #isContended} tells the holder of this thread
     */
    void acquire(Runnable wakeHolder) {
        if (tryAcquire()) {
            return;
        }
        Thread me = Thread.currentThread();
        int place = place(tail.getAndIncrement());
        while (!places.compareAndSet(place, null, me)) {
            LockSupport.parkNanos(this, CROWDED_NS);
        }
        if (holder.compareAndSet(null, me)) {
            // It may have become free before the holder saw the place taken: nobody else would hand it on.
            handOn(me);
        }
        if (holder.get() != me) {
            wakeHolder.run();
        }
        boolean interrupted = false;
        while (holder.get() != me) {
            LockSupport.park(this);
            interrupted |= Thread.interrupted();
        }
        if (interrupted) {
            me.interrupt();
        }
    }

    void release() {
        handOn(Thread.currentThread());
    }

    /** Gives the token to who waited longest, which may be the holder itself, or frees it. */
    private void handOn(Thread me) {
        do {
            int place = place(head.get());
            Thread next = places.get(place);
            if (next != null) {
                head.set(head.get() + 1);
                places.set(place, null);
                holder.set(next);
                if (next != me) {
                    LockSupport.unpark(next);
                }
                return;
            }
            holder.set(null);
        } while (isContended() && holder.compareAndSet(null, me));
    }

    private static int place(long number) {
        return (int) (number & (PLACES - 1));
    }

    boolean isContended() {
        return places.get(place(head.get())) != null;
    }

    boolean isHeld() {
        return holder.get() == Thread.currentThread();
    }
}
