package io.zipcomm.transport.tcp;

import org.junit.jupiter.api.Tag;

/** Paths through a real relay, in a WebSocket, on epoll, keep the contract. */
@Tag("once")
final class RelayedWebSocketContractTest extends RelayedContract {

    RelayedWebSocketContractTest() {
        super("epoll", Way.Kind.WS);
    }
}
