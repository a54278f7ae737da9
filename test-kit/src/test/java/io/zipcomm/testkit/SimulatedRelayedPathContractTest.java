package io.zipcomm.testkit;

/** Relayed paths of the simulated transport keep the contract. */
final class SimulatedRelayedPathContractTest extends TransportContract {

    @Override
    protected Wiring wire(int size, long seed) {
        return new SimulatedWiring(size, seed, false);
    }

    @Override
    protected boolean isRelayed() {
        return true;
    }

    @Override
    protected boolean blocks() {
        return false;
    }

    @Override
    protected int bytesUnderWayMax() {
        return SimulatedWiring.BYTES_UNDER_WAY_MAX;
    }

    @Override
    protected boolean noticesBreaks() {
        return false;
    }
}
