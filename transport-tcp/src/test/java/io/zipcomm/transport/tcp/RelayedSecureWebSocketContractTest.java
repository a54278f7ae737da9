package io.zipcomm.transport.tcp;

/** Paths through a real relay, in a WebSocket in TLS, on epoll, keep the contract. */
final class RelayedSecureWebSocketContractTest extends RelayedContract {

    RelayedSecureWebSocketContractTest() {
        super("epoll", Way.Kind.WSS);
    }
}
