package io.zipcomm.internal;

/**
 * Memory for unexpected messages, in sizes of powers of two, kept for re-use up to a limit. What is in use is bounded by
 * the links' windows.
 */
final class UnexpectedPool {

    private static final int SMALLEST_BYTES = 256;
    private static final int CLASSES = 16;

    /** Idle memory kept by one engine. */
    private static final long IDLE_BYTES_MAX = 4L << 20;

    /** Idle entries without memory kept by one engine. */
    private static final int IDLE_REQUESTS_MAX = 1024;

    private final Unexpected[] idle = new Unexpected[CLASSES];
    private Unexpected idleRequests;
    private int idleRequestCount;
    private long idleBytes;
    private int inUse;

    Unexpected take(long bytes, boolean request) {
        inUse++;
        Unexpected one;
        if (request || bytes == 0) {
            one = idleRequests;
            if (one == null) {
                return new Unexpected(0);
            }
            idleRequests = one.next;
            idleRequestCount--;
        } else {
            int sizeClass = sizeClass(bytes);
            one = idle[sizeClass];
            if (one == null) {
                return new Unexpected(SMALLEST_BYTES << sizeClass);
            }
            idle[sizeClass] = one.next;
            idleBytes -= one.capacity();
        }
        one.next = null;
        return one;
    }

    void give(Unexpected one) {
        inUse--;
        one.claimedBy = null;
        one.complete = false;
        one.dropped = false;
        if (one.capacity() == 0) {
            if (idleRequestCount < IDLE_REQUESTS_MAX) {
                one.next = idleRequests;
                idleRequests = one;
                idleRequestCount++;
            }
        } else if (idleBytes + one.capacity() <= IDLE_BYTES_MAX) {
            int sizeClass = sizeClass(one.capacity());
            one.next = idle[sizeClass];
            idle[sizeClass] = one;
            idleBytes += one.capacity();
        }
    }

    /** Entries taken and not given back. */
    int inUse() {
        return inUse;
    }

    private static int sizeClass(long bytes) {
        int rounded = (int) Math.max(bytes, SMALLEST_BYTES);
        return Integer.SIZE - Integer.numberOfLeadingZeros(rounded - 1) - Integer.numberOfTrailingZeros(SMALLEST_BYTES);
    }
}
