package io.zipcomm.testkit;

/** One rank's connection to the simulated relay's control plane. */
final class SimulatedControl {

    private final SimulatedNetwork network;
    private final int rank;

    SimulatedControl(SimulatedNetwork network, int rank) {
        this.network = network;
        this.rank = rank;
    }

    void died() {}

    void relayLost() {}
}
