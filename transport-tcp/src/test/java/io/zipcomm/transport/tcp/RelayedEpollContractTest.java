package io.zipcomm.transport.tcp;

/** Paths through a real relay, on epoll, keep the contract. */
final class RelayedEpollContractTest extends RelayedContract {

    RelayedEpollContractTest() {
        super("epoll");
    }
}
