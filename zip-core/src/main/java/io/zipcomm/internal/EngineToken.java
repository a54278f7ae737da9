package io.zipcomm.internal;

import java.util.concurrent.locks.ReentrantLock;

/**
 * Says which thread holds the engine. The holder is asked to let go by {@link #isContended}, and the thread that has
 * waited longest gets it next. Taking a free token is one atomic instruction.
 */
final class EngineToken {

    private final ReentrantLock lock = new ReentrantLock(true);

    boolean tryAcquire() {
        return !lock.hasQueuedThreads() && lock.tryLock();
    }

    void acquire() {
        lock.lock();
    }

    void release() {
        lock.unlock();
    }

    boolean isContended() {
        return lock.hasQueuedThreads();
    }

    boolean isHeld() {
        return lock.isHeldByCurrentThread();
    }
}
