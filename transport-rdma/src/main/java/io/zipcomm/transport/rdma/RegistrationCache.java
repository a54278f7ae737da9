package io.zipcomm.transport.rdma;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.nio.ByteBuffer;

/**
 * Memory of users that is registered, for as long as it may be used again: to register takes microseconds to milliseconds. Bounded
 * by bytes and entries. What was used least recently goes first, what nobody uses for a while goes by itself, what is in use
 * never.
 *
 * <p>Memory is known by its address. So a buffer must not be freed by hand, without its garbage collector, while it may be
 * in here; who does that waits {@link #UNUSED_NS_MAX} after the last operation with it.
 *
 * <p>Engine holder only. A hit allocates nothing.
 */
final class RegistrationCache {

    static final int ENTRIES_MAX = 128;
    static final long BYTES_MAX = 1L << 30;
    static final long UNUSED_NS_MAX = 10_000_000_000L;

    /** How long nothing is tried after memory could not be registered. */
    static final long PAUSE_NS = 1_000_000_000;

    private final Registrar registrar;
    private final Registration[] entries;
    private final long bytesMax;
    private int count;
    private long bytes;

    /** Why memory could not be registered the last time. */
    private long refusal;

    private boolean pausing;
    private long pauseEndNs;

    RegistrationCache(Registrar registrar) {
        this(registrar, ENTRIES_MAX, BYTES_MAX);
    }

    RegistrationCache(Registrar registrar, int entriesMax, long bytesMax) {
        this.registrar = registrar;
        this.bytesMax = bytesMax;
        entries = new Registration[entriesMax];
    }

    int count() {
        return count;
    }

    long bytes() {
        return bytes;
    }

    /**
     * Takes a registration of all of a buffer, and registers it if there is none. Given back by {@link #give}.
     *
     * @param memory  direct
     * @param purpose as the native library has it
     * @return null if it cannot be registered, or not now
     */
    Registration take(ByteBuffer memory, int purpose, long nowNs) {
        long address = registrar.address(memory);
        Registration entry = find(address, memory.capacity(), purpose, nowNs);
        return entry == null && canAdd(memory.capacity(), nowNs) ? add(memory, address, purpose, nowNs) : entry;
    }

    /**
     * The same, for memory without which nothing goes. What is longer than all that may stay registered is so for this use only.
     *
     * @return null if there is no room now, or nothing is tried now: try again
     * @throws ZipException with code LIMIT if libfabric refuses it
     */
    Registration takeOrFail(ByteBuffer memory, int purpose, long nowNs) {
        long address = registrar.address(memory);
        int length = memory.capacity();
        Registration entry = find(address, length, purpose, nowNs);
        if (entry != null) {
            return entry;
        }
        boolean isLong = length > bytesMax;
        boolean isNow = isLong ? !isPausing(nowNs) : canAdd(length, nowNs);
        if (!isNow) {
            return null;
        }
        Registration made =
                isLong ? makeForOneUse(memory, address, purpose, nowNs) : add(memory, address, purpose, nowNs);
        if (made == null) {
            throw new ZipException(
                    ErrorCode.LIMIT, length + " bytes cannot be registered: " + registrar.text((int) refusal));
        }
        return made;
    }

    private Registration find(long address, int length, int purpose, long nowNs) {
        for (int i = 0; i < count; i++) {
            Registration entry = entries[i];
            if (entry.covers(address, length, purpose)) {
                entry.users++;
                entry.lastUseNs = nowNs;
                return entry;
            }
        }
        return null;
    }

    private boolean canAdd(int length, long nowNs) {
        return !isPausing(nowNs) && makeRoom(length);
    }

    private boolean isPausing(long nowNs) {
        pausing = pausing && nowNs - pauseEndNs < 0;
        return pausing;
    }

    private Registration add(ByteBuffer memory, long address, int purpose, long nowNs) {
        Registration made = make(memory, address, purpose, nowNs);
        if (made != null) {
            entries[count] = made;
            count++;
            bytes += made.bytes();
        }
        return made;
    }

    private Registration makeForOneUse(ByteBuffer memory, long address, int purpose, long nowNs) {
        Registration made = make(memory, address, purpose, nowNs);
        if (made != null) {
            made.isRevoked = true;
        }
        return made;
    }

    private Registration make(ByteBuffer memory, long address, int purpose, long nowNs) {
        long handle = registrar.register(memory, purpose);
        if (handle < 0) {
            // Most likely there is a limit to what a process may lock.
            refusal = handle;
            pausing = true;
            pauseEndNs = nowNs + PAUSE_NS;
            return null;
        }
        Registration made = new Registration(memory, address, purpose, handle, registrar.key(handle, purpose));
        made.users = 1;
        made.lastUseNs = nowNs;
        return made;
    }

    /** Whether there is room, after the least recently used have gone. */
    private boolean makeRoom(int length) {
        while (count == entries.length || bytes + length > bytesMax) {
            int oldest = -1;
            for (int i = 0; i < count; i++) {
                boolean isOlder = oldest < 0 || entries[i].lastUseNs - entries[oldest].lastUseNs < 0;
                if (entries[i].users == 0 && isOlder) {
                    oldest = i;
                }
            }
            if (oldest < 0 || !remove(oldest)) {
                return false;
            }
        }
        return true;
    }

    private boolean remove(int index) {
        Registration entry = entries[index];
        if (registrar.deregister(entry.handle()) < 0) {
            return false;
        }
        entry.hasEnded = true;
        count--;
        entries[index] = entries[count];
        entries[count] = null;
        bytes -= entry.bytes();
        return true;
    }

    /** The operation is over. */
    void give(Registration registration) {
        registration.users--;
        if (registration.isRevoked && registration.users == 0) {
            end(registration);
        }
    }

    /**
     * Peers are not to reach the memory any more, at once: it is given back, and is deregistered, or will be when the last that uses it
     * gives it back. Nobody is given it any more.
     */
    void revoke(Registration registration) {
        registration.isRevoked = true;
        give(registration);
    }

    /** Deregisters what was revoked, unless somebody uses it. */
    private void end(Registration registration) {
        for (int i = 0; i < count; i++) {
            if (entries[i] == registration) {
                remove(i);
                return;
            }
        }
        // Was registered for one use.
        registration.hasEnded = registrar.deregister(registration.handle()) >= 0;
    }

    /** Lets go of what nobody has used for a while. */
    void expire(long nowNs) {
        for (int i = count - 1; i >= 0; i--) {
            boolean isOld = entries[i].isRevoked || nowNs - entries[i].lastUseNs >= UNUSED_NS_MAX;
            if (entries[i].users == 0 && isOld) {
                remove(i);
            }
        }
    }
}
