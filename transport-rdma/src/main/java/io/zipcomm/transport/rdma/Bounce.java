package io.zipcomm.transport.rdma;

import io.zipcomm.buffer.Segment;
import io.zipcomm.transport.rdma.ffi.RemoteKey;

/** Registered memory for one payload on its way, where the user's own will not do. Engine holder only. */
final class Bounce {

    private final Segment memory;
    private final long address;
    private final long registration;
    private final RemoteKey key;

    Bounce(Registrar registrar, int bytes, int access) {
        memory = Segment.allocate(bytes);
        address = registrar.address(memory.bytes());
        registration = registrar.registerOrFail(memory.bytes(), access);
        key = registrar.key(registration, access);
    }

    Segment memory() {
        return memory;
    }

    long address() {
        return address;
    }

    long registration() {
        return registration;
    }

    RemoteKey key() {
        return key;
    }
}
