package io.zipcomm.transport.tcp;

import io.zipcomm.testkit.TransportContract;
import org.junit.jupiter.api.Tag;

/** Direct connections between what are taken for several hosts keep the contract on epoll. */
@Tag("once")
final class BetweenEpollContractTest extends TransportContract {

    @Override
    protected Wiring wire(int size, long seed) {
        return TcpWiring.between(size, seed, "epoll");
    }

    @Override
    protected boolean forgets() {
        return true;
    }
}
