package io.zipcomm.transport.rdma;

import io.zipcomm.transport.rdma.ffi.RemoteKey;
import java.nio.ByteBuffer;

/** Memory of a user that is registered. Its buffer is kept reachable, so that the memory is not freed. Engine holder only. */
final class Registration {

    private final ByteBuffer owner;
    private final long address;
    private final int access;
    private final long handle;
    private final RemoteKey key;

    /** Operations under way that need it. */
    int users;

    /** Whoever uses it is the last: it is to be deregistered. */
    boolean isRevoked;

    /** It is deregistered: nobody reaches the memory by it. */
    boolean hasEnded;

    long lastUseNs;

    Registration(ByteBuffer owner, long address, int access, long handle, RemoteKey key) {
        this.owner = owner;
        this.address = address;
        this.access = access;
        this.handle = handle;
        this.key = key;
    }

    int bytes() {
        return owner.capacity();
    }

    long handle() {
        return handle;
    }

    /** As the provider knows it, for peers. */
    long remoteKey() {
        return key.key();
    }

    /**
     * As peers have to name it.
     *
     * @param local address in this memory
     */
    long remoteAddress(long local) {
        return key.address() + (local - address);
    }

    /** Whether it is of use for some memory. */
    boolean covers(long first, int length, int purpose) {
        return !isRevoked && address <= first && first + length <= address + bytes() && (access & purpose) == purpose;
    }
}
