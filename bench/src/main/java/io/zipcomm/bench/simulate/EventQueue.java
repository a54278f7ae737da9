package io.zipcomm.bench.simulate;

import java.util.Arrays;

/** What happens when: a binary heap by time, and at one time by key. Primitive, as a run may have 10^8 events. */
final class EventQueue {

    private static final int FIRST_CAPACITY = 1 << 10;

    private long[] times = new long[FIRST_CAPACITY];
    private long[] keys = new long[FIRST_CAPACITY];
    private int size;

    boolean isEmpty() {
        return size == 0;
    }

    /** Time of the first event. */
    long time() {
        return times[0];
    }

    void add(long time, long key) {
        if (size == times.length) {
            times = Arrays.copyOf(times, 2 * size);
            keys = Arrays.copyOf(keys, 2 * size);
        }
        int at = size++;
        while (at > 0) {
            int parent = (at - 1) >>> 1;
            if (!isBefore(time, key, parent)) {
                break;
            }
            times[at] = times[parent];
            keys[at] = keys[parent];
            at = parent;
        }
        times[at] = time;
        keys[at] = key;
    }

    /** Takes the first event away, and gives its key. */
    long removeFirst() {
        long first = keys[0];
        size--;
        long time = times[size];
        long key = keys[size];
        int at = 0;
        while (true) {
            int child = 2 * at + 1;
            if (child >= size) {
                break;
            }
            if (child + 1 < size && isBefore(times[child + 1], keys[child + 1], child)) {
                child++;
            }
            if (isBefore(time, key, child)) {
                break;
            }
            times[at] = times[child];
            keys[at] = keys[child];
            at = child;
        }
        times[at] = time;
        keys[at] = key;
        return first;
    }

    private boolean isBefore(long time, long key, int other) {
        return time != times[other] ? time < times[other] : key < keys[other];
    }
}
