package io.zipcomm.testkit;

/** Direct paths of the simulated transport keep the contract. */
final class SimulatedDirectPathContractTest extends TransportContract {

    @Override
    protected Wiring wire(int size, long seed) {
        return new SimulatedWiring(size, seed, true);
    }

    @Override
    protected boolean forgets() {
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
}
