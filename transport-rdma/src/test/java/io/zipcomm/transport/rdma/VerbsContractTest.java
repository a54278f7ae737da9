package io.zipcomm.transport.rdma;

import io.zipcomm.testkit.TransportContract;
import io.zipcomm.transport.rdma.ffi.Native;
import org.junit.jupiter.api.BeforeAll;

/** Paths over libfabric keep the contract, over verbs: where there is such a card, and in the guest with soft-RoCE. */
final class VerbsContractTest extends TransportContract {

    @BeforeAll
    static void assumeAvailable() {
        Native.verbs();
    }

    @Override
    protected Wiring wire(int size, long seed) {
        return RdmaWiring.open(size, seed, Native.VERBS);
    }

    /** The card moves the bytes. */
    @Override
    protected boolean callsTheSystem() {
        return false;
    }

    @Override
    protected boolean lendsMemory() {
        return true;
    }
}
