package io.zipcomm.testkit;

import io.zipcomm.transport.Path;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.transport.Transport;
import java.util.HashMap;
import java.util.Map;

/** Simulated transports with paths of one kind between them, in conditions that depend on the seed. */
final class SimulatedWiring implements TransportContract.Wiring {

    /** More than the largest window and the largest fragment. */
    static final int BYTES_UNDER_WAY_MAX = 1 << 20;

    private static final long IDLE_NS = 2_000_000;

    private final SimulatedNetwork network;
    private final boolean direct;
    private final Map<Integer, Path> opened = new HashMap<>();

    SimulatedWiring(int size, long seed, boolean direct) {
        this.direct = direct;
        network = new SimulatedNetwork(size, seed);
        network.allowMalformedFrames();
        network.forgettable(true);
        for (int rank = 0; rank < size; rank++) {
            int self = rank;
            network.transport(rank).start(network.view(rank), new PathEvents() {
                @Override
                public void opened(Path path) {
                    opened.put(self * size + path.peer(), path);
                }

                @Override
                public void unreachable(int peer, String reason) {
                    throw new AssertionError("rank " + peer + " is unreachable: " + reason);
                }

                @Override
                public void punchWanted(int peer) {
                    throw new AssertionError("nobody is behind a NAT here");
                }

                @Override
                public void relayLost(String reason) {
                    throw new AssertionError(reason);
                }
            });
        }
        if (direct) {
            connectAll();
        }
    }

    private void connectAll() {
        int size = network.size();
        for (int rank = 0; rank < size; rank++) {
            for (int peer = 0; peer < size; peer++) {
                // Sometimes one asks, sometimes both.
                if (rank < peer || (rank > peer && network.seed() % 2 == 0)) {
                    network.transport(rank).connect(peer);
                }
            }
        }
        while (opened.size() < size * (size - 1)) {
            idle();
            for (int rank = 0; rank < size; rank++) {
                network.transport(rank).poll();
            }
        }
    }

    @Override
    public int epoch() {
        return SimulatedNetwork.EPOCH;
    }

    @Override
    public Transport transport(int rank) {
        return network.transport(rank);
    }

    @Override
    public Path path(int rank, int peer) {
        return direct
                ? opened.get(rank * network.size() + peer)
                : network.transport(rank).relayed(peer);
    }

    @Override
    public void idle() {
        while (network.takeReady() >= 0) {
            // The contract gives every rank its turn.
        }
        network.advance(IDLE_NS);
    }

    @Override
    public String toString() {
        return network.state();
    }

    @Override
    public void close() {
        for (int rank = 0; rank < network.size(); rank++) {
            network.transport(rank).close();
        }
    }
}
