package io.zipcomm.transport.tcp;

/** Paths through a real relay, in TLS, on epoll, keep the contract. */
final class RelayedTlsContractTest extends RelayedContract {

    RelayedTlsContractTest() {
        super("epoll", Way.Kind.ZIPS);
    }
}
