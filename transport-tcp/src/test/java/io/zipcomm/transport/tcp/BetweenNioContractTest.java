package io.zipcomm.transport.tcp;

import io.zipcomm.testkit.TransportContract;

/** Direct connections between what are taken for several hosts keep the contract on nio. */
final class BetweenNioContractTest extends TransportContract {

    @Override
    protected Wiring wire(int size, long seed) {
        return TcpWiring.between(size, seed, "nio");
    }

    @Override
    protected boolean forgets() {
        return true;
    }
}
