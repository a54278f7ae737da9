package io.zipcomm.transport.rdma;

import io.zipcomm.testkit.TransportContract;
import io.zipcomm.transport.rdma.ffi.Native;

/** Paths over libfabric keep the contract, over TCP. */
final class TcpContractTest extends TransportContract {

    @Override
    protected Wiring wire(int size, long seed) {
        Native.library();
        return RdmaWiring.open(size, seed, Native.TCP);
    }

    /** libfabric does, and does not say how often. */
    @Override
    protected boolean callsTheSystem() {
        return false;
    }

    @Override
    protected boolean lendsMemory() {
        return true;
    }
}
