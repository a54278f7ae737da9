package io.zipcomm.transport.tcp;

import org.junit.jupiter.api.Tag;

/** Paths through a real relay, in a WebSocket in TLS, on epoll, keep the contract; on nio, so does what goes by a proxy. */
@Tag("long")
final class RelayedSecureWebSocketContractTest extends RelayedContract {

    RelayedSecureWebSocketContractTest() {
        super("epoll", Way.Kind.WSS);
    }
}
