package io.zipcomm.transport.tcp;

import org.junit.jupiter.api.Tag;

/** Paths through a real relay, in a WebSocket in TLS, through a proxy, on nio, keep the contract. */
@Tag("once")
final class RelayedProxiedContractTest extends RelayedContract {

    RelayedProxiedContractTest() {
        super("nio", Way.Kind.PROXY_WSS);
    }
}
