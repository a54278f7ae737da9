package io.zipcomm.bench.worker;

import java.lang.management.ManagementFactory;

/** How much the calling thread has allocated on the Java heap. */
final class Allocation {

    private static final com.sun.management.ThreadMXBean THREADS =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

    private Allocation() {}

    /** Bytes since the thread began. Asking allocates nothing. */
    static long ofThisThread() {
        return THREADS.getCurrentThreadAllocatedBytes();
    }
}
