package io.zipcomm.transport.rdma;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.rdma.ffi.Addresses;
import io.zipcomm.transport.rdma.ffi.Fabric;
import io.zipcomm.transport.rdma.ffi.FabricError;
import io.zipcomm.transport.rdma.ffi.RemoteKey;
import java.nio.ByteBuffer;

/** Registers memory with one endpoint. Engine holder only. */
class Registrar {

    private static final RemoteKey NO_KEY = new RemoteKey(0, 0);

    private final Fabric fabric;
    private final long endpoint;

    Registrar(Fabric fabric, long endpoint) {
        this.fabric = fabric;
        this.endpoint = endpoint;
    }

    /** Where a direct buffer's byte 0 is. */
    long address(ByteBuffer memory) {
        return Addresses.of(memory);
    }

    /**
     * Registers all of a direct buffer, which must stay where it is until it is deregistered.
     *
     * @return a handle, or a negative code
     */
    long register(ByteBuffer memory, int access) {
        return fabric.register(endpoint, address(memory), memory.capacity(), access);
    }

    /**
     * The same, for memory without which nothing goes.
     *
     * @throws ZipException with code LIMIT
     */
    final long registerOrFail(ByteBuffer memory, int access) {
        long registration = register(memory, access);
        if (registration < 0) {
            throw new ZipException(
                    ErrorCode.LIMIT, memory.capacity() + " bytes cannot be registered: " + text((int) registration));
        }
        return registration;
    }

    /**
     * What peers need to read registered memory.
     *
     * @param access what it was registered for
     * @return zeroes if peers may not read it
     */
    RemoteKey key(long registration, int access) {
        return (access & Fabric.REMOTE_READ) == 0 ? NO_KEY : RemoteKey.of(fabric, endpoint, registration);
    }

    /**
     * Ends a registration.
     *
     * @return 0, or a negative code: operations of this endpoint still use it
     */
    int deregister(long registration) {
        return fabric.deregister(endpoint, registration);
    }

    String text(int code) {
        return FabricError.text(fabric, code);
    }
}
