package io.zipcomm.transport.rdma;

import io.zipcomm.buffer.Segment;
import java.nio.ByteBuffer;

/** Equal pieces of one registered memory, of which each has a message on its way in or out. Engine holder only. */
final class Slots {

    /** Longest message. */
    static final int BYTES = 8 << 10;

    /** In place of a slot. */
    static final int NONE = -1;

    private final Segment memory;
    private final long address;
    private final long registration;
    private final int[] free;
    private int freeCount;

    /**
     * Registers new memory.
     *
     * @param count  how many
     * @param access what for
     * @throws io.zipcomm.error.ZipException with code LIMIT if the memory cannot be registered
     */
    Slots(Registrar registrar, int count, int access) {
        memory = Segment.allocate(count * BYTES);
        address = registrar.address(memory.bytes());
        registration = registrar.registerOrFail(memory.bytes(), access);
        free = new int[count];
        for (int i = 0; i < count; i++) {
            free[i] = count - 1 - i;
        }
        freeCount = count;
    }

    int count() {
        return free.length;
    }

    int freeCount() {
        return freeCount;
    }

    long registration() {
        return registration;
    }

    /** All of them; a slot begins at {@link #at}. */
    Segment memory() {
        return memory;
    }

    ByteBuffer bytes() {
        return memory.bytes();
    }

    int at(int slot) {
        return slot * BYTES;
    }

    long address(int slot) {
        return address + (long) slot * BYTES;
    }

    /** Takes a slot; {@link #NONE} if there is none. */
    int take() {
        return freeCount == 0 ? NONE : free[--freeCount];
    }

    void give(int slot) {
        free[freeCount++] = slot;
    }
}
