package io.zipcomm.transport.tcp;

/** Paths through a real relay, in a WebSocket, on epoll, keep the contract. */
final class RelayedWebSocketContractTest extends RelayedContract {

    RelayedWebSocketContractTest() {
        super("epoll", Way.Kind.WS);
    }
}
