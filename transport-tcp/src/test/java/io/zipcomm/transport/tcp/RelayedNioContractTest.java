package io.zipcomm.transport.tcp;

import io.zipcomm.testkit.TransportContract;

/** Paths through a real relay, on nio, keep the contract. */
final class RelayedNioContractTest extends TransportContract {

    @Override
    protected Wiring wire(int size, long seed) {
        return TcpWiring.relayed(size, "nio");
    }

    @Override
    protected boolean noticesBreaks() {
        return false;
    }

    @Override
    protected boolean tellsRegularEnds() {
        return false;
    }

    @Override
    protected boolean seesMalformedFrames() {
        return false;
    }

    @Override
    protected boolean countsExactly() {
        return false;
    }

    @Override
    protected int bytesUnderWayMax() {
        return 2 << 20;
    }
}
