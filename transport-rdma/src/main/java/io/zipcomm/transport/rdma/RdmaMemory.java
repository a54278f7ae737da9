package io.zipcomm.transport.rdma;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.RemoteMemory;
import io.zipcomm.transport.rdma.ffi.Addresses;
import io.zipcomm.transport.rdma.ffi.Fabric;
import io.zipcomm.transport.rdma.ffi.FabricError;
import io.zipcomm.transport.rdma.ffi.RemoteKey;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Memory of users that peers read and write, and theirs. What is under way is kept reachable: here until the provider says that it is
 * over, or the endpoint is closed.
 *
 * <p>Engine holder only.
 */
final class RdmaMemory implements RemoteMemory {

    /** Operations under way, with all peers together. */
    static final int OPERATIONS_MAX = 128;

    private static final int ACCESS = Fabric.REMOTE_READ | Fabric.REMOTE_WRITE;

    /**
     * What may be written to for ever: processes that share memory copy straight into each other, whatever this one has closed, and an
     * endpoint that libfabric could not close has what was under way.
     */
    private static final Collection<ByteBuffer> GIVEN_UP = new ConcurrentLinkedQueue<>();

    /** One operation under way. */
    private static final class Pending {
        private final int index;
        private Pending next;
        private int peer;

        /** Only to be reachable. */
        @SuppressWarnings("UnusedVariable")
        private ByteBuffer memory;

        private Registration registration;

        /** Null once its end has been told. */
        private Ending ending;

        private int status;
        private boolean isUnderWay;

        Pending(int index) {
            this.index = index;
        }
    }

    private final RdmaTransport transport;
    private final RdmaEndpoint endpoint;
    private final Pending[] all = new Pending[OPERATIONS_MAX];
    private Pending free;

    // Those whose ends have come and have not been told, in their order.
    private Pending first;
    private Pending last;

    private final List<Exposed> exposed = new ArrayList<>();

    /** Memory of an endpoint that completes writes when they have been delivered. */
    RdmaMemory(RdmaTransport transport, RdmaEndpoint endpoint) {
        this.transport = transport;
        this.endpoint = endpoint;
        for (int i = OPERATIONS_MAX - 1; i >= 0; i--) {
            all[i] = new Pending(i);
            all[i].next = free;
            free = all[i];
        }
    }

    @Override
    public Reach reach(int peer) {
        return transport.reach(peer);
    }

    // ---- own memory

    @Override
    public Exposure expose(ByteBuffer memory) {
        return new Exposed(memory);
    }

    /** Whether peers may read or write memory of this process. */
    boolean isExposed() {
        return !exposed.isEmpty();
    }

    private final class Exposed implements Exposure {
        private final ByteBuffer memory;
        private final long registration;
        private final RemoteKey key;

        Exposed(ByteBuffer memory) {
            if (endpoint.problem() != null) {
                throw new ZipException(ErrorCode.CLOSED, "no memory can be exposed: " + endpoint.problem());
            }
            this.memory = memory;
            Registrar registrar = endpoint.registrar();
            registration = registrar.registerOrFail(memory, ACCESS);
            key = registrar.key(registration, ACCESS);
            exposed.add(this);
        }

        @Override
        public long address() {
            return key.address();
        }

        @Override
        public long key() {
            return key.key();
        }

        @Override
        public void withdraw() {
            if (exposed.remove(this) && endpoint.problem() == null) {
                endpoint.registrar().deregister(registration);
            }
        }

        @Override
        public void giveUp() {
            // It is in the list until the endpoint is closed.
        }
    }

    // ---- memory of peers

    @Override
    public boolean put(int peer, long address, long key, ByteBuffer source, int index, int bytes, Ending ending) {
        return begin(true, peer, address, key, source, index, bytes, ending);
    }

    @Override
    public boolean get(int peer, long address, long key, ByteBuffer destination, int index, int bytes, Ending ending) {
        return begin(false, peer, address, key, destination, index, bytes, ending);
    }

    private boolean begin(
            boolean writes, int peer, long address, long key, ByteBuffer memory, int index, int bytes, Ending ending) {
        RdmaPath path = transport.openPath(peer);
        if (path == null) {
            throw new ZipException(ErrorCode.PEER_LOST, "the path to rank " + peer + " over RDMA has ended");
        }
        Pending one = free;
        if (one == null) {
            return false;
        }
        Registration registration = null;
        if (endpoint.needsRegistration()) {
            registration = endpoint.cache().takeOrFail(memory, writes ? Fabric.WRITE : Fabric.READ, transport.nowNs());
            if (registration == null) {
                endpoint.stall();
                return false;
            }
        }
        long local = registration == null ? 0 : registration.handle();
        long at = Addresses.of(memory) + index;
        int code = writes
                ? endpoint.writeMemory(path.number(), local, at, bytes, address, key, one.index)
                : endpoint.readMemory(path.number(), local, at, bytes, address, key, one.index);
        if (code < 0) {
            if (registration != null) {
                endpoint.cache().give(registration);
            }
            if (code == FabricError.TRY_AGAIN) {
                return false;
            }
            throw new ZipException(
                    ErrorCode.PEER_LOST, "memory of rank " + peer + " is not reached: " + endpoint.text(code));
        }
        free = one.next;
        one.next = null;
        one.peer = peer;
        one.memory = memory;
        one.registration = registration;
        one.ending = ending;
        one.isUnderWay = true;
        return true;
    }

    // ---- ends

    /** An operation has ended. Amid a look at completions: notes it. */
    void ended(int index, int status) {
        Pending one = all[index];
        one.isUnderWay = false;
        if (one.ending == null) {
            release(one);
        } else {
            one.status = status;
            append(one);
        }
    }

    private void append(Pending one) {
        if (last == null) {
            first = one;
        } else {
            last.next = one;
        }
        last = one;
    }

    private void release(Pending one) {
        if (one.registration != null) {
            endpoint.cache().give(one.registration);
            one.registration = null;
        }
        one.memory = null;
        one.ending = null;
        one.next = free;
        free = one;
    }

    /** Tells of ends. */
    void tell() {
        while (first != null) {
            Pending one = first;
            first = one.next;
            last = first == null ? null : last;
            one.next = null;
            Ending ending = one.ending;
            String failure = one.status < 0
                    ? "an operation with memory of rank " + one.peer + " failed: " + endpoint.text(one.status)
                    : null;
            release(one);
            ending.ended(failure);
        }
    }

    /** Tells those who wait for a peer that nothing more comes of it. Their memory is kept: nobody knows what becomes of it. */
    void pathEnded(int peer) {
        for (Pending one : all) {
            if (one.isUnderWay && one.peer == peer && one.ending != null) {
                Ending ending = one.ending;
                one.ending = null;
                ending.ended("the path to rank " + peer + " over RDMA ended amid an operation with its memory");
            }
        }
    }

    /** How many operations the provider has not ended. */
    int underWay() {
        int count = 0;
        for (Pending one : all) {
            count += one.isUnderWay ? 1 : 0;
        }
        return count;
    }

    /** The endpoint is closed. */
    void close() {
        if (endpoint.stays() || endpoint.provider().equals(Providers.SHARED_MEMORY)) {
            for (Exposed one : exposed) {
                GIVEN_UP.add(one.memory);
            }
        }
        exposed.clear();
        for (Pending one : all) {
            if (endpoint.stays() && one.isUnderWay) {
                GIVEN_UP.add(one.memory);
            }
            one.ending = null;
            one.memory = null;
        }
    }
}
