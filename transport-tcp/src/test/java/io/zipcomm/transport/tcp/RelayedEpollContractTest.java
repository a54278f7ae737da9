package io.zipcomm.transport.tcp;

import org.junit.jupiter.api.Tag;

/** Paths through a real relay, on epoll, keep the contract. */
@Tag("once")
final class RelayedEpollContractTest extends RelayedContract {

    RelayedEpollContractTest() {
        super("epoll");
    }
}
