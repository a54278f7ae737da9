package io.zipcomm.transport.tcp;

import io.zipcomm.testkit.TransportContract;

/** Direct connections on epoll keep the contract. */
final class DirectEpollContractTest extends TransportContract {

    @Override
    protected Wiring wire(int size, long seed) {
        return TcpWiring.direct(size, seed, "epoll");
    }
}
