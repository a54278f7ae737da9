package io.zipcomm.transport.tcp;

import io.zipcomm.testkit.TransportContract;

/** Direct connections on nio keep the contract. */
final class DirectNioContractTest extends TransportContract {

    @Override
    protected Wiring wire(int size, long seed) {
        return TcpWiring.direct(size, seed, "nio");
    }
}
